import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { sha256Hex } from "../../core/sha256.ts";
import { newestTag } from "../../format/newest_tag.ts";
import { parseYaml } from "../../format/yaml.ts";
import type { ChartReference } from "./chart/chart_reference.ts";

/** Reads one file of an http(s) address, at most `limitBytes` long. */
export type FetchLimited = (
  url: string,
  options: { readonly limitBytes: number; readonly signal?: AbortSignal },
) => Promise<Uint8Array>;

/** Largest index and largest chart that are read. */
const limits = { indexBytes: 50 * 1024 * 1024, chartBytes: 100 * 1024 * 1024 };

/**
 * The packed chart of a repository of the old kind, which lists its charts in `index.yaml` (Helm 4 `pkg/repo`). A version
 * may be a range; without one the newest that is no preview counts. The digest that the index names is checked.
 *
 * @throws {Error} naming the chart, its versions or the digest that differs
 */
export async function pullFromRepository(
  reference: Pick<ChartReference, "url" | "version"> & { readonly name: string },
  readUrl: FetchLimited,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const call = signal === undefined ? {} : { signal };
  const base = reference.url.endsWith("/") ? reference.url : `${reference.url}/`;
  const index = await readUrl(new URL("index.yaml", base).href, { limitBytes: limits.indexBytes, ...call });
  const entry = chooseEntry(parseYaml(new TextDecoder().decode(index)), reference);
  const [first] = Array.isArray(entry.urls) ? entry.urls : [];
  if (typeof first !== "string") throw new Error(`chart "${reference.name}" has no downloadable URLs`);
  const bytes = await readUrl(new URL(first, base).href, { limitBytes: limits.chartBytes, ...call });
  if (typeof entry.digest === "string" && entry.digest !== "") {
    const wanted = entry.digest.replace(/^sha256:/, "").toLowerCase();
    if (wanted !== sha256Hex(bytes)) throw new Error(`the digest of chart "${reference.name}" differs from the index`);
  }
  return bytes;
}

function chooseEntry(index: unknown, reference: { readonly name: string; readonly version: string }): JsonObject {
  const entries = isJsonObject(index as JsonObject) ? (index as JsonObject).entries : undefined;
  const list = isJsonObject(entries) && Object.hasOwn(entries, reference.name) ? entries[reference.name] : undefined;
  if (!Array.isArray(list)) throw new Error(`chart "${reference.name}" not found in the repository's index`);
  const known = new Map<string, JsonObject>();
  for (const entry of list) {
    if (isJsonObject(entry) && typeof entry.version === "string" && !known.has(entry.version)) {
      known.set(entry.version, entry);
    }
  }
  const { version } = reference;
  const exact = known.get(version);
  if (exact !== undefined) return exact;
  const newest = newestTag([...known.keys()], version === "" ? "*" : version);
  const found = newest === undefined ? undefined : known.get(newest);
  if (found === undefined) throw new Error(`chart "${reference.name}" has no version that fits "${version}"`);
  return found;
}
