import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { Buffer } from "node:buffer";

import { openDecryptor } from "../../../src/build/decrypt/decryptor.ts";
import { kustomizationBuilder } from "../../../src/build/kustomize/kustomization_builder.ts";
import { treeOf } from "../../../src/core/file_tree.ts";
import type { Resource } from "../../../src/core/resource.ts";
import { vectorsFolder } from "../../support/paths.ts";

const shared = vectorsFolder();
const folder = `${shared}/sops`;

/** Files of the shared folder. The one base on the web is replaced by what stands there: bases are never fetched. */
function filesOf(root: string): Record<string, string> {
  const files: Record<string, string> = {};
  const walk = (path: string): void => {
    for (const entry of Deno.readDirSync(`${root}${path}`)) {
      const inner = `${path}/${entry.name}`;
      if (entry.isDirectory) walk(inner);
      else if (!inner.startsWith("/keys/")) files[inner.slice(1)] = Deno.readTextFileSync(`${root}${inner}`);
    }
  };
  walk("");
  const remote = "remote/kustomization.yaml";
  files[remote] = (files[remote] ?? "").replace(/https:\S+/, "namespace.yaml");
  files["remote/namespace.yaml"] = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: system\n";
  return files;
}

function keyOf(file: string): Uint8Array {
  return Deno.readFileSync(`${folder}/keys/${file}`);
}

async function built(
  path: string,
  keys: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<string, Resource>> {
  const decryptor = openDecryptor({
    secret: new Map(Object.entries(keys).map(([name, file]) => [name, keyOf(file)])),
    env: () => undefined,
    network: () => {
      throw new Error("no network in this test");
    },
    now: () => Date.UTC(2026, 0, 1),
  });
  const result = await kustomizationBuilder.build(
    {
      owner: { namespace: "flux-system", name: "sops" },
      spec: {
        path,
        patches: [],
        images: [],
        components: [],
        ignoreMissingComponents: false,
        decryption: { provider: "sops", secretRef: { name: "keys" } },
      },
      variables: {},
      decryptor,
    },
    treeOf({ ...filesOf(folder), ...more }),
  );
  return new Map(result.resources.map((resource) => [`${resource.kind}/${resource.metadata.name}`, resource]));
}

/** Plain content of a Secret or ConfigMap: what a cluster would have. */
function contentOf(resource: Resource | undefined): Record<string, string> {
  const data = Object.entries(resource?.data ?? {}) as readonly [string, string][];
  const decode = (text: string) => resource?.kind === "Secret" ? Buffer.from(text, "base64").toString() : text;
  return {
    ...Object.fromEntries(data.map(([key, value]) => [key, decode(value)])),
    ...(resource?.stringData as Record<string, string> | undefined ?? {}),
  };
}

const all = { "age.agekey": "age.txt", "pq.agekey": "age-pq.txt", "pgp.asc": "pgp.asc" };

function testFolder(name: string, run: () => Promise<void>): void {
  const ignore = shared === undefined;
  Deno.test({ name: ignore ? `${name} (shared vectors are not there)` : name, ignore, fn: run });
}

testFolder("kustomizationBuilder opens every form of Flux's own folder of SOPS files", async () => {
  const resources = await built("", all);
  const value = { key: "value" };
  deepEqual(
    Object.fromEntries([...resources].map(([name, resource]) => [name, contentOf(resource)])),
    {
      "Secret/sops-algo-age": value,
      "Secret/sops-algo-age-pq": value,
      "Secret/sops-algo-pgp": value,
      "Secret/sops-algo-vault": value,
      "Secret/sops-component": value,
      "ConfigMap/sops-envs-configmap": value,
      "Secret/sops-envs-secret": value,
      "ConfigMap/sops-files-configmap": value,
      "Secret/sops-files-secret": value,
      "Secret/sops-inside-secret": value,
      "Secret/sops-patches-secret": { key: "merge1", merge2: "merge2" },
      "ConfigMap/sops-remote-configmap": value,
      "Secret/sops-remote-secret": value,
    },
  );
  for (const [name, resource] of resources) equal(resource.sops, undefined, name);
});

testFolder("kustomizationBuilder opens each folder of it by itself, too", async () => {
  for (const path of ["algorithms", "envs", "files", "inside", "patches", "remote"]) {
    const resources = await built(path, all);
    for (const [name, resource] of resources) match(contentOf(resource).key ?? "", /^(?:value|merge1)$/, name);
  }
  const global = await built("global", { "global.agekey": "age-global.txt" });
  match(contentOf(global.get("Secret/global-age-secret")).key ?? "", /^[a-z-]+$/);
});

testFolder("kustomizationBuilder refuses the folder when one key is missing", async () => {
  for (const missing of Object.keys(all)) {
    const keys = Object.fromEntries(Object.entries(all).filter(([name]) => name !== missing));
    await rejects(built("", keys), (error: Error) => {
      match(error.message, missing === "pgp.asc" ? /pgp/ : /age/);
      return true;
    });
  }
});
