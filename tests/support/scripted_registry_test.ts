import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mediaTypes } from "../../src/core/descriptor.ts";
import { digestOf } from "../../src/core/digest.ts";
import * as faults from "./registry_faults.ts";
import { ScriptedRegistry } from "./scripted_registry.ts";

const base = "https://registry.example.com";
const accept = { accept: mediaTypes.manifest };

async function ask(registry: ScriptedRegistry, path: string, init: RequestInit = {}): Promise<Response> {
  return await registry.send(new Request(`${base}${path}`, init));
}

Deno.test("ScriptedRegistry serves manifests by tag and digest, by Accept and ETag", async () => {
  const registry = new ScriptedRegistry();
  const { digest, manifest } = registry.put({ repository: "org/app", tag: "v1", files: { "a.yaml": "a: 1\n" } });
  const answer = await ask(registry, "/v2/org/app/manifests/v1", { headers: accept });
  assert.equal(answer.headers.get("docker-content-digest"), digest);
  assert.equal(answer.headers.get("content-type"), mediaTypes.manifest);
  assert.equal(digestOf(new Uint8Array(await answer.arrayBuffer())), digest);
  const head = await ask(registry, `/v2/org/app/manifests/${digest}`, { method: "HEAD", headers: accept });
  assert.equal(head.headers.get("content-length"), `${manifest.size}`);
  const same = { headers: { ...accept, "if-none-match": answer.headers.get("etag") ?? "" } };
  assert.equal((await ask(registry, "/v2/org/app/manifests/v1", same)).status, 304);
  assert.equal((await ask(registry, "/v2/org/app/manifests/v1")).status, 404);
  assert.equal((await ask(registry, "/v2/org/app/manifests/v2", { headers: accept })).status, 404);
  assert.equal(registry.count("GET", "/manifests/v1"), 3);
  assert.equal(registry.count("HEAD"), 1);
});

Deno.test("ScriptedRegistry serves ranges of blobs", async () => {
  const registry = new ScriptedRegistry();
  const { digest } = registry.putBlob("app", new TextEncoder().encode("0123456789"));
  const ranged = (range: string) => ask(registry, `/v2/app/blobs/${digest}`, { headers: { range } });
  const middle = await ranged("bytes=2-4");
  assert.deepEqual([middle.status, middle.headers.get("content-range"), await middle.text()], [
    206,
    "bytes 2-4/10",
    "234",
  ]);
  assert.equal(await (await ranged("bytes=8-")).text(), "89");
  assert.equal(await (await ranged("bytes=-1")).text(), "9");
  assert.equal((await ranged("bytes=10-")).status, 416);
  registry.fault({ path: /blobs/ }, faults.withoutRanges());
  assert.equal((await ranged("bytes=2-4")).status, 200);
});

Deno.test("ScriptedRegistry takes uploads in pieces, whole and by mount", async () => {
  const registry = new ScriptedRegistry();
  const bytes = new TextEncoder().encode("hello world");
  const digest = digestOf(bytes);
  const start = await ask(registry, "/v2/app/blobs/uploads/", { method: "POST" });
  const first = start.headers.get("location") ?? "";
  const patch = await ask(registry, first, {
    method: "PATCH",
    body: bytes.slice(0, 5),
    headers: { "content-range": "0-4" },
  });
  assert.deepEqual([patch.status, patch.headers.get("range")], [202, "0-4"]);
  const second = patch.headers.get("location") ?? "";
  assert.equal((await ask(registry, first, { method: "PATCH", body: "x" })).status, 404);
  const wrong = await ask(registry, second, { method: "PATCH", body: "x", headers: { "content-range": "9-9" } });
  assert.equal(wrong.status, 416);
  const end = await ask(registry, `${second}&digest=${digest}`, { method: "PUT", body: bytes.slice(5) });
  assert.deepEqual([end.status, end.headers.get("docker-content-digest")], [201, digest]);
  assert.equal(
    (await ask(registry, `/v2/other/blobs/uploads/?mount=${digest}&from=app`, { method: "POST" })).status,
    201,
  );
  assert.deepEqual(registry.content("other", digest), bytes);
  const whole = await ask(registry, `/v2/third/blobs/uploads/?digest=${digest}`, { method: "POST", body: "other" });
  assert.equal(whole.status, 400);
  registry.fault({ method: "PATCH" }, faults.partialUpload(3));
  const place = (await ask(registry, "/v2/app/blobs/uploads/", { method: "POST" })).headers.get("location") ?? "";
  await assert.rejects(ask(registry, place, { method: "PATCH", body: bytes }), TypeError);
  const kept = await ask(registry, place.replace(/\?.*/, ""));
  assert.deepEqual([kept.status, kept.headers.get("range")], [204, "0-2"]);
});

Deno.test("ScriptedRegistry refuses manifests whose blobs or digest are wrong", async () => {
  const registry = new ScriptedRegistry();
  const { digest } = registry.put({ repository: "app", files: { a: "1" } });
  const body = registry.content("app", digest)?.slice() ?? new Uint8Array();
  const put = (path: string) =>
    ask(registry, path, { method: "PUT", body, headers: { "content-type": mediaTypes.manifest } });
  assert.equal((await put("/v2/app/manifests/v1")).status, 201);
  assert.equal(registry.tags("app").get("v1"), digest);
  assert.equal((await put("/v2/other/manifests/v1")).status, 400);
  assert.equal((await put(`/v2/app/manifests/sha256:${"0".repeat(64)}`)).status, 400);
});

Deno.test("ScriptedRegistry pages tags and referrers", async () => {
  const registry = new ScriptedRegistry({ pageSize: 2 });
  const subject = registry.put({ repository: "app", tag: "a", files: { a: "1" } }).manifest;
  for (const tag of ["b", "c"]) registry.setTag("app", tag, subject.digest);
  const first = await ask(registry, "/v2/app/tags/list?n=100");
  assert.deepEqual((await first.json()).tags, ["a", "b"]);
  const next = /<([^>]+)>; rel="next"/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
  assert.deepEqual((await (await ask(registry, next)).json()).tags, ["c"]);
  for (const artifactType of ["x/one", "x/two", "x/one"]) {
    registry.put({ repository: "app", files: { [artifactType]: `${Math.random()}` }, artifactType, subject });
  }
  const all = await ask(registry, `/v2/app/referrers/${subject.digest}`);
  assert.equal((await all.json()).manifests.length, 2);
  assert.match(all.headers.get("link") ?? "", /rel="next"/);
  const ones = await ask(registry, `/v2/app/referrers/${subject.digest}?artifactType=x/one`);
  assert.equal(ones.headers.get("oci-filters-applied"), "artifactType");
  assert.equal((await ones.json()).manifests.length, 2);
  const old = new ScriptedRegistry({ hasReferrers: false });
  assert.equal((await ask(old, `/v2/app/referrers/${subject.digest}`)).status, 404);
});

Deno.test("ScriptedRegistry asks for tokens, and for new ones when they are old or too narrow", async () => {
  let now = 0;
  const registry = new ScriptedRegistry({
    now: () => now,
    login: {
      kind: "bearer",
      users: [{ name: "ann", password: "pw", rights: { app: ["pull"] } }],
      refreshTokens: { "refresh-1": "ann" },
    },
  });
  registry.put({ repository: "app", tag: "v1", files: { a: "1" } });
  const look = (token?: string) =>
    ask(registry, "/v2/app/manifests/v1", {
      headers: { ...accept, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    });
  const refused = await look();
  assert.match(
    refused.headers.get("www-authenticate") ?? "",
    /^Bearer realm=".*\/token".*scope="repository:app:pull"$/,
  );
  const basic = { authorization: `Basic ${Buffer.from("ann:pw").toString("base64")}` };
  const given = await (await ask(registry, "/token?scope=repository:app:pull", { headers: basic })).json();
  assert.equal((await look(given.token)).status, 200);
  now = 300_000;
  assert.match((await look(given.token)).headers.get("www-authenticate") ?? "", /invalid_token/);
  const anonymous = await (await ask(registry, "/token?scope=repository:app:pull")).json();
  assert.match((await look(anonymous.token)).headers.get("www-authenticate") ?? "", /insufficient_scope/);
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: "refresh-1",
    scope: "repository:app:pull",
  });
  const refreshed = await (await ask(registry, "/token", { method: "POST", body: form })).json();
  assert.equal((await look(refreshed.access_token)).status, 200);
  assert.equal(registry.desk.tokensGiven, 3);
});

Deno.test("ScriptedRegistry lets faults strike where and as often as told", async () => {
  const registry = new ScriptedRegistry();
  const { digest } = registry.putBlob("app", new TextEncoder().encode("0123456789"));
  const path = `/v2/app/blobs/${digest}`;
  registry.fault({ path: /blobs/, times: 2, after: 1 }, faults.status(429, { retryAfter: "7" }));
  const statuses = [];
  for (let count = 0; count < 4; count++) statuses.push((await ask(registry, path)).status);
  assert.deepEqual(statuses, [200, 429, 429, 200]);
  registry.fault({}, faults.cut(4));
  await assert.rejects(async () => await (await ask(registry, path)).text(), TypeError);
  registry.fault({}, faults.cut(4, "end"));
  assert.equal(await (await ask(registry, path)).text(), "0123");
  registry.fault({}, faults.otherBytes(1));
  assert.equal(await (await ask(registry, path)).text(), "0023456789");
  registry.fault({}, faults.pieces(3));
  const chunks = [];
  for await (const chunk of (await ask(registry, path)).body ?? []) chunks.push(chunk.length);
  assert.deepEqual(chunks, [3, 3, 3, 1]);
  registry.fault({}, faults.redirectToHost("blobs.example.com"));
  assert.equal((await ask(registry, path)).headers.get("location"), `https://blobs.example.com${path}`);
  registry.fault({}, faults.headers({ "docker-content-digest": undefined, warning: '299 - "old"' }));
  const changed = await ask(registry, path);
  assert.deepEqual([changed.headers.get("docker-content-digest"), changed.headers.get("warning")], [
    null,
    '299 - "old"',
  ]);
  registry.fault({}, faults.compressed());
  assert.equal((await ask(registry, path)).headers.get("content-encoding"), "gzip");
  registry.fault({}, faults.endless());
  const reader = (await ask(registry, path)).body?.getReader();
  for (let count = 0; count < 5; count++) assert.equal((await reader?.read())?.done, false);
  await reader?.cancel();
  registry.isDown = true;
  await assert.rejects(ask(registry, path), TypeError);
  assert.equal(registry.requests.at(-1)?.status, 0);
});
