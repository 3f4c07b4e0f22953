/** The client against real registries and real tools of the lab. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { mediaTypes } from "../../src/core/descriptor.ts";
import { digestOf, digestStream } from "../../src/core/digest.ts";
import { messageOf } from "../../src/core/stage_error.ts";
import { parseImageReference } from "../../src/format/image_reference.ts";
import { denoClock } from "../../src/platform/deno_clock.ts";
import { denoFileSystem } from "../../src/platform/deno_file_system.ts";
import { denoRandom } from "../../src/platform/deno_random.ts";
import { copyArtifact } from "../../src/source/artifact/copy_artifact.ts";
import { inspectArtifact, listArtifacts } from "../../src/source/artifact/inspect_artifact.ts";
import { pullToFolder } from "../../src/source/artifact/pull_to_folder.ts";
import { pushChart } from "../../src/source/artifact/push_chart.ts";
import { pushArtifact } from "../../src/source/artifact/push_artifact.ts";
import { openLayout } from "../../src/source/layout/layout_source.ts";
import { fixedCredential } from "../../src/source/registry/credential.ts";
import type { RegistryClient, RepositoryOptions } from "../../src/source/registry/registry_client.ts";
import { labProgram } from "../support/lab.ts";
import { Place } from "../support/program.ts";
import { openLabClient, startRegistry } from "../support/registry_client_lab.ts";
import type { LabRegistry } from "../support/registry_client_lab.ts";

const isHere = labProgram() !== undefined;

function e2e(name: string, fn: (context: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name: isHere ? name : `${name} (skipped: the lab is not here)`, ignore: !isHere, fn });
}

function repositoryAt(client: RegistryClient, registry: LabRegistry, name: string, options: RepositoryOptions = {}) {
  return client.repository(parseImageReference(`${registry.host}/${name}`), options);
}

async function folderOf(registry: LabRegistry, name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = `${registry.folder}/${name}`;
  for (const [path, text] of Object.entries(files)) {
    const full = `${folder}/${path}`;
    await Deno.mkdir(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(full, text);
  }
  return folder;
}

const files = { "deploy/app.yaml": "kind: ConfigMap\n", "kustomization.yaml": "resources: [deploy/app.yaml]\n" };
const disk = { fileSystem: denoFileSystem, clock: denoClock, folder: "/tmp", random: denoRandom };

e2e("artifacts that we push are read by crane, and those of crane by us", async () => {
  for (const flags of [[], ["--referrers"]]) {
    await using registry = await startRegistry(flags);
    using client = openLabClient();
    const folder = await folderOf(registry, "ours", files);
    const ours = repositoryAt(client, registry, "org/ours");
    const pushed = await pushArtifact(folder, ours, {
      tag: "v1.0.0",
      source: "https://git.test/a",
      revision: "main@sha1:1",
    }, disk);

    equal((await registry.run("crane", ["digest", `${registry.host}/org/ours:v1.0.0`])).trim(), pushed.digest);
    const manifest = JSON.parse(await registry.run("crane", ["manifest", `${registry.host}/org/ours:v1.0.0`]));
    equal(manifest.layers[0].mediaType, mediaTypes.fluxContent);
    equal(manifest.annotations["org.opencontainers.image.revision"], "main@sha1:1");
    match(await registry.run("crane", ["validate", "--remote", `${registry.host}/org/ours:v1.0.0`]), /^PASS/);
    await registry.run("crane", ["tag", `${registry.host}/org/ours:v1.0.0`, "stable"]);
    deepEqual(await ours.tags(), ["stable", "v1.0.0"]);

    const archive = `${registry.folder}/layer.tar`;
    await new Deno.Command("tar", { args: ["cf", archive, "-C", folder, "."] }).output();
    await registry.run("crane", ["append", "-f", archive, "-t", `${registry.host}/org/theirs:v2`, "--oci-empty-base"]);
    const out = `${registry.folder}/out`;
    const pulled = await pullToFolder(repositoryAt(client, registry, "org/theirs"), "v2", out, {
      ...disk,
      platform: { os: "linux", architecture: "amd64" },
    });
    equal(pulled.files, 2);
    equal(await Deno.readTextFile(`${out}/deploy/app.yaml`), files["deploy/app.yaml"]);
    deepEqual((await listArtifacts(ours, { semver: ">=1.0.0" })).map((one) => one.tag), ["v1.0.0"]);
  }
});

e2e("charts that helm pushes are pulled by us, and those of ours by helm", async () => {
  await using registry = await startRegistry();
  using client = openLabClient();
  const chart = await folderOf(registry, "web", {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.2.0+build.3\ndescription: A chart\nhome: https://web.test\n" +
      "maintainers: [{name: Ann, email: ann@web.test}]\nsources: [https://git.test/web]\n",
    "values.yaml": "size: 1\n",
    "templates/map.yaml":
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {size: {{ .Values.size | quote }}}\n",
  });
  await registry.run("helm", ["package", chart, "-d", registry.folder]);
  const packed = `${registry.folder}/web-1.2.0+build.3.tgz`;
  await registry.run("helm", ["push", packed, `oci://${registry.host}/theirs`, "--plain-http"]);

  const theirs = repositoryAt(client, registry, "theirs/web");
  const out = `${registry.folder}/chart-out`;
  await pullToFolder(theirs, "1.2.0_build.3", out, { ...disk, platform: { os: "linux", architecture: "amd64" } });
  equal(await Deno.readTextFile(`${out}/web/values.yaml`), "size: 1\n");

  const ours = repositoryAt(client, registry, "ours/web");
  const { tag } = await pushChart(packed, ours, {}, disk);
  equal(tag, "1.2.0_build.3");
  const [seen, wanted] = [await inspectArtifact(ours, tag), await inspectArtifact(theirs, tag)];
  deepEqual(
    seen.parts.map((part) => [part.mediaType, part.digest]),
    wanted.parts.map((part) => [part.mediaType, part.digest]),
  );
  equal(seen.config?.mediaType, wanted.config?.mediaType);
  const lasting = ({ annotations }: typeof seen) => {
    const { "org.opencontainers.image.created": _, ...rest } = annotations;
    return rest;
  };
  deepEqual(lasting(seen), lasting(wanted));

  const copied = repositoryAt(client, registry, "copied/web");
  await copyArtifact(theirs, tag, copied, { tag });
  for (const name of ["ours", "copied"]) {
    const folder = `${registry.folder}/by-helm-${name}`;
    await Deno.mkdir(folder);
    const reference = `oci://${registry.host}/${name}/web`;
    await registry.run("helm", ["pull", reference, "--version", "1.2.0+build.3", "--plain-http", "-d", folder]);
    deepEqual(await Deno.readFile(`${folder}/web-1.2.0+build.3.tgz`), await Deno.readFile(packed));
    const call = ["template", "x", reference, "--version", "1.2.0+build.3", "--plain-http"];
    const printed = await registry.run("helm", call);
    match(printed, /size: "1"/);
    await using place = await Place.make();
    equal((await place.run(...call)).stdout, printed);
  }
});

e2e("signatures of cosign come along, between registries and layouts, with their digests", async () => {
  await using registry = await startRegistry();
  await using modern = await startRegistry(["--referrers"]);
  using client = openLabClient();
  const source = repositoryAt(client, registry, "org/app");
  const folder = await folderOf(registry, "app", files);
  const pushed = await pushArtifact(folder, source, { tag: "v1" }, disk);
  const reference = `${registry.host}/org/app@${pushed.digest}`;
  await registry.run("cosign", ["generate-key-pair", "--output-key-prefix", `${registry.folder}/key`], {
    COSIGN_PASSWORD: "",
  });
  const offline = ["--yes", "--key", `${registry.folder}/key.key`, "--tlog-upload=false"];
  const quiet = { COSIGN_PASSWORD: "" };
  await registry.run("cosign", [
    "sign",
    ...offline,
    "--use-signing-config=false",
    "--new-bundle-format=true",
    reference,
  ], quiet);
  await registry.run("cosign", [
    "sign",
    ...offline,
    "--use-signing-config=false",
    "--new-bundle-format=false",
    reference,
  ], quiet);
  const seen = await inspectArtifact(source, "v1");
  equal(seen.referrers.length, 1);

  const layout = openLayout(`${registry.folder}/layout`, disk);
  const copied = await copyArtifact(source, "v1", layout, { tag: "v1" });
  equal(copied.descriptor.digest, pushed.digest);
  equal(copied.referrers.length, 2);
  for (const [at, name] of [[modern, "copied/app"], [registry, "copied/app"]] as const) {
    const target = repositoryAt(client, at, name);
    equal((await copyArtifact(layout, "v1", target, { tag: "v1" })).descriptor.digest, pushed.digest);
    equal((await at.run("crane", ["digest", `${at.host}/${name}:v1`])).trim(), pushed.digest);
    for (const form of ["true", "false"]) {
      const verify = [
        "verify",
        "--key",
        `${registry.folder}/key.pub`,
        "--insecure-ignore-tlog=true",
        `--new-bundle-format=${form}`,
      ];
      await at.run("cosign", [...verify, `${at.host}/${name}@${pushed.digest}`], { HOME: registry.folder });
    }
  }
  // A layout of ours is one for other tools too.
  await registry.run("crane", ["push", `${registry.folder}/layout`, `${registry.host}/again/app:v1`, "--index"]);
});

e2e("TLS with an authority of its own, logins, and what goes wrong with them", async () => {
  await using registry = await startRegistry(["--tls", "--htpasswd", "ann:pass-word"]);
  const caCerts = [await Deno.readTextFile(`${registry.folder}/ca.crt`)];
  const seen: string[] = [];
  using client = openLabClient(seen);
  const credentials = fixedCredential(registry.host, { kind: "basic", username: "ann", password: "pass-word" });
  const good = repositoryAt(client, registry, "org/app", { network: { caCerts }, credentials });
  const pushed = await pushArtifact(await folderOf(registry, "app", files), good, { tag: "v1" }, disk);
  seen.length = 0;
  deepEqual(await good.resolve("v1", { ifNoneMatch: { digest: pushed.digest } }), { kind: "unchanged" });
  equal(seen.length, 1);

  const wrong = fixedCredential(registry.host, { kind: "basic", username: "ann", password: "wrong" });
  const refused = repositoryAt(client, registry, "org/app", { network: { caCerts }, credentials: wrong });
  await rejects(refused.resolve("v1"), { reason: "AuthenticationFailed" });
  await rejects(repositoryAt(client, registry, "org/app", { network: { caCerts } }).resolve("v1"), {
    reason: "AuthenticationFailed",
  });
  await rejects(
    repositoryAt(client, registry, "org/app", { credentials }).resolve("v1"),
    (error: Error & { hint: string }) => /ca\.crt/.test(error.hint) && /certificate|Issuer/i.test(messageOf(error)),
  );
  const careless = repositoryAt(client, registry, "org/app", { credentials, insecure: true });
  equal((await careless.manifest(pushed.digest)).descriptor.digest, pushed.digest);
  const layer = (await inspectArtifact(careless, "v1")).parts[0];
  ok(layer !== undefined);
  equal(
    digestOf(new Uint8Array(await new Response(await careless.blob(layer) as BodyInit).arrayBuffer())),
    layer.digest,
  );
});

e2e("200 MB go there and back in pieces, in little memory", async () => {
  await using registry = await startRegistry();
  using client = openLabClient();
  const repository = repositoryAt(client, registry, "org/large");
  const size = 200 * 1024 * 1024;
  const piece = crypto.getRandomValues(new Uint8Array(65_536));
  const content = (offset: number) => {
    let at = offset;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= size) return controller.close();
        controller.enqueue(piece.subarray(at % piece.length));
        at += piece.length - at % piece.length;
      },
    }, { highWaterMark: 0 });
  };
  const hash = digestStream();
  for (let at = 0; at < size; at += piece.length) hash.update(piece);
  const layer = { mediaType: "application/octet-stream", digest: hash.digest(), size };

  const before = Deno.memoryUsage().rss;
  let highest = before;
  const rate = async (work: () => Promise<void>) => {
    const start = performance.now();
    await work();
    return Math.round(size / 1e3 / (performance.now() - start));
  };
  const up = await rate(async () => {
    await repository.pushBlob(layer, content, {
      onProgress: () => (highest = Math.max(highest, Deno.memoryUsage().rss)),
    });
  });
  const down = await rate(async () => {
    let count = 0;
    for await (const _ of await repository.blob(layer)) {
      if (++count % 256 === 0) highest = Math.max(highest, Deno.memoryUsage().rss);
    }
  });
  const usedMb = Math.round((highest - before) / 1e6);
  console.log(`200 MB: pushed ${up} MB/s, pulled ${down} MB/s, ${usedMb} MB more memory`);
  ok(usedMb < 250, `${usedMb} MB`);
});
