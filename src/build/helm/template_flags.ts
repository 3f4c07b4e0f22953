import { FormatError } from "../../format/format_error.ts";
import { parseDurationNs } from "../../format/duration.ts";
import { defaultDialect, type Dialect, dialects } from "./dialect.ts";
import { durationFault } from "./functions/dates.ts";
import { quoteText } from "./template/go_quote.ts";
import { byteLength } from "./template/go_string.ts";

/** How the text behind a flag is read (names of Go's pflag). */
export type FlagType =
  | "bool"
  | "string"
  | "int"
  | "float32"
  | "duration"
  /** Every use adds one text. */
  | "stringArray"
  /** Every use adds the fields of one line of CSV. */
  | "strings"
  /** `key=value,key=value` */
  | "stringToString"
  | "wait";

/** One flag. */
export interface FlagRow {
  readonly type: FlagType;
  readonly short?: string;
  /** What counts when the flag stands without a value. */
  readonly bare?: string;
  /** Said when the flag is used. */
  readonly deprecated?: string;
  readonly summary: string;
}

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

/** Arguments that Helm refuses; the message is the one of Go's pflag. */
export class FlagError extends Error {
  override readonly name = "FlagError";
}

const shared: Readonly<Record<string, FlagRow>> = {
  "allow-http": { type: "bool", summary: "our own: read schemas of http(s) addresses" },
  "api-versions": { type: "strings", short: "a", summary: "Kubernetes API versions for Capabilities.APIVersions" },
  "atomic": { type: "bool", deprecated: "use --rollback-on-failure instead", summary: "no effect here" },
  "burst-limit": { type: "int", summary: "no effect here" },
  "ca-file": { type: "string", summary: "certificate authorities of the registry" },
  "cert-file": { type: "string", summary: "client certificate for the registry" },
  "create-namespace": { type: "bool", summary: "no effect here" },
  "debug": { type: "bool", summary: "verbose output; prints manifests that are no YAML too" },
  "dependency-update": { type: "bool", summary: "fetch dependencies that are missing" },
  "description": { type: "string", summary: "no effect here" },
  "dialect": {
    type: "string",
    summary: `our own: whose text is printed: ${dialects.join(", ")} (default ${defaultDialect})`,
  },
  "devel": { type: "bool", summary: "development versions of the chart, too" },
  "disable-openapi-validation": { type: "bool", summary: "with a cluster: documents may lack apiVersion" },
  "dry-run": { type: "string", bare: "unset", summary: "client, or server to ask the cluster" },
  "enable-dns": { type: "bool", summary: "let getHostByName ask" },
  "force": { type: "bool", deprecated: "use --force-replace instead", summary: "no effect here" },
  "generate-name": { type: "bool", short: "g", summary: "make up a release name" },
  "help": { type: "bool", short: "h", summary: "this text" },
  "include-crds": { type: "bool", summary: "print the CRDs of crds/, too" },
  "insecure-skip-tls-verify": { type: "bool", summary: "accept any certificate of the registry" },
  "is-upgrade": { type: "bool", summary: "set .Release.IsUpgrade instead of .Release.IsInstall" },
  "key-file": { type: "string", summary: "key of the client certificate" },
  "keyring": { type: "string", summary: "no effect here" },
  "kube-apiserver": { type: "string", summary: "cluster's address" },
  "kube-as-group": { type: "stringArray", summary: "group to act as" },
  "kube-as-user": { type: "string", summary: "user to act as" },
  "kube-ca-file": { type: "string", summary: "certificate authorities of the cluster" },
  "kube-context": { type: "string", summary: "context of the kubeconfig" },
  "kube-insecure-skip-tls-verify": { type: "bool", summary: "accept any certificate of the cluster" },
  "kube-tls-server-name": { type: "string", summary: "name in the cluster's certificate" },
  "kube-token": { type: "string", summary: "token for the cluster" },
  "kube-version": { type: "string", summary: "Kubernetes version for Capabilities.KubeVersion" },
  "kubeconfig": { type: "string", summary: "path of the kubeconfig" },
  "labels": { type: "stringToString", short: "l", summary: "no effect here" },
  "name-template": { type: "string", summary: "template of the release name" },
  "namespace": { type: "string", short: "n", summary: "namespace of the release" },
  "no-hooks": { type: "bool", summary: "leave hooks out" },
  "output-dir": { type: "string", summary: "write files below this folder instead of printing" },
  "pass-credentials": { type: "bool", summary: "no effect here" },
  "password": { type: "string", summary: "password for the registry" },
  "plain-http": { type: "bool", summary: "talk to the registry without TLS" },
  "post-renderer": { type: "string", summary: "not built: Pilotfish runs no program over manifests" },
  "post-renderer-args": { type: "strings", summary: "not built" },
  "qps": { type: "float32", summary: "no effect here" },
  "registry-config": { type: "string", summary: "credentials of registries" },
  "release-name": { type: "bool", summary: "put the release name into the path below --output-dir" },
  "replace": { type: "bool", summary: "no effect here" },
  "repo": { type: "string", summary: "not built: charts come from folders, archives and oci:// registries" },
  "repository-cache": { type: "string", summary: "no effect here" },
  "repository-config": { type: "string", summary: "no effect here" },
  "set": { type: "stringArray", summary: "values: key=value,key.list[0]=value" },
  "set-file": { type: "stringArray", summary: "values from files: key=path" },
  "set-json": { type: "stringArray", summary: "JSON values: key=json, or a whole object" },
  "set-literal": { type: "stringArray", summary: "one text value, taken as it is" },
  "set-string": { type: "stringArray", summary: "text values" },
  "show-only": { type: "stringArray", short: "s", summary: "print only manifests of these templates" },
  "skip-crds": { type: "bool", summary: "with a cluster: no warning about the CRDs of crds/" },
  "skip-schema-validation": { type: "bool", summary: "do not check values.schema.json" },
  "skip-tests": { type: "bool", summary: "leave test hooks out" },
  "take-ownership": { type: "bool", summary: "with a cluster: whoever owns what exists" },
  "timeout": { type: "duration", summary: "no effect here" },
  "username": { type: "string", summary: "user name for the registry" },
  "validate": { type: "bool", summary: "ask the cluster for its versions, and whether it would take the manifests" },
  "values": { type: "strings", short: "f", summary: "values from YAML files, - for standard input" },
  "verify": { type: "bool", summary: "not built: PGP provenance" },
  "version": { type: "string", summary: "version or range of the chart" },
  "wait-for-jobs": { type: "bool", summary: "no effect here" },
};

const noEffect = "this flag has no effect for 'helm template' and will be removed in Helm 5";

const helm4Rows: Readonly<Record<string, FlagRow>> = {
  ...shared,
  "color": { type: "string", summary: "no effect here" },
  "colour": { type: "string", summary: "no effect here" },
  "content-cache": { type: "string", summary: "no effect here" },
  "force-conflicts": { type: "bool", summary: "no effect here" },
  "force-replace": { type: "bool", summary: "no effect here" },
  "hide-notes": { type: "bool", deprecated: noEffect, summary: "no effect here" },
  "render-subchart-notes": { type: "bool", deprecated: noEffect, summary: "no effect here" },
  "rollback-on-failure": { type: "bool", summary: "no effect here" },
  "server-side": { type: "bool", summary: "no effect here" },
  "validate": { ...shared.validate as FlagRow, deprecated: "use '--dry-run=server' instead" },
  "wait": { type: "wait", bare: "watcher", summary: "no effect here" },
};

/** Helm 4.1 did not yet say that flags about notes have no effect. */
const helm41Rows: Readonly<Record<string, FlagRow>> = {
  ...helm4Rows,
  "hide-notes": { type: "bool", summary: "no effect here" },
  "render-subchart-notes": { type: "bool", summary: "no effect here" },
};

const helm3Rows: Readonly<Record<string, FlagRow>> = {
  ...shared,
  "atomic": { type: "bool", summary: "no effect here" },
  "dry-run": { type: "string", bare: "client", summary: "client, or server to ask the cluster" },
  "force": { type: "bool", summary: "no effect here" },
  "hide-notes": { type: "bool", summary: "no effect here" },
  "render-subchart-notes": { type: "bool", summary: "no effect here" },
  "wait": { type: "bool", summary: "no effect here" },
};

const rowsOf: Readonly<Record<Dialect, Readonly<Record<string, FlagRow>>>> = {
  "helm3": helm3Rows,
  "helm4.1": helm41Rows,
  "helm4.2.4": helm4Rows,
};

/** Flags of `template` in a dialect, by name. */
export function templateFlags(dialect: Dialect): Readonly<Record<string, FlagRow>> {
  return rowsOf[dialect];
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
    const read = readFlag(name, row, text);
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

function isList(type: FlagType): boolean {
  return type === "stringArray" || type === "strings" || type === "stringToString";
}

function readFlag(name: string, row: FlagRow, text: string): readonly string[] {
  const wrong = (what: string): FlagError => {
    const shown = row.short === undefined ? `--${name}` : `-${row.short}, --${name}`;
    return new FlagError(`invalid argument ${quoteText(text)} for ${quoteText(shown)} flag: ${what}`);
  };
  switch (row.type) {
    case "bool": {
      const value = goBool(text);
      if (value === undefined) throw wrong(`strconv.ParseBool: parsing ${quoteText(text)}: invalid syntax`);
      return [String(value)];
    }
    case "int":
      if (!/^[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text)) {
        throw wrong(`strconv.ParseInt: parsing ${quoteText(text)}: invalid syntax`);
      }
      return [text];
    case "float32":
      if (text === "" || Number.isNaN(Number(text))) {
        throw wrong(`strconv.ParseFloat: parsing ${quoteText(text)}: invalid syntax`);
      }
      return [text];
    case "duration":
      if (!isDuration(text)) throw wrong(durationFault(text));
      return [text];
    case "wait":
      if (!["watcher", "hookOnly", "legacy", "true", "false"].includes(text)) {
        throw wrong(
          `invalid wait input ${quoteText(text)}. Valid inputs are watcher, hookOnly, and legacy`,
        );
      }
      return [text];
    case "strings":
      return csv(text, wrong);
    case "stringToString": {
      const pairs = csv(text, wrong);
      for (const pair of pairs) {
        if (!pair.includes("=")) throw wrong(`${pair} must be formatted as key=value`);
      }
      return pairs;
    }
  }
  return [text];
}

function csv(text: string, wrong: (why: string) => FlagError): readonly string[] {
  try {
    return csvFields(text);
  } catch (error) {
    if (error instanceof FormatError) throw wrong(error.what);
    throw error;
  }
}

function isDuration(text: string): boolean {
  try {
    parseDurationNs(text);
    return true;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** A boolean as Go's `strconv.ParseBool` takes it; `undefined` for other texts. */
export function goBool(text: string): boolean | undefined {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  return ["0", "f", "F", "FALSE", "false", "False"].includes(text) ? false : undefined;
}

/** Fields of the first line of a CSV text; "" has none. @throws {FormatError} in the words of Go's encoding/csv */
function csvFields(text: string): readonly string[] {
  if (text === "") return [];
  const fields: string[] = [];
  const wrong = (at: number, what: string) =>
    new FormatError(`parse error on line 1, column ${byteLength(text.slice(0, at)) + 1}: ${what}`);
  for (let at = 0; at <= text.length;) {
    if (text[at] !== '"') {
      const end = text.slice(at).search(/[,\n]|$/) + at;
      const quote = text.slice(at, end).indexOf('"');
      if (quote >= 0) throw wrong(at + quote, 'bare " in non-quoted-field');
      fields.push(text.slice(at, end));
      if (text[end] !== ",") break;
      at = end + 1;
      continue;
    }
    const inside = /(?:[^"]|"")*/y;
    inside.lastIndex = at + 1;
    const content = inside.exec(text)?.[0] ?? "";
    const end = at + 1 + content.length;
    if (text[end] !== '"') throw wrong(end, 'extraneous or missing " in quoted-field');
    fields.push(content.replaceAll('""', '"'));
    if (text[end + 1] === undefined || text[end + 1] === "\n") break;
    if (text[end + 1] !== ",") throw wrong(end, 'extraneous or missing " in quoted-field');
    at = end + 2;
  }
  return fields;
}

function refuseExclusive(given: ReadonlyMap<string, unknown>, dialect: Dialect): void {
  if (dialect === "helm3") return;
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
