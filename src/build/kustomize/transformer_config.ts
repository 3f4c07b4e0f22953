import type { JsonValue } from "../../core/json.ts";
import type { FieldSpec } from "./field_path.ts";
import { fault } from "./fault.ts";
import type { Gvk } from "./identity.ts";
import { selects } from "./identity.ts";
import type { Decoder } from "./decode.ts";
import { bool, decode, list, object, text } from "./decode.ts";
import { defaultOrder } from "./tables/kind_order.ts";
import {
  commonAnnotations,
  commonLabels,
  images,
  names,
  namespaces,
  replicas,
  templateLabels,
  varReferences,
} from "./tables/field_specs.ts";
import type { NameReference } from "./tables/name_references.ts";
import { nameReferences } from "./tables/name_references.ts";

/** Where the transformations look, per transformation (kustomize's "transformer configuration"). */
export interface TransformerConfig {
  readonly namePrefix: readonly FieldSpec[];
  readonly nameSuffix: readonly FieldSpec[];
  readonly namespace: readonly FieldSpec[];
  readonly commonLabels: readonly FieldSpec[];
  readonly labels: readonly FieldSpec[];
  readonly templateLabels: readonly FieldSpec[];
  readonly commonAnnotations: readonly FieldSpec[];
  readonly nameReference: readonly NameReference[];
  readonly varReference: readonly FieldSpec[];
  readonly images: readonly FieldSpec[];
  readonly replicas: readonly FieldSpec[];
}

/** A configuration that says nothing. */
export const emptyConfig: TransformerConfig = {
  namePrefix: [],
  nameSuffix: [],
  namespace: [],
  commonLabels: [],
  labels: [],
  templateLabels: [],
  commonAnnotations: [],
  nameReference: [],
  varReference: [],
  images: [],
  replicas: [],
};

const specLists = [
  "namePrefix",
  "nameSuffix",
  "namespace",
  "commonAnnotations",
  "commonLabels",
  "labels",
  "templateLabels",
  "varReference",
  "images",
  "replicas",
] as const;

/** The configuration that every kustomization begins with. */
export const defaultConfig: TransformerConfig = sortConfig({
  namePrefix: names,
  nameSuffix: names,
  namespace: namespaces,
  commonLabels,
  labels: [],
  templateLabels,
  commonAnnotations,
  nameReference: nameReferences,
  varReference: varReferences,
  images,
  replicas,
});

/**
 * Both configurations in one. A field that both name must agree on `create`.
 *
 * @throws {StageError} BuildFailed for fields that do not agree
 */
export function mergeConfig(base: TransformerConfig, more: TransformerConfig): TransformerConfig {
  if (base === more || more === emptyConfig) return base;
  if (base === emptyConfig) return more;
  const merged: { -readonly [Key in keyof TransformerConfig]: TransformerConfig[Key] } = { ...base };
  let changed = false;
  for (const key of specLists) {
    merged[key] = mergeSpecs(base[key], more[key], key);
    changed ||= merged[key] !== base[key];
  }
  merged.nameReference = mergeReferences(base.nameReference, more.nameReference);
  changed ||= merged.nameReference !== base.nameReference;
  return changed ? sortConfig(merged) : base;
}

/** Field specs of both lists; an equal one counts once. @throws {StageError} BuildFailed when `create` differs */
export function mergeSpecs(base: readonly FieldSpec[], more: readonly FieldSpec[], what: string): readonly FieldSpec[] {
  let out: FieldSpec[] | undefined;
  for (const spec of more) {
    const known = (out ?? base).find((other) => other.path === spec.path && selects(spec, other));
    if (known === undefined) (out ??= [...base]).push(spec);
    else if (known.create !== spec.create) {
      throw fault(`Conflicting fieldspecs for ${what}: path "${spec.path}" is given with create and without`);
    }
  }
  return out ?? base;
}

function mergeReferences(base: readonly NameReference[], more: readonly NameReference[]): readonly NameReference[] {
  let out: NameReference[] | undefined;
  for (const reference of more) {
    const current: readonly NameReference[] = out ?? base;
    const at = current.findIndex((other) =>
      other.group === reference.group && other.version === reference.version && other.kind === reference.kind
    );
    if (at < 0) {
      (out ??= [...base]).push(reference);
      continue;
    }
    const known = current[at] as NameReference;
    const fields = mergeSpecs(known.fields, reference.fields, "nameReference");
    if (fields === known.fields) continue;
    out ??= [...base];
    out[at] = { ...known, fields };
  }
  return out ?? base;
}

function sortConfig(config: TransformerConfig): TransformerConfig {
  const sorted: { -readonly [Key in keyof TransformerConfig]: TransformerConfig[Key] } = { ...config };
  for (const key of specLists) sorted[key] = [...config[key]].sort(compareGvk);
  sorted.nameReference = [...config.nameReference].sort(compareGvk);
  return sorted;
}

/** kustomize's order of kinds: the well-known ones by rank, the rest by name. */
function compareGvk(a: Gvk, b: Gvk): number {
  const rank = defaultOrder(a.kind) - defaultOrder(b.kind);
  if (rank !== 0) return rank;
  const left = sortText(a), right = sortText(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Text that kinds of the same rank are ordered by. */
export function sortText(gvk: Gvk): string {
  return `${gvk.group || "~G"}_${gvk.version || "~V"}_${gvk.kind || "~K"}`;
}

/** Decoder of one field spec. */
export const fieldSpec: Decoder<FieldSpec> = object({
  group: text,
  version: text,
  kind: text,
  path: text,
  create: bool,
});

const reference = object({ group: text, version: text, kind: text, fieldSpecs: list(fieldSpec) });

const configFile = object({
  namePrefix: list(fieldSpec),
  nameSuffix: list(fieldSpec),
  namespace: list(fieldSpec),
  commonLabels: list(fieldSpec),
  labels: list(fieldSpec),
  templateLabels: list(fieldSpec),
  commonAnnotations: list(fieldSpec),
  nameReference: list(reference),
  varReference: list(fieldSpec),
  images: list(fieldSpec),
  replicas: list(fieldSpec),
});

/**
 * Configuration of a file that `configurations` names.
 *
 * @throws {StageError} BuildFailed for unknown fields and wrong types
 */
export function readConfig(value: JsonValue, file: string): TransformerConfig {
  const read = decode(configFile, value ?? {}, { what: file, lenientTexts: true });
  return sortConfig({
    ...read,
    nameReference: read.nameReference.map(({ fieldSpecs, ...gvk }) => ({ ...gvk, fields: fieldSpecs })),
  });
}
