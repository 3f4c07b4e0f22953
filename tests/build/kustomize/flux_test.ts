import assert from "node:assert/strict";

import { treeOf } from "../../../src/core/file_tree.ts";
import type { Resource } from "../../../src/core/resource.ts";
import { StageError } from "../../../src/core/stage_error.ts";
import type { KustomizationRequest } from "../../../src/build/kustomize/kustomization_builder.ts";
import { kustomizationBuilder } from "../../../src/build/kustomize/kustomization_builder.ts";
import { substituteResources } from "../../../src/build/kustomize/substitute.ts";

const config = (name: string, data = "{a: b}") =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: ${data}\n`;

function request(spec: Partial<KustomizationRequest["spec"]> = {}, more: Partial<KustomizationRequest> = {}) {
  return {
    owner: { namespace: "apps", name: "web" },
    spec: { path: "", patches: [], images: [], components: [], ignoreMissingComponents: false, ...spec },
    variables: {},
    ...more,
  } satisfies KustomizationRequest;
}

async function names(
  files: Record<string, string>,
  spec: Partial<KustomizationRequest["spec"]> = {},
): Promise<string[]> {
  const result = await kustomizationBuilder.build(request(spec), treeOf(files));
  return result.resources.map((resource) => `${resource.metadata.namespace ?? ""}/${resource.metadata.name}`);
}

async function refusal(files: Record<string, string>, asked: KustomizationRequest): Promise<StageError> {
  const error = await kustomizationBuilder.build(asked, treeOf(files)).then(() => undefined).catch((reason) => reason);
  assert.ok(error instanceof StageError, String(error));
  return error;
}

Deno.test("kustomizationBuilder builds a plain folder in lexical order, sub-kustomizations as one", async () => {
  const files = {
    "app/b.yaml": config("b"),
    "app/a/z.yml": config("z"),
    "app/a.yaml": config("a"),
    "app/sub/kustomization.yaml": "resources: [s.yaml]\nnamePrefix: sub-\n",
    "app/sub/s.yaml": config("s"),
    "app/sub/deeper/x.yaml": config("x"),
    "app/readme.md": "no",
    "other.yaml": config("other"),
  };
  assert.deepEqual(await names(files, { path: "app" }), ["/z", "/a", "/b", "/sub-s"]);
});

Deno.test("kustomizationBuilder refuses a file that is no Kubernetes YAML, and a path that is not there", async () => {
  const wrong = await refusal({ "a.yaml": config("a"), "values.yaml": "just: values\n" }, request());
  assert.equal(wrong.reason, "BuildFailed");
  assert.match(wrong.message, /values\.yaml/);
  const missing = await refusal({ "a.yaml": config("a") }, request({ path: "nowhere" }));
  assert.equal(missing.reason, "ArtifactFailed");
});

Deno.test("kustomizationBuilder gives nothing for a folder with nothing", async () => {
  assert.deepEqual(await names({ "a/readme.md": "x" }, { path: "a" }), []);
});

Deno.test("kustomizationBuilder lays the object's fields over the kustomization", async () => {
  const files = {
    "kustomization.yaml": "resources: [d.yaml]\nnamespace: one\nimages: [{name: nginx, newTag: v1, newName: x.io/n}]\n",
    "d.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: nginx}]}\n",
    "component/kustomization.yaml":
      "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {from: component}\n",
  };
  const result = await kustomizationBuilder.build(
    request({
      targetNamespace: "two",
      namePrefix: "p-",
      nameSuffix: "-s",
      images: [{ name: "nginx", digest: "sha256:ab" }],
      patches: [{ patch: '- op: add\n  path: /metadata/labels\n  value: {patched: "yes"}\n', target: { kind: "Pod" } }],
      components: ["component", "gone"],
      ignoreMissingComponents: true,
      commonMetadata: { labels: { patched: "common" }, annotations: { c: "d" } },
    }),
    treeOf(files),
  );
  assert.deepEqual(result.resources, [{
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "p-p-s",
      namespace: "two",
      annotations: { from: "component", c: "d" },
      labels: {
        patched: "common",
        "kustomize.toolkit.fluxcd.io/name": "web",
        "kustomize.toolkit.fluxcd.io/namespace": "apps",
      },
    },
    spec: { containers: [{ name: "c", image: "x.io/n@sha256:ab" }] },
  }]);
  assert.equal(structuredClone(result).isRepeatable, true);
  const missing = await refusal(files, request({ components: ["gone"] }));
  assert.match(missing.message, /gone/);
  const remote = await refusal(files, request({ components: ["https://example.com/x"] }));
  assert.match(remote.message, /must be local and relative/);
});

Deno.test("kustomizationBuilder reads files beside the path, but none outside the artifact", async () => {
  const files = { "app/kustomization.yaml": "resources: [../shared.yaml]\n", "shared.yaml": config("s") };
  assert.deepEqual(await names(files, { path: "app" }), ["/s"]);
  await assert.rejects(names({ "app/kustomization.yaml": "resources: [../../etc.yaml]\n" }, { path: "app" }));
});

Deno.test("kustomizationBuilder substitutes in strict mode and lists all that is missing", async () => {
  const files = { "a.yaml": config("a", '{x: "${X}", y: "${Y:-no}", z: "$${Z}", q: "\'${X}\'"}') };
  const substitute = { substitute: {}, substituteFrom: [], substituteStrategy: "WithVariables" as const };
  const result = await kustomizationBuilder.build(
    request({ postBuild: substitute }, { variables: { X: "1\n2" } }),
    treeOf(files),
  );
  assert.deepEqual(result.resources[0]?.data, { x: 12, y: false, z: "${Z}", q: "'12'" });
  const missing = await refusal(
    { "a.yaml": config("a", "{x: '${A}', y: '${B}'}"), "b.yaml": config("b", "{x: '${A}'}") },
    request({ postBuild: substitute }, { variables: { X: "1" } }),
  );
  assert.match(
    missing.message,
    /ConfigMap\/a line 3: .*"A".*; ConfigMap\/a line 4: .*"B".*; ConfigMap\/b line 3: .*"A"/,
  );
  const none = await kustomizationBuilder.build(
    request({ postBuild: substitute }),
    treeOf({ "a.yaml": config("a", "{x: '${A}'}") }),
  );
  assert.deepEqual(none.resources[0]?.data, { x: "${A}" });
});

Deno.test("substituteResources() is bounded in what it tells and in what values add", () => {
  const resources = Array.from({ length: 150 }, (_, at) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `c${at}` },
    data: { a: "${A}" },
  }));
  const told = (variables: Record<string, string>) => {
    try {
      substituteResources(resources, { variables, strategy: "Always" });
    } catch (error) {
      return String((error as Error).message);
    }
    return "";
  };
  assert.equal(told({}).match(/is not set/g)?.length, 100);
  assert.match(told({}), /; there may be more$/);
  assert.match(told({ A: "v".repeat(1_000_000) }), /their values add more than 67,108,864 characters$/);
});

Deno.test("substituteResources() leaves out what opts out, and refuses bad names", () => {
  const resource = (annotations: Record<string, string>): Resource => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "c", annotations },
    data: { a: "${A}" },
  });
  const out = resource({ "kustomize.toolkit.fluxcd.io/substitute": "disabled" });
  assert.deepEqual(substituteResources([out], { variables: { A: "1" }, strategy: "WithVariables" }), [out]);
  assert.throws(
    () => substituteResources([out], { variables: { "a-b": "1" }, strategy: "Always" }),
    /"a-b" must match/,
  );
  assert.throws(() => substituteResources([resource({})], { variables: {}, strategy: "Always" }), /"A" is not set/);
});

Deno.test("kustomizationBuilder decrypts through what it is handed, and fails without it", async () => {
  const decryption = { provider: "sops" as const };
  const files = {
    "a.yaml": config("a"),
    "s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nsops: {mac: x}\n",
  };
  const without = await refusal(files, request({ decryption }));
  assert.equal(without.reason, "DecryptionFailed");
  assert.match(without.message, /spec\.decryption/);
  const encrypted = await refusal(files, request());
  assert.equal(encrypted.reason, "DecryptionFailed");
  assert.match(encrypted.message, /Secret\/s/);
  const decryptor = {
    decryptTree: (tree: ReturnType<typeof treeOf>) => Promise.resolve(tree),
    decryptResource: ({ sops: _, ...resource }: Resource) => Promise.resolve(resource as Resource),
  };
  const result = await kustomizationBuilder.build(request({ decryption }, { decryptor }), treeOf(files));
  assert.deepEqual(result.resources.map((resource) => resource.sops), [undefined, undefined]);
});
