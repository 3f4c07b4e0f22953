import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { digestOf, digestStream } from "../../../src/core/digest.ts";
import { messageOf } from "../../../src/core/stage_error.ts";
import { isMissing } from "../../../src/source/oci_source.ts";
import * as faults from "../../support/registry_faults.ts";
import { bytesOf, registryAndClient, stageErrorOf } from "./registry_fixture.ts";

const content = new Uint8Array(Buffer.from("0123456789".repeat(1000)));

function withBlob(limits = {}) {
  const fixture = registryAndClient({}, { limits });
  return { ...fixture, layer: fixture.registry.putBlob("org/app", content) };
}

async function read(fixture: ReturnType<typeof withBlob>): Promise<Uint8Array> {
  return await bytesOf(await fixture.repository().blob(fixture.layer));
}

Deno.test("blob() streams checked bytes with one request", async () => {
  const fixture = withBlob();
  deepEqual(await read(fixture), content);
  equal(fixture.registry.requests.length, 1);
  equal(fixture.clock.pending, 0);
});

Deno.test("blob() goes on where a transfer was cut, by Range and If-Range", async () => {
  for (const how of ["error", "end"] as const) {
    const fixture = withBlob();
    fixture.registry.fault({}, faults.headers({ "content-length": undefined }));
    fixture.registry.fault({}, faults.cut(3000, how));
    fixture.registry.fault({ after: 1 }, faults.cut(2000, how));
    deepEqual(await read(fixture), content);
    deepEqual(fixture.registry.requests.map((seen) => seen.headers.get("range")), [
      null,
      "bytes=3000-",
      "bytes=5000-",
    ]);
    equal(fixture.registry.requests[1]?.headers.get("if-range"), `"${fixture.layer.digest}"`);
  }
});

Deno.test("blob() goes on where the registry knows no ranges", async () => {
  const fixture = withBlob();
  fixture.registry.fault({ times: 9 }, faults.withoutRanges());
  fixture.registry.fault({}, faults.cut(3000));
  deepEqual(await read(fixture), content);
});

Deno.test("blob() gives up after its tries, and not while there is progress", async () => {
  const fixture = withBlob();
  fixture.registry.fault({ times: Infinity }, faults.cut(0));
  const error = await stageErrorOf(read(fixture));
  equal(error.reason, "OCIArtifactPullFailed");
  match(error.message, /broke off after 0 of 10000 bytes/);
  equal(fixture.registry.requests.length, 4);

  const long = registryAndClient();
  const big = new Uint8Array(12 * 1024 * 1024).fill(7);
  const layer = long.registry.putBlob("org/app", big);
  long.registry.fault({ times: 10 }, faults.cut(1024 * 1024 + 1));
  equal(digestOf(await bytesOf(await long.repository().blob(layer))), layer.digest);
});

Deno.test("blob() fails at its end on a wrong digest, at once on a wrong length", async () => {
  const cases = [
    [faults.otherBytes(5000), /its digest is sha256:/],
    [faults.moreBytes(1), /longer than the 10000 bytes/],
    [faults.headers({ "content-length": "9999" }), /announces 9999 bytes/],
    [faults.endless(), /longer than the 10000 bytes/],
  ] as const;
  for (const [fault, text] of cases) {
    const fixture = withBlob();
    fixture.registry.fault({ times: 9 }, fault);
    const error = await stageErrorOf(read(fixture));
    equal(error.reason, "OCIArtifactPullFailed");
    match(error.message, text);
    equal(fixture.registry.requests.length, 1);
  }
});

Deno.test("blob() refuses a range that was not asked for", async () => {
  const fixture = withBlob();
  fixture.registry.fault({}, faults.cut(3000));
  fixture.registry.fault({ after: 1 }, faults.headers({ "content-range": "bytes 0-6999/10000" }));
  match((await stageErrorOf(read(fixture))).message, /another range/);
});

Deno.test("blob() that is not there is an error before the stream", async () => {
  const { repository } = withBlob();
  const error = await stageErrorOf(
    repository().blob({ mediaType: "a/b", digest: digestOf("nothing"), size: 1 }),
  );
  ok(isMissing(error));
  match(error.message, /BLOB_UNKNOWN/);
});

Deno.test("blob() resumes what a caller has, hashed from its first byte", async () => {
  const { registry, repository, layer } = withBlob();
  const digest = digestStream();
  digest.update(content.subarray(0, 4000));
  deepEqual(
    await bytesOf(await repository().blob(layer, { resume: { offset: 4000, digest } })),
    content.slice(4000),
  );
  equal(registry.requests[0]?.headers.get("range"), "bytes=4000-");

  const wrong = digestStream();
  wrong.update(new Uint8Array(4000));
  const stream = await repository().blob(layer, { resume: { offset: 4000, digest: wrong } });
  match((await stageErrorOf(bytesOf(stream))).message, /its digest is/);
});

Deno.test("blob() takes content that stands in the descriptor, if it is right", async () => {
  const { registry, repository, layer } = withBlob();
  const data = Buffer.from(content).toString("base64");
  deepEqual(await bytesOf(await repository().blob({ ...layer, data })), content);
  equal(registry.requests.length, 0);
  const other = Buffer.from("x".repeat(10_000)).toString("base64");
  deepEqual(await bytesOf(await repository().blob({ ...layer, data: other })), content);
  equal(registry.requests.length, 1);
});

Deno.test("blob() cuts a transfer that is too slow and goes on", async () => {
  const fixture = withBlob();
  fixture.registry.fault({}, faults.pieces(100, { stallAfter: 2 }));
  const reading = read(fixture);
  for (let turn = 0; turn < 40; turn++) await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve, 5));
  fixture.clock.fire(30_000);
  deepEqual(await reading, content);
  equal(fixture.registry.requests[1]?.headers.get("range"), "bytes=200-");
});

Deno.test("blob() stops when told, with the reason given", async () => {
  const { registry, repository, layer } = withBlob();
  registry.fault({}, faults.pieces(100, { stallAfter: 2 }));
  const stop = new AbortController();
  const stream = await repository().blob(layer, { signal: stop.signal });
  const reading = bytesOf(stream);
  setTimeout(() => stop.abort(new Error("enough")), 5);
  let seen: unknown;
  try {
    await reading;
  } catch (error) {
    seen = error;
  }
  match(messageOf(seen), /enough/);
});

Deno.test("blob() follows to another host without the login, and never says a link's query", async () => {
  const users = [{ name: "ann", password: "canary-password" }];
  const fixture = registryAndClient({ login: { kind: "basic", users } }, { limits: { retries: 0 } });
  const layer = fixture.registry.putBlob("org/app", content);
  const seen: (string | null)[] = [];
  fixture.registry.fault({ path: /blobs/, host: "blobs.test", times: 9 }, (request) => {
    seen.push(request.headers.get("authorization"));
    return Promise.resolve(new Response(content));
  });
  fixture.registry.fault({ path: /blobs/, host: "registry.test", times: 9 }, async (request, answer) => {
    const honest = await answer(request);
    if (honest.status !== 200) return honest;
    return new Response(null, { status: 307, headers: { location: "https://blobs.test/blobs/x?sig=canary-sig" } });
  });
  const repository = fixture.repository(undefined, {
    credentials: () => Promise.resolve([{ kind: "basic", username: "ann", password: "canary-password" }]),
  });
  deepEqual(await bytesOf(await repository.blob(layer)), content);
  deepEqual(seen, [null]);

  fixture.registry.fault(
    { host: "blobs.test", times: 9 },
    faults.unreachable("refused by https://blobs.test/x?sig=canary-sig"),
  );
  const error = await stageErrorOf(repository.blob(layer));
  ok(!messageOf(error).includes("canary"), messageOf(error));
});
