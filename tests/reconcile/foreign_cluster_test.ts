import { deepEqual, equal, rejects } from "node:assert/strict";
import { clusterLoginText, isClusterLogin, parseClusterLogin } from "../../src/core/cluster_login.ts";
import type { ReferencedData, References } from "../../src/core/references.ts";
import { kubeconfigOf } from "../../src/reconcile/foreign_cluster.ts";

function data(texts: Readonly<Record<string, string>>): ReferencedData {
  return { type: "", data: new Map(Object.entries(texts).map(([key, text]) => [key, new TextEncoder().encode(text)])) };
}

/** Look-ups of one namespace's object `other`. */
function references(secret: Readonly<Record<string, string>>, map: Readonly<Record<string, string>> = {}): References {
  const found = (texts: Readonly<Record<string, string>>) => (namespace: string, name: string) =>
    Promise.resolve(namespace === "team" && name === "other" ? data(texts) : undefined);
  return { secret: found(secret), configMap: found(map), imagePullSecrets: () => Promise.resolve(undefined) };
}

const login = { provider: "generic", address: "https://far:6443/", serviceAccountName: "remote" };
const bySecret = { secretRef: { name: "other" } };
const byMap = { configMapRef: { name: "other" } };

Deno.test("kubeconfigOf() takes `value`, `value.yaml` or the key that is named", async () => {
  equal(await kubeconfigOf("team", bySecret, references({ value: "a", "value.yaml": "b" })), "a");
  equal(await kubeconfigOf("team", bySecret, references({ "value.yaml": "b" })), "b");
  equal(await kubeconfigOf("team", { secretRef: { name: "other", key: "k" } }, references({ k: "c" })), "c");
  await rejects(kubeconfigOf("team", bySecret, references({})), /Secret 'team\/other' has no key 'value'/);
  await rejects(kubeconfigOf("nobody", bySecret, references({})), /secrets "other" not found/);
});

Deno.test("kubeconfigOf() makes a login of a ConfigMap, for the object's own namespace", async () => {
  const text = await kubeconfigOf("team", byMap, references({}, { ...login, "ca.crt": "PEM" }));
  deepEqual(parseClusterLogin(text), {
    server: "https://far:6443",
    ca: "PEM\n",
    audiences: ["https://far:6443/"],
    namespace: "team",
    serviceAccount: "remote",
  });
  const more = await kubeconfigOf("team", byMap, references({}, { ...login, audiences: "one\n two\n" }));
  deepEqual(parseClusterLogin(more).audiences, ["one", "two"]);
});

Deno.test("kubeconfigOf() refuses by name what it cannot use", async () => {
  for (
    const [texts, pattern] of [
      [{ ...login, provider: "aws" }, /provider "aws" is not built yet/],
      [{ ...login, provider: "magic" }, /provider "magic" is not known/],
      [{ ...login, address: "http://far" }, /address "http:\/\/far" must be an https URL/],
      [{ ...login, address: "https://user@far" }, /must be an https URL/],
      [{ ...login, serviceAccountName: "" }, /serviceAccountName is missing/],
    ] as const
  ) await rejects(kubeconfigOf("team", byMap, references({}, texts)), pattern);
  await rejects(kubeconfigOf("other", byMap, references({}, login)), /configmaps "other" not found/);
});

Deno.test("a Secret cannot pretend to be a login for another namespace", async () => {
  const forged = clusterLoginText({
    server: "https://evil",
    audiences: ["a"],
    namespace: "kube-system",
    serviceAccount: "admin",
  });
  equal(isClusterLogin(forged), true);
  await rejects(kubeconfigOf("team", bySecret, references({ value: forged })), /holds no kubeconfig/);
});
