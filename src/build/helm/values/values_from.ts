import type { JsonObject } from "../../../core/json.ts";
import { StageError } from "../../../core/stage_error.ts";
import { UnmarshalError } from "../chart/go_struct.ts";
import { mergeMaps, readValues, YamlConversionError } from "../chart/read_yaml.ts";
import type { Dialect } from "../dialect.ts";
import { fromJson } from "../template/value.ts";
import type { GoMap } from "../template/value.ts";
import { assign, SetSyntaxError } from "./set_syntax.ts";
import { copyValue, newTable, tableOf } from "./tables.ts";
import type { Table } from "./tables.ts";

/** A text that a reference of `spec.valuesFrom` found. */
export interface ReferredValues {
  /** `ConfigMap/name` or `Secret/name`, with the key: for messages. Never the text. */
  readonly source: string;
  readonly text: string;
  /** Set one path instead of merging a document. */
  readonly targetPath?: string;
  /** With `targetPath`: the text is the value as it stands. */
  readonly literal?: boolean;
}

/** One layer of a release's values, later ones over earlier ones. */
export interface ValuesLayer {
  readonly source: string;
  /** Whether the values may be shown. */
  readonly isSecret: boolean;
  readonly values: Table;
}

/**
 * Layers of a HelmRelease's values in the order that Flux documents: documents of `valuesFrom` in their order, the inline
 * values over them, each `targetPath` over everything.
 *
 * Differs: helm-controller merges inline values once more at the end, so that there they beat a `targetPath` below a map
 * that an earlier reference also set (fluxcd/pkg `chartutil/values.go`); the documented order is kept here.
 * @throws {StageError} ValuesError naming the reference; values are never in the message
 */
export function fluxValueLayers(
  inline: JsonObject,
  references: readonly ReferredValues[],
  dialect: Dialect,
): readonly ValuesLayer[] {
  const isSecret = (source: string) => source.startsWith("Secret");
  const documents = references.filter((reference) => reference.targetPath === undefined).map((reference) => ({
    source: reference.source,
    isSecret: isSecret(reference.source),
    values: readDocument(reference, dialect),
  }));
  const targets = references.flatMap((reference) => {
    if (reference.targetPath === undefined) return [];
    const values = newTable();
    assignReference(reference, reference.targetPath, values);
    return [{ source: reference.source, isSecret: isSecret(reference.source), values }];
  });
  const own = { source: "spec.values", isSecret: false, values: tableOf(fromJson(inline) as GoMap) };
  return [...documents, own, ...targets];
}

/**
 * The values of a HelmRelease: its layers merged, lists and all else replaced. A `targetPath` with an index changes the
 * list that is there.
 *
 * @throws {StageError} ValuesError naming the reference
 */
export function mergeFluxValues(
  inline: JsonObject,
  references: readonly ReferredValues[],
  dialect: Dialect,
): Table {
  let values = newTable();
  for (const reference of references) {
    if (reference.targetPath === undefined) values = tableOf(mergeMaps(values, readDocument(reference, dialect)));
  }
  values = copyValue(tableOf(mergeMaps(values, fromJson(inline) as GoMap)));
  for (const reference of references) {
    if (reference.targetPath !== undefined) assignReference(reference, reference.targetPath, values);
  }
  return values;
}

function readDocument(reference: ReferredValues, dialect: Dialect): Table {
  try {
    return tableOf(readValues(new TextEncoder().encode(reference.text), dialect));
  } catch (error) {
    if (!(error instanceof YamlConversionError) && !(error instanceof UnmarshalError)) throw error;
    // The text itself may be a secret, and so may what an error quotes of it.
    const line = /\bline (\d+)/.exec(error.message)?.[1];
    const where = line === undefined ? "" : ` (line ${line})`;
    throw new StageError("ValuesError", `Cannot read values of ${reference.source}${where}: it is no YAML map`);
  }
}

/** Sets a path: quoted texts stay texts, a literal is taken as it is, everything else is read as `--set` does. */
function assignReference(reference: ReferredValues, path: string, values: Table): void {
  const { text } = reference;
  const isQuoted = text.length > 1 && (/^'[^]*'$/.test(text) || /^"[^]*"$/.test(text));
  try {
    if (reference.literal === true) assign(`${path}=${text}`, values, { kind: "literal" });
    else if (isQuoted) assign(`${path}=${text.replace(/^['"]+|['"]+$/g, "")}`, values, { kind: "string" });
    else assign(`${path}=${text}`, values);
  } catch (error) {
    if (!(error instanceof SetSyntaxError)) throw error;
    // The grammar's message may quote the text.
    throw new StageError(
      "ValuesError",
      `Cannot set "${path}" from ${reference.source}: the path does not fit the values`,
    );
  }
}
