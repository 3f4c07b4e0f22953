import { deepEqual, equal, match, ok } from "node:assert/strict";
import { mediaTypes } from "../../../src/core/descriptor.ts";
import { digestOf } from "../../../src/core/digest.ts";
import { messageOf } from "../../../src/core/stage_error.ts";
import { isMissing } from "../../../src/source/oci_source.ts";
import * as faults from "../../support/registry_faults.ts";
import { linesOf, registryAndClient, stageErrorOf } from "./registry_fixture.ts";

const files = { "a.yaml": "a: 1\n" };

Deno.test("resolve() asks once and names media type, digest and size", async () => {
  const { registry, repository } = registryAndClient();
  const { manifest } = registry.put({ repository: "org/app", tag: "v1", files });

  const found = await repository().resolve("v1");

  deepEqual(found, { kind: "found", descriptor: manifest, etag: `"${manifest.digest}"` });
  deepEqual(linesOf(registry), ["HEAD /v2/org/app/manifests/v1"]);
  equal(registry.requests[0]?.headers.get("accept-encoding"), "identity");
});

Deno.test("resolve() of what is known is one request, with and without ETags", async () => {
  for (const hasEtags of [true, false]) {
    const { registry, repository } = registryAndClient({ hasEtags });
    const { digest } = registry.put({ repository: "org/app", tag: "v1", files });
    const first = await repository().resolve("v1");
    registry.clearLog();

    const etag = first.kind === "found" && first.etag !== undefined ? { etag: first.etag } : {};
    deepEqual(await repository().resolve("v1", { ifNoneMatch: { digest, ...etag } }), { kind: "unchanged" });
    equal(registry.requests.length, 1);
  }
});

Deno.test("resolve() falls back to GET and hashes where the digest is not said, and hands the content on", async () => {
  const { registry, repository } = registryAndClient();
  const { manifest } = registry.put({ repository: "org/app", tag: "v1", files });
  registry.fault({ times: 9 }, faults.headers({ "docker-content-digest": undefined }));

  const found = await repository().resolve("v1");

  ok(found.kind === "found" && found.content !== undefined);
  deepEqual(found.descriptor, manifest);
  equal(digestOf(found.content), manifest.digest);
  deepEqual(await repository().resolve("v1", { ifNoneMatch: { digest: manifest.digest } }), { kind: "unchanged" });
});

Deno.test("resolve() takes no ETag for a digest and no malformed digest", async () => {
  const { registry, repository } = registryAndClient();
  const { digest } = registry.put({ repository: "org/app", tag: "v1", files });
  registry.fault({ method: "HEAD" }, faults.headers({ "docker-content-digest": "sha256:../../etc", etag: "sha1" }));

  const found = await repository().resolve("v1");

  equal(found.kind === "found" && found.descriptor.digest, digest);
});

Deno.test("resolve() works where HEAD is not known", async () => {
  const { registry, repository } = registryAndClient();
  const { digest } = registry.put({ repository: "org/app", tag: "v1", files });
  registry.fault({ method: "HEAD" }, faults.status(405));

  const found = await repository().resolve("v1");

  equal(found.kind === "found" && found.descriptor.digest, digest);
});

Deno.test("resolve() of a digest refuses another one", async () => {
  const { registry, repository } = registryAndClient();
  const { digest } = registry.put({ repository: "org/app", files });
  registry.fault({}, faults.headers({ "docker-content-digest": digestOf("other") }));

  const error = await stageErrorOf(repository().resolve(digest));

  equal(error.reason, "OCIArtifactPullFailed");
  match(error.message, /names digest sha256:/);
});

Deno.test("resolve() tells a missing tag from a missing repository, in the registry's words", async () => {
  const { registry, repository } = registryAndClient();
  registry.put({ repository: "org/app", tag: "v1", files });

  const tag = await stageErrorOf(repository().resolve("v2"));
  const name = await stageErrorOf(repository("registry.test/org/other").resolve("v2"));

  equal(tag.reason, "OCIArtifactPullFailed");
  match(tag.message, /"registry.test\/org\/app:v2": registry answered 404 \(MANIFEST_UNKNOWN: manifest unknown\)/);
  match(name.message, /NAME_UNKNOWN/);
  ok(isMissing(tag) && isMissing(name));
  ok(tag.hint !== "");
});

Deno.test("resolve() refuses what is neither tag nor digest before it asks", async () => {
  const { registry, repository } = registryAndClient();
  for (const wrong of ["", "../x", "a/b", "sha256:abc", "x?y", "a b", "-a"]) {
    equal((await stageErrorOf(repository().resolve(wrong))).reason, "URLInvalid");
  }
  equal(registry.requests.length, 0);
});

Deno.test("manifest() checks digest, header, media type and shape", async () => {
  const cases: readonly (readonly [ReturnType<typeof faults.headers>, RegExp])[] = [
    [faults.otherBytes(3), /its digest is/],
    [faults.headers({ "docker-content-digest": digestOf("other") }), /the registry says/],
    [faults.headers({ "content-type": mediaTypes.index }), /calls itself/],
    [faults.headers({ "content-type": "text/html" }), /calls itself/],
  ];
  for (const [fault, text] of cases) {
    const { registry, repository } = registryAndClient();
    const { digest } = registry.put({ repository: "org/app", files });
    registry.fault({ method: "GET" }, fault);
    const error = await stageErrorOf(repository().manifest(digest));
    equal(error.reason, "OCIArtifactPullFailed");
    match(error.message, text);
  }
});

Deno.test("manifest() refuses documents that can be read two ways, old ones and those beyond 4 MiB", async () => {
  const { registry, repository } = registryAndClient();
  const config = registry.putBlob("org/app", new Uint8Array(2), mediaTypes.fluxConfig);
  const put = (document: unknown, mediaType: string = mediaTypes.manifest) =>
    registry.putManifest("org/app", new TextEncoder().encode(JSON.stringify(document)), undefined, mediaType);
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [{ schemaVersion: 2, config, layers: [], manifests: [] }, /both "manifests"/],
    [{ schemaVersion: 1, fsLayers: [] }, /schema 1/],
    [{ schemaVersion: 2 }, /neither/],
    [{ schemaVersion: 2, config, layers: [{ ...config, digest: "sha256:x" }] }, /layers\[0\]\.digest/],
    [{ schemaVersion: 2, config: { ...config, size: -1 }, layers: [] }, /config\.size/],
    [[], /no JSON object/],
    [{ schemaVersion: 2, config, layers: [], annotations: { pad: "x".repeat(4 * 1024 * 1024) } }, /4194304/],
  ];
  for (const [document, text] of wrong) {
    const error = await stageErrorOf(repository().manifest(put(document).digest));
    equal(error.reason, "OCIArtifactPullFailed");
    match(`${error.message} ${(error.cause as Error | undefined)?.message ?? ""}`, text);
  }
});

Deno.test("manifest() never reads an endless answer", async () => {
  const { registry, repository } = registryAndClient();
  const { digest } = registry.put({ repository: "org/app", files });
  registry.fault({}, faults.endless());

  match(String((await stageErrorOf(repository().manifest(digest))).cause), /more than 4194304 bytes/);
});

Deno.test("tags() follows pages, sorts, leaves out what is no tag, and takes null for none", async () => {
  const { registry, repository } = registryAndClient({ pageSize: 2 });
  const { digest } = registry.put({ repository: "org/app", tag: "v3", files });
  for (const tag of ["v1", "v2", "v10", "latest"]) registry.setTag("org/app", tag, digest);
  deepEqual(await repository().tags(), ["latest", "v1", "v10", "v2", "v3"]);

  registry.fault({}, faults.body('{"name":"org/app","tags":null}'));
  deepEqual(await repository().tags(), []);
  registry.fault({}, faults.body('{"tags":["b","a","b","../x",7]}'));
  deepEqual(await repository().tags(), ["a", "b"]);
  registry.fault({}, faults.body("<html>"));
  match((await stageErrorOf(repository().tags())).message, /no JSON/);
  match((await stageErrorOf(repository("registry.test/none").tags())).message, /NAME_UNKNOWN/);
});

Deno.test("tags() stops at foreign links, at loops and at its limits", async () => {
  const { registry, repository } = registryAndClient({}, { limits: { pages: 3, tagTotalBytes: 64 } });
  registry.fault({}, faults.headers({ link: '<https://evil.test/v2/org/app/tags/list>; rel="next"' }));
  registry.put({ repository: "org/app", tag: "v1", files });
  match(String((await stageErrorOf(repository().tags())).cause), /evil\.test/);

  registry.fault({}, faults.headers({ link: '</v2/org/app/tags/list?n=1000>; rel="next"' }));
  deepEqual(await repository().tags(), ["v1"]);

  let page = 0;
  registry.fault({ times: Infinity }, async () =>
    await Promise.resolve(
      new Response('{"tags":["a"]}', { headers: { link: `</v2/org/app/tags/list?page=${++page}>; rel=next` } }),
    ));
  match((await stageErrorOf(repository().tags())).message, /more than 3 pages/);
  registry.heal();
  registry.fault({}, faults.body(JSON.stringify({ tags: Array.from({ length: 40 }, (_, index) => `t${index}`) })));
  match(String((await stageErrorOf(repository().tags())).cause), /64/);
});

Deno.test("referrers() pages, filters by itself where the registry does not, and falls back to the tag", async () => {
  for (const options of [{ pageSize: 1 }, { filtersReferrers: false }, { hasReferrers: false }]) {
    const { registry, repository } = registryAndClient(options);
    const subject = registry.put({ repository: "org/app", tag: "v1", files }).manifest;
    const sig = { schemaVersion: 2 as const, mediaType: mediaTypes.manifest, layers: [], subject };
    const config = registry.putBlob("org/app", new TextEncoder().encode("{}"), mediaTypes.empty);
    for (const artifactType of ["application/sig", "application/sbom"]) {
      const bytes = new TextEncoder().encode(JSON.stringify({ ...sig, artifactType, config }));
      await repository().pushManifest({ mediaType: mediaTypes.manifest, bytes });
    }
    equal((await repository().referrers(subject.digest)).length, 2);
    deepEqual(
      (await repository().referrers(subject.digest, { artifactType: "application/sig" })).map((one) =>
        one.artifactType
      ),
      ["application/sig"],
    );
    deepEqual(await repository().referrers(digestOf("nothing")), []);
    equal(registry.tags("org/app").has(subject.digest.replace(":", "-")), options.hasReferrers === false);
  }
});

Deno.test("referrers() takes an HTML page and a foreign host for no API, and a fault for a fault", async () => {
  const { registry, repository } = registryAndClient({}, { limits: { retries: 0 } });
  const { digest } = registry.put({ repository: "org/app", files });
  registry.fault({ path: /referrers/ }, faults.body("<html>", { contentType: "text/html" }));
  deepEqual(await repository().referrers(digest), []);
  registry.fault({ path: /referrers/ }, faults.redirectToHost("blobs.test"));
  deepEqual(await repository().referrers(digest), []);
  registry.fault({ path: /referrers/ }, faults.status(500));
  match((await stageErrorOf(repository().referrers(digest))).message, /answered 500/);
});

Deno.test("an answer that is no manifest is told with its reference and a fitting hint, never with what it holds", async () => {
  const { registry, repository } = registryAndClient();
  const { digest } = registry.put({ repository: "org/app", tag: "1", files });
  for (const [type, hint] of [["text/html", /web page/], ["application/json", /malformed/]] as const) {
    const answer = async () => new Response("<p>canary-text", { headers: { "content-type": type } });
    registry.fault({ method: "GET", path: /manifests/ }, answer);
    const error = await stageErrorOf(repository().manifest(digest));
    equal(error.reason, "OCIArtifactPullFailed");
    match(error.message, /^Cannot pull manifest "registry.test\/org\/app@sha256:.*its digest is/);

    registry.fault({ method: "HEAD", path: /manifests/ }, answer);
    registry.fault({ method: "GET", path: /manifests/ }, answer);
    const ofTag = await stageErrorOf(repository().resolve("1"));
    match(ofTag.message, /^Cannot resolve "registry.test\/org\/app:1": .*no JSON/);
    match(ofTag.hint, hint);
    ok(!messageOf(ofTag).includes("canary-text"), messageOf(ofTag));
  }
});

Deno.test("a manifest that comes a byte now and then is given up after its time", async () => {
  const { registry, repository, clock } = registryAndClient();
  let isLetGo = false;
  let sent = 0;
  registry.fault({ method: "GET", path: /manifests/ }, async () => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        clock.fire(50_000);
        if (++sent < 10) controller.enqueue(new Uint8Array([32]));
      },
      cancel: () => void (isLetGo = true),
    }, { highWaterMark: 0 });
    return new Response(body, { headers: { "content-type": mediaTypes.manifest } });
  });
  const error = await stageErrorOf(repository().manifest(digestOf("x")));
  match(messageOf(error), /not complete after 120 s/);
  ok(isLetGo && sent === 3, "its connection is free");
});
