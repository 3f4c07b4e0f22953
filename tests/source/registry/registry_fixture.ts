import type { Network, NetworkOptions } from "../../../src/core/network.ts";
import { StageError } from "../../../src/core/stage_error.ts";
import { parseImageReference } from "../../../src/format/image_reference.ts";
import type { RepositoryOptions } from "../../../src/source/registry/registry_client.ts";
import { RegistryClient } from "../../../src/source/registry/registry_client.ts";
import type { RegistryRepository } from "../../../src/source/registry/registry_repository.ts";
import type { RegistryTools } from "../../../src/source/registry/registry_tools.ts";
import { ScriptedRegistry } from "../../support/scripted_registry.ts";
import type { RegistryOptions } from "../../support/scripted_registry.ts";
import { SkippingClock } from "../../support/skipping_clock.ts";

/** A client and the world that it sees. */
export interface ClientFixture {
  readonly client: RegistryClient;
  readonly clock: SkippingClock;
  /** Options of the networks that were opened. */
  readonly opened: NetworkOptions[];
  repository(name?: string, options?: RepositoryOptions): RegistryRepository;
}

/** A client onto networks by host. Hosts that are not there refuse connections. */
export function clientOf(
  hosts: Readonly<Record<string, Network>>,
  tools: Partial<RegistryTools> = {},
): ClientFixture {
  const clock = new SkippingClock();
  const opened: NetworkOptions[] = [];
  const send: Network = (request) => {
    const found = hosts[new URL(request.url).host];
    if (found === undefined) throw new TypeError(`fetch failed: no route to ${request.url}`);
    return found(request);
  };
  const client = new RegistryClient({
    connect: (options) => {
      opened.push(options);
      return { send, [Symbol.dispose]: () => {} };
    },
    clock,
    random: { next: () => 0.5, bytes: (length) => new Uint8Array(length) },
    ...tools,
  });
  return {
    client,
    clock,
    opened,
    repository: (name = "registry.test/org/app", options = {}) => client.repository(parseImageReference(name), options),
  };
}

/** One registry at `registry.test` (its token server too) and a client of it. */
export function registryAndClient(
  options: RegistryOptions = {},
  tools: Partial<RegistryTools> = {},
): ClientFixture & { readonly registry: ScriptedRegistry } {
  let now = () => 0;
  const registry = new ScriptedRegistry({ now: () => now(), ...options });
  const hosts = Object.fromEntries(
    ["registry.test", "auth.test", "blobs.test", "mirror.test"].map((host) => [host, registry.send]),
  );
  const fixture = clientOf(hosts, tools);
  now = () => fixture.clock.monotonic();
  return { ...fixture, registry };
}

/** `METHOD path` of what a registry saw. */
export function linesOf(registry: ScriptedRegistry): readonly string[] {
  return registry.requests.map((seen) => `${seen.method} ${seen.path}${seen.search}`);
}

/** The coded error of a call; fails when there is none, or another one. */
export async function stageErrorOf(work: Promise<unknown>): Promise<StageError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof StageError) return error;
    throw error;
  }
  throw new Error("there was no error");
}

/** All bytes of a stream. */
export async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}
