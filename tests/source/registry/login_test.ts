import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { messageOf } from "../../../src/core/stage_error.ts";
import { fixedCredential, joinCredentials } from "../../../src/source/registry/credential.ts";
import type { Credential, CredentialSource } from "../../../src/source/registry/credential.ts";
import type { RegistryLogin } from "../../support/registry_login.ts";
import * as faults from "../../support/registry_faults.ts";
import { ScriptedRegistry } from "../../support/scripted_registry.ts";
import { clientOf, linesOf, registryAndClient, stageErrorOf } from "./registry_fixture.ts";

const files = { "a.yaml": "a: 1\n" };
const users = [{ name: "ann", password: "canary-password" }];
const ann: Credential = { kind: "basic", username: "ann", password: "canary-password" };
const credentials: CredentialSource = () => Promise.resolve([ann]);

function loginRegistry(login: RegistryLogin) {
  const fixture = registryAndClient({ login });
  const { digest } = fixture.registry.put({ repository: "org/app", tag: "v1", files });
  return { ...fixture, digest };
}

Deno.test("Basic: the login is sent after it was asked for, then at once", async () => {
  const { registry, repository } = loginRegistry({ kind: "basic", users });

  await repository(undefined, { credentials }).resolve("v1");
  deepEqual(registry.requests.map((seen) => seen.status), [401, 200]);
  registry.clearLog();
  await repository(undefined, { credentials }).resolve("v1");
  deepEqual(registry.requests.map((seen) => seen.status), [200]);
});

Deno.test("Bearer: a no-change poll is one request once the token is there", async () => {
  const { registry, repository, digest } = loginRegistry({ kind: "bearer", users });

  await repository(undefined, { credentials }).resolve("v1");
  deepEqual(linesOf(registry), [
    "HEAD /v2/org/app/manifests/v1",
    "GET /token?service=" + (new URLSearchParams(registry.requests[1]?.search).get("service") ?? "") +
    "&scope=repository%3Aorg%2Fapp%3Apull",
    "HEAD /v2/org/app/manifests/v1",
  ]);
  registry.clearLog();
  for (let poll = 0; poll < 10; poll++) {
    deepEqual(await repository(undefined, { credentials }).resolve("v1", { ifNoneMatch: { digest } }), {
      kind: "unchanged",
    });
  }
  equal(registry.requests.length, 10);
});

Deno.test("Bearer: many at once share one token request", async () => {
  const { registry, repository } = loginRegistry({ kind: "bearer", users });

  await Promise.all(Array.from({ length: 12 }, () => repository(undefined, { credentials }).resolve("v1")));

  equal(registry.desk.tokensGiven, 1);
});

Deno.test("Bearer: a token is renewed before it ends, and once when it is refused", async () => {
  const { registry, repository, clock } = loginRegistry({ kind: "bearer", users, lifetimeSeconds: 100 });
  const poll = () => repository(undefined, { credentials }).resolve("v1");
  await poll();
  clock.skip(89_000);
  await poll();
  equal(registry.desk.tokensGiven, 1);
  clock.skip(2_000);
  await poll();
  equal(registry.desk.tokensGiven, 2);
  equal(registry.requests.filter((seen) => seen.status === 401).length, 1);

  registry.desk.revoke();
  await poll();
  equal(registry.desk.tokensGiven, 3);
});

Deno.test("Bearer: anonymous pulls, and a login that is wrong", async () => {
  const { registry, repository } = loginRegistry({ kind: "bearer", users, anonymous: { "*": ["pull"] } });
  await repository().resolve("v1");
  equal(registry.requests.some((seen) => (seen.headers.get("authorization") ?? "").startsWith("Basic")), false);

  const wrong = fixedCredential("registry.test", { kind: "basic", username: "ann", password: "canary-wrong" });
  const strict = loginRegistry({ kind: "bearer", users });
  const error = await stageErrorOf(strict.repository(undefined, { credentials: wrong }).resolve("v1"));
  equal(error.reason, "AuthenticationFailed");
  ok(!messageOf(error).includes("canary"));
  equal((await stageErrorOf(strict.repository().resolve("v1"))).reason, "AuthenticationFailed");
});

Deno.test("Bearer: a token for something else is no endless loop", async () => {
  const { registry, repository } = loginRegistry({ kind: "bearer", users, wrongScope: true });

  const error = await stageErrorOf(repository(undefined, { credentials }).resolve("v1"));

  equal(error.reason, "AuthenticationFailed");
  ok(registry.requests.length <= 4);
});

Deno.test("all credentials that fit are tried, and the one that worked is remembered", async () => {
  const { registry, repository } = loginRegistry({ kind: "basic", users });
  const both = joinCredentials([
    fixedCredential("registry.test", { kind: "basic", username: "ann", password: "old" }),
    credentials,
  ]);
  await repository(undefined, { credentials: both }).resolve("v1");
  registry.clearLog();
  await repository(undefined, { credentials: both }).resolve("v1");
  deepEqual(registry.requests.map((seen) => seen.status), [200]);
});

Deno.test("what one repository taught helps the next, also where its first login is not taken there", async () => {
  const { registry, repository } = loginRegistry({ kind: "bearer", users });
  registry.put({ repository: "org/other", tag: "v1", files });
  await repository(undefined, { credentials }).resolve("v1");
  registry.clearLog();
  await repository("registry.test/org/other", { credentials }).resolve("v1");
  deepEqual(registry.requests.map((seen) => `${seen.method} ${seen.status}`), ["GET 200", "HEAD 200"]);

  const both = joinCredentials([
    fixedCredential("registry.test", { kind: "basic", username: "ann", password: "old" }),
    credentials,
  ]);
  registry.put({ repository: "org/third", tag: "v1", files });
  await repository("registry.test/org/third", { credentials: both }).resolve("v1");
});

Deno.test("a rotated secret counts at once, and one who has none gets nothing of another's", async () => {
  const { registry, repository } = loginRegistry({ kind: "basic", users });
  await repository(undefined, { credentials }).resolve("v1");
  const wrong: CredentialSource = () => Promise.resolve([{ kind: "basic", username: "ann", password: "new" }]);
  equal(
    (await stageErrorOf(repository(undefined, { credentials: wrong }).resolve("v1"))).reason,
    "AuthenticationFailed",
  );
  equal((await stageErrorOf(repository().resolve("v1"))).reason, "AuthenticationFailed");
  registry.clearLog();
  await repository(undefined, { credentials }).resolve("v1");
  equal(registry.requests.at(-1)?.status, 200);
});

Deno.test("identity tokens go by POST, and as a password where POST is not known; registry tokens as they are", async () => {
  for (const hasPost of [true, false]) {
    const { registry, repository } = loginRegistry({
      kind: "bearer",
      users: [...users, { name: "<token>", password: "canary-refresh" }],
      refreshTokens: { "canary-refresh": "ann" },
      hasPost,
    });
    const identity: CredentialSource = () => Promise.resolve([{ kind: "identity-token", token: "canary-refresh" }]);
    await repository(undefined, { credentials: identity }).resolve("v1");
    equal(registry.count("POST", "/token"), 1);
    equal(registry.count("GET", "/token"), hasPost ? 0 : 1);
  }
  const { repository } = loginRegistry({ kind: "bearer", users });
  const direct: CredentialSource = () => Promise.resolve([{ kind: "registry-token", token: "unknown" }]);
  equal(
    (await stageErrorOf(repository(undefined, { credentials: direct }).resolve("v1"))).reason,
    "AuthenticationFailed",
  );
});

Deno.test("Bearer and Basic offered together: Bearer is taken", async () => {
  for (const alsoBasic of ["before", "after"] as const) {
    const { registry, repository } = loginRegistry({ kind: "bearer", users, alsoBasic });
    await repository(undefined, { credentials }).resolve("v1");
    equal(registry.desk.tokensGiven, 1);
  }
});

Deno.test("a token server where credentials must not go is refused before it is asked", async () => {
  const realms = [
    "http://auth.test/token",
    "https://127.0.0.1/token",
    "https://[::1]/token",
    "https://[::ffff:10.0.0.1]/token",
    "https://169.254.169.254/token",
    "https://10.1.2.3/token",
    "https://192.168.0.1:8443/token",
    "https://2130706433/token",
    "https://localhost/token",
    "https://a.localhost/token",
    "https://0.0.0.0/token",
    "https://user:pw@auth.test/token",
    "file:///etc/passwd",
    "/token",
    "",
  ];
  for (const realm of realms) {
    const asked: string[] = [];
    const registry = new ScriptedRegistry({ login: { kind: "bearer", users, realm } });
    const { repository } = clientOf(
      new Proxy({}, {
        get: (_, host: string) => (request: Request) => {
          asked.push(host);
          return registry.send(request);
        },
      }),
    );
    const error = await stageErrorOf(repository(undefined, { credentials }).resolve("v1"));
    equal(error.reason, "AuthenticationFailed", realm);
    deepEqual(asked, ["registry.test"], realm);
  }
});

Deno.test("a token server's name is looked at too, and private ones are fine for private registries", async () => {
  const addresses: Record<string, string[]> = { "registry.test": ["93.184.216.34"], "auth.test": ["10.0.0.7"] };
  const login: RegistryLogin = { kind: "bearer", users, realm: "https://auth.test/token" };
  const fixture = registryAndClient({ login }, {
    lookup: (host) => Promise.resolve(addresses[host] ?? []),
  });
  fixture.registry.put({ repository: "org/app", tag: "v1", files });
  match(
    (await stageErrorOf(fixture.repository(undefined, { credentials }).resolve("v1"))).message,
    /token server at "auth\.test"/,
  );
  addresses["registry.test"] = ["10.0.0.6"];
  await fixture.repository(undefined, { credentials }).resolve("v1");
});

Deno.test("a token server's answer is limited, and what is no token is refused", async () => {
  for (
    const content of [
      "{}",
      "[]",
      "null",
      "no json",
      '{"token":""}',
      '{"token":"a\\nb"}',
      `{"token":"${"x".repeat(140_000)}"}`,
    ]
  ) {
    const { registry, repository } = loginRegistry({ kind: "bearer", users });
    registry.fault({ path: "/token", times: 9 }, faults.body(content));
    equal((await stageErrorOf(repository(undefined, { credentials }).resolve("v1"))).reason, "AuthenticationFailed");
  }
});

Deno.test("a token server that says nothing any more does not hold up others for ever", async () => {
  const { registry, repository, clock } = loginRegistry({ kind: "bearer", users });
  registry.fault({ path: "/token" }, faults.silence());
  const waiting = repository(undefined, { credentials }).resolve("v1");
  const expected = rejects(waiting);
  for (let turn = 0; turn < 50 && registry.requests.length < 1; turn++) await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve, 5));
  clock.fire(61_000);
  await expected;
  await repository(undefined, { credentials }).resolve("v1");
});

Deno.test("403 is told as a matter of rights, in the registry's words", async () => {
  const { registry, repository } = registryAndClient();
  registry.put({ repository: "org/app", tag: "v1", files });
  registry.fault({ times: 9 }, faults.status(403));
  const error = await stageErrorOf(repository().manifest(registry.tags("org/app").get("v1") ?? "sha256:"));
  equal(error.reason, "AuthenticationFailed");
  match(error.message, /scripted 403/);
  match(error.hint, /may do this/);
});

Deno.test("pushes ask for more rights than pulls, mounts for both repositories", async () => {
  const { registry, repository } = loginRegistry({ kind: "bearer", users });
  const layer = registry.putBlob("org/app", new TextEncoder().encode("blob"));
  registry.clearLog();
  await repository("registry.test/org/other", { credentials }).mountBlob(layer, repository(undefined, { credentials }));

  const scopes = registry.requests.filter((seen) => seen.path === "/token")
    .flatMap((seen) => new URLSearchParams(seen.search).getAll("scope"));
  deepEqual(new Set(scopes), new Set(["repository:org/other:pull,push", "repository:org/app:pull"]));
});
