import { deepEqual, equal, match, throws } from "node:assert/strict";
import type { Condition } from "../../src/core/condition.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { DesiredObject, ObjectKey } from "../../src/core/object.ts";
import { keyText } from "../../src/core/object.ts";
import { StageError } from "../../src/core/stage_error.ts";
import { checkDependencies, documentWithStatus, graphOf, type Neighbour } from "../../src/reconcile/graph.ts";
import { newRecord, type ObjectRecord } from "../../src/reconcile/record.ts";

function keyOf(kind: string, name: string): ObjectKey {
  return { kind, namespace: "default", name };
}

function objectOf(name: string, spec: Record<string, unknown>, kind = "Kustomization"): DesiredObject {
  return {
    key: keyOf(kind, name),
    apiVersion: "v1",
    labels: {},
    annotations: {},
    spec,
    generation: 1,
    document: { metadata: { name, labels: { team: "a" } }, spec: spec as JsonObject },
  };
}

const ready: Condition = {
  type: "Ready",
  status: "True",
  reason: "Succeeded",
  message: "",
  lastTransitionTime: "",
  observedGeneration: 1,
};

/** What {@linkcode checkDependencies} finds: objects by key with their records. */
function world(...neighbours: readonly (readonly [DesiredObject, Partial<ObjectRecord>?])[]) {
  const byKey = new Map<string, Neighbour>(
    neighbours.map(([object, patch]) => [keyText(object.key), {
      object,
      record: patch === undefined ? undefined : { ...newRecord(object), observedGeneration: 1, ...patch },
    }]),
  );
  const asked: unknown[] = [];
  return {
    asked,
    find: (key: ObjectKey) => byKey.get(keyText(key)),
    evaluate: (expression: string, variables: unknown) => {
      asked.push(variables);
      if (expression === "broken") throw new Error("no such key");
      return expression === "true";
    },
  };
}

const source = keyOf("OCIRepository", "src");

Deno.test("graphOf() knows consumers, dependents and referrers", () => {
  const app = objectOf("app", {
    sourceRef: source,
    dependsOn: [keyOf("Kustomization", "base"), keyOf("Kustomization", "base")],
    postBuild: { substituteFrom: [{ kind: "ConfigMap", name: "vars" }] },
    decryption: { secretRef: { name: "age" } },
    serviceAccountName: "deployer",
    patches: [{ target: { name: "no-reference" } }],
  });
  const release = objectOf(
    "web",
    { chart: { kind: "ref", sourceRef: source }, valuesFrom: [{ kind: "Secret", name: "vars" }] },
    "HelmRelease",
  );
  const graph = graphOf([app, release, objectOf("src", {}, "OCIRepository")]);

  deepEqual(graph.consumersOf(source), [app.key, release.key]);
  deepEqual(graph.dependentsOf(keyOf("Kustomization", "base")), [app.key]);
  deepEqual(graph.referrersOf("ConfigMap", "default", "vars"), [app.key, release.key]);
  deepEqual(graph.referrersOf("Secret", "default", "age"), [app.key]);
  deepEqual(graph.referrersOf("Secret", "default", "deployer"), [app.key]);
  deepEqual(graph.referrersOf("Secret", "default", "no-reference"), []);
  deepEqual(graph.referrersOf("Secret", "elsewhere", "age"), []);
});

const app = objectOf("app", { sourceRef: source, dependsOn: [keyOf("Kustomization", "base")] });
const base = objectOf("base", { sourceRef: source });
const src = objectOf("src", {}, "OCIRepository");
const artifact = { revision: "v2@sha256:2" } as never;

for (
  const [name, neighbours, message] of [
    [
      "is missing",
      [],
      /^dependency 'default\/base' not found: kustomizations\.kustomize\.toolkit\.fluxcd\.io "base" not found$/,
    ],
    ["never ran", [[base]], /is not ready/],
    ["has failed", [[base, { conditions: [{ ...ready, status: "False" }] }]], /is not ready/],
    ["is ready for an older generation only", [[base, { generation: 2, conditions: [ready] }]], /is not ready/],
    [
      "has not applied the present revision of the same source",
      [[base, { conditions: [ready], lastAppliedRevision: "v1@sha256:1" }], [src, { artifact }]],
      /has not applied revision 'v2@sha256:2' yet/,
    ],
  ] as const
) {
  Deno.test(`checkDependencies() holds an object back whose dependency ${name}`, () => {
    throws(
      () => checkDependencies(app, world(...neighbours)),
      (error) => {
        match((error as Error).message, message);
        return error instanceof StageError && error.reason === "DependencyNotReady";
      },
    );
  });
}

Deno.test("checkDependencies() lets pass what is ready, and asks for a revision of the same source only", () => {
  const other = objectOf("base", { sourceRef: keyOf("OCIRepository", "other") });

  checkDependencies(
    app,
    world([base, { conditions: [ready], lastAppliedRevision: "v2@sha256:2" }], [src, { artifact }]),
  );
  checkDependencies(
    app,
    world([other, { conditions: [ready], lastAppliedRevision: "v1@sha256:1" }], [src, { artifact }]),
  );
});

Deno.test("readyExpr replaces the check, and sees both documents with their status", () => {
  const withExpression = (readyExpr: string) =>
    objectOf("app", { dependsOn: [{ ...keyOf("Kustomization", "base"), readyExpr }] });
  const tools = world([base, { conditions: [{ ...ready, status: "False" }], lastAppliedRevision: "v1" }]);

  checkDependencies(withExpression("true"), tools);
  throws(() => checkDependencies(withExpression("false"), tools), /not ready according to readyExpr/);
  throws(
    () => checkDependencies(withExpression("broken"), tools),
    (error) => error instanceof StageError && error.reason === "InvalidCELExpression",
  );
  const [{ self, dep }] = tools.asked as [{ self: JsonObject; dep: { status: JsonObject; metadata: JsonObject } }];
  equal((self.metadata as JsonObject).name, "app");
  equal(dep.status.lastAppliedRevision, "v1");
  equal(dep.metadata.generation, 1);
});

Deno.test("documentWithStatus() of an object that never ran has an empty status", () => {
  deepEqual((documentWithStatus({ object: base, record: undefined }) as JsonObject).status, {});
});
