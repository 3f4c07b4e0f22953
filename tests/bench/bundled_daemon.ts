/** The bundled daemon in a process of its own, and a registry in this one that counts what it is asked. Linux only. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { bundleProgram } from "../../.ci/bundle.ts";
import { tarOf, type TarPart } from "../support/tar_of.ts";

/** What `deno task start` gives the runtime. */
const v8Flags = "--v8-flags=--expose-gc,--max-semi-space-size=2,--no-memory-pool,--stack-size=3400";
/** Clock ticks of `/proc/<pid>/stat` in a second (`getconf CLK_TCK`; 100 on every Linux of today). */
const ticksPerSecond = 100;

/** A daemon that runs. */
export interface Daemon extends AsyncDisposable {
  readonly url: string;
  /** Milliseconds from its start to its first answer. */
  readonly firstAnswerMs: number;
  residentMb(): Promise<number>;
  /** Milliseconds of processor time so far. */
  processorMs(): Promise<number>;
  /** Answers when `/readyz` does. */
  ready(): Promise<void>;
}

/** Bundles the program as `deno task compile` does. @returns the path of its first file */
export function bundle(folder: string): Promise<string> {
  return bundleProgram(`${folder}/program`);
}

/** Starts the bundled daemon on documents. `target`: flags that say where things go; default a folder. */
export async function startDaemon(
  program: string,
  folder: string,
  documents: string,
  target: readonly string[] = ["--target", `directory:${folder}/out`],
): Promise<Daemon> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/documents.yaml`, documents);
  const port = freePort();
  const startedAt = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-config", v8Flags, program, "run", "--config", `${folder}/documents.yaml`],
      ...["--store", `${folder}/state`, ...target, "--listen", `127.0.0.1:${port}`, "--log-level", "error"],
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
  const url = `http://127.0.0.1:${port}`;
  await until(() => isFine(`${url}/healthz`), 3);
  const firstAnswerMs = performance.now() - startedAt;
  const proc = (name: string) => Deno.readTextFile(`/proc/${child.pid}/${name}`);
  return {
    url,
    firstAnswerMs,
    residentMb: async () => Number(/VmRSS:\s+(\d+)/.exec(await proc("status"))?.[1]) / 1_024,
    processorMs: async () => {
      const fields = (await proc("stat")).split(") ")[1]?.split(" ") ?? [];
      return (Number(fields[11]) + Number(fields[12])) * 1_000 / ticksPerSecond;
    },
    ready: () => until(() => isFine(`${url}/readyz`), 50),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function isFine(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks until it is so, two minutes at most. */
export async function until(ask: () => boolean | Promise<boolean>, everyMs: number): Promise<void> {
  const endsAt = performance.now() + 120_000;
  while (!await ask()) {
    if (performance.now() > endsAt) throw new Error("it was not reached within two minutes");
    await pause(everyMs);
  }
}

/** An artifact as a registry keeps it. */
export interface Stored {
  readonly digest: string;
  readonly manifest: Uint8Array;
  readonly layer: Uint8Array;
  readonly layerDigest: string;
}

/** A Flux artifact of files. */
export function artifactOf(files: readonly TarPart[]): Stored {
  const layer = new Uint8Array(gzipSync(tarOf(files), { level: 1 }));
  const layerDigest = digestOf(layer);
  const manifest = new TextEncoder().encode(JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.cncf.flux.config.v1+json", digest: digestOf(empty), size: empty.length },
    layers: [{
      mediaType: "application/vnd.cncf.flux.content.v1.tar+gzip",
      digest: layerDigest,
      size: layer.length,
    }],
  }));
  return { digest: digestOf(manifest), manifest, layer, layerDigest };
}

const empty = new TextEncoder().encode("{}");

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** A registry on loopback: every repository has one tag, `stable`. */
export class CountingRegistry implements AsyncDisposable {
  requests = 0;
  connections = 0;
  /** When it was last told a digest that was new, in milliseconds since 1970. */
  toldNewAt = 0;
  readonly #server = createServer((request, response) => this.#answer(request.url ?? "", request.method, response));
  #stored: Stored;
  #told = new Set<string>();

  constructor(stored: Stored) {
    this.#stored = stored;
    this.#server.on("connection", () => this.connections++);
    this.#server.keepAliveTimeout = 300_000;
  }

  /** Moves the tag of every repository. */
  move(stored: Stored): void {
    this.#stored = stored;
  }

  /** Starts it. @returns `host:port` */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(
    url: string,
    method: string | undefined,
    response: import("node:http").ServerResponse,
  ): void {
    this.requests++;
    const stored = this.#stored;
    const body = url.includes("/manifests/")
      ? stored.manifest
      : url.includes("/blobs/")
      ? (url.endsWith(stored.layerDigest) ? stored.layer : empty)
      : new Uint8Array();
    if (url.includes("/manifests/")) {
      response.setHeader("content-type", "application/vnd.oci.image.manifest.v1+json");
      response.setHeader("docker-content-digest", stored.digest);
      if (!this.#told.has(stored.digest)) this.toldNewAt = Date.now();
      this.#told.add(stored.digest);
    }
    response.setHeader("content-length", body.length);
    response.end(method === "HEAD" ? undefined : body);
  }
}
