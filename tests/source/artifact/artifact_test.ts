import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Descriptor } from "../../../src/core/descriptor.ts";
import { mediaTypes } from "../../../src/core/descriptor.ts";
import { digestOf } from "../../../src/core/digest.ts";
import { copyArtifact } from "../../../src/source/artifact/copy_artifact.ts";
import { inspectArtifact, listArtifacts } from "../../../src/source/artifact/inspect_artifact.ts";
import type { TransferEvent } from "../../../src/source/artifact/progress.ts";
import { pullToFolder } from "../../../src/source/artifact/pull_to_folder.ts";
import { pushChart } from "../../../src/source/artifact/push_chart.ts";
import { pushArtifact } from "../../../src/source/artifact/push_artifact.ts";
import { openLayout } from "../../../src/source/layout/layout_source.ts";
import type { OciDestination } from "../../../src/source/oci_source.ts";
import { seededRandom } from "../../support/call_context.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FaultyDisk } from "../../support/faulty_file_system.ts";
import * as faults from "../../support/registry_faults.ts";
import { tarOf } from "../../support/tar_of.ts";
import { bytesOf, registryAndClient } from "../registry/registry_fixture.ts";

async function diskWith(files: Readonly<Record<string, string>>) {
  const { fileSystem } = new FaultyDisk();
  for (const [path, text] of Object.entries(files)) {
    await fileSystem.makeFolder(path.slice(0, path.lastIndexOf("/")));
    await fileSystem.writeAtomic(path, text);
  }
  return { fileSystem, clock: new FakeClock(), folder: "/tmp", random: seededRandom(3) };
}

const files = {
  "/in/b.yaml": "b: 1\n",
  "/in/a/c.yaml": "c: 1\n",
  "/in/.git/config": "x",
  "/in/picture.jpg": "x",
  "/in/notes.txt": "x",
};

async function layerOf(repository: OciDestination, tag: string): Promise<{ layer: Descriptor; bytes: Uint8Array }> {
  const { parts: [layer] } = await inspectArtifact(repository, tag);
  ok(layer !== undefined);
  return { layer, bytes: await bytesOf(await repository.blob(layer)) };
}

Deno.test("pushArtifact() writes Flux's media types and annotations, and the same bytes each time", async () => {
  const digests = new Set<string>();
  for (const order of [Object.entries(files), Object.entries(files).reverse()]) {
    const disk = await diskWith(Object.fromEntries(order));
    const { repository } = registryAndClient();
    const events: TransferEvent[] = [];
    const pushed = await pushArtifact("/in", repository(), {
      tag: "v1",
      source: "https://git.test/app",
      revision: "main@sha1:abc",
      annotations: { team: "a" },
      ignore: ["notes.txt"],
      onTransfer: (event) => events.push(event),
    }, disk);
    digests.add(pushed.digest);

    const seen = await inspectArtifact(repository(), "v1");
    equal(seen.config?.mediaType, mediaTypes.fluxConfig);
    deepEqual(seen.annotations, {
      "org.opencontainers.image.created": "1970-01-01T00:00:00Z",
      "org.opencontainers.image.revision": "main@sha1:abc",
      "org.opencontainers.image.source": "https://git.test/app",
      team: "a",
    });
    const { layer, bytes } = await layerOf(repository(), "v1");
    equal(layer.mediaType, mediaTypes.fluxContent);
    const names = Buffer.from(gunzipSync(bytes)).toString("latin1").match(/[a-z./]+\.(yaml|txt|jpg)/g);
    deepEqual(names, ["a/c.yaml", "b.yaml"]);
    deepEqual(events.filter((event) => event.state !== "running").map((event) => event.state), ["pushed", "pushed"]);
  }
  equal(digests.size, 1);
});

Deno.test("pushArtifact() takes one file as it is, and says what is not there", async () => {
  const disk = await diskWith({ "/in/rules.json": "{}", "/empty/picture.jpg": "x" });
  const { repository } = registryAndClient();
  await pushArtifact("/in/rules.json", repository(), { tag: "v1" }, disk);
  const { layer, bytes } = await layerOf(repository(), "v1");
  equal(layer.mediaType, "application/vnd.cncf.flux.content.v1.json");
  equal(new TextDecoder().decode(bytes), "{}");
  await rejects(pushArtifact("/nowhere", repository(), { tag: "v1" }, disk), { reason: "ReadOperationFailed" });
  await rejects(pushArtifact("/empty", repository(), { tag: "v1" }, disk), { reason: "ReadOperationFailed" });
});

Deno.test("pushChart() takes a packed chart as it is, and says what is none", async () => {
  const chartYaml = "apiVersion: v2\nname: web\nversion: 1.0.0+a\ndescription: Text\nannotations: {note: x}\n";
  const { fileSystem } = new FaultyDisk();
  await fileSystem.makeFolder("/in/folder");
  const write = (name: string, files: Record<string, string>) =>
    fileSystem.writeAtomic(
      `/in/${name}`,
      gzipSync(tarOf(Object.entries(files).map(([path, content]) => ({ path, content })))),
    );
  await write("web.tgz", { "web/Chart.yaml": chartYaml, "web/values.yaml": "{}" });
  await write("none.tgz", { "web/values.yaml": "{}" });
  await write("nameless.tgz", { "web/Chart.yaml": "apiVersion: v2\n" });
  await fileSystem.writeAtomic("/in/text.tgz", "no archive");
  const { repository } = registryAndClient();

  const { tag } = await pushChart("/in/web.tgz", repository(), {}, { fileSystem });
  equal(tag, "1.0.0_a");
  const seen = await inspectArtifact(repository(), tag);
  equal(seen.config?.mediaType, mediaTypes.helmConfig);
  deepEqual(seen.annotations, {
    note: "x",
    "org.opencontainers.image.created": "1970-01-01T00:00:00Z",
    "org.opencontainers.image.description": "Text",
    "org.opencontainers.image.title": "web",
    "org.opencontainers.image.version": "1.0.0+a",
  });
  deepEqual((await layerOf(repository(), tag)).bytes, await fileSystem.read("/in/web.tgz"));
  equal((await pushChart("/in/web.tgz", repository(), { tag: "other" }, { fileSystem })).tag, "other");
  for (const name of ["folder", "none.tgz", "nameless.tgz", "text.tgz", "missing.tgz"]) {
    await rejects(pushChart(`/in/${name}`, repository(), {}, { fileSystem }), { reason: /./ }, name);
  }
});

Deno.test("pullToFolder() gives back what was pushed, from registry and layout", async () => {
  const disk = await diskWith(files);
  const { repository } = registryAndClient();
  for (const target of [repository(), openLayout("/layout", disk)]) {
    await pushArtifact("/in", target, { tag: "v1", ignore: ["notes.txt"] }, disk);
    const pulled = await pullToFolder(target, "v1", "/out", {
      ...disk,
      platform: { os: "linux", architecture: "amd64" },
    });
    equal(pulled.files, 2);
    equal(await disk.fileSystem.readText("/out/a/c.yaml"), "c: 1\n");
    await disk.fileSystem.remove("/out", { recursive: true });
  }
});

Deno.test("pushArtifact() sends what does not fit into memory from a file, also after faults", async () => {
  const text = (seed: number) =>
    Array.from({ length: 20_000 }, (_, line) => `${line * seed % 7919}: ${line}\n`).join("");
  const disk = await diskWith({ "/in/a.txt": text(3), "/in/b.txt": text(5), "/tmp/other": "" });
  const { registry, repository } = registryAndClient({}, { limits: { monolithicBytes: 100, pieceBytes: 20_000 } });
  registry.fault({ method: "PATCH", after: 2 }, faults.partialUpload(700));
  const spooled = await pushArtifact("/in", repository(), { tag: "v1" }, { ...disk, memoryBytes: 1_000 });
  const inMemory = await pushArtifact("/in", openLayout("/layout", disk), { tag: "v1" }, disk);

  equal(spooled.digest, inMemory.digest);
  deepEqual(await disk.fileSystem.list("/tmp"), [{ name: "other", kind: "file" }]);
  await pullToFolder(repository(), "v1", "/out", { ...disk, platform: { os: "linux", architecture: "amd64" } });
  equal(await disk.fileSystem.readText("/out/b.txt"), text(5));
});

Deno.test("pullToFolder() shows nothing of a layer whose digest is wrong, and leaves no rest", async () => {
  for (const mediaType of [mediaTypes.fluxContent, "application/vnd.cncf.flux.content.v1.json"]) {
    const { registry, repository } = registryAndClient();
    const disk = await diskWith(files);
    await pushArtifact("/in", repository(), { tag: "v1" }, disk);
    if (mediaType !== mediaTypes.fluxContent) await pushArtifact("/in/notes.txt", repository(), { tag: "v1" }, disk);
    const { layer } = await layerOf(repository(), "v1");
    registry.fault({ path: new RegExp(layer.digest), times: Infinity }, faults.otherBytes(0));
    await rejects(
      pullToFolder(repository(), "v1", "/out", { ...disk, platform: { os: "linux", architecture: "amd64" } }),
    );
    deepEqual(await disk.fileSystem.list("/out"), []);
  }
});

/** An index with two platforms, a signature by referrer, one on the signature, one on a child, and one by tag. */
function family(registry: ReturnType<typeof registryAndClient>["registry"]) {
  const repository = "org/app";
  const children = ["amd64", "arm64"].map((architecture) => ({
    ...registry.put({ repository, files: { "a.yaml": architecture } }).manifest,
    platform: { os: "linux", architecture },
  }));
  const index = registry.putManifest(repository, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: children,
  }, "v1");
  const sign = (subject: Descriptor, name: string) =>
    registry.put({ repository, files: { [name]: name }, artifactType: `application/${name}`, subject }).manifest;
  const signature = sign(index, "sig");
  const onSignature = sign(signature, "stamp");
  const [first] = children;
  ok(first !== undefined);
  const onChild = sign(first, "sbom");
  const byTag = registry.put({
    repository,
    tag: `sha256-${index.digest.slice(7)}.sig`,
    files: { old: "signature" },
  }).manifest;
  return { index, all: [index, ...children, signature, onSignature, onChild, byTag] };
}

Deno.test("copyArtifact() brings the whole family from registry to layout to registry, with its digests", async () => {
  for (const hasReferrers of [true, false]) {
    const from = registryAndClient();
    const to = registryAndClient({ hasReferrers });
    const disk = await diskWith({});
    const { index, all } = family(from.registry);
    const layout = openLayout("/layout", disk);

    const copied = await copyArtifact(from.repository(), "v1", layout, { tag: "v1" });
    equal(copied.descriptor.digest, index.digest);
    equal(copied.referrers.length, 4);
    const onward = await copyArtifact(layout, "v1", to.repository(), { tag: "v2" });
    equal(onward.descriptor.digest, index.digest);

    for (const { digest } of all) {
      deepEqual(to.registry.content("org/app", digest), from.registry.content("org/app", digest), digest);
    }
    equal(to.registry.tags("org/app").get("v2"), index.digest);
    ok(to.registry.tags("org/app").has(`sha256-${index.digest.slice(7)}.sig`));
    deepEqual(
      (await to.repository().referrers(index.digest)).map((one) => one.artifactType),
      ["application/sig"],
    );
  }
});

Deno.test("copyArtifact() between layouts, within a registry by mounts, and without referrers", async () => {
  const { registry, repository } = registryAndClient();
  const { index, all } = family(registry);
  const disk = await diskWith({});
  await copyArtifact(repository(), "v1", openLayout("/one", disk), { tag: "v1" });
  const copied = await copyArtifact(openLayout("/one", disk), "v1", openLayout("/two", disk), { tag: "v1" });
  equal(copied.descriptor.digest, index.digest);
  equal((await openLayout("/two", disk).referrers(index.digest)).length, 1);

  registry.clearLog();
  await copyArtifact(repository(), "v1", repository("registry.test/org/other"), { tag: "v1" });
  equal(registry.count("PUT", /uploads/), 0);
  for (const { digest } of all) ok(registry.content("org/other", digest) !== undefined);

  const alone = repository("registry.test/org/alone");
  deepEqual((await copyArtifact(repository(), index.digest, alone, { withReferrers: false })).referrers, []);
  deepEqual(await alone.referrers(index.digest), []);
});

Deno.test("copyArtifact() names the referrers that are too deep to follow", async () => {
  const from = registryAndClient();
  const to = registryAndClient();
  const top = from.registry.put({ repository: "org/app", tag: "v1", files: { a: "1" } }).manifest;
  let subject: Descriptor = top;
  const chain: Descriptor[] = [];
  for (let level = 0; level < 12; level++) {
    const put = { repository: "org/app", files: { a: `${level}` }, artifactType: "application/sig", subject };
    subject = from.registry.put(put).manifest;
    chain.push(subject);
  }

  const copied = await copyArtifact(from.repository(), "v1", to.repository(), { tag: "v1" });

  deepEqual(copied.referrers.map((one) => one.digest), chain.slice(0, 9).map((one) => one.digest));
  deepEqual(copied.leftOut.map((one) => one.digest), [chain[9]?.digest]);
});

Deno.test("copyArtifact() again sends nothing, and goes on after cuts on either side", async () => {
  const from = registryAndClient();
  const to = registryAndClient({}, { limits: { monolithicBytes: 100, pieceBytes: 2000 } });
  const bytes = new Uint8Array(Buffer.alloc(10_000, "0123456789"));
  from.registry.put({ repository: "org/app", tag: "v1", layers: [{ bytes }] });
  from.registry.fault({ path: /blobs/, after: 1 }, faults.cut(4000));
  to.registry.fault({ method: "PATCH", after: 2 }, faults.partialUpload(700));
  const events: TransferEvent[] = [];
  await copyArtifact(from.repository(), "v1", to.repository(), {
    tag: "v1",
    onTransfer: (event) => events.push(event),
  });
  deepEqual(to.registry.content("org/app", digestOf(bytes)), bytes);
  ok(events.some((event) => event.state === "running" && event.doneBytes > 0 && event.totalBytes === 10_000));

  to.registry.clearLog();
  events.length = 0;
  await copyArtifact(from.repository(), "v1", to.repository(), {
    tag: "v1",
    onTransfer: (event) => events.push(event),
  });
  equal(to.registry.count("POST"), 0);
  ok(events.every((event) => event.state === "exists"));
});

Deno.test("copyArtifact() passes nothing on whose digest is wrong", async () => {
  const from = registryAndClient();
  const to = registryAndClient();
  const { layers: [layer] } = from.registry.put({ repository: "org/app", tag: "v1", files: { a: "1" } });
  ok(layer !== undefined);
  from.registry.fault({ path: new RegExp(layer.digest), times: Infinity }, faults.otherBytes(3));
  await rejects(copyArtifact(from.repository(), "v1", to.repository(), { tag: "v1" }), /its digest is/);
  equal(to.registry.content("org/app", layer.digest), undefined);
  equal(to.registry.tags("org/app").size, 0);
});

Deno.test("listArtifacts() filters, hides signatures, and shows where each came from", async () => {
  const disk = await diskWith(files);
  const { registry, repository } = registryAndClient();
  for (
    const [tag, revision] of [["v1.0.0", "one"], ["v1.2.0", "two"], ["2.0.0-rc.1", "three"], [
      "latest",
      "four",
    ]] as const
  ) {
    await pushArtifact("/in", repository(), { tag, revision, source: "s" }, disk);
  }
  const { digest } = await repository().pushManifest({
    mediaType: mediaTypes.manifest,
    bytes: registry.content("org/app", registry.tags("org/app").get("latest") ?? "sha256:") ?? new Uint8Array(),
  }, { tag: `sha256-${"a".repeat(64)}.sig` });
  const tags = async (options: Parameters<typeof listArtifacts>[1]) =>
    (await listArtifacts(repository(), options)).map((one) => one.tag);
  deepEqual(await tags({}), ["2.0.0-rc.1", "latest", "v1.0.0", "v1.2.0"]);
  deepEqual(await tags({ semver: ">=1.1" }), ["v1.2.0"]);
  deepEqual(await tags({ regex: "^v.*0\\.0$" }), ["v1.0.0"]);
  const latest = (await listArtifacts(repository(), { regex: "^latest$" }))[0];
  deepEqual([latest?.digest, latest?.revision, latest?.source], [digest, "four", "s"]);
  await rejects(listArtifacts(repository("registry.test/none")), (error: Error) => {
    match(error.message, /NAME_UNKNOWN/);
    return true;
  });
});
