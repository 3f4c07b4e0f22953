import { type Dialect, dialects, isHelm3 } from "../dialect.ts";
import { quoteText } from "../template/go_quote.ts";
import { FlagError, isList, readFlag } from "./flag_value.ts";
import { templateFlags } from "./template_flags.ts";
import type { FlagRow } from "./template_flags.ts";

/** Arguments as Helm's flag parser reads them. */
export interface ParsedFlags {
  /** What is no flag, in order. */
  readonly positional: readonly string[];
  /** Whether a flag was given. */
  has(name: string): boolean;
  /** Last text of a flag, or `fallback`. */
  text(name: string, fallback: string): string;
  /** A boolean flag; `false` where it was not given. */
  isOn(name: string): boolean;
  /** All texts of a flag that may stand several times. */
  list(name: string): readonly string[];
  /** Lines about deprecated flags, in order. */
  readonly deprecations: readonly string[];
}

/**
 * The dialect that arguments ask for with our own `--dialect`, the last one when there are several; `undefined` without. It
 * is looked for ahead of all others, because it decides which flags there are.
 *
 * @throws {FlagError} for one that is not known
 */
export function dialectOf(args: readonly string[]): Dialect | undefined {
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  let found: Dialect | undefined;
  own.forEach((arg, index) => {
    const text = arg === "--dialect" ? own[index + 1] : arg.startsWith("--dialect=") ? arg.slice(10) : undefined;
    if (text === undefined) return;
    found = dialects.find((dialect) => dialect === text);
    if (found === undefined) {
      throw new FlagError(
        `invalid argument ${quoteText(text)} for "--dialect" flag: must be one of ${dialects.join(", ")}`,
      );
    }
  });
  return found;
}

/** Flags that must not stand together. */
const exclusive: readonly (readonly string[])[] = [["force-replace", "force-conflicts"], ["force", "force-conflicts"], [
  "validate",
  "dry-run",
]];

/**
 * Reads arguments as Go's pflag does: flags may stand among other arguments, `--` ends them, short ones may be joined.
 *
 * @throws {FlagError} for a flag that is not known, lacks its value, or has a wrong one
 */
export function parseFlags(args: readonly string[], dialect: Dialect): ParsedFlags {
  const rows = templateFlags(dialect);
  const given = new Map<string, string[]>();
  const positional: string[] = [];
  const deprecations: string[] = [];
  const set = (name: string, text: string) => {
    const row = rows[name] as FlagRow;
    const read = readFlag({ name, ...row }, text);
    const old = given.get(name);
    if (old === undefined || !isList(row.type)) given.set(name, [...read]);
    else old.push(...read);
    if (row.deprecated !== undefined) deprecations.push(`Flag --${name} has been deprecated, ${row.deprecated}`);
  };
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string;
    if (arg === "--") {
      positional.push(...args.slice(index + 1));
      break;
    }
    if (arg.startsWith("--")) index += longFlag(arg, args[index + 1], rows, set);
    else if (arg.startsWith("-") && arg.length > 1) index += shortFlags(arg, args[index + 1], rows, set);
    else positional.push(arg);
  }
  refuseExclusive(given, dialect);
  const texts = (name: string) => given.get(name) ?? [];
  return {
    positional,
    deprecations,
    has: (name) => given.has(name),
    text: (name, fallback) => texts(name).at(-1) ?? fallback,
    isOn: (name) => texts(name).at(-1) === "true",
    list: texts,
  };
}

type SetFlag = (name: string, text: string) => void;

/** @returns how many of the following arguments were taken */
function longFlag(
  arg: string,
  next: string | undefined,
  rows: Readonly<Record<string, FlagRow>>,
  set: SetFlag,
): number {
  const body = arg.slice(2);
  if (body.startsWith("-") || body.startsWith("=")) throw new FlagError(`bad flag syntax: ${arg}`);
  const equals = body.indexOf("=");
  const name = equals < 0 ? body : body.slice(0, equals);
  const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
  if (row === undefined) throw new FlagError(`unknown flag: --${name}`);
  const bare = bareText(row);
  if (equals >= 0) set(name, body.slice(equals + 1));
  else if (bare !== undefined) set(name, bare);
  else if (next === undefined) throw new FlagError(`flag needs an argument: --${name}`);
  else {
    set(name, next);
    return 1;
  }
  return 0;
}

function shortFlags(
  arg: string,
  next: string | undefined,
  rows: Readonly<Record<string, FlagRow>>,
  set: SetFlag,
): number {
  let letters = arg.slice(1);
  while (letters !== "") {
    const letter = letters[0] as string;
    const found = Object.entries(rows).find(([, row]) => row.short === letter);
    if (found === undefined) throw new FlagError(`unknown shorthand flag: ${quoteLetter(letter)} in -${letters}`);
    const [name, row] = found;
    const rest = letters.slice(1);
    const bare = bareText(row);
    if (rest.startsWith("=") && rest.length > 1) {
      set(name, rest.slice(1));
      return 0;
    }
    if (bare !== undefined) {
      set(name, bare);
      letters = rest;
    } else if (rest !== "") {
      set(name, rest);
      return 0;
    } else if (next === undefined) {
      throw new FlagError(`flag needs an argument: ${quoteLetter(letter)} in -${letters}`);
    } else {
      set(name, next);
      return 1;
    }
  }
  return 0;
}

function quoteLetter(letter: string): string {
  return `'${letter}'`;
}

function bareText(row: FlagRow): string | undefined {
  return row.bare ?? (row.type === "bool" ? "true" : undefined);
}

function refuseExclusive(given: ReadonlyMap<string, unknown>, dialect: Dialect): void {
  if (isHelm3(dialect)) return;
  for (const group of exclusive) {
    const both = group.filter((name) => given.has(name));
    if (both.length > 1) {
      const list = [...both].sort().join(" ");
      throw new FlagError(
        `if any flags in the group [${group.join(" ")}] are set none of the others can be; [${list}] were all set`,
      );
    }
  }
}
