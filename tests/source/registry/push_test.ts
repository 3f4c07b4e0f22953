import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Descriptor } from "../../../src/core/descriptor.ts";
import { mediaTypes } from "../../../src/core/descriptor.ts";
import { digestOf } from "../../../src/core/digest.ts";
import type { BlobContent } from "../../../src/source/oci_source.ts";
import * as faults from "../../support/registry_faults.ts";
import { linesOf, registryAndClient, stageErrorOf } from "./registry_fixture.ts";

const small = new TextEncoder().encode("small content");
const large = new Uint8Array(Buffer.alloc(1000, "0123456789"));

function descriptorOf(bytes: Uint8Array): Descriptor {
  return { mediaType: "application/octet-stream", digest: digestOf(bytes), size: bytes.length };
}

function contentOf(bytes: Uint8Array): BlobContent {
  return (offset) => new Blob([bytes.slice(offset)]).stream();
}

const chunked = { limits: { monolithicBytes: 100, pieceBytes: 300 } };

Deno.test("pushBlob() sends small content at once, and what is there not at all", async () => {
  const { registry, repository } = registryAndClient();
  const layer = descriptorOf(small);
  equal(await repository().pushBlob(layer, contentOf(small)), "pushed");
  deepEqual(registry.content("org/app", layer.digest), small);
  deepEqual(registry.requests.map((seen) => seen.method), ["HEAD", "POST", "PUT"]);
  registry.clearLog();
  equal(await repository().pushBlob(layer, contentOf(small)), "exists");
  equal(registry.requests.length, 1);
});

Deno.test("pushBlob() sends large content in pieces of the registry's least size", async () => {
  for (const [options, count] of [[{}, 4], [{ chunkMinBytes: 450 }, 3]] as const) {
    const { registry, repository } = registryAndClient(options, chunked);
    const layer = descriptorOf(large);
    const progress: number[] = [];
    equal(
      await repository().pushBlob(layer, contentOf(large), { onProgress: (sent) => progress.push(sent) }),
      "pushed",
    );
    deepEqual(registry.content("org/app", layer.digest), large);
    equal(registry.count("PATCH", /uploads/), count);
    equal(progress.at(-1), 1000);
  }
});

Deno.test("pushBlob() goes on after lost, cut and partly taken pieces", async () => {
  const cases = [
    faults.partialUpload(120),
    faults.lostAnswer(),
    faults.status(500),
    faults.unreachable(),
    faults.status(416),
  ];
  for (const fault of cases) {
    const { registry, repository } = registryAndClient({}, chunked);
    const layer = descriptorOf(large);
    registry.fault({ method: "PATCH", after: 1 }, fault);
    equal(await repository().pushBlob(layer, contentOf(large)), "pushed");
    deepEqual(registry.content("org/app", layer.digest), large);
  }
});

Deno.test("pushBlob() whose last answer was lost finds its content there", async () => {
  const { registry, repository } = registryAndClient();
  registry.fault({ method: "PUT" }, faults.lostAnswer());
  equal(await repository().pushBlob(descriptorOf(small), contentOf(small)), "pushed");
  equal(registry.count("PUT"), 1);
});

Deno.test("pushBlob() starts again where an upload was forgotten, and streams where pieces are not known", async () => {
  const { registry, repository } = registryAndClient({}, chunked);
  const layer = descriptorOf(large);
  registry.fault({ method: "PATCH", after: 1 }, faults.status(500));
  registry.fault({ method: "GET", path: /uploads/ }, faults.status(404));
  equal(await repository().pushBlob(layer, contentOf(large)), "pushed");
  equal(registry.count("POST"), 2);

  const other = registryAndClient({}, chunked);
  other.registry.fault({ method: "PATCH" }, faults.status(400));
  equal(await other.repository().pushBlob(layer, contentOf(large)), "pushed");
  equal(other.registry.count("PATCH", /uploads/), 2);
});

Deno.test("pushBlob() sends nothing that is shorter, longer or other than its descriptor", async () => {
  const { registry, repository } = registryAndClient();
  const layer = descriptorOf(small);
  for (const bytes of [small.slice(1), new Uint8Array([...small, 1])]) {
    const error = await stageErrorOf(repository().pushBlob(layer, contentOf(bytes)));
    match(error.message, /13 bytes/);
  }
  const changed = small.slice();
  changed[0] = 0;
  match((await stageErrorOf(repository().pushBlob(layer, contentOf(changed)))).message, /DIGEST_INVALID/);
  equal(registry.content("org/app", layer.digest), undefined);
});

Deno.test("pushBlob() never leaves the registry", async () => {
  for (
    const location of [
      "https://evil.test/upload",
      "http://registry.test/upload",
      "//evil.test/x",
      "https://u:p@registry.test/x",
      "",
    ]
  ) {
    const { registry, repository } = registryAndClient({}, { limits: { retries: 0 } });
    registry.fault({ method: "POST" }, faults.headers({ location: location === "" ? undefined : location }));
    const outcome = await repository().pushBlob(descriptorOf(small), contentOf(small)).catch((error) => error);
    if (location === "http://registry.test/upload") continue;
    match(outcome.message, /wants the upload sent|does not say where/);
    equal(registry.count("PUT"), 0);
  }
});

Deno.test("pushBlob() mounts where it can, and goes on with the upload where it cannot", async () => {
  for (const mounts of [true, false]) {
    const { registry, repository } = registryAndClient({ mounts });
    const layer = registry.putBlob("org/app", small);
    const other = repository("registry.test/org/other");
    const outcome = await other.pushBlob(layer, contentOf(small), { mountFrom: repository() });
    equal(outcome, mounts ? "mounted" : "pushed");
    equal(registry.count("POST"), 1);
    deepEqual(registry.content("org/other", layer.digest), small);
  }
  const { registry, repository } = registryAndClient({ mounts: false });
  const layer = registry.putBlob("org/app", small);
  equal(await repository("registry.test/org/other").mountBlob(layer, repository()), false);
  equal(registry.count("DELETE"), 1);
});

Deno.test("pushManifest() writes exact bytes under digest and tag", async () => {
  const { registry, repository } = registryAndClient();
  const config = registry.putBlob("org/app", new TextEncoder().encode("{}"), mediaTypes.fluxConfig);
  const text = `{\n  "schemaVersion": 2, "mediaType": "${mediaTypes.manifest}", "config": ${
    JSON.stringify(config)
  }, "layers": [] }\n`;
  const bytes = new TextEncoder().encode(text);
  const descriptor = await repository().pushManifest({ mediaType: mediaTypes.manifest, bytes }, { tag: "v1" });
  equal(descriptor.digest, digestOf(bytes));
  deepEqual(registry.content("org/app", descriptor.digest), bytes);
  equal(registry.tags("org/app").get("v1"), descriptor.digest);

  await repository().tag(descriptor.digest, "stable");
  equal(registry.tags("org/app").get("stable"), descriptor.digest);
  match(
    (await stageErrorOf(repository().pushManifest({ mediaType: mediaTypes.index, bytes }))).message,
    /calls itself/,
  );
});

Deno.test("pushManifest() keeps the list of referrers where the registry does not, also when others write it", async () => {
  const { registry, repository } = registryAndClient({ hasReferrers: false });
  const subject = registry.put({ repository: "org/app", tag: "v1", files: { a: "1" } }).manifest;
  const config = registry.putBlob("org/app", new TextEncoder().encode("{}"), mediaTypes.empty);
  const push = (artifactType: string) =>
    repository().pushManifest({
      mediaType: mediaTypes.manifest,
      bytes: new TextEncoder().encode(JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        artifactType,
        config,
        layers: [],
        subject,
        annotations: { note: artifactType },
      })),
    });
  await push("a/one");
  await push("a/one");
  const tag = `sha256-${subject.digest.slice(7)}`;
  registry.fault({ method: "PUT", path: new RegExp(tag) }, faults.status(412));
  await push("a/two");
  const found = await repository().referrers(subject.digest);
  deepEqual(found.map((one) => [one.artifactType, one.annotations?.note]), [["a/one", "a/one"], ["a/two", "a/two"]]);
  ok(linesOf(registry).includes(`PUT /v2/org/app/manifests/${tag}`));
});

Deno.test("a refused push says why", async () => {
  const { registry, repository } = registryAndClient();
  registry.fault({ method: "POST" }, faults.status(403));
  const error = await stageErrorOf(repository().pushBlob(descriptorOf(small), contentOf(small)));
  equal(error.reason, "AuthenticationFailed");
  match(error.message, /scripted 403/);
  registry.fault({ method: "PUT" }, faults.status(413));
  match((await stageErrorOf(repository().pushBlob(descriptorOf(small), contentOf(small)))).message, /413/);
});
