/**
 * Versions, ranges and the choice of a tag by the rules of github.com/Masterminds/semver v3.4.0, which Helm and Flux use.
 * They differ from npm's: `1.2` and `v1` are versions, `,` joins comparators, `>=1-0` lets pre-releases in.
 *
 * @module
 */
import { FormatError } from "./format_error.ts";

/** A number of a version: `bigint` only beyond 2^53. */
export type VersionNumber = number | bigint;

/** A parsed version. */
export interface Version {
  readonly major: VersionNumber;
  readonly minor: VersionNumber;
  readonly patch: VersionNumber;
  /** Without the dash; "" where there is none. */
  readonly prerelease: string;
  /** Build metadata without the plus; "" where there is none. It never counts in a comparison. */
  readonly metadata: string;
  /** As it was written. */
  readonly original: string;
}

const looseVersion =
  /^v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;
const strictVersion =
  /^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

/**
 * A version, leniently: minor and patch may be absent, a leading `v` and leading zeros are forgiven (`NewVersion`).
 *
 * @throws {FormatError} when it is none
 */
export function parseVersion(text: string): Version {
  return fromMatch(text, looseVersion.exec(text));
}

/**
 * A version as semver.org has it (`StrictNewVersion`); with `leadingV` one `v` in front is forgiven, as Flux does with tags.
 *
 * @throws {FormatError} when it is none
 */
export function parseStrictVersion(text: string, options: { readonly leadingV?: boolean } = {}): Version {
  const bare = options.leadingV === true && text.startsWith("v") ? text.slice(1) : text;
  return fromMatch(text, strictVersion.exec(bare));
}

function fromMatch(text: string, match: RegExpExecArray | null): Version {
  if (match === null) throw notAVersion(text);
  const prerelease = match[4] ?? "";
  if (prerelease !== "" && prerelease.split(".").some((part) => /^0[0-9]+$/.test(part))) throw notAVersion(text);
  return {
    major: versionNumber(match[1], text),
    minor: versionNumber(match[2], text),
    patch: versionNumber(match[3], text),
    prerelease,
    metadata: match[5] ?? "",
    original: text,
  };
}

function notAVersion(text: string): FormatError {
  return new FormatError(`Cannot read ${JSON.stringify(text)} as a version: it must look like 1.2.3 or 1.2.3-rc.1`);
}

function versionNumber(digits: string | undefined, text: string): VersionNumber {
  const near = Number(digits ?? 0);
  if (Number.isSafeInteger(near)) return near;
  const exact = BigInt(digits ?? 0);
  if (exact >= 2n ** 64n) throw notAVersion(text);
  return exact;
}

/** The canonical text: three numbers, pre-release, metadata; no `v`. */
export function versionText(version: Version): string {
  const prerelease = version.prerelease === "" ? "" : `-${version.prerelease}`;
  const metadata = version.metadata === "" ? "" : `+${version.metadata}`;
  return `${version.major}.${version.minor}.${version.patch}${prerelease}${metadata}`;
}

/** -1, 0 or 1: whether `a` is older than, as old as, or newer than `b` (semver.org 2.0.0, section 11). */
export function compareVersions(a: Version, b: Version): -1 | 0 | 1 {
  return compareValues(a.major, b.major) || compareValues(a.minor, b.minor) || compareValues(a.patch, b.patch) ||
    comparePrereleases(a.prerelease, b.prerelease);
}

function compareValues<T extends VersionNumber | string>(a: T, b: T): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}

function comparePrereleases(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  if (a === "") return 1;
  if (b === "") return -1;
  return compareParts(a, b);
}

/** Compares part by part; a missing part comes before every other. */
function compareParts(a: string, b: string): -1 | 0 | 1 {
  const left = a.split(".");
  const right = b.split(".");
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const order = comparePart(left[index] ?? "", right[index] ?? "");
    if (order !== 0) return order;
  }
  return 0;
}

function comparePart(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  if (a === "") return -1;
  if (b === "") return 1;
  const left = partNumber(a);
  const right = partNumber(b);
  if (left === undefined && right === undefined) return compareValues(a, b);
  if (left === undefined) return 1;
  if (right === undefined) return -1;
  return left > right ? 1 : -1;
}

function partNumber(text: string): bigint | undefined {
  if (!/^[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text);
  return value < 2n ** 64n ? value : undefined;
}

/** A parsed range of versions. */
export interface VersionRange {
  readonly text: string;
  /** Whether a version is in it. A pre-release is only where a comparator of the same `||` group names one. */
  allows(version: Version): boolean;
}

type Operator = "" | "=" | "!=" | ">" | "<" | ">=" | "<=" | "~" | "^";

interface Comparator {
  readonly operator: Operator;
  readonly version: Version;
  /** Which parts were not written, or written as `x`, `X` or `*`. `all`: the major one. */
  readonly open: "none" | "patch" | "minor" | "all";
}

const rangeLimit = 512;
const groupLimit = 32;
const rough = String.raw`v?([0-9|xX*]+)(\.[0-9|xX*]+)?(\.[0-9|xX*]+)?` +
  String.raw`(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?`;
const blank = String.raw`[\t\n\f\r ]`;
const hyphenRange = new RegExp(`${blank}*(${rough})${blank}+-${blank}+(${rough})${blank}*`, "g");
const comparator = new RegExp(`(=>|=<|!=|>=|<=|~>|=|>|<|~|\\^)?${blank}*(${rough})`, "y");
const separator = new RegExp(`${blank}*,${blank}*|${blank}+`, "y");

/**
 * A range: comparators joined by blanks or commas, alternatives by `||`, `1.2 - 1.4`, `~`, `^`, `x` and `*`.
 *
 * @throws {FormatError} for anything else, more than 512 characters or 32 alternatives
 */
export function parseRange(text: string): VersionRange {
  if (text.length > rangeLimit) throw badRange(text.slice(0, 40), `it has more than ${rangeLimit} characters`);
  const written = text.replace(hyphenRange, (_, from: string, ...rest: string[]) => `>= ${from}, <= ${rest[5]} `);
  const groups = written.split("||").map((group) => parseGroup(group, text));
  if (groups.length > groupLimit) throw badRange(text, `it has more than ${groupLimit} alternatives`);
  return { text, allows: (version) => groups.some((group) => groupAllows(group, version)) };
}

function badRange(text: string, why: string): FormatError {
  return new FormatError(`Cannot read ${JSON.stringify(text)} as a range of versions: ${why}`);
}

function parseGroup(group: string, text: string): readonly Comparator[] {
  const trimmed = group.replace(/^[\t\n\f\r ]+/, "");
  const comparators: Comparator[] = [];
  let at = 0;
  while (true) {
    comparator.lastIndex = at;
    const match = comparator.exec(trimmed);
    if (match === null) break;
    comparators.push(toComparator(match, text));
    at = comparator.lastIndex;
    separator.lastIndex = at;
    const end = at;
    if (!separator.test(trimmed)) return at === trimmed.length ? comparators : refuseGroup(text);
    at = separator.lastIndex;
    if (at === trimmed.length && !trimmed.slice(end).includes(",")) return comparators;
  }
  return refuseGroup(text);
}

function refuseGroup(text: string): never {
  throw badRange(text, 'comparators such as ">=1.2", "~1.2" or "1.x" are joined by blanks, commas or "||"');
}

const aliases: Readonly<Record<string, Operator>> = { "=>": ">=", "=<": "<=", "~>": "~" };
const anyPart = /^[xX*]$/;

function toComparator(match: RegExpExecArray, text: string): Comparator {
  const written = match[1] ?? "";
  const operator = aliases[written] ?? written as Operator;
  const [major = "", minor = "", patch = "", prerelease = ""] = match.slice(3, 7);
  const isOpen = (part: string) => part === "" || anyPart.test(part.replace(/^\./, ""));
  const full: readonly [string, Comparator["open"]] = isOpen(major)
    ? [`0.0.0${prerelease}`, "all"]
    : isOpen(minor)
    ? [`${major}.0.0${prerelease}`, "minor"]
    : isOpen(patch)
    ? [`${major}${minor}.0${prerelease}`, "patch"]
    : [match[2] ?? "", "none"];
  try {
    return { operator, version: parseVersion(full[0]), open: full[1] };
  } catch {
    throw badRange(text, `${JSON.stringify(match[2])} is no version`);
  }
}

function groupAllows(group: readonly Comparator[], version: Version): boolean {
  if (version.prerelease !== "" && !group.some((member) => member.version.prerelease !== "")) return false;
  return group.every((member) => matches(member, version));
}

function matches({ operator, version: bound, open }: Comparator, version: Version): boolean {
  switch (operator) {
    case "":
    case "=":
      return open === "none" ? compareVersions(version, bound) === 0 : inTilde(bound, open, version);
    case "!=":
      return isOther(bound, open, version);
    case ">":
      if (open === "minor") return version.major > bound.major;
      if (open === "patch") {
        return version.major > bound.major || (version.major === bound.major && version.minor > bound.minor);
      }
      if (open === "all" && version.major !== bound.major) return version.major > bound.major;
      return compareVersions(version, bound) > 0;
    case "<":
      return compareVersions(version, bound) < 0;
    case ">=":
      return compareVersions(version, bound) >= 0;
    case "<=":
      if (open === "none") return compareVersions(version, bound) <= 0;
      return version.major < bound.major ||
        (version.major === bound.major && (open === "minor" || version.minor <= bound.minor));
    case "~":
      return inTilde(bound, open, version);
    case "^":
      return inCaret(bound, open, version);
  }
}

function inTilde(bound: Version, open: Comparator["open"], version: Version): boolean {
  if (compareVersions(version, bound) < 0) return false;
  const isZero = bound.major === 0 && bound.minor === 0 && bound.patch === 0;
  if (isZero && open !== "minor" && open !== "patch") return true;
  return version.major === bound.major && (open === "minor" || version.minor === bound.minor);
}

function inCaret(bound: Version, open: Comparator["open"], version: Version): boolean {
  if (compareVersions(version, bound) < 0 || version.major !== bound.major) return false;
  if (bound.major > 0 || open === "minor") return true;
  if (version.minor !== bound.minor) return false;
  return bound.minor > 0 || open === "patch" || version.patch === bound.patch;
}

function isOther(bound: Version, open: Comparator["open"], version: Version): boolean {
  if (open === "none") return compareVersions(version, bound) !== 0;
  if (version.major !== bound.major) return true;
  if (open === "minor") return false;
  if (version.minor !== bound.minor) return true;
  if (open === "all") return version.patch !== bound.patch || compareVersions(version, bound) !== 0;
  return (version.prerelease !== "" || bound.prerelease !== "") && version.prerelease !== bound.prerelease;
}

/** The version of a tag: a strict one after one leading `v`; `undefined` for any other text. */
export function versionOfTag(tag: string): Version | undefined {
  const bare = tag.startsWith("v") ? tag.slice(1) : tag;
  if (!strictVersion.test(bare)) return undefined;
  try {
    return parseStrictVersion(bare);
  } catch {
    return undefined;
  }
}
