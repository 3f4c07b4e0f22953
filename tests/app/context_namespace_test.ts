import { equal } from "node:assert/strict";
import { contextNamespace } from "../../src/app/context_namespace.ts";

const files: Readonly<Record<string, string>> = {
  "/home/me/.kube/config": kubeconfig("home", "of-home"),
  "/a": kubeconfig("a", "of-a"),
  "/plain": kubeconfig("plain", ""),
  "/broken": "x: [",
  "/var/run/secrets/kubernetes.io/serviceaccount/namespace": "of-pod\n",
};

function kubeconfig(name: string, namespace: string): string {
  return JSON.stringify({
    "current-context": name,
    contexts: [{ name, context: { cluster: "c", user: "u", namespace } }, { name: "other", context: { cluster: "c" } }],
  });
}

async function namespaceOf(
  flags: { readonly kubeconfig?: string; readonly context?: string },
  variables: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  return await contextNamespace(flags, {
    fileSystem: { readText: (path) => Promise.resolve(files[path]) },
    env: (name) => ({ HOME: "/home/me", ...variables })[name],
  });
}

Deno.test("contextNamespace() takes the context's namespace from the file that Helm would read", async () => {
  equal(await namespaceOf({}), "of-home");
  equal(await namespaceOf({}, { KUBECONFIG: "/a" }), "of-a");
  equal(await namespaceOf({ kubeconfig: "/a" }, { KUBECONFIG: "/plain" }), "of-a");
  equal(await namespaceOf({}, { KUBECONFIG: "/missing:/a" }), "of-a");
  equal(await namespaceOf({}, { KUBECONFIG: "/plain:/a" }), undefined);
  equal(await namespaceOf({ context: "a" }, { KUBECONFIG: "/plain:/a" }), "of-a");
});

Deno.test("contextNamespace() gives nothing for contexts and files that are missing or broken", async () => {
  for (
    const flags of [{ context: "nope" }, { context: "other" }, { kubeconfig: "/missing" }, { kubeconfig: "/broken" }]
  ) {
    equal(await namespaceOf(flags), undefined);
  }
  equal(await namespaceOf({}, { HOME: "/nobody" }), undefined);
});

Deno.test("contextNamespace() gives the Pod's where no kubeconfig says another", async () => {
  const pod = { HOME: "/nobody", KUBERNETES_SERVICE_HOST: "10.0.0.1" };
  equal(await namespaceOf({}, pod), "of-pod");
  equal(await namespaceOf({}, { ...pod, KUBECONFIG: "/a" }), "of-a");
  equal(await namespaceOf({ kubeconfig: "/plain" }, pod), undefined);
});
