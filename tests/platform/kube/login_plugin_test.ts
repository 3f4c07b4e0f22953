import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { JsonObject } from "../../../src/core/json.ts";
import type { ProcessResult } from "../../../src/core/process.ts";
import { loginPlugin, type PluginDocument, type PluginTools } from "../../../src/platform/kube/login_plugin.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const apiVersion = "client.authentication.k8s.io/v1";

function credential(status: JsonObject, version = apiVersion): ProcessResult {
  return { code: 0, stdout: JSON.stringify({ kind: "ExecCredential", apiVersion: version, status }), stderr: "" };
}

function fixture(answer: () => ProcessResult, network: (request: Request) => Response | Promise<Response> = refuse) {
  const clock = new FakeClock();
  const calls: { command: readonly string[]; env: Readonly<Record<string, string>> }[] = [];
  const tools: PluginTools = {
    clock,
    processes: {
      run: (command, options = {}) => {
        calls.push({ command, env: options.env ?? {} });
        return Promise.resolve(answer());
      },
    },
    connect: () => ({ send: network, [Symbol.dispose]: () => {} }),
    fileSystem: { readText: () => Promise.resolve(undefined) },
  };
  return { clock, calls, tools };
}

function refuse(): Response {
  throw new Error("nothing may be asked");
}

function execOf(fields: JsonObject): PluginDocument {
  return { exec: { apiVersion, command: "login", ...fields }, cluster: {}, folder: "/home/me/.kube" };
}

Deno.test("loginPlugin() runs a program once while its token is good, and again after a refusal", async () => {
  let count = 0;
  const { clock, calls, tools } = fixture(() =>
    credential({ token: `t${++count}`, expirationTimestamp: new Date(clock.now() + 60_000).toISOString() })
  );
  const login = loginPlugin(execOf({ args: ["--now"], env: [{ name: "A", value: "b" }] }), tools);

  deepEqual((await login(false)).headers, { authorization: "Bearer t1" });
  await clock.advance(59_000);
  deepEqual((await login(false)).headers, { authorization: "Bearer t1" });
  await clock.advance(2_000);
  deepEqual((await login(false)).headers, { authorization: "Bearer t2" });
  deepEqual((await login(true)).headers, { authorization: "Bearer t3" });
  deepEqual(calls[0]?.command, ["login", "--now"]);
  equal(calls[0]?.env.A, "b");
  deepEqual(JSON.parse(calls[0]?.env.KUBERNETES_EXEC_INFO ?? ""), {
    kind: "ExecCredential",
    apiVersion,
    spec: { interactive: false },
  });
});

Deno.test("loginPlugin() tells a program its cluster and finds it beside the kubeconfig", async () => {
  const { calls, tools } = fixture(() => credential({ clientCertificateData: "C", clientKeyData: "K" }));
  const document = execOf({ command: "./bin/login", provideClusterInfo: true });
  const extension = { name: "client.authentication.k8s.io/exec", extension: { audience: "x" } };
  const cluster = { server: "https://host", "certificate-authority": "/file", extensions: [extension] };

  const given = await loginPlugin({ ...document, cluster }, tools)(false);
  deepEqual(given, { headers: {}, clientCert: { cert: "C", key: "K" } });
  deepEqual(calls[0]?.command, ["/home/me/.kube/./bin/login"]);
  deepEqual(JSON.parse(calls[0]?.env.KUBERNETES_EXEC_INFO ?? "").spec.cluster, {
    server: "https://host",
    config: { audience: "x" },
  });
});

Deno.test("loginPlugin() says what is wrong with a program and never what it printed", async () => {
  const secret = "s3cr3t-token";
  const cases: readonly [JsonObject, ProcessResult, RegExp][] = [
    [{}, { code: 3, stdout: secret, stderr: "no session" }, /"login": exit code 3: no session; install it/],
    [{}, { code: 0, stdout: secret, stderr: "" }, /output is not JSON/],
    [{}, credential({ token: secret }, "client.authentication.k8s.io/v1beta1"), /no ExecCredential of .*\/v1/],
    [{}, credential({}), /neither token nor certificate/],
    [{}, credential({ token: secret, clientKeyData: "k" }), /a certificate or a key alone/],
    [{ apiVersion: "client.authentication.k8s.io/v1alpha1" }, credential({}), /must be .*v1 or \/v1beta1/],
    [{ interactiveMode: "Always" }, credential({}), /no terminal/],
    [{ command: "" }, credential({}), /command is empty/],
  ];
  for (const [fields, answer, expected] of cases) {
    const { tools } = fixture(() => answer);
    await rejects(
      loginPlugin(execOf({ installHint: "install it", ...fields }), tools)(false),
      (error: Error) => {
        ok(expected.test(error.message), error.message);
        ok(!error.message.includes(secret), error.message);
        return true;
      },
    );
  }
});

function token(endsAtMs: number): string {
  const part = (value: JsonObject) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url" });
  return `${part({ alg: "none" })}.${part({ exp: Math.round(endsAtMs / 1_000) })}.x`;
}

Deno.test("loginPlugin() renews an OpenID Connect token when it has ended", async () => {
  const forms: URLSearchParams[] = [];
  let fresh = "";
  const { clock, tools } = fixture(() => credential({}), async (request) => {
    if (request.url === "https://issuer/x/.well-known/openid-configuration") {
      return Response.json({ token_endpoint: "https://issuer/token" });
    }
    equal(request.url, "https://issuer/token");
    forms.push(new URLSearchParams(await request.text()));
    return Response.json({ id_token: fresh, refresh_token: "second" });
  });
  const old = token(clock.now() + 60_000);
  fresh = token(clock.now() + 3_600_000);
  const config = {
    "id-token": old,
    "refresh-token": "first",
    "client-id": "me",
    "idp-issuer-url": "https://issuer/x/",
  };
  const login = loginPlugin({ authProvider: { name: "oidc", config }, cluster: {} }, tools);

  equal((await login(false)).headers.authorization, `Bearer ${old}`);
  equal(forms.length, 0);
  await clock.advance(55_000);
  equal((await login(false)).headers.authorization, `Bearer ${fresh}`);
  deepEqual(Object.fromEntries(forms[0] ?? []), {
    grant_type: "refresh_token",
    refresh_token: "first",
    client_id: "me",
  });
  await login(true);
  equal(forms[1]?.get("refresh_token"), "second");
});

Deno.test("loginPlugin() refuses providers that are gone and tokens that cannot be renewed", async () => {
  const { tools } = fixture(() => credential({}));
  const login = (authProvider: JsonObject) => loginPlugin({ authProvider, cluster: {} }, tools)(false);
  await rejects(login({ name: "gcp" }), /"gcp" was removed from Kubernetes: use exec/);
  await rejects(login({ name: "oidc", config: { "id-token": "x" } }), /idp-issuer-url and refresh-token is not given/);
});
