import { Buffer } from "node:buffer";
import { connect } from "node:net";
import type { Descriptor, Manifest } from "../../src/core/descriptor.ts";
import { mediaTypes } from "../../src/core/descriptor.ts";
import type { Digest } from "../../src/core/digest.ts";
import { digestOf, splitDigest } from "../../src/core/digest.ts";
import { labProgram } from "./lab.ts";
import type { ArtifactFiles } from "./scripted_registry.ts";
import { archiveOf } from "./scripted_registry.ts";

/** One layer of an artifact to be pushed: files, or bytes. */
export interface PushedLayer {
  readonly mediaType?: string;
  readonly files?: ArtifactFiles;
  readonly bytes?: Uint8Array;
}

/** A real registry of the lab on loopback; stopped and removed when it is disposed. */
export interface LabRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** PEM of its certificate authority; "" where it speaks plain HTTP. */
  readonly caCert: string;
  crane(...args: readonly string[]): Promise<string>;
  /** Pushes an artifact with Flux's media types by crane. @returns the manifest's digest */
  push(reference: string, ...layers: readonly PushedLayer[]): Promise<Digest>;
  /** Ends the process: nothing listens at the address any more. */
  stop(): Promise<void>;
  /** Starts it again at the same address with the same content. */
  restart(): Promise<void>;
}

/** Starts a registry. @throws when the lab is not here: ask `labProgram` first */
export async function startRegistry(
  options: { readonly tls?: boolean; readonly login?: { readonly name: string; readonly password: string } } = {},
): Promise<LabRegistry> {
  const program = labProgram();
  if (program === undefined) throw new Error("the lab is not here");
  const folder = await Deno.makeTempDir({ prefix: "pilotfish-registry-" });
  const bin = (await run(program, ["install"], {})).trim();
  const { login, tls } = options;
  const host = (await run(program, [
    "registry",
    folder,
    ...(tls === true ? ["--tls"] : []),
    ...(login === undefined ? [] : ["--htpasswd", `${login.name}:${login.password}`]),
  ], {})).trim();
  await Deno.mkdir(`${folder}/docker`);
  const auth = login === undefined ? undefined : Buffer.from(`${login.name}:${login.password}`).toString("base64");
  await Deno.writeTextFile(
    `${folder}/docker/config.json`,
    JSON.stringify(auth === undefined ? {} : { auths: { [host]: { auth } } }),
  );
  const env = {
    DOCKER_CONFIG: `${folder}/docker`,
    ...(tls === true ? { SSL_CERT_FILE: `${folder}/ca.crt` } : {}),
  };
  let restarted: Deno.ChildProcess | undefined;
  let pushes = 0;
  const stop = async () => {
    const child = restarted;
    restarted = undefined;
    child?.kill("SIGTERM");
    await child?.status;
    await run(program, ["stop", folder], {});
  };
  return {
    host,
    caCert: tls === true ? await Deno.readTextFile(`${folder}/ca.crt`) : "",
    crane: (...args) => run(`${bin}/crane`, args, env),
    async push(reference, ...layers) {
      const layout = `${folder}/layout-${++pushes}`;
      const digest = await writeLayout(layout, layers);
      await run(`${bin}/crane`, ["push", layout, `${host}/${reference}`], env);
      await Deno.remove(layout, { recursive: true });
      return digest;
    },
    stop,
    async restart() {
      restarted = new Deno.Command(`${bin}/registry`, {
        args: ["serve", `${folder}/registry.yaml`],
        env: { OTEL_TRACES_EXPORTER: "none" },
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      await untilListening(Number(host.split(":")[1]));
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Writes an OCI layout with one artifact in it. */
async function writeLayout(folder: string, layers: readonly PushedLayer[]): Promise<Digest> {
  await Deno.mkdir(`${folder}/blobs/sha256`, { recursive: true });
  const put = async (bytes: Uint8Array, mediaType: string): Promise<Descriptor> => {
    const digest = digestOf(bytes);
    await Deno.writeFile(`${folder}/blobs/sha256/${splitDigest(digest).hex}`, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const pushed: Descriptor[] = [];
  for (const layer of layers) {
    pushed.push(await put(layer.bytes ?? archiveOf(layer.files ?? {}), layer.mediaType ?? mediaTypes.fluxContent));
  }
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: await put(text({}), mediaTypes.fluxConfig),
    layers: pushed,
  };
  const descriptor = await put(text(manifest), mediaTypes.manifest);
  await Deno.writeFile(`${folder}/oci-layout`, text({ imageLayoutVersion: "1.0.0" }));
  await Deno.writeFile(`${folder}/index.json`, text({ schemaVersion: 2, manifests: [descriptor] }));
  return descriptor.digest;
}

/** Waits until something listens at a port of loopback. @throws after ten seconds */
async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.end();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens at port ${port}`);
}

async function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], env, stdin: "null" }).output();
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
