import { deepEqual, equal, throws } from "node:assert/strict";
import type { KubeConnection } from "../../../src/platform/kube/kubeconfig.ts";
import { parseKubeconfig } from "../../../src/platform/kube/kubeconfig.ts";
import { mergeKubeconfigs, withInstead } from "../../../src/platform/kube/login_instead.ts";

const connection: KubeConnection = {
  server: "https://a:6443",
  namespace: "apps",
  ca: { kind: "text", pem: "CA" },
  cert: { kind: "text", pem: "CERT" },
  login: { kind: "plugin", user: "u" },
  plugin: { cluster: {}, exec: { command: "login" } },
  skipVerify: false,
};

Deno.test("withInstead() keeps what nobody replaces", () => {
  deepEqual(withInstead(connection, {}), connection);
});

Deno.test("withInstead() puts flags in front of the kubeconfig", () => {
  const made = withInstead(connection, { server: "https://b/", token: "t", tlsServerName: "n", caFile: "/ca" });
  equal(made.server, "https://b");
  deepEqual(made.login, { kind: "token", token: "t" });
  equal(made.plugin, undefined);
  deepEqual(made.ca, { kind: "file", path: "/ca" });
  deepEqual(made.cert, connection.cert);
  equal(made.tlsServerName, "n");
  const open = withInstead(connection, { skipVerify: true, actAs: { user: "bob", groups: ["a"] } });
  equal(open.skipVerify, true);
  equal(open.ca, undefined);
  deepEqual(open.actAs, { user: "bob", groups: ["a"] });
});

Deno.test("withInstead() refuses what contradicts itself", () => {
  throws(() => withInstead(connection, { server: "host:1" }), /server "host:1" must be an http or https URL/);
  throws(() => withInstead(connection, { skipVerify: true, caFile: "/ca" }), /any certificate is accepted/);
  throws(() => withInstead(connection, { actAs: { user: "", groups: ["a"] } }), /groups to act as need a user/);
});

Deno.test("mergeKubeconfigs() takes the first of a name, and files from where each kubeconfig stands", () => {
  const file = (name: string, folder: string) => ({
    folder,
    document: {
      "current-context": name,
      contexts: [{ name, context: { cluster: "c", user: name } }],
      clusters: [{ name: "c", cluster: { server: `https://${name}`, "certificate-authority": "ca.crt" } }],
      users: [{ name, user: { tokenFile: "token" } }],
    },
  });
  const merged = mergeKubeconfigs([{ folder: "/e", document: null }, file("one", "/a"), file("two", "/b")]);
  const one = parseKubeconfig(merged);
  equal(one.server, "https://one");
  deepEqual(one.ca, { kind: "file", path: "/a/ca.crt" });
  const two = parseKubeconfig(merged, { context: "two" });
  equal(two.server, "https://one");
  deepEqual(two.login, { kind: "tokenFile", path: "/b/token" });
});
