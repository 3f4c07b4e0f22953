/**
 * Template values as TOML, as github.com/BurntSushi/toml v1.6 encodes them: keys sorted, plain members before tables, tables
 * indented by two blanks per level, maps within lists inline.
 *
 * @module
 */
import { shortestFloat } from "../../../format/go_float.ts";
import { formatGoTime, utc } from "../../../format/go_time.ts";
import type { GoMoment } from "../../../format/go_time.ts";
import { GoError } from "../template/go_error.ts";
import { sortedKeys } from "../template/go_string.ts";
import { GoBytes, GoComplex, GoInt, GoMap, GoSlice, GoStruct, isNil, typeNameOf } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import { GoTime } from "./dates.ts";
import type { CallContext } from "./registry.ts";

type Key = readonly string[];
type Members = readonly (readonly [string, Value])[];

/** TOML text of a value; what is no map stands alone, without a line break. @throws {GoError} for what TOML cannot say, with the text of the encoder */
export function tomlText(context: CallContext, value: Value): string {
  const writer = new Writer(context);
  const members = membersOf(value);
  if (members !== undefined) writer.members([], members);
  else if (isTableList(value)) throw new GoError("toml: top-level values must be Go maps or structs");
  else return writer.inline(value);
  return writer.text;
}

function membersOf(value: Value): Members | undefined {
  if (value instanceof GoMap) return sortedKeys(value.entries).map((key) => [key, value.entries?.get(key)] as const);
  if (!(value instanceof GoStruct) || value.fields === null || value.type.toJson !== undefined) return undefined;
  const fields = (value.type.elem ?? value.type).fields ?? [];
  return fields.filter((field) => field.isPrivate !== true).flatMap((field) => {
    const member = value.fields?.[field.name];
    return field.isEmbedded ? membersOf(member) ?? [] : [[field.name, member] as const];
  });
}

function isTable(value: Value): boolean {
  return membersOf(value) !== undefined;
}

/** Whether a list is one of tables: all its items are, and there is one. */
function isTableList(value: Value): value is GoSlice {
  if (!(value instanceof GoSlice) || value.items === null || value.items.length === 0) return false;
  return value.items.map((item) => {
    if (isNil(item)) throw new GoError("toml: cannot encode array with nil element");
    checkKind(item);
    return isTable(item);
  }).every(Boolean);
}

/** Refuses what has no kind in TOML. Called where the encoder asks for kinds: for members and items, not for what stands alone. */
function checkKind(value: Value): void {
  if (value instanceof GoComplex) throw new GoError(`unsupported type: ${value.type.kind}`);
}

class Writer {
  text = "";
  readonly #context: CallContext;

  constructor(context: CallContext) {
    this.#context = context;
  }

  members(key: Key, members: Members): void {
    const present = members.filter(([, value]) => !isNil(value));
    for (const [, value] of present) checkKind(value);
    for (const wantsTables of [false, true]) {
      for (const [name, value] of present) {
        if ((isTable(value) || isTableList(value)) === wantsTables) this.#member([...key, name], value);
      }
    }
  }

  #newline(): void {
    if (this.text !== "") this.text += "\n";
  }

  #member(key: Key, value: Value): void {
    this.#context.spend(1);
    const indent = "  ".repeat(key.length - 1);
    const members = membersOf(value);
    if (members !== undefined) {
      if (key.length === 1) this.#newline();
      this.text += `${indent}[${keyPath(key)}]\n`;
      this.members(key, members);
    } else if (isTableList(value)) {
      for (const item of value.items ?? []) {
        this.#newline();
        this.text += `${indent}[[${keyPath(key)}]]\n`;
        this.members(key, membersOf(item) ?? []);
      }
    } else this.text += `${indent}${keyText(key.at(-1) as string)} = ${this.inline(value)}\n`;
  }

  inline(value: Value): string {
    this.#context.spend(1);
    if (typeof value === "string") return quoted(value);
    if (typeof value === "number") return floatText(value);
    if (typeof value === "boolean") return String(value);
    if (value instanceof GoInt) return value.value.toString();
    if (value instanceof GoBytes) return `[${[...value.bytes ?? []].join(", ")}]`;
    if (value instanceof GoSlice) {
      const items = value.items ?? [];
      if (items.some(isNil)) throw new GoError("toml: cannot encode array with nil element");
      return `[${items.map((item) => this.inline(item)).join(", ")}]`;
    }
    const members = membersOf(value);
    if (members === undefined) {
      if (value instanceof GoTime) return timeText(value.moment);
      const made = value?.type.toJson?.(value);
      if (typeof made === "string") return quoted(made);
      throw new GoError(`unsupported type for key '': ${typeNameOf(value)}`);
    }
    for (const [, member] of members) checkKind(member);
    const plain = members.filter(([, member]) => !isTable(member) && !isTableList(member));
    const tables = members.filter(([, member]) => isTable(member) || isTableList(member));
    const isStruct = value instanceof GoStruct;
    let text = "";
    for (const [index, [name, member]] of [...plain, ...tables].entries()) {
      // A nil is left out, the comma before it is not; fields of a struct are counted in the order of declaration.
      if (isNil(member)) continue;
      const place = isStruct ? members.findIndex(([other]) => other === name) : index;
      text += `${keyText(name)} = ${this.inline(member)}${place === members.length - 1 ? "" : ", "}`;
    }
    return `{${text}}`;
  }
}

/** A time; one that was read without a zone is written without one, in UTC. */
function timeText(moment: GoMoment): string {
  const layout = localLayouts[moment.zone.name];
  return layout === undefined || moment.zone.kind !== "fixed"
    ? formatGoTime(moment, "2006-01-02T15:04:05.999999999Z07:00")
    : formatGoTime({ ...moment, zone: utc }, layout);
}

const localLayouts: Readonly<Record<string, string>> = {
  "datetime-local": "2006-01-02T15:04:05.999999999",
  "date-local": "2006-01-02",
  "time-local": "15:04:05.999999999",
};

/** A key of several parts, those quoted that need it. */
export function keyPath(key: Key): string {
  return key.map(keyText).join(".");
}

function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : quoted(key);
}

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
};

function quoted(text: string): string {
  // deno-lint-ignore no-control-regex
  const escaped = text.replace(
    /[\0-\x1f"\\\x7f]/g,
    (character) => short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const text = shortestFloat(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
