/** The same documents, given to Flux's own controllers and to the program, on one real cluster. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Condition } from "../../src/core/condition.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { yamlOf } from "../support/documents.ts";
import type { Side } from "../support/flux_sides.ts";
import { fluxReady, hasFlux, namespaceOf, objects, ourReady, sides } from "../support/flux_sides.ts";
import { labProgram, startCluster } from "../support/lab.ts";
import type { LabRegistry } from "../support/lab_registry.ts";
import { startRegistry } from "../support/lab_registry.ts";
import { Place, until } from "../support/program.ts";

const isHere = labProgram() !== undefined && hasFlux("source", "kustomize");
const web = (more: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" }, ...metadata },
      spec: { containers: [{ name: "main", image: "nginx:1" }] },
    },
    ...more,
  },
});

const settings: JsonObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings" },
  data: { color: "${color:=blue}", size: "${size:=small}" },
};

const service: JsonObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web" },
  spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
};

/** Artifacts by name: their files. */
const artifacts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  good: {
    "base/app.yaml": yamlOf(settings, web(), service),
    "component/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n" +
      "- patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {added: \"yes\"}}'\n",
    "docs/readme.md": "nothing to apply",
  },
  broken: { "app.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x\n" },
  invalid: { "app.yaml": yamlOf({ ...web({ replicas: "many" }) }) },
  unknown: { "app.yaml": yamlOf({ apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w" } }) },
  failing: { "app.yaml": yamlOf(web({}, { annotations: { "lab/behaviour": "crash" } })) },
};

/** One Kustomization of a comparison. */
interface Case {
  readonly source: string;
  readonly spec?: JsonObject;
}

const cases: Readonly<Record<string, Case>> = {
  plain: { source: "good" },
  all: {
    source: "good",
    spec: {
      namePrefix: "a-",
      nameSuffix: "-z",
      commonMetadata: { labels: { team: "one" }, annotations: { note: "two" } },
      images: [{ name: "nginx", newName: "registry.example.com/nginx", newTag: "2" }],
      patches: [{ patch: '[{"op":"add","path":"/spec/replicas","value":2}]', target: { kind: "Deployment" } }],
      components: ["../component"],
      postBuild: { substitute: { color: "red" }, substituteFrom: [{ kind: "ConfigMap", name: "vars" }] },
      wait: true,
    },
  },
  checked: { source: "good", spec: { healthChecks: [{ apiVersion: "apps/v1", kind: "Deployment", name: "web" }] } },
  expressed: {
    source: "good",
    spec: {
      wait: true,
      postBuild: { substitute: { shape: "round" } },
      healthCheckExprs: [{ apiVersion: "v1", kind: "ConfigMap", current: "data.color == 'blue'" }],
    },
  },
  "missing-path": { source: "good", spec: { path: "./nowhere" } },
  "missing-variables": {
    source: "good",
    spec: { postBuild: { substituteFrom: [{ kind: "ConfigMap", name: "none" }] } },
  },
  "missing-dependency": { source: "good", spec: { dependsOn: [{ name: "none" }] } },
  "failing-dependency": { source: "good", spec: { dependsOn: [{ name: "missing-path" }] } },
  "missing-source": { source: "none" },
  "missing-key": { source: "good", spec: { decryption: { provider: "sops", secretRef: { name: "none" } } } },
  "missing-account": { source: "good", spec: { serviceAccountName: "none" } },
  "bad-expression": {
    source: "good",
    spec: { wait: true, healthCheckExprs: [{ apiVersion: "v1", kind: "ConfigMap", current: "data.(" }] },
  },
  "bad-patch": {
    source: "good",
    spec: { patches: [{ patch: '[{"op":"replace","path":"/none/deep","value":2}]', target: { kind: "Service" } }] },
  },
  broken: { source: "broken", spec: { path: "./" } },
  invalid: { source: "invalid", spec: { path: "./" } },
  unknown: { source: "unknown", spec: { path: "./" } },
  failing: { source: "failing", spec: { path: "./", wait: true, timeout: "30s" } },
};

Deno.test({
  name: isHere
    ? "side by side with Flux's controllers"
    : "side by side with Flux's controllers (the lab has no Flux controllers)",
  ignore: !isHere,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    await using lab = await startCluster();
    await using registry = await startRegistry();
    await using place = await Place.make();
    await lab.flux();
    for (const [name, files] of Object.entries(artifacts)) await registry.push(`${name}:v1`, { files });
    for (const side of Object.keys(sides) as Side[]) {
      const names = [sides[side], ...Object.keys(cases).map((name) => `${side}-${name}`)];
      await lab.kubectl(["apply", "-f", "-"], yamlOf(...names.map(namespaceOf)));
    }
    await lab.kubectl(["apply", "-f", "-"], yamlOf(...documents("flux", registry, cases)));
    await place.write("all.yaml", yamlOf(...documents("ours", registry, cases)));
    const flags = ["--target", "cluster", "--kubeconfig", lab.kubeconfig];
    place.start(...flags);

    await t.step("both come to the same conditions", async () => {
      const wrong: string[] = [];
      for (const name of Object.keys(cases)) {
        const theirs = await until(() => fluxReady(lab, "kustomization", name), isDecided, {
          withinMs: 120_000,
          what: `Flux: ${name}`,
        });
        const ours = await until(() => ourReady(place, "ks", name), isDecided, {
          withinMs: 60_000,
          what: `ours: ${name}`,
        });
        const wanted = [theirs?.status, theirs?.reason];
        if (theirs?.status === "True") wanted.push(theirs.message);
        const got = [ours?.status, ours?.reason, ours?.message].slice(0, wanted.length);
        if (JSON.stringify(got) !== JSON.stringify(wanted)) {
          wrong.push(`${name}: Flux ${JSON.stringify(theirs)}, ours ${JSON.stringify(ours)}`);
        }
      }
      deepEqual(wrong, []);
    });

    await t.step("both make the same objects", async () => {
      const [ours, theirs] = [await objects(lab, "ours"), await objects(lab, "flux")];
      deepEqual(Object.keys(ours).sort(), Object.keys(theirs).sort());
      for (const [name, object] of Object.entries(theirs)) deepEqual(ours[name], object, name);
    });

    await t.step("a release changes hands and comes back, and no Pod is touched", async () => {
      await place.end();
      const app = { app: { source: "good", spec: { wait: true } } };
      await lab.kubectl(["create", "namespace", "shared"]);
      await lab.kubectl(["create", "namespace", "flux-app"]);
      const shared = documents("flux", registry, app).map((document): JsonObject => ({
        ...document,
        metadata: { ...document.metadata as JsonObject, namespace: "shared" },
      })).filter((document) => !["ConfigMap"].includes(String(document.kind)));
      await lab.kubectl(["apply", "-f", "-"], yamlOf(...shared));
      const ready = () =>
        lab.kubectl(["-n", "shared", "wait", "kustomization/app", "--for=condition=Ready", "--timeout=60s"]);
      await ready();
      const pods = () => lab.kubectl(["-n", "flux-app", "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}"]);
      const versions = () =>
        lab.kubectl(["-n", "flux-app", "get", "deploy,svc,cm", "-o", "jsonpath={.items[*].metadata.generation}"]);
      const [before, generations] = [await pods(), await versions()];
      ok(before !== "");

      // Flux rests, and we take over.
      const suspend = (value: boolean) =>
        lab.kubectl([
          "-n",
          "shared",
          "patch",
          "kustomization",
          "app",
          "--type=merge",
          "-p",
          `{"spec":{"suspend":${value}}}`,
        ]);
      await suspend(true);
      await place.write("all.yaml", yamlOf(...shared));
      const diff = await place.work("diff", ...flags);
      equal(diff.code, 0, diff.stdout);
      const once = await place.work("once", ...flags);
      equal(once.code, 0, once.stderr + once.stdout);
      deepEqual([await pods(), await versions()], [before, generations]);

      // What leaves the artifact is pruned by us, though Flux made it.
      await registry.push("good:v1", { files: { "base/app.yaml": yamlOf(settings, web()) } });
      equal((await place.work("once", ...flags)).code, 0);
      equal((await lab.kubectl(["-n", "flux-app", "get", "service", "-o", "name"])).trim(), "");
      equal(await pods(), before);

      // And back: Flux finds it as it would have made it.
      await suspend(false);
      await lab.kubectl(["-n", "shared", "annotate", "ocirepository", "good", "reconcile.fluxcd.io/requestedAt=now"]);
      await until(
        async () =>
          await lab.kubectl(["-n", "shared", "get", "kustomization", "app", "-o", "jsonpath={.status.inventory}"]),
        (inventory) => !inventory.includes("_Service"),
      );
      await ready();
      equal(await pods(), before);
      const again = await place.work("diff", ...flags);
      equal(again.code, 0, again.stdout);

      // With its document our object goes, and what Flux holds would go with it: it must be orphaned first.
      await place.write("all.yaml", yamlOf(...shared.map(orphaned)));
      equal((await place.work("once", ...flags)).code, 0);
      await place.write("all.yaml", yamlOf(...shared.filter((document) => document.kind !== "Kustomization")));
      equal((await place.work("once", ...flags)).code, 0);
      equal(await pods(), before);
    });

    await t.step("what cannot be built or pulled by Flux's rules says why in our words too", async () => {
      const message = (await fluxReady(lab, "kustomization", "invalid"))?.message ?? "";
      match(message, /Deployment\/flux-invalid\/web dry-run failed/);
    });
  },
});

function orphaned(document: JsonObject): JsonObject {
  return document.kind === "Kustomization"
    ? { ...document, spec: { ...document.spec as JsonObject, deletionPolicy: "Orphan" } }
    : document;
}

/** The documents of a side: sources, variables and Kustomizations, each into a namespace of its own. */
function documents(side: Side, registry: LabRegistry, wanted: Readonly<Record<string, Case>>): readonly JsonObject[] {
  const namespace = sides[side];
  const named = (apiVersion: string, kind: string, name: string, rest: JsonObject): JsonObject => ({
    apiVersion,
    kind,
    metadata: { name, namespace },
    ...rest,
  });
  return [
    named("v1", "ConfigMap", "vars", { data: { size: "large", color: "green" } }),
    ...Object.keys(artifacts).map((name) =>
      named("source.toolkit.fluxcd.io/v1", "OCIRepository", name, {
        spec: { interval: "10m", url: `oci://${registry.host}/${name}`, ref: { tag: "v1" }, insecure: true },
      })
    ),
    ...Object.entries(wanted).map(([name, { source, spec = {} }]) =>
      named("kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, {
        spec: {
          interval: "10m",
          retryInterval: "10m",
          timeout: "1m",
          prune: true,
          path: "./base",
          sourceRef: { kind: "OCIRepository", name: source },
          targetNamespace: `${side}-${name}`,
          ...spec,
          ...(spec.healthChecks === undefined ? {} : {
            healthChecks: (spec.healthChecks as readonly JsonObject[]).map((check) => ({
              ...check,
              namespace: `${side}-${name}`,
            })),
          }),
        },
      })
    ),
  ];
}

function isDecided(ready: Condition | undefined): boolean {
  // Flux looks again after 30 s where its source was not ready at first.
  return ready !== undefined && ready.status !== "Unknown" && !ready.message.startsWith("Source artifact not found");
}
