import type { JsonValue } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import { fault } from "../fault.ts";
import { kindTypes, typeFields } from "./schema_table.ts";

/** What is known of a field: the type of what it holds, and how its list is merged. */
export interface FieldType {
  /** Type of the value, or of the list's items. */
  readonly type: ObjectType | undefined;
  /** Merge keys of the list; empty for a set of scalars; `undefined` for anything that is no merged list. */
  readonly mergeKeys: readonly string[] | undefined;
  readonly isList: boolean;
}

/** Fields of a mapping that lead to a merged list. */
export interface ObjectType {
  field(name: string): FieldType | undefined;
}

/** Types of kinds, by `apiVersion` and `kind`. */
export interface MergeSchema {
  typeOf(apiVersion: string, kind: string): ObjectType | undefined;
}

/** The tables as types, each made when it is asked for: a build needs few of them. */
function makeBuiltin(): MergeSchema {
  const types = new Map<string, ObjectType>();
  const fieldPattern = /^(\w*)(?:\[([^\]]*)\]|\{\})?$/;
  const typeNamed = (name: string): ObjectType | undefined => {
    if (name === "") return undefined;
    const known = types.get(name);
    if (known !== undefined) return known;
    const fields = new Map<string, FieldType>();
    const texts = typeFields[name] ?? {};
    const type: ObjectType = {
      field(field) {
        const found = fields.get(field);
        if (found !== undefined || !Object.hasOwn(texts, field)) return found;
        const made = fieldOf(texts[field] ?? "");
        fields.set(field, made);
        return made;
      },
    };
    types.set(name, type);
    return type;
  };
  const fieldOf = (text: string): FieldType => {
    const [, inner = "", keys] = fieldPattern.exec(text) ?? [];
    return {
      type: typeNamed(inner),
      isList: keys !== undefined,
      mergeKeys: keys === undefined || keys === "" ? undefined : keys === "=" ? [] : keys.split(","),
    };
  };
  const onlyMetadata: ObjectType = {
    field: (name) =>
      name === "metadata" ? { type: typeNamed("ObjectMeta"), isList: false, mergeKeys: undefined } : undefined,
  };
  const versions = new Map<string, ReadonlyMap<string, ObjectType | undefined>>();
  const kindsOf = (apiVersion: string): ReadonlyMap<string, ObjectType | undefined> => {
    const kinds = new Map<string, ObjectType | undefined>();
    if (!Object.hasOwn(kindTypes, apiVersion)) return kinds;
    versions.set(apiVersion, kinds);
    for (const word of (kindTypes[apiVersion] ?? "").split(" ")) {
      const [kind = "", type] = word.replace(/^\+/, "").split("=");
      const isPlain = !word.startsWith("+") && type === undefined;
      kinds.set(kind, isPlain ? onlyMetadata : typeNamed(type ?? kind));
    }
    return kinds;
  };
  return { typeOf: (apiVersion, kind) => (versions.get(apiVersion) ?? kindsOf(apiVersion)).get(kind) };
}

/** The schema of the kinds that Kubernetes 1.21.2 has built in, as kustomize 5.8.1 knows them. */
export const builtinSchema: MergeSchema = makeBuiltin();

/** What a custom OpenAPI document (`openapi.path`) tells: merge keys, and which kinds have a namespace. */
export interface CustomSchema extends MergeSchema {
  readonly scopes: ReadonlyMap<string, boolean>;
}

interface Definition {
  readonly properties: Readonly<Record<string, JsonValue>>;
  readonly additional: JsonValue | undefined;
}

/**
 * Schema of an OpenAPI v2 document as JSON. Parts that are not understood lead to no merging. What is no mapping at all is
 * refused when a patch asks for a type, as kustomize does, which reads the schema then.
 */
export function customSchema(document: JsonValue): CustomSchema {
  const isWrong = document !== null && !isJsonObject(document);
  const definitions = objectField(document, "definitions");
  const kinds = new Map<string, string>();
  for (const [name, definition] of Object.entries(definitions)) {
    const list = isJsonObject(definition) ? definition["x-kubernetes-group-version-kind"] : undefined;
    if (!Array.isArray(list)) continue;
    for (const entry of list) {
      const key = kindKey(entry);
      if (key !== undefined) kinds.set(key, name);
    }
  }
  const types = new Map<string, ObjectType>();
  const typeOfSchema = (schema: JsonValue | undefined): ObjectType | undefined => {
    if (!isJsonObject(schema)) return undefined;
    if (typeof schema.$ref === "string") return typeNamed(schema.$ref.replace(/^#\/definitions\//, ""));
    return objectType({ properties: objectField(schema, "properties"), additional: schema.additionalProperties });
  };
  const typeNamed = (name: string): ObjectType | undefined => {
    const known = types.get(name);
    if (known !== undefined) return known;
    const definition = definitions[name];
    if (!isJsonObject(definition)) return undefined;
    const type = objectType({
      properties: objectField(definition, "properties"),
      additional: definition.additionalProperties,
    });
    types.set(name, type);
    return type;
  };
  const objectType = (definition: Definition): ObjectType => ({
    field(name) {
      const property = Object.hasOwn(definition.properties, name) ? definition.properties[name] : definition.additional;
      if (!isJsonObject(property)) return undefined;
      if (property.type !== "array") return { type: typeOfSchema(property), isList: false, mergeKeys: undefined };
      return { type: typeOfSchema(property.items), isList: true, mergeKeys: mergeKeysOf(property) };
    },
  });
  return {
    typeOf(apiVersion, kind) {
      if (isWrong) throw fault("Invalid schema file: an OpenAPI document must be a mapping");
      return typeNamed(kinds.get(`${apiVersion} ${kind}`) ?? "");
    },
    scopes: scopesOf(objectField(document, "paths")),
  };
}

/** What a JSON schema tells of the field that it stands beside; parts that are not understood tell nothing. */
export function fieldTypeOf(schema: JsonValue): FieldType | undefined {
  const owner = { properties: { field: schema }, "x-kubernetes-group-version-kind": [{ version: "v", kind: "k" }] };
  return customSchema({ definitions: { owner } }).typeOf("v", "k")?.field("field");
}

/** A schema that looks into `first`, then into `second`. */
export function eitherSchema(first: MergeSchema, second: MergeSchema): MergeSchema {
  return { typeOf: (apiVersion, kind) => first.typeOf(apiVersion, kind) ?? second.typeOf(apiVersion, kind) };
}

function mergeKeysOf(property: { readonly [key: string]: JsonValue }): readonly string[] | undefined {
  const strategy = property["x-kubernetes-patch-strategy"];
  if (typeof strategy !== "string" || !strategy.split(",").includes("merge")) return undefined;
  const keys = property["x-kubernetes-list-map-keys"];
  if (Array.isArray(keys)) return keys.filter((key): key is string => typeof key === "string");
  const key = property["x-kubernetes-patch-merge-key"];
  return typeof key === "string" ? [key] : [];
}

function objectField(value: JsonValue | undefined, key: string): { readonly [key: string]: JsonValue } {
  const field = isJsonObject(value) ? value[key] : undefined;
  return isJsonObject(field) ? field : {};
}

function kindKey(entry: JsonValue | undefined): string | undefined {
  if (!isJsonObject(entry) || typeof entry.version !== "string" || typeof entry.kind !== "string") return undefined;
  const group = typeof entry.group === "string" && entry.group !== "" ? `${entry.group}/` : "";
  return `${group}${entry.version} ${entry.kind}`;
}

function scopesOf(paths: { readonly [key: string]: JsonValue }): ReadonlyMap<string, boolean> {
  const scopes = new Map<string, boolean>();
  for (const [path, operations] of Object.entries(paths)) {
    const get = isJsonObject(operations) ? operations.get : undefined;
    const key = isJsonObject(get) ? kindKey(get["x-kubernetes-group-version-kind"]) : undefined;
    if (key === undefined) continue;
    if (path.includes("namespaces/{namespace}")) scopes.set(key, true);
    else if (!scopes.has(key)) scopes.set(key, false);
  }
  return scopes;
}
