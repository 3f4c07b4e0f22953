import { deepEqual, equal, throws } from "node:assert/strict";
import type { JsonObject } from "../../../src/core/json.ts";
import { parseKubeconfig } from "../../../src/platform/kube/kubeconfig.ts";

function document(cluster: JsonObject, user: JsonObject): JsonObject {
  return {
    "current-context": "one",
    contexts: [
      { name: "one", context: { cluster: "c", user: "u", namespace: "edge" } },
      { name: "two", context: { cluster: "missing", user: "u" } },
    ],
    clusters: [{ name: "c", cluster: { server: "https://host:6443/", ...cluster } }],
    users: [{ name: "u", user }],
  };
}

Deno.test("parseKubeconfig() reads cluster, account and namespace of the context", () => {
  const connection = parseKubeconfig(
    document(
      {
        "certificate-authority-data": btoa("CA"),
        "proxy-url": "http://proxy:3128",
        "tls-server-name": "api",
        "insecure-skip-tls-verify": true,
      },
      { token: "t", as: "boss", "as-groups": ["a", "b"] },
    ),
  );

  deepEqual(connection, {
    server: "https://host:6443",
    namespace: "edge",
    ca: { kind: "text", pem: "CA" },
    login: { kind: "token", token: "t" },
    proxyUrl: "http://proxy:3128",
    tlsServerName: "api",
    skipVerify: true,
    actAs: { user: "boss", groups: ["a", "b"] },
  });
});

Deno.test("parseKubeconfig() counts file names from the kubeconfig's folder; a token file wins over a token", () => {
  const connection = parseKubeconfig(
    document({ "certificate-authority": "ca.crt" }, {
      token: "t",
      tokenFile: "/run/token",
      "client-certificate": "sub/cert",
      "client-key-data": btoa("KEY"),
    }),
    { folder: "/etc/kube" },
  );

  deepEqual(connection.ca, { kind: "file", path: "/etc/kube/ca.crt" });
  deepEqual(connection.cert, { kind: "file", path: "/etc/kube/sub/cert" });
  deepEqual(connection.key, { kind: "text", pem: "KEY" });
  deepEqual(connection.login, { kind: "tokenFile", path: "/run/token" });
});

Deno.test("parseKubeconfig() refuses programs and files in a kubeconfig from a Secret", () => {
  const refused: readonly [JsonObject, JsonObject, RegExp][] = [
    [{}, { exec: { command: "aws" } }, /exec is refused/],
    [{}, { token: "t", exec: { command: "aws" } }, /exec is refused/],
    [{}, { "auth-provider": { name: "gcp" } }, /auth-provider is refused/],
    [{}, { tokenFile: "/etc/passwd" }, /tokenFile names a file/],
    [{ "certificate-authority": "/etc/passwd" }, { token: "t" }, /certificate-authority names a file/],
    [{}, { "client-key": "/etc/shadow", "client-certificate": "x" }, /client-certificate, client-key names a file/],
  ];
  for (const [cluster, user, message] of refused) {
    throws(() => parseKubeconfig(document(cluster, user), { isForeign: true }), message);
  }
  equal(parseKubeconfig(document({}, { exec: {} })).login.kind, "plugin");
});

Deno.test("parseKubeconfig() says which names there are", () => {
  throws(() => parseKubeconfig(document({}, {}), { context: "three" }), /no context "three": it has "one", "two"/);
  throws(() => parseKubeconfig(document({}, {}), { context: "two" }), /no cluster "missing": it has "c"/);
  throws(() => parseKubeconfig(document({ server: "host" }, {})), /must be an http or https URL/);
  throws(() => parseKubeconfig({ contexts: [] }), /no context is chosen: it has none/);
  throws(() => parseKubeconfig("text"), /it must be a YAML object/);
  throws(() => parseKubeconfig(document({ "certificate-authority-data": "%" }, {})), /is not base64/);
});
