/**
 * What stands at the root of a template's data, as Go types: `.Values`, `.Chart`, `.Capabilities`, `.Files`, `.Release`
 * (helm pkg/engine and pkg/chart, 3.22 and 4.2.4).
 *
 * @module
 */
import type { JsonValue } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import { FormatError } from "../../../format/format_error.ts";
import { printYaml } from "../../../format/yaml_print.ts";
import type { ChartMetadata, Dependency, Maintainer } from "../chart/metadata.ts";
import { func, method } from "../functions/registry.ts";
import type { CallContext, Dialect, FunctionRecord } from "../functions/registry.ts";
import { jsonOf } from "../values/value_json.ts";
import { templateModules } from "../template_modules.ts";
import { GoError } from "./go_error.ts";
import { quoteText } from "./go_quote.ts";
import { compareStrings, fromBytes, withoutRawBytes } from "./go_string.ts";
import { goTypes, mapType, namedType, pointerType, sliceType } from "./go_type.ts";
import type { GoField, GoType } from "./go_type.ts";
import { fromJson, GoBytes, goDict, goInt, goList, GoMap, GoSlice, goStringMap, goStrings, GoStruct } from "./value.ts";
import type { Value } from "./value.ts";

const { any, bool, bytes, dict, list, string, stringMap, strings } = goTypes;

/** Package that owns the types of values and capabilities, as type names show it. */
const ownerOf = { "helm3": "chartutil", "helm4.2.4": "common" } as const;

// .Values

const isTable = (value: Value): value is GoMap =>
  value instanceof GoMap && (value.type.name === dict.name || value.type.methods === valuesMethods);

/** Table at a dotted path. @throws {GoError} when a part is none */
function table(values: GoMap, path: string, type: GoType): GoMap {
  let current = values;
  for (const key of path.split(".")) {
    const next = current.entries?.get(key);
    if (!isTable(next)) throw new GoError(`${quoteText(key)} is not a table`);
    current = next;
  }
  return new GoMap(current.entries, type);
}

/** Value at a dotted path that is no table itself. @throws {GoError} when there is none */
function pathValue(values: GoMap, path: string): Value {
  if (path === "") throw new GoError("YAML path cannot be empty");
  const parts = path.split(".");
  const key = parts.pop() as string;
  const missing = new GoError(`${quoteText(key)} is not a value`);
  let owner = values;
  for (const part of parts) {
    const next = owner.entries?.get(part);
    if (!isTable(next)) throw missing;
    owner = next;
  }
  const value = owner.entries?.get(key);
  if (value === undefined || value instanceof GoMap && value.type.name === dict.name) throw missing;
  return value;
}

const valuesMethods: Readonly<Record<string, FunctionRecord>> = {
  AsMap: method(
    [],
    dict,
    (_, values: GoMap) => values.entries === null || values.entries.size === 0 ? goDict() : new GoMap(values.entries),
  ),
  Encode: method([{ kind: "interface", name: "io.Writer" } as GoType], any, () => null),
  PathValue: method([string], any, (_, values: GoMap, path) => pathValue(values, path)),
  Table: method([string], dict, (_, values: GoMap, path) => table(values, path, values.type)),
  YAML: method([], string, (_, values: GoMap) => printYaml(jsonOf(values))),
};

/** Type of `.Values`, `.Template` and of the root itself. */
export const valuesTypes: Readonly<Record<Dialect, GoType>> = {
  "helm3": namedType("chartutil.Values", dict, { methods: valuesMethods }),
  "helm4.2.4": namedType("common.Values", dict, { methods: valuesMethods }),
};

/** The same map as `.Values` of a dialect: entries are shared, only the type differs. */
export function valuesObject(values: GoMap, dialect: Dialect): GoMap {
  return new GoMap(values.entries, valuesTypes[dialect]);
}

// .Files

function linesOf(context: CallContext, files: GoMap, path: string): Value {
  const file = files.entries?.get(path);
  if (!(file instanceof GoBytes) || file.bytes === null) return goStrings([]);
  context.reserve("Files.Lines", file.bytes.length);
  const text = fromBytes(file.bytes);
  if (text === "") {
    if (context.dialect === "helm3") return goStrings([]);
    throw new GoError("runtime error: index out of range [-1]");
  }
  return goStrings((text.endsWith("\n") ? text.slice(0, -1) : text).split("\n"));
}

/** YAML map of the files by base name; "" when YAML cannot carry them. Of equal names the last in order of path counts. */
function asYaml(context: CallContext, files: GoMap, textOf: (bytes: Uint8Array) => string): string {
  let length = 0;
  for (const file of files.entries?.values() ?? []) length += file instanceof GoBytes ? file.bytes?.length ?? 0 : 0;
  context.reserve("Files.AsConfig", length);
  const entries: Record<string, string> = Object.create(null);
  for (const path of [...files.entries?.keys() ?? []].sort(compareStrings)) {
    const file = files.entries?.get(path) as GoBytes;
    entries[path.replace(/\/+$/, "").split("/").at(-1) as string] = textOf(file.bytes ?? new Uint8Array());
  }
  try {
    return printYaml(entries).replace(/\n$/, "");
  } catch (error) {
    if (error instanceof FormatError) return "";
    throw error;
  }
}

/** Signs of a glob that each character of a path may pass for one step. */
const signsPerStep = 8;

function globbed(files: GoMap, pattern: string): GoMap {
  let matches: (path: string) => boolean;
  try {
    matches = templateModules.glob().compileGlob(pattern);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    matches = () => true;
  }
  return new GoMap(new Map([...files.entries ?? []].filter(([path]) => matches(path))), files.type);
}

const noBytes = () => new GoBytes(new Uint8Array());

const filesType: GoType = namedType("engine.files", mapType(bytes), {
  methods: {
    AsConfig: method(
      [],
      string,
      (context, files: GoMap) => asYaml(context, files, (data) => withoutRawBytes(fromBytes(data))),
    ),
    AsSecrets: method([], string, (context, files: GoMap) => asYaml(context, files, (data) => data.toBase64())),
    Get: method([string], string, (context, files: GoMap, path) => {
      const file = files.entries?.get(path);
      if (!(file instanceof GoBytes) || file.bytes === null) return "";
      context.reserve("Files.Get", file.bytes.length);
      return fromBytes(file.bytes);
    }),
    GetBytes: method([string], bytes, (_, files: GoMap, path) => files.entries?.get(path) ?? noBytes()),
    // The result is another set of files; its type is this one, so only its kind is told here.
    Glob: method([string], mapType(bytes), (context, files: GoMap, pattern) => {
      let length = pattern.length;
      for (const path of files.entries?.keys() ?? []) length += path.length;
      context.spend(length * Math.ceil(pattern.length / signsPerStep));
      return globbed(files, pattern);
    }),
    Lines: method([string], strings, (context, files: GoMap, path) => linesOf(context, files, path)),
  },
});

/** `.Files` of files by path. */
export function filesObject(files: Iterable<readonly [string, Uint8Array]>): GoMap {
  const entries = new Map<string, Value>();
  for (const [path, data] of files) entries.set(path, new GoBytes(data));
  return new GoMap(entries, filesType);
}

// .Capabilities

/** What `.Capabilities` tells. */
export interface CapabilityValues {
  /** `v1.36.0`, with a vendor's suffix where the cluster has one. */
  readonly kubeVersion: string;
  /** The version without suffix, as constraints see it; default `kubeVersion`. */
  readonly normalizedKubeVersion?: string;
  readonly major: string;
  readonly minor: string;
  /** `group/version`, online also `group/version/Kind`. */
  readonly apiVersions: readonly string[];
  readonly helmVersion: string;
  readonly gitCommit?: string;
  readonly gitTreeState?: string;
  readonly goVersion?: string;
  readonly kubeClientVersion?: string;
}

const text = (name: string, extra: Partial<GoField> = {}): GoField => ({ name, type: string, ...extra });

function capabilityTypes(dialect: Dialect) {
  const owner = ownerOf[dialect];
  const isHelm3 = dialect === "helm3";
  const kubeVersion: GoType = {
    kind: "struct",
    name: `${owner}.KubeVersion`,
    fields: [
      text("Version"),
      ...(isHelm3 ? [] : [text("normalizedVersion", { isPrivate: true })]),
      text("Major"),
      text("Minor"),
    ],
    hidesString: true,
    methods: {
      GitVersion: func([], string, (_, ...receiver) => versionOf(receiver, "Version")),
      String: func(
        [],
        string,
        (_, ...receiver) => versionOf(receiver, "normalizedVersion") || versionOf(receiver, "Version"),
      ),
    },
  };
  const apiVersions: GoType = namedType(`${owner}.VersionSet`, strings, {
    methods: {
      Has: method([string], bool, (_, versions: GoSlice, version) => versions.items?.includes(version) ?? false),
    },
  });
  const helmVersion: GoType = {
    kind: "struct",
    name: "version.BuildInfo",
    fields: [
      text("Version", { json: "version", omitEmpty: true }),
      text("GitCommit", { json: "git_commit", omitEmpty: true }),
      text("GitTreeState", { json: "git_tree_state", omitEmpty: true }),
      text("GoVersion", { json: "go_version", omitEmpty: true }),
      ...(isHelm3 ? [] : [text("KubeClientVersion", { json: "kube_client_version" })]),
    ],
  };
  const capabilities: GoType = {
    kind: "struct",
    name: `${owner}.Capabilities`,
    fields: [
      { name: "KubeVersion", type: kubeVersion },
      { name: "APIVersions", type: apiVersions },
      { name: "HelmVersion", type: helmVersion },
    ],
    methods: {
      Copy: method(
        [],
        { kind: "ptr", name: `*${owner}.Capabilities` },
        (_, receiver: GoStruct) => new GoStruct(receiver.type, receiver.fields),
      ),
    },
  };
  return { kubeVersion, apiVersions, helmVersion, capabilities: pointerType(capabilities) };
}

/** A text field of a receiver; "" where the dialect has none. */
function versionOf(receiver: readonly unknown[], field: string): string {
  return ((receiver[0] as GoStruct).fields?.[field] as string | undefined) ?? "";
}

const typesOfCapabilities = { "helm3": capabilityTypes("helm3"), "helm4.2.4": capabilityTypes("helm4.2.4") } as const;

/** `.Capabilities` */
export function capabilitiesObject(values: CapabilityValues, dialect: Dialect): GoStruct {
  const types = typesOfCapabilities[dialect];
  return new GoStruct(types.capabilities, {
    KubeVersion: new GoStruct(types.kubeVersion, {
      Version: values.kubeVersion,
      normalizedVersion: values.normalizedKubeVersion ?? values.kubeVersion,
      Major: values.major,
      Minor: values.minor,
    }),
    APIVersions: new GoSlice(values.apiVersions, types.apiVersions),
    HelmVersion: new GoStruct(types.helmVersion, {
      Version: values.helmVersion,
      GitCommit: values.gitCommit ?? "",
      GitTreeState: values.gitTreeState ?? "",
      GoVersion: values.goVersion ?? "",
      KubeClientVersion: values.kubeClientVersion ?? "",
    }),
  });
}

// .Release

/** `.Release` */
export function releaseObject(release: {
  readonly name: string;
  readonly namespace: string;
  readonly revision: number;
  readonly isInstall: boolean;
  readonly isUpgrade: boolean;
}): GoMap {
  return goDict([
    ["Name", release.name],
    ["Namespace", release.namespace],
    ["IsUpgrade", release.isUpgrade],
    ["IsInstall", release.isInstall],
    ["Revision", goInt(release.revision)],
    ["Service", "Helm"],
  ]);
}

// .Chart

const maintainerType: GoType = pointerType({
  kind: "struct",
  name: "chart.Maintainer",
  fields: [
    text("Name", { json: "name", omitEmpty: true }),
    text("Email", { json: "email", omitEmpty: true }),
    text("URL", { json: "url", omitEmpty: true }),
  ],
});

const dependencyType: GoType = pointerType({
  kind: "struct",
  name: "chart.Dependency",
  fields: [
    text("Name", { json: "name" }),
    text("Version", { json: "version", omitEmpty: true }),
    text("Repository", { json: "repository" }),
    text("Condition", { json: "condition", omitEmpty: true }),
    { name: "Tags", type: strings, json: "tags", omitEmpty: true },
    { name: "Enabled", type: bool, json: "enabled", omitEmpty: true },
    { name: "ImportValues", type: list, json: "import-values", omitEmpty: true },
    text("Alias", { json: "alias", omitEmpty: true }),
  ],
});

const metadataFields: readonly GoField[] = [
  text("Name"),
  text("Home"),
  { name: "Sources", type: strings },
  text("Version"),
  text("Description"),
  { name: "Keywords", type: strings },
  { name: "Maintainers", type: sliceType(maintainerType) },
  text("Icon"),
  text("APIVersion", { json: "apiVersion" }),
  text("Condition"),
  text("Tags"),
  text("AppVersion", { json: "appVersion" }),
  { name: "Deprecated", type: bool },
  { name: "Annotations", type: stringMap },
  text("KubeVersion", { json: "kubeVersion" }),
  { name: "Dependencies", type: sliceType(dependencyType) },
  text("Type"),
].map((field) => ({ json: field.name.toLowerCase(), omitEmpty: true, ...field }));

const metadataType: GoType = { kind: "struct", name: "chart.Metadata", fields: metadataFields };

const chartType: GoType = {
  kind: "struct",
  name: "struct { chart.Metadata; IsRoot bool }",
  fields: [{ name: "Metadata", type: metadataType, isEmbedded: true }, { name: "IsRoot", type: bool }],
};

/** Fields of Chart.yaml by their Go names; lists and records are made by `make`. */
function metadataOf(
  metadata: ChartMetadata,
  make: {
    readonly texts: (items: readonly string[] | undefined) => Value;
    readonly records: <T>(
      items: readonly T[] | undefined,
      type: GoType,
      fields: (item: T) => Record<string, Value>,
    ) => Value;
  },
): Record<string, Value> {
  const { annotations } = metadata;
  return {
    Name: metadata.name,
    Home: metadata.home,
    Sources: make.texts(metadata.sources),
    Version: metadata.version,
    Description: metadata.description,
    Keywords: make.texts(metadata.keywords),
    Maintainers: make.records(metadata.maintainers, maintainerType, (person: Maintainer) => ({
      Name: person.name,
      Email: person.email,
      URL: person.url,
    })),
    Icon: metadata.icon,
    APIVersion: metadata.apiVersion,
    Condition: metadata.condition,
    Tags: metadata.tags,
    AppVersion: metadata.appVersion,
    Deprecated: metadata.deprecated,
    Annotations: annotations === undefined ? new GoMap(null, stringMap) : goStringMap(annotations),
    KubeVersion: metadata.kubeVersion,
    Dependencies: make.records(metadata.dependencies, dependencyType, (dependency: Dependency) => ({
      Name: dependency.name,
      Version: dependency.version,
      Repository: dependency.repository,
      Condition: dependency.condition,
      Tags: make.texts(dependency.tags.length === 0 ? undefined : dependency.tags),
      Enabled: dependency.enabled,
      ImportValues: dependency.importValues.length === 0 && make === asStructs
        ? new GoSlice(null)
        : goList(dependency.importValues.map(importValue)),
      Alias: dependency.alias,
    })),
    Type: metadata.type,
  };
}

/** An import of values as processing leaves it: always a map of `child` and `parent`. */
function importValue(written: JsonValue): Value {
  if (typeof written === "string") return goDict([["child", `exports.${written}`], ["parent", "."]]);
  if (!isJsonObject(written)) return fromJson(written);
  const { child = "", parent = "" } = written;
  return goDict([["child", fromJson(child)], ["parent", fromJson(parent)]]);
}

/** Helm 3: Go's own structs. */
const asStructs: Parameters<typeof metadataOf>[1] = {
  texts: (items) => goStrings(items ?? null),
  records: (items, type, fields) =>
    new GoSlice(items?.map((item) => new GoStruct(type, fields(item))) ?? null, sliceType(type)),
};

/** Helm 4: maps, and lists of any type that are never nil. */
const asMaps: Parameters<typeof metadataOf>[1] = {
  texts: (items) => goList(items ?? []),
  records: (items, _, fields) => goList((items ?? []).map((item) => goDict(Object.entries(fields(item))))),
};

/** `.Chart`: in Helm 3 a struct with the fields of Chart.yaml, in Helm 4 a map of the same names. */
export function chartObject(metadata: ChartMetadata, isRoot: boolean, dialect: Dialect): Value {
  if (dialect === "helm3") {
    const fields = metadataOf(metadata, asStructs);
    return new GoStruct(chartType, { Metadata: new GoStruct(metadataType, fields), IsRoot: isRoot });
  }
  return goDict([...Object.entries(metadataOf(metadata, asMaps)), ["IsRoot", isRoot]]);
}
