import type { JsonValue } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import { readStruct, UnmarshalError } from "../chart/go_struct.ts";
import type { StructShape, StructValue } from "../chart/go_struct.ts";
import { basePath } from "../chart/go_path.ts";
import { ChartError } from "../chart/metadata.ts";
import { readYaml, YamlConversionError } from "../chart/read_yaml.ts";
import type { Dialect } from "../dialect.ts";
import { isHelm3 } from "../dialect.ts";
import type { Notify } from "../notice.ts";
import { quoteText } from "../template/go_quote.ts";
import { compareStrings, toBytes as goBytes } from "../template/go_string.ts";
import { sortByKind } from "./kind_order.ts";
import { splitManifests, trim } from "./split.ts";

/** One document of a release. */
export interface Manifest {
  /** Template that it came from, as `# Source:` shows it. */
  readonly path: string;
  /** Text of the document, as it is printed and stored. */
  readonly text: string;
  readonly kind: string;
  readonly apiVersion: string;
  readonly name: string;
  /** The document itself: parsed once, used by whoever needs it. */
  readonly value: JsonValue;
}

/** A document with `helm.sh/hook`. */
export interface HookManifest extends Manifest {
  /** `pre-install`, …, in the order written; `test-success` is `test`. */
  readonly events: readonly string[];
  readonly weight: number;
  readonly deletePolicies: readonly string[];
}

/** Documents of a release, each part in install order. */
export interface SortedManifests {
  readonly hooks: readonly HookManifest[];
  readonly manifests: readonly Manifest[];
}

/** How documents are sorted. */
export interface SortOptions {
  readonly dialect: Dialect;
  readonly notify: Notify;
  /** Documents that were read before: the same text is not read again. */
  readonly documents?: DocumentCache;
}

/** Documents by their text, the least recently used ones going first. */
export class DocumentCache {
  readonly #limit: number;
  readonly #documents = new Map<string, JsonValue>();
  #length = 0;

  /** @param limit characters of all texts that are kept; a document beside them takes some times its text's memory. */
  constructor(limit = 4 * 1024 * 1024) {
    this.#limit = limit;
  }

  /** The document of a text, read when it is not kept. What is returned is shared: never change it. */
  get(text: string, read: (text: string) => JsonValue): JsonValue {
    let value = this.#documents.get(text);
    if (value === undefined) {
      value = read(text);
      if (text.length > this.#limit) return value;
      this.#length += text.length;
    } else this.#documents.delete(text);
    this.#documents.set(text, value);
    for (const oldest of this.#documents.keys()) {
      if (this.#length <= this.#limit) break;
      this.#documents.delete(oldest);
      this.#length -= oldest.length;
    }
    return value;
  }

  /** Forgets everything. */
  clear(): void {
    this.#documents.clear();
    this.#length = 0;
  }
}

const hookEvents = new Map([
  ..."pre-install post-install pre-delete post-delete pre-upgrade post-upgrade pre-rollback post-rollback test".split(
    " ",
  )
    .map((event): [string, string] => [event, event]),
  ["test-success", "test"],
]);

/**
 * Rendered files as documents: split, read, told apart into hooks and others, in the order of kinds. Files go by path;
 * those whose name starts with `_` and blank ones give nothing. A hook with an event that Helm does not know is dropped.
 *
 * @throws {ChartError} `YAML parse error on FILE: …` for a document that is no YAML or has another form
 */
export function sortManifests(files: ReadonlyMap<string, string>, options: SortOptions): SortedManifests {
  const hooks: HookManifest[] = [];
  const manifests: Manifest[] = [];
  for (const path of [...files.keys()].sort(compareStrings)) {
    const content = files.get(path) as string;
    if (basePath(path).startsWith("_") || trim(content) === "") continue;
    for (const text of splitManifests(content, options.dialect)) {
      const { manifest, annotations } = readManifest(path, text, options);
      const written = annotations?.get("helm.sh/hook");
      if (annotations === undefined || written === undefined) {
        manifests.push(manifest);
        continue;
      }
      const events = eventsOf(written);
      if (events === undefined) {
        options.notify({
          level: "INFO",
          message: "skipping unknown hooks",
          fields: { hookTypes: written },
          helm3: `manifest_sorter.go:199: info: skipping unknown hook: ${quoteText(written)}`,
        });
        continue;
      }
      hooks.push({
        ...manifest,
        events,
        weight: weightOf(annotations.get("helm.sh/hook-weight") ?? ""),
        deletePolicies: wordsOf(annotations.get("helm.sh/hook-delete-policy")),
      });
    }
  }
  return {
    hooks: sortByKind(hooks, (hook) => hook.kind, options.dialect),
    manifests: sortByKind(manifests, (manifest) => manifest.kind, options.dialect),
  };
}

function eventsOf(written: string): readonly string[] | undefined {
  const events = wordsOf(written).map((word) => hookEvents.get(word));
  return events.every((event) => event !== undefined) ? events : undefined;
}

/** Words of a comma list, lower case; none for an absent annotation. */
function wordsOf(written: string | undefined): readonly string[] {
  return written === undefined ? [] : written.split(",").map((word) => trim(word).toLowerCase());
}

function weightOf(written: string): number {
  if (!/^[+-]?[0-9]+$/.test(written)) return 0;
  const value = BigInt(written.replace(/^\+/, ""));
  return value >= -(2n ** 63n) && value < 2n ** 63n ? Number(value) : 0;
}

interface ReadManifest {
  readonly manifest: Manifest;
  readonly annotations: ReadonlyMap<string, string> | undefined;
}

function readManifest(path: string, text: string, { dialect, documents }: SortOptions): ReadManifest {
  try {
    const value = documents === undefined ? readText(text) : documents.get(text, readText);
    const { kind, apiVersion, name, annotations } = headOf(value, dialect);
    return { manifest: { path, text, kind, apiVersion, name, value }, annotations };
  } catch (error) {
    if (!(error instanceof YamlConversionError) && !(error instanceof UnmarshalError)) throw error;
    throw new ChartError(`YAML parse error on ${path}: ${error.message}`, { cause: error });
  }
}

function readText(text: string): JsonValue {
  return readYaml(text.isWellFormed() ? text : goBytes(text));
}

interface Head {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly annotations: ReadonlyMap<string, string> | undefined;
}

/** What decides about a document. Well-formed ones are read directly, odd ones as Go would. */
function headOf(value: JsonValue, dialect: Dialect): Head {
  if (isJsonObject(value) && isText(value.apiVersion) && isText(value.kind)) {
    const { apiVersion, kind, metadata } = value;
    if (isJsonObject(metadata) && isText(metadata.name)) {
      const annotations = plainAnnotations(metadata.annotations);
      if (annotations !== "odd") return { apiVersion, kind, name: metadata.name, annotations };
    }
  }
  const read = readStruct(value, isHelm3(dialect) ? helm3Head : helm4Head);
  const metadata = read.metadata as StructValue | undefined;
  const annotations = metadata?.annotations as ReadonlyMap<string, string> | undefined;
  return {
    apiVersion: (read.apiVersion as string | undefined) ?? "",
    kind: (read.kind as string | undefined) ?? "",
    name: (metadata?.name as string | undefined) ?? "",
    annotations: annotations === undefined || annotations.size === 0 ? undefined : annotations,
  };
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === "string";
}

/** Hook annotations of a map of texts; "odd" where not everything is a text. */
function plainAnnotations(value: JsonValue | undefined): ReadonlyMap<string, string> | undefined | "odd" {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) return "odd";
  let found: Map<string, string> | undefined;
  for (const key in value) {
    const item = value[key];
    if (typeof item !== "string") return "odd";
    if (key.startsWith("helm.sh/hook")) (found ??= new Map()).set(key, item);
  }
  return found;
}

function headShape(typeName: string): StructShape {
  return {
    name: "SimpleHead",
    typeName,
    fields: {
      apiVersion: { kind: "string" },
      kind: { kind: "string" },
      metadata: {
        kind: "struct",
        shape: {
          name: "",
          typeName: 'struct { Name string "json:\\"name\\""; Annotations map[string]string "json:\\"annotations\\"" }',
          fields: { name: { kind: "string" }, annotations: { kind: "map", item: { kind: "string" } } },
        },
      },
    },
  };
}

const helm4Head = headShape("util.SimpleHead");
const helm3Head = headShape("releaseutil.SimpleHead");
