/**
 * `.Chart` as Go types (helm `pkg/chart`, 3.22 and 4.2.4).
 *
 * @module
 */
import type { JsonValue } from "../../../../core/json.ts";
import { isJsonObject } from "../../../../core/json.ts";
import type { ChartMetadata, Dependency, Maintainer } from "../../chart/metadata.ts";
import type { Dialect } from "../../functions/registry.ts";
import { goTypes, pointerType, sliceType, textField } from "../go_type.ts";
import type { GoField, GoType } from "../go_type.ts";
import { fromJson, goDict, goList, GoMap, GoSlice, goStringMap, goStrings, GoStruct } from "../value.ts";
import type { Value } from "../value.ts";

const { bool, list, stringMap, strings } = goTypes;

const maintainerType: GoType = pointerType({
  kind: "struct",
  name: "chart.Maintainer",
  fields: [
    textField("Name", { json: "name", omitEmpty: true }),
    textField("Email", { json: "email", omitEmpty: true }),
    textField("URL", { json: "url", omitEmpty: true }),
  ],
});

const dependencyType: GoType = pointerType({
  kind: "struct",
  name: "chart.Dependency",
  fields: [
    textField("Name", { json: "name" }),
    textField("Version", { json: "version", omitEmpty: true }),
    textField("Repository", { json: "repository" }),
    textField("Condition", { json: "condition", omitEmpty: true }),
    { name: "Tags", type: strings, json: "tags", omitEmpty: true },
    { name: "Enabled", type: bool, json: "enabled", omitEmpty: true },
    { name: "ImportValues", type: list, json: "import-values", omitEmpty: true },
    textField("Alias", { json: "alias", omitEmpty: true }),
  ],
});

const metadataFields: readonly GoField[] = [
  textField("Name"),
  textField("Home"),
  { name: "Sources", type: strings },
  textField("Version"),
  textField("Description"),
  { name: "Keywords", type: strings },
  { name: "Maintainers", type: sliceType(maintainerType) },
  textField("Icon"),
  textField("APIVersion", { json: "apiVersion" }),
  textField("Condition"),
  textField("Tags"),
  textField("AppVersion", { json: "appVersion" }),
  { name: "Deprecated", type: bool },
  { name: "Annotations", type: stringMap },
  textField("KubeVersion", { json: "kubeVersion" }),
  { name: "Dependencies", type: sliceType(dependencyType) },
  textField("Type"),
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
