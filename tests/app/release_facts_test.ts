import { deepEqual } from "node:assert/strict";
import { directoryFacts } from "../../src/app/release_facts.ts";
import type { Resource } from "../../src/core/resource.ts";
import { DirectoryTarget } from "../../src/target/directory/directory.ts";
import { FaultyDisk } from "../support/faulty_file_system.ts";

const owner = { kind: "HelmRelease", namespace: "default", name: "web" };
const { signal } = new AbortController();

async function standing(...resources: readonly Resource[]) {
  const target = new DirectoryTarget("/out", { fileSystem: new FaultyDisk().fileSystem, layout: "tree" });
  const request = { previous: { entries: [] }, revision: "1", options: {} };
  await target.apply({ ...request, owner, resources }, signal);
  const other = { ...owner, name: "other" };
  const foreign = { apiVersion: "v1", kind: "Secret", metadata: { name: "foreign", namespace: "shop" } };
  await target.apply({ ...request, owner: other, resources: [foreign] }, signal);
  return (apiVersion: string, resourceKind: string, namespace: string, name: string) =>
    directoryFacts(target, owner).lookup({ kind: "lookup", apiVersion, resourceKind, namespace, name });
}

Deno.test("directoryFacts() shows what the release wrote last, and nothing of others", async () => {
  const secret: Resource = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "login", namespace: "shop" },
    data: { user: "YWRtaW4=" },
    stringData: { password: "kept" },
  };
  const map: Resource = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "site", namespace: "shop" } };
  const lookup = await standing(secret, map);

  deepEqual(await lookup("v1", "Secret", "shop", "login"), {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "login", namespace: "shop" },
    data: { user: "YWRtaW4=", password: "a2VwdA==" },
  });
  deepEqual(await lookup("v1", "ConfigMap", "shop", "site"), map);
  for (
    const [kind, namespace, name] of [
      ["Secret", "shop", "foreign"],
      ["Secret", "other", "login"],
      ["Service", "shop", "site"],
    ] as const
  ) deepEqual(await lookup("v1", kind, namespace, name), {});
});

Deno.test("directoryFacts() lists by kind and namespace; of what is not there the list is empty", async () => {
  const map = (name: string, namespace: string): Resource => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace },
  });
  const lookup = await standing(map("a", "shop"), map("b", "shop"), map("c", "other"));
  const names = async (namespace: string) => {
    const list = await lookup("v1", "ConfigMap", namespace, "") as { items?: Resource[] };
    return list.items?.map((item) => item.metadata.name);
  };
  deepEqual(await names("shop"), ["a", "b"]);
  deepEqual(await names(""), ["c", "a", "b"]);
  deepEqual(await names("none"), undefined);
  deepEqual(await lookup("v1", "Secret", "shop", ""), {});
});
