import { deepEqual, equal, match, ok } from "node:assert/strict";
import { messageOf } from "../../../src/core/stage_error.ts";
import * as faults from "../../support/registry_faults.ts";
import { bytesOf, clientOf, registryAndClient, stageErrorOf } from "./registry_fixture.ts";
import { ScriptedRegistry } from "../../support/scripted_registry.ts";

const files = { "a.yaml": "a: 1\n" };

Deno.test("faults that pass are tried again with growing pauses, others never", async () => {
  for (const status of [408, 429, 500, 502, 503, 504]) {
    const { registry, repository, clock } = registryAndClient();
    registry.put({ repository: "org/app", tag: "v1", files });
    registry.fault({ times: 3 }, faults.status(status));
    await repository().resolve("v1");
    equal(registry.requests.length, 4);
    if (status !== 429) deepEqual(clock.slept, [250, 500, 1000]);
  }
  for (const status of [400, 404, 409, 418, 501]) {
    const { registry, repository, clock } = registryAndClient();
    registry.fault({ times: 9 }, faults.status(status));
    const error = await stageErrorOf(repository().manifest(registry.put({ repository: "org/app", files }).digest));
    match(error.message, new RegExp(`answered ${status}`));
    ok(error.hint !== "");
    deepEqual(clock.slept, []);
  }
});

Deno.test("no connection is tried again, and told with its cause and without secrets", async () => {
  const { registry, repository } = registryAndClient();
  registry.fault({ times: Infinity }, faults.unreachable("refused by https://me:canary@registry.test/v2?token=canary"));
  const error = await stageErrorOf(repository().resolve("v1"));
  equal(registry.requests.length, 4);
  match(error.message, /cannot reach "registry\.test"/);
  ok(!messageOf(error).includes("canary"));
});

Deno.test("certificate faults are told at once, with a hint that names what to do", async () => {
  const rustls = "client error (Connect): invalid peer certificate: ";
  const cases = [
    [`${rustls}UnknownIssuer`, /ca\.crt in spec\.certSecretRef .*--ca-file.*spec\.insecure/],
    [`${rustls}CaUsedAsEndEntity`, /ca\.crt/],
    [`${rustls}certificate expired: verification time 1795246991 (UNIX), but …`, /has run out.*clock/],
    [`${rustls}certificate not valid yet: verification time 1795246991 (UNIX), but …`, /Check the clock/],
    [`${rustls}certificate not valid for name "a"; certificate is only valid for DnsName("b")`, /Write the host/],
    ["certificate has expired", /has run out/],
    ["self-signed certificate in certificate chain", /ca\.crt/],
    ["received fatal alert: CertificateRequired", /tls\.crt/],
    ["received corrupt message of type InvalidContentType", /spec\.insecure/],
  ] as const;
  for (const [text, hint] of cases) {
    const { registry, repository, clock } = registryAndClient();
    registry.fault({ times: Infinity }, faults.unreachable(text));
    const error = await stageErrorOf(repository().resolve("v1"));
    match(error.hint, hint);
    match(error.message, /^Cannot resolve ".*": cannot reach "registry\.test": /);
    deepEqual([registry.requests.length, clock.slept], [1, []], text);
  }
});

Deno.test("a mirror with a bad certificate is passed over at once", async () => {
  const mirrors = [{ registry: "registry.test", endpoints: ["https://mirror.test"] }];
  const registry = new ScriptedRegistry();
  const { digest } = registry.put({ repository: "org/app", tag: "v1", files });
  const { repository, clock } = clientOf({
    "registry.test": registry.send,
    "mirror.test": () => {
      throw new TypeError("invalid peer certificate: UnknownIssuer");
    },
  }, { mirrors });
  const found = await repository().resolve("v1");
  equal(found.kind === "found" && found.descriptor.digest, digest);
  deepEqual(clock.slept, []);
});

Deno.test("Retry-After is kept, in seconds and as a date; a long one becomes the error's", async () => {
  const { registry, repository, clock } = registryAndClient();
  registry.put({ repository: "org/app", tag: "v1", files });
  registry.fault({}, faults.status(429, { retryAfter: "7" }));
  await repository().resolve("v1");
  ok(clock.monotonic() >= 7000 && clock.monotonic() < 8000);

  const date = new Date(clock.now() + 5000).toUTCString();
  const before = clock.monotonic();
  registry.fault({}, faults.status(503, { retryAfter: date }));
  await repository().resolve("v1");
  ok(clock.monotonic() - before >= 3900 && clock.monotonic() - before < 6000);

  registry.clearLog();
  registry.fault({}, faults.status(429, { retryAfter: "3600" }));
  const error = await stageErrorOf(repository().resolve("v1"));
  equal(error.retryAfterMs, 3_600_000);
  match(error.message, /answered 429 \(TOOMANYREQUESTS: scripted 429\)/);
  equal(registry.requests.length, 1);
});

Deno.test("a pause that one answer asks for holds for all users of the host", async () => {
  const { registry, repository } = registryAndClient();
  registry.put({ repository: "org/app", tag: "v1", files });
  registry.put({ repository: "org/other", tag: "v1", files });
  registry.fault({}, faults.status(429, { retryAfter: "3600" }));
  await stageErrorOf(repository().resolve("v1"));
  registry.clearLog();

  const error = await stageErrorOf(repository("registry.test/org/other").resolve("v1"));

  equal(registry.requests.length, 0);
  ok((error.retryAfterMs ?? 0) > 3_000_000);
});

Deno.test("so many requests to one host at a time, and no more", async () => {
  let running = 0;
  let most = 0;
  const registry = new ScriptedRegistry();
  registry.put({ repository: "org/app", tag: "v1", files });
  const { repository } = clientOf({
    "registry.test": async (request) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
      return await registry.send(request);
    },
  }, { limits: { requestsPerHost: 4 } });
  await Promise.all(Array.from({ length: 20 }, () => repository().resolve("v1")));
  equal(most, 4);
});

Deno.test("redirects end after ten, and never lead to less safe places", async () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["http://registry.test/x", /from https to/],
    ["https://127.0.0.1/x", /must not lead/],
    ["https://localhost/x", /must not lead/],
    ["https://169.254.169.254/latest/meta-data", /must not lead/],
    ["https://[fe80::1]/x", /must not lead/],
    ["https://10.0.0.1/x", /must not lead/],
    ["https://[64:ff9b::7f00:1]/x", /must not lead/],
    ["https://0x7f.1/x", /must not lead/],
    ["ftp://registry.test/x", /scheme "ftp:"/],
    ["https://me:pw@blobs.test/x", /credentials/],
    ["http://", /no URL/],
  ];
  for (const [location, text] of wrong) {
    const { registry, repository } = registryAndClient();
    registry.fault({ times: 9 }, faults.status(307, { headers: { location } }));
    const error = await stageErrorOf(repository().manifest(registry.put({ repository: "org/app", files }).digest));
    match(error.message, text);
    equal(registry.requests.length, 1, location);
  }
  const { registry, repository } = registryAndClient();
  registry.fault(
    { times: Infinity },
    (request) => Promise.resolve(new Response(null, { status: 302, headers: { location: `${request.url}x` } })),
  );
  match((await stageErrorOf(repository().resolve("v1"))).message, /more than 10 times/);
  equal(registry.requests.length, 11);
});

Deno.test("a silent registry is given up after its time", async () => {
  const { registry, repository, clock } = registryAndClient({}, { limits: { retries: 0 } });
  registry.fault({}, faults.silence());
  const waiting = stageErrorOf(repository().resolve("v1"));
  await new Promise((resolve) => setTimeout(resolve, 5));
  clock.fire(30_000);
  match((await waiting).message, /no answer for 30 s/);
  equal(clock.pending, 0);
});

Deno.test("an abort is told as it was given, also while waiting", async () => {
  const { registry, repository } = registryAndClient();
  registry.fault({}, faults.silence());
  const stop = new AbortController();
  const waiting = repository().resolve("v1", { signal: stop.signal });
  setTimeout(() => stop.abort(new Error("enough")), 5);
  match(messageOf(await waiting.catch((error) => error)), /^enough$/);
  match(messageOf(await repository().tags({ signal: stop.signal }).catch((error) => error)), /^enough$/);
});

Deno.test("warnings reach the caller", async () => {
  const { registry, repository } = registryAndClient();
  registry.put({ repository: "org/app", tag: "v1", files });
  registry.fault({}, faults.headers({ warning: '299 - "this repository \\"moves\\"", 110 - "stale"' }));
  const warnings: string[] = [];
  await repository(undefined, { onWarning: (text) => warnings.push(text) }).resolve("v1");
  deepEqual(warnings, ['this repository "moves"']);
});

Deno.test("loopback registries may speak plain HTTP, others only when insecure; the one found is kept", async () => {
  const registry = new ScriptedRegistry();
  registry.put({ repository: "org/app", tag: "v1", files });
  const plainOnly = (request: Request) => {
    if (request.url.startsWith("https:")) throw new TypeError("received corrupt message of type InvalidContentType");
    return registry.send(request);
  };
  const { repository, opened } = clientOf({ "127.0.0.1:5000": plainOnly, "registry.test": plainOnly });
  await repository("127.0.0.1:5000/org/app").resolve("v1");
  registry.clearLog();
  await repository("127.0.0.1:5000/org/app").resolve("v1");
  equal(registry.requests.length, 1);

  match((await stageErrorOf(repository().resolve("v1"))).hint, /spec\.insecure/);
  equal(opened.some((options) => options.skipVerify), false);
  await repository(undefined, { insecure: true }).resolve("v1");
  equal(opened.some((options) => options.skipVerify), true);
});

Deno.test("a TLS registry on loopback stays one, whatever its certificate", async () => {
  const { repository } = clientOf({
    "127.0.0.1:5000": (request) => {
      if (request.url.startsWith("https:")) throw new TypeError("invalid peer certificate: UnknownIssuer");
      return new Response("Client sent an HTTP request to an HTTPS server.\n", { status: 400 });
    },
  });
  match((await stageErrorOf(repository("127.0.0.1:5000/org/app").resolve("v1"))).message, /UnknownIssuer/);
});

Deno.test("mirrors come first, the registry last; content is checked wherever it comes from", async () => {
  const mirrors = [{ registry: "registry.test", endpoints: ["https://mirror.test/prefix", "https://second.test"] }];
  const main = new ScriptedRegistry();
  const mirror = new ScriptedRegistry();
  const second = new ScriptedRegistry();
  const { digest, layers: [layer] } = main.put({ repository: "org/app", tag: "v1", files });
  mirror.put({ repository: "prefix/org/app", tag: "v1", files });
  const fixture = clientOf(
    { "registry.test": main.send, "mirror.test": mirror.send, "second.test": second.send },
    { mirrors, limits: { retries: 0 } },
  );
  const { repository, clock } = fixture;
  ok(layer !== undefined);

  equal((await repository().manifest(digest)).descriptor.digest, digest);
  await bytesOf(await repository().blob(layer));
  equal(main.requests.length, 0);
  equal(mirror.requests.length, 2);

  mirror.fault({ path: /blobs/ }, faults.otherBytes());
  match((await stageErrorOf(bytesOf(await repository().blob(layer)))).message, /its digest is/);
  mirror.clearLog();
  await bytesOf(await repository().blob(layer));
  equal(mirror.requests.length, 0);
  equal(second.requests.length, 1);
  equal(main.requests.length, 1);

  clock.skip(61_000);
  mirror.isDown = true;
  await repository().resolve("v1");
  mirror.clearLog();
  await repository().resolve("v1");
  equal(mirror.requests.length, 0);
});

Deno.test("a blob that a mirror cuts is finished by the next", async () => {
  const mirrors = [{ registry: "*", endpoints: ["https://mirror.test"] }];
  const main = new ScriptedRegistry();
  const mirror = new ScriptedRegistry();
  const content = new Uint8Array(10_000).fill(3);
  const layer = main.putBlob("org/app", content);
  mirror.putBlob("org/app", content);
  mirror.fault({}, faults.cut(4000));
  mirror.fault({ after: 1, times: 9 }, faults.unreachable());
  const { repository } = clientOf({ "registry.test": main.send, "mirror.test": mirror.send }, { mirrors });

  deepEqual(await bytesOf(await repository().blob(layer)), content);
  equal(main.requests[0]?.headers.get("range"), "bytes=4000-");
});
