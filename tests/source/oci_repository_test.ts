import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import type { Artifact } from "../../src/core/artifact.ts";
import { mediaTypes } from "../../src/core/descriptor.ts";
import { digestOf } from "../../src/core/digest.ts";
import type { OCIRepositorySpec } from "../../src/core/specs.ts";
import { StageError } from "../../src/core/stage_error.ts";
import type { ArtifactVerifier } from "../../src/source/artifact_verifier.ts";
import { openSource } from "../../src/source/kinds.ts";
import { FakeRepository } from "./fake_repository.ts";
import { archiveOf, type Bench, configsOf, ociRepository, openBench, referencesOf } from "./source_fixture.ts";

const content = mediaTypes.fluxContent;
const quiet = new AbortController().signal;

function repositoryOf(...tags: readonly string[]): FakeRepository {
  const repository = new FakeRepository();
  for (const tag of tags) {
    repository.push(tag, [repository.add(archiveOf({ "app.yaml": `version: ${tag}`, "logo.png": "x" }), content)], {
      "org.opencontainers.image.revision": `main@sha1:${tag}`,
    });
  }
  return repository;
}

async function pulled(bench: Bench, spec: Partial<OCIRepositorySpec>, previous?: Artifact) {
  return await openSource(ociRepository(spec), bench.tools).pull(previous, quiet);
}

async function filesOf(bench: Bench, artifact: Artifact): Promise<Record<string, string>> {
  using tree = await bench.store.openTree(artifact);
  return Object.fromEntries([...tree.files()].map(({ path }) => [path, new TextDecoder().decode(tree.read(path))]));
}

const failsWith = (reason: string, says: RegExp) => (error: unknown) => {
  ok(error instanceof StageError, String(error));
  equal(error.reason, reason);
  ok(says.test(error.message), error.message);
  return true;
};

Deno.test("a tag is pulled, unpacked by ignore rules, and recorded as Flux records it", async () => {
  const repository = repositoryOf("1.0.0");
  await using bench = await openBench(repository);
  const { artifact, changed, warnings } = await pulled(bench, { ref: { tag: "1.0.0" } });
  const digest = repository.tagged.get("1.0.0");

  ok(changed);
  deepEqual(warnings, []);
  equal(artifact.revision, `1.0.0@${digest}`);
  equal(artifact.digest, digest);
  equal(artifact.url, "ghcr.io/org/app");
  equal(artifact.lastUpdateTime, "2026-01-01T00:00:00Z");
  deepEqual(artifact.metadata, { "org.opencontainers.image.revision": "main@sha1:1.0.0" });
  deepEqual(await filesOf(bench, artifact), { "app.yaml": "version: 1.0.0" });
  await bench.store.pin("a", [artifact]);
});

Deno.test("an unchanged tag is one request and no write", async () => {
  const repository = repositoryOf("latest");
  await using bench = await openBench(repository);
  const first = await pulled(bench, {});
  repository.requests = [];
  bench.disk.arm();
  const second = await pulled(bench, {}, first.artifact);

  deepEqual(repository.requests, ["HEAD latest"]);
  equal(bench.disk.steps, 0);
  equal(second.changed, false);
  deepEqual(second.artifact, first.artifact);
});

Deno.test("digest, then semver, then tag, then latest", async () => {
  const repository = repositoryOf("latest", "1.0.0", "1.2.0", "2.0.0-rc.1", "v1.1.0");
  await using bench = await openBench(repository);
  const revisionOf = async (ref: OCIRepositorySpec["ref"]) =>
    (await pulled(bench, { ref })).artifact.revision.replace(/@.*/, "");
  const digest = repository.tagged.get("1.0.0") ?? "";

  equal(await revisionOf({}), "latest");
  equal(await revisionOf({ tag: "1.0.0" }), "1.0.0");
  equal(await revisionOf({ tag: "1.0.0", semver: ">=1.0.0" }), "1.2.0");
  equal(await revisionOf({ semver: ">=1.0.0-0" }), "2.0.0-rc.1");
  equal(await revisionOf({ semver: "*", semverFilter: "^v" }), "v1.1.0");
  equal(await revisionOf({ digest, semver: "*", tag: "1.2.0" }), digest);
  await rejects(
    pulled(bench, { ref: { semver: ">=3" } }),
    failsWith("OCIArtifactPullFailed", /none of its 5 tags fits range ">=3"/),
  );
  await rejects(pulled(bench, { ref: { semver: "what" } }), failsWith("OCIArtifactPullFailed", /Cannot choose a tag/));
  throws(
    () => openSource(ociRepository({ ref: { digest: "sha256:abc" } }), bench.tools),
    failsWith("URLInvalid", /spec.ref.digest "sha256:abc"/),
  );
});

Deno.test("a digest that is in the store needs no network at all", async () => {
  const repository = repositoryOf("1.0.0");
  await using bench = await openBench(repository);
  const digest = repository.tagged.get("1.0.0") ?? "";
  const { artifact } = await pulled(bench, { ref: { digest } });
  repository.requests = [];

  equal((await pulled(bench, { ref: { digest } }, artifact)).changed, false);
  deepEqual((await pulled(bench, { ref: { digest }, ignore: "" }, undefined)).artifact.content, artifact.content);
  deepEqual(repository.requests, []);
});

Deno.test("tags of charts are read with _ as +", async () => {
  const repository = new FakeRepository();
  const chart = repository.add(archiveOf({ "app/Chart.yaml": "name: app" }), mediaTypes.helmChart);
  for (const tag of ["1.0.0_build.1", "1.0.1_build.2"]) repository.push(tag, [chart]);
  await using bench = await openBench(repository);
  const layerSelector = { mediaType: mediaTypes.helmChart, operation: "copy" } as const;
  const ranged = await pulled(bench, { layerSelector, ref: { semver: "1.x" } });
  const tagged = await pulled(bench, { layerSelector, ref: { tag: "1.0.0+build.1" } });

  ok(ranged.artifact.revision.startsWith("1.0.1_build.2@"));
  ok(tagged.artifact.revision.startsWith("1.0.0_build.1@"));
});

Deno.test("layerSelector takes the first layer of its type; copy keeps it byte for byte", async () => {
  const repository = new FakeRepository();
  const plain = repository.add(archiveOf({ a: "1" }), content);
  const named = {
    ...repository.add("bytes", "text/special"),
    annotations: { "org.opencontainers.image.title": "note.txt" },
  };
  repository.push("latest", [plain, named, repository.add("other", "text/special")]);
  await using bench = await openBench(repository);
  const copied = (await pulled(bench, { layerSelector: { mediaType: "text/special", operation: "copy" } })).artifact;

  ok(copied.content.kind === "blob");
  equal(copied.content.fileName, "note.txt");
  equal(new TextDecoder().decode(await bench.store.readBlob(copied.content.descriptor.digest)), "bytes");
  deepEqual(await filesOf(bench, (await pulled(bench, {})).artifact), { a: "1" });
  await rejects(
    pulled(bench, { layerSelector: { mediaType: "x/y", operation: "extract" } }),
    failsWith(
      "OCIArtifactLayerOperationFailed",
      /"x\/y".*"application\/vnd.cncf.flux.content.v1.tar\+gzip", "text\/special"$/,
    ),
  );
  await rejects(
    pulled(bench, { layerSelector: { mediaType: "text/special", operation: "extract" } }),
    failsWith("OCIArtifactLayerOperationFailed", /no good tar archive/),
  );
});

Deno.test("a new ignore or selector works on what the store has; the same content is no change", async () => {
  const repository = repositoryOf("latest");
  await using bench = await openBench(repository);
  const first = (await pulled(bench, {})).artifact;
  repository.requests = [];
  const wider = await pulled(bench, { ignore: "nothing" }, first);

  deepEqual(repository.requests, ["HEAD latest"]);
  ok(wider.changed);
  deepEqual(Object.keys(await filesOf(bench, wider.artifact)), ["app.yaml", "logo.png"]);
  const same = await pulled(bench, { ignore: "*.png" }, first);
  equal(same.changed, false);
  equal(same.artifact.recipe?.ignore.kind === "apply" && same.artifact.recipe.ignore.extra, "*.png");
});

Deno.test("what the store lost is pulled again, and only that", async () => {
  const repository = repositoryOf("latest");
  await using bench = await openBench(repository);
  const first = (await pulled(bench, {})).artifact;
  await bench.disk.fileSystem.remove(`/store/blobs/sha256/${first.recipe?.layer.digest.slice(7)}`);
  repository.requests = [];
  const second = await pulled(bench, {}, first);

  equal(second.changed, false);
  deepEqual(second.artifact, first);
  deepEqual(repository.requests, ["HEAD latest", `BLOB ${first.recipe?.layer.digest}`]);
  ok(await bench.store.has(first));
});

Deno.test("objects on the same repository and reference share one look and one pull", async () => {
  const repository = repositoryOf("latest");
  await using bench = await openBench(repository);
  const gate = Promise.withResolvers<void>();
  repository.gate = gate.promise;
  const pulls = [1, 2, 3].map(() => pulled(bench, {}));
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  equal(repository.requests.filter((request) => request.startsWith("HEAD")).length, 1);
  gate.resolve();
  const results = await Promise.all(pulls);

  equal(new Set(results.map((result) => result.artifact.revision)).size, 1);
  equal(repository.requests.filter((request) => request.startsWith("BLOB")).length, 1);
});

Deno.test("one that gives up does not stop the others who share a look", async () => {
  const repository = repositoryOf("latest");
  await using bench = await openBench(repository);
  const gate = Promise.withResolvers<void>();
  repository.gate = gate.promise;
  const stop = new AbortController();
  const first = openSource(ociRepository({}), bench.tools).pull(undefined, stop.signal);
  const second = pulled(bench, {});
  const gaveUp = rejects(first, /no more/);
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  stop.abort(new Error("no more"));
  await gaveUp;
  gate.resolve();

  ok((await second).changed);
});

Deno.test("a pull that takes too long says so", async () => {
  const repository = repositoryOf("latest");
  await using bench = await openBench(repository);
  repository.gate = new Promise(() => {});
  const slow = rejects(pulled(bench, { timeoutMs: 5000 }), failsWith("OCIArtifactPullFailed", /longer than 5000 ms/));
  await bench.clock.advance(5001);
  await slow;
});

Deno.test("an index gives the entry of our platform, and keeps every document", async () => {
  const repository = repositoryOf("amd64", "arm64");
  const entries = ["amd64", "arm64"].map((architecture) => ({
    mediaType: mediaTypes.manifest,
    digest: repository.tagged.get(architecture),
    size: repository.contents.get(repository.tagged.get(architecture)!)!.length,
    platform: { os: "linux", architecture },
  }));
  const index = repository.add(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: entries }));
  repository.tagged.set("all", index.digest);
  await using bench = await openBench(repository);
  const { artifact } = await pulled(bench, { ref: { tag: "all" } });

  equal(artifact.digest, index.digest);
  deepEqual(await filesOf(bench, artifact), { "app.yaml": "version: amd64" });
  ok(artifact.blobs.includes(index.digest) && artifact.blobs.includes(repository.tagged.get("amd64")!));
});

Deno.test("verification that is asked for and cannot be made fails before anything is asked", async () => {
  const repository = repositoryOf("latest");
  await using bench = await openBench(repository);
  await rejects(
    pulled(bench, { verify: { provider: "cosign" } }),
    failsWith("VerificationError", /spec.verify asks for cosign, and verification is not built yet/),
  );
  deepEqual(repository.requests, []);
});

Deno.test("an artifact is verified before its layer is pulled, and again when the trust changes", async () => {
  const repository = repositoryOf("latest");
  let trust = "key 1";
  let verdict: Error | undefined;
  const asked: string[] = [];
  const verifier: ArtifactVerifier = {
    trust: async () => trust,
    verify: async ({ descriptor, source }) => {
      asked.push(`${source.name}@${descriptor.digest} by ${trust}`);
      if (verdict !== undefined) throw verdict;
      return { message: `verified with ${trust}`, blobs: [] };
    },
  };
  await using bench = await openBench(repository, { verifier });
  const spec: Partial<OCIRepositorySpec> = { verify: { provider: "cosign" } };
  const unsigned = (await pulled(bench, {})).artifact;
  verdict = new StageError("VerificationError", "Cannot verify: no signature fits");
  repository.requests = [];
  await rejects(pulled(bench, spec, unsigned), failsWith("VerificationError", /no signature fits/));
  await rejects(pulled(bench, spec), failsWith("VerificationError", /no signature fits/));
  equal(repository.requests.filter((request) => request.startsWith("BLOB")).length, 0);

  verdict = undefined;
  const first = await pulled(bench, spec, unsigned);
  equal(first.verified, "verified with key 1");
  equal(first.changed, false);
  const second = await pulled(bench, spec, first.artifact);
  equal(second.verified, "verified with key 1");
  equal(asked.length, 3);
  trust = "key 2";
  const third = await pulled(bench, spec, second.artifact);
  equal(third.verified, "verified with key 2");
  equal(third.changed, false);
  equal(asked.length, 4);
  verdict = new StageError("VerificationError", "Cannot verify: the key was withdrawn");
  trust = "key 3";
  await rejects(pulled(bench, spec, third.artifact), failsWith("VerificationError", /withdrawn/));
  ok(await bench.store.has(third.artifact));
});

Deno.test("a tag inside the URL is used, with a warning that shows the right form", async () => {
  const repository = repositoryOf("1.0.0", "latest");
  await using bench = await openBench(repository);
  const used = await pulled(bench, { url: "oci://GHCR.io/org/app:1.0.0" });
  const unused = await pulled(bench, { url: "oci://ghcr.io/org/app:1.0.0", ref: { tag: "latest" } });

  ok(used.artifact.revision.startsWith("1.0.0@"));
  deepEqual(used.warnings, [
    "A tag does not belong into spec.url; write url: oci://ghcr.io/org/app and ref: {tag: 1.0.0}",
  ]);
  equal(bench.opened[0]?.url, "oci://ghcr.io/org/app");
  ok(unused.artifact.revision.startsWith("latest@"));
  ok(unused.warnings[0]?.includes("is not used"));
  throws(
    () => openSource(ociRepository({ url: "https://ghcr.io/a" }), bench.tools),
    failsWith("URLInvalid", /must start with "oci:\/\/"/),
  );
});

Deno.test("credentials, certificates and proxy come from Secrets, read at each pull", async () => {
  const repository = repositoryOf("latest");
  const secrets: Record<string, Record<string, string>> = {
    "default/login": { ".dockerconfigjson": '{"auths":{"ghcr.io":{"auth":"YTpi"}}}' },
    "default/pull": { ".dockercfg": '{"ghcr.io":{"auth":"Yzpk"}}' },
    "default/certs": { "ca.crt": "CA", certFile: "CERT", keyFile: "KEY" },
    "default/proxy": { address: "http://proxy:3128\n", username: "u", password: "p" },
    "default/half": { "tls.crt": "CERT" },
    "default/none": {},
  };
  const references = referencesOf(secrets, { "default/robot": ["pull"] });
  await using bench = await openBench(repository, { references });
  await pulled(bench, {
    secretRef: { name: "login" },
    serviceAccountName: "robot",
    certSecretRef: { name: "certs" },
    proxySecretRef: { name: "proxy" },
    insecure: true,
  });
  const { logins, ...access } = bench.opened[0]!;
  deepEqual(configsOf(logins), ['{"auths":{"ghcr.io":{"auth":"YTpi"}}}', '{"auths":{"ghcr.io":{"auth":"Yzpk"}}}']);
  deepEqual(access, {
    url: "oci://ghcr.io/org/app",
    insecure: true,
    provider: "generic",
    network: {
      caCerts: ["CA"],
      clientCert: { cert: "CERT", key: "KEY" },
      proxy: { url: "http://proxy:3128", username: "u", password: "p" },
    },
  });
  secrets["default/login"] = { ".dockerconfigjson": "{}" };
  await pulled(bench, { secretRef: { name: "login" } });
  deepEqual(configsOf(bench.opened[0]?.logins ?? []), ["{}"]);
  const fails = (spec: Partial<OCIRepositorySpec>, says: RegExp) =>
    rejects(pulled(bench, spec), failsWith("AuthenticationFailed", says));
  await fails({ secretRef: { name: "gone" } }, /Secret "default\/gone" of spec.secretRef: it is not there/);
  await fails({ secretRef: { name: "none" } }, /Secret "default\/none": it has no key ".dockerconfigjson"/);
  await fails({ serviceAccountName: "ghost" }, /ServiceAccount "default\/ghost"/);
  await fails({ certSecretRef: { name: "half" } }, /"tls.crt" and "tls.key" must both be there/);
  await fails({ certSecretRef: { name: "none" } }, /it has none of "ca.crt"/);
  await fails({ proxySecretRef: { name: "none" } }, /"address" must be a URL/);
});

Deno.test("content that is not what its descriptor says never enters the store", async () => {
  const repository = repositoryOf("latest");
  await using bench = await openBench(repository);
  const manifest = JSON.parse(new TextDecoder().decode(repository.contents.get(repository.tagged.get("latest")!)));
  repository.contents.set(manifest.layers[0].digest, archiveOf({ "evil.yaml": "x" }));
  await rejects(pulled(bench, {}), failsWith("OCIArtifactPullFailed", /Cannot keep blob sha256:/));
  repository.contents.set(repository.tagged.get("latest")!, new TextEncoder().encode(JSON.stringify(manifest)));

  equal(bench.disk.paths().filter((path) => path.includes(manifest.layers[0].digest.slice(7))).length, 0);
  equal(await bench.store.hasBlob({ mediaType: "", digest: digestOf("x"), size: 1 }), false);
});
