import type { JsonValue } from "../../../core/json.ts";
import { isPrintable, quoteText } from "../template/go_quote.ts";
import type { Dialect } from "../dialect.ts";
import { isHelm3 } from "../dialect.ts";
import { basePath } from "./go_path.ts";
import { jsonKind, readStruct, UnmarshalError } from "./go_struct.ts";
import type { FieldType, StructShape, StructValue } from "./go_struct.ts";
import { isLooseVersion } from "./version_range.ts";

/** A person of a chart. */
export interface Maintainer {
  readonly name: string;
  readonly email: string;
  readonly url: string;
}

/** A dependency as Chart.yaml or requirements.yaml declares it. */
export interface Dependency {
  readonly name: string;
  /** Range; "" for none, which no version meets. */
  readonly version: string;
  readonly repository: string;
  /** Comma list of value paths. */
  readonly condition: string;
  readonly tags: readonly string[];
  readonly enabled: boolean;
  /** Texts, or maps with `child` and `parent`. */
  readonly importValues: readonly JsonValue[];
  readonly alias: string;
}

/** What Chart.yaml says; what is absent is "", an empty list or `false`. */
export interface ChartMetadata {
  readonly name: string;
  readonly home: string;
  readonly sources: readonly string[] | undefined;
  readonly version: string;
  readonly description: string;
  readonly keywords: readonly string[] | undefined;
  readonly maintainers: readonly Maintainer[] | undefined;
  readonly icon: string;
  /** `v1` where Chart.yaml has none. */
  readonly apiVersion: string;
  readonly condition: string;
  readonly tags: string;
  readonly appVersion: string;
  readonly deprecated: boolean;
  readonly annotations: ReadonlyMap<string, string> | undefined;
  readonly kubeVersion: string;
  /** `undefined` where none are declared: then nothing is decided about sub-charts. */
  readonly dependencies: readonly Dependency[] | undefined;
  /** `application`, `library` or "". */
  readonly type: string;
}

const text: FieldType = { kind: "string" };
const texts: FieldType = { kind: "list", item: text };

/** Shapes of Chart.yaml; the names in error texts differ between versions. */
function shapeOf(dialect: Dialect): StructShape {
  const owner = isHelm3(dialect) ? "chart" : "v2";
  const maintainer: StructShape = {
    name: "Maintainer",
    typeName: `${owner}.Maintainer`,
    fields: { name: text, email: text, url: text },
  };
  const dependency: StructShape = {
    name: "Dependency",
    typeName: `${owner}.Dependency`,
    fields: {
      "name": text,
      "version": text,
      "repository": text,
      "condition": text,
      "tags": texts,
      "enabled": { kind: "bool" },
      "import-values": { kind: "list", item: { kind: "any" } },
      "alias": text,
    },
  };
  return {
    name: "Metadata",
    typeName: `${owner}.Metadata`,
    fields: {
      name: text,
      home: text,
      sources: texts,
      version: text,
      description: text,
      keywords: texts,
      maintainers: { kind: "list", item: { kind: "struct", shape: maintainer } },
      icon: text,
      apiVersion: text,
      condition: text,
      tags: text,
      appVersion: text,
      deprecated: { kind: "bool" },
      annotations: { kind: "map", item: text },
      kubeVersion: text,
      dependencies: { kind: "list", item: { kind: "struct", shape: dependency } },
      type: text,
    },
  };
}

const helm3Shape = shapeOf("helm3");
const helm4Shape = shapeOf("helm4.2.4");

/** Fields as they were read: not checked yet, and requirements.yaml may still add to them. */
export type RawMetadata = StructValue;

/** Reads Chart.yaml or requirements.yaml. @throws {UnmarshalError} with Go's text */
export function readMetadata(value: JsonValue, dialect: Dialect, isRoot = false): RawMetadata {
  if (isRoot && !isHelm3(dialect)) checkIsMapping(value);
  return readStruct(value, isHelm3(dialect) ? helm3Shape : helm4Shape);
}

/** Helm 4 looks at the apiVersion of a Chart.yaml first, through a struct of its own. @throws {UnmarshalError} with Go's text */
export function checkIsMapping(value: JsonValue): void {
  if (value === null || typeof value === "object" && !Array.isArray(value)) return;
  throw new UnmarshalError(
    `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${
      jsonKind(value)
    } into Go value of type loader.chartBase`,
  );
}

/** A chart that Helm refuses to load; the message is Helm's. */
export class ChartError extends Error {
  override readonly name = "ChartError";
}

const aliasPattern = /^[a-zA-Z0-9_-]+$/;

/** Checked metadata of what was read. @throws {ChartError} `validation: …` */
export function checkMetadata(raw: RawMetadata): ChartMetadata {
  const string = (key: string, isClean = true): string => {
    const found = (raw[key] as string | undefined) ?? "";
    return isClean ? sanitize(found) : found;
  };
  const strings = (key: string): readonly string[] | undefined =>
    (raw[key] as readonly (string | null)[] | undefined)?.map((item) => sanitize(item ?? ""));
  const metadata: ChartMetadata = {
    name: string("name"),
    home: string("home"),
    sources: strings("sources"),
    version: string("version", false),
    description: string("description"),
    keywords: strings("keywords"),
    maintainers: undefined,
    icon: string("icon"),
    apiVersion: string("apiVersion", false),
    condition: string("condition"),
    tags: string("tags"),
    appVersion: string("appVersion"),
    deprecated: raw.deprecated === true,
    annotations: raw.annotations as ReadonlyMap<string, string> | undefined,
    kubeVersion: string("kubeVersion"),
    dependencies: undefined,
    type: string("type", false),
  };
  const { name, version } = metadata;
  if (metadata.apiVersion === "") throw invalid("chart.metadata.apiVersion is required");
  if (name === "") throw invalid("chart.metadata.name is required");
  if (name === "." || name === "..") throw invalid(`chart.metadata.name ${quoteText(name)} is not allowed`);
  if (name !== basePath(name)) throw invalid(`chart.metadata.name ${quoteText(name)} is invalid`);
  if (version === "") throw invalid("chart.metadata.version is required");
  if (!isLooseVersion(version)) throw invalid(`chart.metadata.version ${quoteText(version)} is invalid`);
  if (!["", "application", "library"].includes(metadata.type)) {
    throw invalid("chart.metadata.type must be application or library");
  }
  const maintainers = (raw.maintainers as readonly (StructValue | null)[] | undefined)?.map(maintainerOf);
  const names = new Set<string>();
  const dependencies = (raw.dependencies as readonly (StructValue | null)[] | undefined)?.map((each) => {
    const dependency = dependencyOf(each);
    const key = dependency.alias === "" ? dependency.name : dependency.alias;
    if (names.has(key)) throw invalid(`more than one dependency with name or alias ${quoteText(key)}`);
    names.add(key);
    return dependency;
  });
  return { ...metadata, maintainers, dependencies };
}

function maintainerOf(raw: StructValue | null): Maintainer {
  if (raw === null) throw invalid("maintainers must not contain empty or null nodes");
  const clean = (key: string) => sanitize((raw[key] as string | undefined) ?? "");
  return { name: clean("name"), email: clean("email"), url: clean("url") };
}

function dependencyOf(raw: StructValue | null): Dependency {
  if (raw === null) throw invalid("dependencies must not contain empty or null nodes");
  const clean = (key: string) => sanitize((raw[key] as string | undefined) ?? "");
  const alias = (raw.alias as string | undefined) ?? "";
  const name = clean("name");
  if (alias !== "" && !aliasPattern.test(alias)) {
    throw invalid(`dependency ${quoteText(name)} has disallowed characters in the alias`);
  }
  return {
    name,
    version: clean("version"),
    repository: clean("repository"),
    condition: clean("condition"),
    tags: ((raw.tags as readonly (string | null)[] | undefined) ?? []).map((tag) => sanitize(tag ?? "")),
    enabled: raw.enabled === true,
    importValues: (raw["import-values"] as readonly JsonValue[] | undefined) ?? [],
    alias,
  };
}

function invalid(what: string): ChartError {
  return new ChartError(`validation: ${what}`);
}

/** Blanks become spaces, what cannot be printed goes (Helm `sanitizeString`). */
function sanitize(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value;
  let made = "";
  for (const symbol of value) {
    if (/^[\s\u0085]$/u.test(symbol) && symbol !== "\ufeff") made += " ";
    else if (isPrintable(symbol)) made += symbol;
  }
  return made;
}
