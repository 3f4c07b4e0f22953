/**
 * What a value of a document may be, as data: one table of fields checks a document, gives it its type, and prints the
 * reference page. Made for messages: every problem of a value is reported with its path, none is thrown.
 *
 * A table of our own instead of a schema library: a library's issues would have to be translated one by one into our
 * messages, and the doc sentence, stance and default of each field would have to be carried beside it.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import type { Path, Report } from "./finding.ts";
import { pathText } from "./finding.ts";
import { nearest } from "../format/nearest.ts";

/** A kind of value: how it is read and how it is told to people. */
export interface Schema<T> {
  /** For messages and the reference page: `duration`, `"extract" or "copy"`. */
  readonly type: string;
  /** Fields of an object, or of the objects in a list. */
  readonly fields?: Fields;
  /** The value in its typed form; `undefined` after at least one error was reported. */
  read(value: JsonValue, path: Path, report: Report): T | undefined;
}

/** How a field stands towards Flux. */
export type Stance =
  /** As Flux has it. */
  | "as Flux"
  /** As Flux has it, and more. */
  | "more than Flux"
  /** Taken and without effect: a warning says so. */
  | "no effect"
  /** Ours. */
  | "ours";

/** Whether a field must be there, may be missing, has a default, or is only checked. */
export type Presence = "required" | "optional" | "defaulted" | "ignored";

/** One field of an object. */
export interface Field<T = unknown, P extends Presence = Presence> {
  readonly schema: Schema<T>;
  readonly presence: P;
  /** One sentence for the reference page. */
  readonly doc: string;
  readonly stance: Stance;
  /** Where `presence` is `defaulted`. */
  readonly preset?: T;
  /** Default as the page shows it, where it is not simply `preset`. */
  readonly presetText?: string;
}

/** Fields by name. */
export type Fields = Readonly<Record<string, Field>>;

type TypeOf<F> = F extends Field<infer T, Presence> ? T : never;

/** What an object with these fields reads as. */
export type ReadOf<F extends Fields> =
  & { readonly [K in keyof F as F[K]["presence"] extends "required" | "defaulted" ? K : never]: TypeOf<F[K]> }
  & { readonly [K in keyof F as F[K]["presence"] extends "optional" ? K : never]?: TypeOf<F[K]> };

/** What a schema reads as. */
export type Read<S> = S extends Schema<infer T> ? T : never;

interface FieldOptions {
  readonly stance?: Stance;
  readonly preset?: string;
}

/** A field that must be there. */
export function need<T>(schema: Schema<T>, doc: string, options: FieldOptions = {}): Field<T, "required"> {
  return { schema, presence: "required", doc, stance: options.stance ?? "as Flux" };
}

/** A field that may be missing. `options.preset` tells people what is done then. */
export function may<T>(schema: Schema<T>, doc: string, options: FieldOptions = {}): Field<T, "optional"> {
  return {
    schema,
    presence: "optional",
    doc,
    stance: options.stance ?? "as Flux",
    ...(options.preset === undefined ? {} : { presetText: options.preset }),
  };
}

/** A field with a default. */
export function preset<T>(
  schema: Schema<T>,
  value: NoInfer<T>,
  doc: string,
  options: FieldOptions = {},
): Field<T, "defaulted"> {
  return {
    schema,
    presence: "defaulted",
    preset: value,
    doc,
    stance: options.stance ?? "as Flux",
    ...(options.preset === undefined ? {} : { presetText: options.preset }),
  };
}

/** A field that is known, checked and without effect; `doc` says why. */
export function ignored<T>(schema: Schema<T>, doc: string): Field<T, "ignored"> {
  return { schema, presence: "ignored", doc, stance: "no effect" };
}

/** A value with the given fields and no others. */
export function object<F extends Fields>(fields: F): Schema<ReadOf<F>> {
  return {
    type: "object",
    fields,
    read(value, path, report) {
      if (!isJsonObject(value)) return wrongType(value, "an object", path, report);
      let isGood = true;
      const result: Record<string, unknown> = {};
      const note: Report = (finding) => {
        if (finding.severity === "error") isGood = false;
        report(finding);
      };
      const meant = new Set<string | undefined>();
      for (const name of Object.keys(value)) {
        if (!Object.hasOwn(fields, name)) meant.add(unknownField(name, Object.keys(fields), path, note));
      }
      for (const [name, field] of Object.entries(fields)) {
        const given = Object.hasOwn(value, name) ? value[name] : undefined;
        // A field without a value ("timeout:") is read as if it were not there, as the API server reads it.
        if (given === undefined || given === null) {
          if (field.presence === "required" && !meant.has(name)) {
            note({
              severity: "error",
              path: given === null ? [...path, name] : path,
              message: `Missing ${quoted([...path, name])}: it must be ${withArticle(field.schema.type)}`,
              hint: `Add "${name}": ${field.doc}`,
              atKey: true,
            });
          } else if (field.presence === "defaulted") result[name] = field.preset;
          continue;
        }
        const read = field.schema.read(given, [...path, name], note);
        if (field.presence === "ignored") {
          note({
            severity: "warning",
            path: [...path, name],
            message: `Field ${quoted([...path, name])} has no effect`,
            hint: field.doc,
            atKey: true,
          });
        } else if (read !== undefined) result[name] = read;
      }
      return isGood ? result as ReadOf<F> : undefined;
    },
  };
}

/** Options of {@linkcode text}. */
export interface TextOptions {
  readonly minLength?: number;
  readonly maxLength?: number;
  /** Pattern with the words that tell it: `must start with "oci://"`. */
  readonly pattern?: readonly [RegExp, string];
  /** Word for the type where `text` says too little. */
  readonly type?: string;
  /** The value never enters a message, nor its line. */
  readonly isSecret?: boolean;
}

/** A text. A number or a truth value is refused, with the advice to quote it. */
export function text(options: TextOptions = {}): Schema<string> {
  const { minLength = 0, maxLength = Infinity, isSecret = false } = options;
  return {
    type: options.type ?? "text",
    read(value, path, report) {
      if (typeof value !== "string") return wrongType(value, "a text", path, report, isSecret);
      const wrong = value.length < minLength
        ? `it must have at least ${minLength} character${minLength === 1 ? "" : "s"}`
        : value.length > maxLength
        ? `it has ${value.length} characters, ${maxLength} are allowed`
        : options.pattern !== undefined && !options.pattern[0].test(value)
        ? `it ${options.pattern[1]}`
        : undefined;
      if (wrong === undefined) return value;
      const shown = isSecret ? "" : ` ${JSON.stringify(value.length > 120 ? `${value.slice(0, 117)}…` : value)}`;
      report({
        severity: "error",
        path,
        message: `Cannot use ${quoted(path)}${shown}: ${wrong}`,
        hint: "Correct the value",
        ...(isSecret ? { isSecret } : {}),
      });
      return undefined;
    },
  };
}

/** `true` or `false`. */
export function flag(): Schema<boolean> {
  return {
    type: "true or false",
    read: (value, path, report) => typeof value === "boolean" ? value : wrongType(value, "true or false", path, report),
  };
}

/** A whole number within bounds. */
export function integer(options: { readonly min?: number; readonly max?: number } = {}): Schema<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = options;
  const range = options.min === undefined && options.max === undefined
    ? ""
    : options.max === undefined
    ? `, at least ${min}`
    : ` from ${min} to ${max}`;
  return {
    type: `whole number${range}`,
    read(value, path, report) {
      if (typeof value !== "number" || !Number.isInteger(value)) {
        return wrongType(value, `a whole number${range}`, path, report);
      }
      if (value >= min && value <= max) return value;
      report({
        severity: "error",
        path,
        message: `Cannot use ${quoted(path)} ${value}: it must be a whole number${range}`,
        hint: "Correct the value",
      });
      return undefined;
    },
  };
}

/** One of the words. */
export function oneOf<const W extends readonly string[]>(...words: W): Schema<W[number]> {
  const list = listed(words);
  return {
    type: list,
    read(value, path, report) {
      if (typeof value !== "string") return wrongType(value, list, path, report);
      if (words.includes(value)) return value;
      const near = nearest(value, words);
      report({
        severity: "error",
        path,
        message: `Cannot use ${quoted(path)} ${JSON.stringify(value.slice(0, 120))}: it must be ${list}`,
        hint: near === undefined ? "Use one of the words" : `Did you mean "${near}"?`,
      });
      return undefined;
    },
  };
}

/** A list of values of one kind. */
export function list<T>(item: Schema<T>, options: { readonly minItems?: number } = {}): Schema<readonly T[]> {
  const { minItems = 0 } = options;
  return {
    type: `list of ${item.type === "object" ? "objects" : item.type}`,
    ...(item.fields === undefined ? {} : { fields: item.fields }),
    read(value, path, report) {
      if (!Array.isArray(value)) return wrongType(value, "a list", path, report);
      if (value.length < minItems) {
        report({
          severity: "error",
          path,
          message: `Cannot use ${quoted(path)}: it must have at least ${minItems} ${
            minItems === 1 ? "entry" : "entries"
          }`,
          hint: "Add an entry",
        });
        return undefined;
      }
      const items = (value as readonly JsonValue[]).map((member, index) => item.read(member, [...path, index], report));
      return items.includes(undefined) ? undefined : items as T[];
    },
  };
}

/** An object whose names are free and whose values are of one kind. */
export function mapOf<T>(item: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return {
    type: `map of ${item.type}`,
    read(value, path, report) {
      if (!isJsonObject(value)) return wrongType(value, "an object", path, report);
      const entries = Object.entries(value).map(([name, member]) =>
        [name, item.read(member, [...path, name], report)] as const
      );
      return entries.some(([, member]) => member === undefined)
        ? undefined
        : Object.fromEntries(entries) as Record<string, T>;
    },
  };
}

/** Any object. */
export function anyObject(): Schema<JsonObject> {
  return {
    type: "any object",
    read: (value, path, report) => isJsonObject(value) ? value : wrongType(value, "an object", path, report),
  };
}

/** A schema whose value is checked once more or turned into something else; `undefined` after a report. */
export function refine<T, R>(
  schema: Schema<T>,
  change: (value: T, path: Path, report: Report) => R | undefined,
  type: string = schema.type,
): Schema<R> {
  return {
    type,
    ...(schema.fields === undefined ? {} : { fields: schema.fields }),
    read(value, path, report) {
      const read = schema.read(value, path, report);
      return read === undefined ? undefined : change(read, path, report);
    },
  };
}

/** Reports a field that nobody knows, and returns the known name that seems meant. */
export function unknownField(
  name: string,
  known: readonly string[],
  path: Path,
  report: Report,
): string | undefined {
  const near = nearest(name, known);
  const where = path.length === 0 ? "" : ` in ${quoted(path)}`;
  report({
    severity: "error",
    path: [...path, name],
    message: `Unknown field "${name}"${where}: ${
      near === undefined ? `known are ${known.join(", ") || "none"}` : `did you mean "${near}"?`
    }`,
    hint: near === undefined ? "Remove the field" : `Write "${near}"`,
    atKey: true,
  });
  return near;
}

/** Reports a value of the wrong type. */
export function wrongType(value: JsonValue, wanted: string, path: Path, report: Report, isSecret = false): undefined {
  const isScalar = typeof value === "number" || typeof value === "boolean" || typeof value === "bigint";
  const wantsText = wanted === "a text" || wanted.startsWith('"');
  report({
    severity: "error",
    path,
    message: `Cannot use ${quoted(path)}: it must be ${wanted}, not ${
      isScalar && !isSecret ? `the ${typeof value === "boolean" ? "truth value" : "number"} ${value}` : typeName(value)
    }`,
    hint: isScalar && wantsText
      ? "Put the value in quotes"
      : typeof value === "number" && wanted.includes("duration")
      ? `Add the unit: "${value}s" or "${value}m"`
      : "Correct the value",
    ...(isSecret ? { isSecret } : {}),
  });
  return undefined;
}

/** Words in quotes: `"a", "b" or "c"`. */
export function listed(words: readonly string[]): string {
  const quotedWords = words.map((word) => `"${word}"`);
  const last = quotedWords.pop() ?? "";
  return quotedWords.length === 0 ? last : `${quotedWords.join(", ")} or ${last}`;
}

/** A path in quotes, for a message. */
export function quoted(path: Path): string {
  return path.length === 0 ? "the document" : `"${pathText(path)}"`;
}

function withArticle(type: string): string {
  if (type === "true or false" || type.startsWith('"')) return type;
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function typeName(value: JsonValue): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "string":
      return "a text";
    case "boolean":
      return "a truth value";
    case "number":
    case "bigint":
      return "a number";
    default:
      return "an object";
  }
}
