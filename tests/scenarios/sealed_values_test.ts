import assert from "node:assert/strict";
import { mediaTypes } from "../../src/core/descriptor.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { configMap, kustomization, ociRepository, secret, yamlOf } from "../support/documents.ts";
import { ownVectors } from "../support/paths.ts";
import { World } from "./world.ts";

interface Case {
  readonly file: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly encrypted: string;
  readonly fails?: string;
}

const { cases } = JSON.parse(Deno.readTextFileSync(`${ownVectors}/sops/cases.json`)) as {
  readonly cases: readonly Case[];
};

function sealed(file: string): Case {
  const found = cases.find((one) => one.file === file && one.fails === undefined);
  assert.ok(found !== undefined, file);
  return found;
}

const note = sealed("blob.txt");
const values = sealed("suffix.yaml");
const decryption = { provider: "sops", secretRef: { name: "keys" } };
const keys = secret("keys", values.keys);
const substituted = { postBuild: { substituteFrom: [{ kind: "Secret", name: "variables" }] } };

function world(): World {
  const made = new World();
  made.registry.put({
    repository: "org/app",
    tag: "latest",
    files: { "map.yaml": yamlOf(configMap("app", { text: "${TEXT}" })) },
  });
  made.registry.put({
    repository: "charts/web",
    tag: "1.0.0",
    config: { mediaType: mediaTypes.helmConfig, bytes: new TextEncoder().encode('{"name":"web","version":"1.0.0"}') },
    mediaType: mediaTypes.helmChart,
    files: {
      "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
      "web/templates/map.yaml":
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  text: {{ .Values.b | quote }}\n",
    },
  });
  return made;
}

const release: readonly JsonObject[] = [
  ociRepository("chart", "charts/web", { ref: { tag: "1.0.0" } }),
  {
    apiVersion: "helm.toolkit.fluxcd.io/v2",
    kind: "HelmRelease",
    metadata: { name: "web", namespace: "default" },
    spec: {
      interval: "10m",
      chartRef: { kind: "OCIRepository", name: "chart" },
      valuesFrom: [{ kind: "Secret", name: "values" }],
    },
  },
];

async function textOf(made: World): Promise<string> {
  return Object.values(await made.files()).join("");
}

function told(made: World): string {
  return JSON.stringify([made.board.statuses(), made.board.events(), made.lines]);
}

Deno.test("encrypted variables are opened with the Kustomization's own keys", async () => {
  await using made = world();
  await made.write(
    "app.yaml",
    keys,
    secret("variables", { TEXT: note.encrypted }),
    ociRepository("app", "org/app"),
    kustomization("app", "app", { ...substituted, decryption }),
  );
  await made.run();
  made.expectReady("Kustomization/default/app");
  assert.match(await textOf(made), /text: any textat all/);
});

Deno.test("encrypted variables without keys, or with wrong ones, fail by name and are never applied", async () => {
  for (
    const [file, spec, text] of [
      [note.encrypted, {}, /Secret 'default\/variables', key 'TEXT'.*SOPS encrypted, and there are no keys/],
      ["ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]", { decryption }, /its Secret is SOPS encrypted as a whole/],
      [note.encrypted, { decryption: { provider: "sops" } }, /key 'TEXT'.*age/],
    ] as const
  ) {
    await using made = world();
    await made.write(
      "app.yaml",
      keys,
      secret("variables", { TEXT: file }),
      ociRepository("app", "org/app"),
      kustomization("app", "app", { ...substituted, ...spec }),
    );
    await made.run();
    const ready = made.ready("Kustomization/default/app");
    assert.equal(ready.reason, "BuildFailed");
    assert.match(ready.message, text);
    assert.equal(await textOf(made), "");
  }
});

Deno.test("encrypted values of a release are opened with the keys of the Kustomization that brought it", async () => {
  await using made = world();
  made.registry.put({
    repository: "org/fleet",
    tag: "latest",
    files: {
      "web.yaml": yamlOf(...release),
      "plain.yaml": yamlOf(secret("values", { "values.yaml": values.encrypted, other: "ENC[AES256_GCM,data:left" })),
    },
  });
  await made.write(
    "fleet.yaml",
    keys,
    ociRepository("fleet", "org/fleet"),
    kustomization("fleet", "fleet", { decryption }),
  );
  await made.run();
  made.expectReady("HelmRelease/default/web");
  assert.match(await textOf(made), /text: shut/);
});

Deno.test("encrypted values of a release among the documents are refused by name", async () => {
  await using made = world();
  await made.write("web.yaml", keys, secret("values", { "values.yaml": values.encrypted }), ...release);
  await made.run();
  const ready = made.ready("HelmRelease/default/web");
  assert.equal(ready.reason, "ValuesError");
  assert.match(ready.message, /Secret 'default\/values', key 'values\.yaml'/);
  assert.doesNotMatch(told(made), /AGE-SECRET-KEY/);
  assert.equal(await textOf(made), "");
});
