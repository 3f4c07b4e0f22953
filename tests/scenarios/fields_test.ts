/**
 * Every field of OCIRepository and Kustomization, with what it does in a run over a folder, or the refusal that names it. A
 * field without a row here fails the last test: nothing that a document says may be passed over in silence.
 */
import assert from "node:assert/strict";
import { kustomization as kustomizationKind } from "../../src/config/kinds/kustomization.ts";
import { ociRepository as ociRepositoryKind } from "../../src/config/kinds/oci_repository.ts";
import type { Fields } from "../../src/config/schema.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { configMap, kustomization, ociRepository, secret, type SpecFields, yamlOf } from "../support/documents.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { ScriptedRegistry } from "../support/scripted_registry.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;
const source = "OCIRepository/default/app";
const consumer = "Kustomization/default/app";

interface Row {
  readonly field: string;
  readonly source?: SpecFields;
  readonly consumer?: SpecFields;
  readonly documents?: readonly JsonObject[];
  readonly registry?: ScriptedRegistry;
  /** More files of the artifact. */
  readonly files?: Readonly<Record<string, string>>;
  /** Changes documents as they are written. */
  readonly text?: (text: string) => string;
  /** What the outcome must be: words of the target's files, or of the fault that names the field. */
  readonly shows?: RegExp;
  readonly hides?: RegExp;
  readonly fails?: readonly [key: string, message: RegExp];
  /** Whether an object is meant not to be ready. */
  readonly isUnready?: boolean;
  /** A warning of the documents that names the field. */
  readonly warns?: RegExp;
  /** More that is looked at. */
  readonly check?: (world: World) => void | Promise<void>;
}

const digests = new Map<string, string>();

/** A registry with `org/app` in three tags that say which they are, and `org/layers` with two layers. */
function filled(registry: ScriptedRegistry, files: Readonly<Record<string, string>>): ScriptedRegistry {
  for (const tag of ["latest", "1.0.0", "1.5.0", "2.0.0-rc.1", "v9"]) {
    const all = {
      "app.yaml": yamlOf(configMap("app", { tag, value: "${value:=plain}" })),
      "sub/kustomization.yaml": "resources: [x.yaml]\n",
      "sub/x.yaml": yamlOf(configMap("below", { from: "sub" })),
      "kustomization.yaml": "resources: [app.yaml]\n",
      ...files,
    };
    digests.set(tag, registry.put({ repository: "org/app", tag, files: all }).digest);
  }
  registry.put({
    repository: "org/layers",
    tag: "latest",
    layers: [
      { mediaType: "application/x.first.tar+gzip", files: { "a.yaml": yamlOf(configMap("first", {})) } },
      { mediaType: "application/x.second.tar+gzip", files: { "a.yaml": yamlOf(configMap("second", {})) } },
      { mediaType: "text/plain", bytes: new TextEncoder().encode("no archive") },
    ],
  });
  return registry;
}

async function runRow(row: Row): Promise<void> {
  const registry = filled(row.registry ?? new ScriptedRegistry(), row.files ?? {});
  await using world = new World({ registry, clock: new FakeClock() });
  const text = yamlOf(
    ociRepository("app", "org/app", row.source),
    kustomization("app", "app", row.consumer),
    ...row.documents ?? [],
  );
  await world.writeText("app.yaml", row.text?.(text) ?? text);
  await world.run();
  const shown = JSON.stringify(await world.files());
  if (row.warns !== undefined) assert.match(world.problems.join("\n"), row.warns, row.field);
  if (row.fails !== undefined) {
    const [key, message] = row.fails;
    const told = [
      ...world.problems,
      ...world.board.statuses().some((one) => one.key.kind === key.split("/")[0])
        ? [world.ready(key).status === "False" ? world.ready(key).message : ""]
        : [],
    ];
    assert.match(told.join("\n"), message, `${row.field}: ${told.join("\n")}`);
    assert.equal(shown, "{}", `${row.field}: nothing is applied`);
  } else if (row.isUnready !== true) world.expectReady(source, consumer);
  if (row.shows !== undefined) assert.match(shown, row.shows, row.field);
  if (row.hides !== undefined) assert.doesNotMatch(shown, row.hides, row.field);
  await row.check?.(world);
}

const login = { kind: "basic", users: [{ name: "ann", password: "long-password" }] } as const;
const auths = { "registry.example.com": { username: "ann", password: "long-password" } };
const dockerSecret = secret(
  "login",
  { ".dockerconfigjson": JSON.stringify({ auths }) },
  "kubernetes.io/dockerconfigjson",
);

const sourceRows: readonly Row[] = [
  { field: "url", source: { url: "oci://registry.example.com/org/layers" }, shows: /first/ },
  { field: "ref.tag", source: { ref: { tag: "v9" } }, shows: /tag: v9/ },
  { field: "ref.semver", source: { ref: { tag: "v9", semver: ">=1.0.0" } }, shows: /tag: 1\.5\.0/ },
  {
    field: "ref.semverFilter",
    source: { ref: { semver: ">=1.0.0-0", semverFilter: "-rc" } },
    shows: /tag: 2\.0\.0-rc\.1/,
  },
  {
    field: "ref.digest",
    source: { ref: { tag: "v9", semver: ">=1.0.0", digest: "DIGEST" } },
    text: (text) => text.replace("DIGEST", digests.get("1.0.0") ?? ""),
    shows: /tag: 1\.0\.0/,
    check: (world) => assert.equal(world.status(source).artifact?.revision, digests.get("1.0.0")),
  },
  {
    field: "layerSelector.mediaType",
    source: {
      url: "oci://registry.example.com/org/layers",
      layerSelector: { mediaType: "application/x.second.tar+gzip" },
    },
    shows: /second/,
  },
  {
    field: "layerSelector.operation",
    source: { layerSelector: { operation: "copy" } },
    shows: /tag: latest/,
  },
  {
    field: "layerSelector.operation",
    source: {
      url: "oci://registry.example.com/org/layers",
      layerSelector: { mediaType: "text/plain", operation: "copy" },
    },
    fails: [consumer, /Cannot unpack layer/],
  },
  {
    field: "provider",
    source: { provider: "aws" },
    warns: /"spec\.provider" "aws" has no effect: registry "registry\.example\.com"/,
    shows: /tag: latest/,
  },
  {
    field: "secretRef.name",
    registry: new ScriptedRegistry({ login }),
    source: { secretRef: { name: "login" } },
    documents: [dockerSecret],
    shows: /tag: latest/,
  },
  {
    field: "serviceAccountName",
    source: { serviceAccountName: "puller" },
    fails: [source, /ServiceAccount "default\/puller" of spec\.serviceAccountName/],
  },
  {
    field: "certSecretRef.name",
    source: { certSecretRef: { name: "certs" } },
    documents: [secret("certs", { "ca.crt": "PEM" })],
    check: (world) => assert.ok(world.connections.some((one) => one.caCerts?.[0] === "PEM")),
  },
  {
    field: "proxySecretRef.name",
    source: { proxySecretRef: { name: "proxy" } },
    documents: [secret("proxy", { address: "http://proxy.example.com:3128" })],
    check: (world) => assert.ok(world.connections.some((one) => one.proxy?.url === "http://proxy.example.com:3128")),
  },
  {
    field: "interval",
    source: { interval: "3m" },
    check: async (world) => {
      const before = world.registry.requests.length;
      await world.advance(2.5 * minuteMs);
      assert.equal(world.registry.requests.length, before);
      await world.advance(minuteMs);
      assert.equal(world.registry.requests.length, before + 1);
    },
  },
  {
    field: "timeout",
    source: { timeout: "5s" },
    registry: (() => {
      const registry = new ScriptedRegistry();
      registry.fault(
        { times: Infinity },
        (request) =>
          new Promise((_, reject) => request.signal.addEventListener("abort", () => reject(request.signal.reason))),
      );
      return registry;
    })(),
    fails: [source, /longer than 5000 ms/],
  },
  { field: "ignore", source: { ignore: "/kustomization.yaml\n/app.yaml\n" }, shows: /below/, hides: /tag: latest/ },
  {
    field: "insecure",
    source: { insecure: true },
    check: (world) => assert.ok(world.connections.some((one) => one.skipVerify === true)),
  },
  {
    field: "suspend",
    source: { suspend: true },
    check: (world) => assert.equal(world.registry.requests.length, 0),
    fails: [consumer, /has no artifact yet/],
  },
  ...[
    ["verify.provider", { provider: "notation", secretRef: { name: "keys" } }],
    ["verify.secretRef.name", { provider: "cosign", secretRef: { name: "keys" } }],
    ["verify.matchOIDCIdentity", { provider: "cosign", matchOIDCIdentity: [{ issuer: "^a$", subject: "^b$" }] }],
    ["verify.trustedRootSecretRef.name", { provider: "cosign", trustedRootSecretRef: { name: "root" } }],
  ].map(([field, verify]): Row => ({
    field: field as string,
    source: { verify },
    fails: [source, /verif|signature|Secret "default\/(?:keys|root)"/i],
  })),
  { field: "path", source: { path: "sub" }, shows: /below/, hides: /tag: latest/ },
];

const values = configMap("values", { value: "from-map" });
const cluster = "with a directory";

const consumerRows: readonly Row[] = [
  { field: "sourceRef.name", consumer: { sourceRef: { kind: "OCIRepository", name: "app" } }, shows: /tag: latest/ },
  {
    field: "sourceRef.kind",
    consumer: { sourceRef: { kind: "GitRepository", name: "app" } },
    fails: [consumer, /GitRepository/],
  },
  {
    field: "sourceRef.apiVersion",
    consumer: { sourceRef: { apiVersion: "source.toolkit.fluxcd.io/v1", kind: "OCIRepository", name: "app" } },
    shows: /tag: latest/,
  },
  {
    field: "sourceRef.namespace",
    consumer: { sourceRef: { kind: "OCIRepository", name: "app", namespace: "other" } },
    fails: [consumer, /other\/app/],
  },
  { field: "path", consumer: { path: "./sub" }, shows: /below/, hides: /tag: latest/ },
  {
    field: "interval",
    consumer: { interval: "2m" },
    check: async (world) => {
      const [file = ""] = Object.keys(await world.files());
      await world.fileSystem.remove(`/out/${file}`);
      await world.advance(2.5 * minuteMs);
      assert.equal(Object.keys(await world.files()).length, 1, "it is back");
    },
  },
  {
    field: "retryInterval",
    consumer: { retryInterval: "1m", path: "./nowhere" },
    fails: [consumer, /nowhere/],
    check: (world) => assert.ok(Date.parse(world.status(consumer).nextRunAt ?? "") - world.clock.now() <= 66_000),
  },
  { field: "timeout", consumer: { timeout: "1m" }, shows: /tag: latest/ },
  ...[true, false].map((prune): Row => ({
    field: "prune",
    consumer: { prune },
    check: async (world) => {
      world.registry.put({ repository: "org/app", tag: "latest", files: { "b.yaml": yamlOf(configMap("b", {})) } });
      await world.advance(2 * minuteMs);
      assert.equal(Object.keys(await world.files()).length, prune ? 1 : 2);
    },
  })),
  ...(["MirrorPrune", "Delete", "WaitForTermination", "Orphan"] as const).map((deletionPolicy): Row => ({
    field: "deletionPolicy",
    consumer: { deletionPolicy },
    check: async (world) => {
      await world.write("app.yaml", ociRepository("app", "org/app"));
      await world.reload();
      assert.equal(Object.keys(await world.files()).length, deletionPolicy === "Orphan" ? 1 : 0, deletionPolicy);
    },
  })),
  { field: "targetNamespace", consumer: { targetNamespace: "elsewhere" }, shows: /namespace: elsewhere/ },
  { field: "namePrefix", consumer: { namePrefix: "pre-" }, shows: /name: pre-app/ },
  { field: "nameSuffix", consumer: { nameSuffix: "-suf" }, shows: /name: app-suf/ },
  { field: "commonMetadata.labels", consumer: { commonMetadata: { labels: { team: "blue" } } }, shows: /team: blue/ },
  {
    field: "commonMetadata.annotations",
    consumer: { commonMetadata: { annotations: { note: "green" } } },
    shows: /note: green/,
  },
  {
    field: "patches",
    consumer: { patches: [{ patch: "- {op: add, path: /data/more, value: patched}", target: { kind: "ConfigMap" } }] },
    shows: /more: patched/,
  },
  {
    field: "images",
    consumer: { images: [{ name: "nginx", newTag: "9.9" }] },
    files: {
      "kustomization.yaml": "resources: [pod.yaml]\n",
      "pod.yaml": yamlOf({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "p" },
        spec: { containers: [{ name: "c", image: "nginx:1" }] },
      }),
    },
    shows: /nginx:9\.9/,
  },
  {
    field: "components",
    consumer: { components: ["part"] },
    files: {
      "part/kustomization.yaml":
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {part: came}\n",
    },
    shows: /part: came/,
  },
  { field: "components", consumer: { components: ["nowhere"] }, fails: [consumer, /nowhere/] },
  {
    field: "ignoreMissingComponents",
    consumer: { components: ["nowhere"], ignoreMissingComponents: true },
    shows: /tag: latest/,
  },
  {
    field: "buildMetadata",
    consumer: { buildMetadata: ["originAnnotations"] },
    shows: /config\.kubernetes\.io\/origin/,
  },
  {
    field: "postBuild.substitute",
    consumer: { postBuild: { substitute: { value: "inline" } } },
    shows: /value: inline/,
  },
  {
    field: "postBuild.substituteFrom",
    consumer: { postBuild: { substituteFrom: [{ kind: "ConfigMap", name: "values" }] } },
    documents: [values],
    shows: /value: from-map/,
  },
  {
    field: "postBuild.substituteFrom",
    consumer: { postBuild: { substituteFrom: [{ kind: "ConfigMap", name: "none" }] } },
    fails: [consumer, /ConfigMap.*none/],
  },
  { field: "postBuild.substituteStrategy", consumer: {}, shows: /\$\{value:=plain\}/ },
  {
    field: "postBuild.substituteStrategy",
    consumer: { postBuild: { substituteStrategy: "Always" } },
    shows: /value: plain/,
  },
  {
    field: "decryption.provider",
    consumer: { decryption: { provider: "vault" } },
    fails: [consumer, /provider.*sops/],
  },
  {
    field: "decryption.secretRef.name",
    consumer: { decryption: { provider: "sops", secretRef: { name: "keys" } } },
    fails: [consumer, /Secret "default\/keys"/],
  },
  {
    field: "decryption.serviceAccountName",
    consumer: { decryption: { provider: "sops", serviceAccountName: "sa" } },
    warns: /"spec\.decryption\.serviceAccountName" has no effect/,
    shows: /tag: latest/,
  },
  { field: "dependsOn", consumer: { dependsOn: [{ name: "other" }] }, fails: [consumer, /other/] },
  {
    field: "healthChecks",
    isUnready: true,
    consumer: { healthChecks: [{ apiVersion: "v1", kind: "ConfigMap", name: "none", namespace: "x" }] },
    check: (world) => assert.match(world.ready(consumer).message, /ConfigMap\/x\/none/),
  },
  {
    field: "healthCheckExprs",
    isUnready: true,
    consumer: { wait: true, healthCheckExprs: [{ apiVersion: "v1", kind: "ConfigMap", current: "true" }] },
    check: (world) => assert.match(world.ready(consumer).message, new RegExp(`spec\\.healthCheckExprs ${cluster}`)),
  },
  { field: "wait", consumer: { wait: true }, shows: /tag: latest/ },
  { field: "force", consumer: { force: true }, shows: /tag: latest/ },
  {
    field: "ignore",
    consumer: { ignore: [{ paths: ["/data/tag"] }] },
    fails: [consumer, new RegExp(`spec\\.ignore ${cluster}`)],
  },
  {
    field: "serviceAccountName",
    consumer: { serviceAccountName: "sa" },
    fails: [consumer, new RegExp(`spec\\.serviceAccountName ${cluster}`)],
  },
  ...["kubeConfig.secretRef.name", "kubeConfig.secretRef.key"].map((field): Row => ({
    field,
    consumer: { kubeConfig: { secretRef: { name: "remote", key: "config" } } },
    documents: [secret("remote", { config: "apiVersion: v1\nkind: Config\n" })],
    fails: [consumer, new RegExp(`spec\\.kubeConfig ${cluster}`)],
  })),
  {
    field: "kubeConfig.configMapRef.name",
    consumer: { kubeConfig: { configMapRef: { name: "remote" } } },
    fails: [consumer, /kubeConfig/],
  },
  {
    field: "suspend",
    isUnready: true,
    consumer: { suspend: true },
    check: async (world) => {
      assert.equal(world.status(consumer).isSuspended, true);
      assert.deepEqual(await world.files(), {});
    },
  },
];

for (const [kind, rows] of [["OCIRepository", sourceRows], ["Kustomization", consumerRows]] as const) {
  Deno.test(`every field of ${kind} does what it says, or is refused by name`, async (context) => {
    for (const row of rows) {
      await context.step({
        name: row.field,
        fn: () => runRow(row),
        sanitizeOps: false,
      });
    }
  });
}

Deno.test("no field of OCIRepository and Kustomization is without a row here", () => {
  const namesOf = (fields: Fields, prefix = ""): readonly string[] =>
    Object.entries(fields).flatMap(([name, { schema }]) =>
      schema.fields === undefined || schema.type.startsWith("list")
        ? [`${prefix}${name}`]
        : namesOf(schema.fields, `${prefix}${name}.`)
    );
  const covered = (rows: readonly Row[]) => [...new Set(rows.map((row) => row.field))].sort();
  assert.deepEqual(covered(sourceRows), [...namesOf(ociRepositoryKind.schema.fields ?? {})].sort());
  assert.deepEqual(covered(consumerRows), [...namesOf(kustomizationKind.schema.fields ?? {})].sort());
});
