import type * as NodeCrypto from "node:crypto";
import type * as NodeZlib from "node:zlib";

/** Modules that were asked for. */
const loaded = new Map<string, unknown>();

/**
 * Modules of the runtime's Node layer that are pure and must answer at once, loaded with their first use. An `import` of one,
 * anywhere in a command's graph, loads the layer before the command starts: 15 to 20 ms and 10 MB, as much as the runtime
 * itself takes.
 */
export const nodeBuiltin = {
  /** Hashing, ciphers, keys. */
  crypto: (): typeof NodeCrypto => load("node:crypto") as typeof NodeCrypto,
  /** Compression. */
  zlib: (): typeof NodeZlib => load("node:zlib") as typeof NodeZlib,
  /** Whether `crypto` was asked for before: from then on it costs nothing. */
  hasCrypto: (): boolean => loaded.has("node:crypto"),
} as const;

function load(name: string): unknown {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const { process } = globalThis as unknown as { readonly process: { getBuiltinModule(name: string): unknown } };
  const found = process.getBuiltinModule(name);
  loaded.set(name, found);
  return found;
}
