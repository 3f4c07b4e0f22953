import { fault } from "../fault.ts";
import type { Loader } from "../load.ts";

/** Where a generator's keys and values come from. */
export interface KeyValueSources {
  readonly literals: readonly string[];
  readonly files: readonly string[];
  readonly envs: readonly string[];
}

/** A value: text, or bytes where it came from a file. */
export type KeyValue = string | Uint8Array;

/**
 * Keys and values of env files, literals and files, in this order; no key may come twice (kustomize `api/kv`).
 *
 * @throws {StageError} BuildFailed
 */
export function readKeyValues(sources: KeyValueSources, name: string, loader: Loader): Map<string, KeyValue> {
  const out = new Map<string, KeyValue>();
  const add = (key: string, value: KeyValue) => {
    if (out.has(key)) throw fault(`Generator "${name}" illegally repeats the key "${key}"`);
    out.set(key, value);
  };
  for (const path of sources.envs) {
    for (const [key, value] of envLines(loader.readText(path), path)) add(key, value);
  }
  for (const [at, literal] of sources.literals.entries()) {
    const equal = literal.indexOf("=");
    // Not shown: what stands there may be the secret alone.
    if (equal <= 0) throw fault(`Invalid literal source ${at + 1} of "${name}", expected key=value`);
    add(literal.slice(0, equal), withoutQuotes(literal.slice(equal + 1)));
  }
  for (const source of sources.files) {
    const { key, path } = splitFileSource(source);
    add(key, loader.read(path));
  }
  return out;
}

function* envLines(text: string, path: string): Iterable<readonly [string, string]> {
  const lines = text.replace(/^\ufeff/, "").split("\n");
  for (const line of lines) {
    const trimmed = (line.endsWith("\r") ? line.slice(0, -1) : line).replace(/^[\s\u0085]+/, "");
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const equal = trimmed.indexOf("=");
    const key = equal < 0 ? trimmed : trimmed.slice(0, equal);
    if (key === "") continue;
    if (trimmed.length > 65536) throw fault(`Cannot read "${path}": a line is longer than 65536 characters`);
    yield [key, equal < 0 ? "" : trimmed.slice(equal + 1)];
  }
}

function withoutQuotes(text: string): string {
  const first = text.charAt(0);
  const isQuoted = text.length >= 2 && (first === '"' || first === "'") && text.endsWith(first);
  return isQuoted ? text.slice(1, -1) : text;
}

/** `[key=]path`; without a key the file's name is the key. */
function splitFileSource(source: string): { readonly key: string; readonly path: string } {
  const parts = source.split("=");
  if (parts.length === 1) {
    const path = source.replace(/\/+$/, "");
    return { key: path === "" ? (source === "" ? "." : "/") : path.slice(path.lastIndexOf("/") + 1), path: source };
  }
  const [key = "", path = ""] = parts;
  if (parts.length > 2) throw fault(`Source "${source}" has a key name or file path that contains "="`);
  if (key === "") throw fault(`Missing key name for file path "${path}" in source "${source}"`);
  if (path === "") throw fault(`Missing file path for key name "${key}" in source "${source}"`);
  return { key, path };
}
