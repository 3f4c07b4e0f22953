/**
 * What a registry costs: requests, wall and CPU time of polls that find nothing new, and the throughput of blobs.
 * Needs the lab: `deno run -A tests/bench/registry_bench.ts`.
 */
import process from "node:process";
import { digestOf } from "../../src/core/digest.ts";
import { parseImageReference } from "../../src/format/image_reference.ts";
import type { OciDestination } from "../../src/source/oci_source.ts";
import { fixedCredential } from "../../src/source/registry/credential.ts";
import { labProgram } from "../support/lab.ts";
import { openLabClient, startRegistry } from "../support/registry_client_lab.ts";

const megabyte = 1024 * 1024;

async function measured(work: () => Promise<void>): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const start = performance.now();
  const used = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(used);
  return { ms: performance.now() - start, cpuMs: (user + system) / 1000 };
}

async function polls(repository: OciDestination, seen: string[], count: number): Promise<string> {
  const found = await repository.resolve("v1");
  if (found.kind !== "found") throw new Error("the artifact is not there");
  const known = { digest: found.descriptor.digest, ...(found.etag === undefined ? {} : { etag: found.etag }) };
  seen.length = 0;
  const { ms, cpuMs } = await measured(async () => {
    for (let poll = 0; poll < count; poll++) await repository.resolve("v1", { ifNoneMatch: known });
  });
  const per = (value: number) => (value / count).toFixed(2);
  return `${count} polls: ${seen.length} requests, ${per(ms)} ms and ${per(cpuMs)} ms CPU each`;
}

async function blobs(repository: OciDestination, sizeBytes: number): Promise<string> {
  const bytes = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  const layer = { mediaType: "application/octet-stream", digest: digestOf(bytes), size: sizeBytes };
  const rate = (ms: number) => `${Math.round(sizeBytes / 1e3 / ms)} MB/s`;
  const up = await measured(async () => {
    await repository.pushBlob(layer, (offset) => new Blob([bytes.subarray(offset)]).stream());
  });
  const down = await measured(async () => {
    for await (const _ of await repository.blob(layer)) { /* only checked */ }
  });
  return `${sizeBytes / megabyte} MiB: push ${rate(up.ms)} (${Math.round(up.cpuMs)} ms CPU), ` +
    `pull ${rate(down.ms)} (${Math.round(down.cpuMs)} ms CPU)`;
}

if (labProgram() === undefined) {
  console.log("The lab is not here: nothing is measured");
} else {
  for (const [name, flags] of [["plain", []], ["TLS and login", ["--tls", "--htpasswd", "ann:pass-word"]]] as const) {
    await using registry = await startRegistry(flags);
    const seen: string[] = [];
    using client = openLabClient(seen);
    const caCerts = flags.length === 0 ? {} : { caCerts: [await Deno.readTextFile(`${registry.folder}/ca.crt`)] };
    const repository = client.repository(parseImageReference(`${registry.host}/bench/app`), {
      network: caCerts,
      credentials: fixedCredential(registry.host, { kind: "basic", username: "ann", password: "pass-word" }),
    });
    const config = new TextEncoder().encode("{}");
    const descriptor = {
      mediaType: "application/vnd.oci.empty.v1+json",
      digest: digestOf(config),
      size: config.length,
    };
    await repository.pushBlob(descriptor, () => new Blob([config]).stream());
    const manifest = { schemaVersion: 2, config: descriptor, layers: [descriptor] };
    await repository.pushManifest({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      bytes: new TextEncoder().encode(JSON.stringify(manifest)),
    }, { tag: "v1" });
    console.log(`${name}: ${await polls(repository, seen, 1000)}`);
    for (const size of [1, 200]) console.log(`${name}: ${await blobs(repository, size * megabyte)}`);
  }
}
