/**
 * Versions (sprig 3.3.0, semver.go; Masterminds/semver 3.4).
 *
 * @module
 */
import { FormatError } from "../../../format/format_error.ts";
import { compareVersions, parseRange, parseVersion, versionText } from "../../../format/semver.ts";
import type { Version, VersionRange } from "../../../format/semver.ts";
import { GoError } from "../template/go_error.ts";
import { quoteText } from "../template/go_quote.ts";
import { byteLength } from "../template/go_string.ts";
import { goTypes, pointerType } from "../template/go_type.ts";
import type { GoType } from "../template/go_type.ts";
import { goInt, goInteger, GoStruct } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import { func, method } from "./registry.ts";
import type { FunctionRecord, FunctionTable } from "./registry.ts";

const { bool, int, string, uint64 } = goTypes;

/** A `*semver.Version`, or the `semver.Version` that `IncMajor` and its kin give. */
export class GoVersion extends GoStruct {
  readonly version: Version;

  constructor(version: Version, type: GoType) {
    super(type, {
      major: goInteger(uint64, version.major),
      minor: goInteger(uint64, version.minor),
      patch: goInteger(uint64, version.patch),
      pre: version.prerelease,
      metadata: version.metadata,
      original: version.original,
    });
    this.version = version;
  }

  override as(type: GoType): GoVersion {
    return new GoVersion(this.version, type);
  }
}

function part(name: "major" | "minor" | "patch"): FunctionRecord {
  return method([], uint64, (_, { version }: GoVersion) => goInteger(uint64, version[name]));
}

function word(read: (version: Version) => string): FunctionRecord {
  return method([], string, (_, { version }: GoVersion) => read(version));
}

function comparison(holds: (order: number) => boolean): FunctionRecord {
  return func([pointer()], bool, (_, ...[receiver, other]: unknown[]) => {
    const a = receiver as unknown as GoVersion;
    const b = other as GoVersion;
    return holds(compareVersions(a.version, versionOf(b)));
  });
}

/** Version of an argument. @throws {GoError} for a nil pointer, where Go panics */
function versionOf(value: unknown): Version {
  if (value instanceof GoVersion) return value.version;
  throw new GoError("runtime error: invalid memory address or nil pointer dereference");
}

/** The pointer's type as parameters name it. */
function pointer(): GoType {
  return { kind: "ptr", name: "*semver.Version" };
}

function raised(change: (version: Version) => Partial<Version>): FunctionRecord {
  return method([], { kind: "struct", name: "semver.Version" }, (_, { version }: GoVersion) => {
    const next: Version = { ...version, prerelease: "", metadata: "", ...change(version) };
    const prefix = version.original.startsWith("v") ? "v" : "";
    return new GoVersion({ ...next, original: prefix + versionText(next) }, structType);
  });
}

const plusOne = (value: Version["major"]): Version["major"] =>
  BigInt(value) + 1n < 2n ** 53n ? Number(value) + 1 : BigInt(value) + 1n;

function withPart(name: "prerelease" | "metadata"): FunctionRecord {
  return method([string], { kind: "struct", name: "semver.Version" }, (_, { version }: GoVersion, text) => {
    const parts = text.split(".");
    if (text !== "" && !parts.every((part) => /^[0-9A-Za-z-]+$/.test(part))) {
      throw new GoError(`invalid ${name} string`);
    }
    if (name === "prerelease" && parts.some((part) => /^0[0-9]+$/.test(part))) throw new GoError(leadingZero);
    const next: Version = { ...version, [name]: text };
    const prefix = version.original.startsWith("v") ? "v" : "";
    return new GoVersion({ ...next, original: prefix + versionText(next) }, structType);
  });
}

/** Methods of the struct. */
const valueMethods: Readonly<Record<string, FunctionRecord>> = {
  IncMajor: raised((version) => ({ major: plusOne(version.major), minor: 0, patch: 0 })),
  IncMinor: raised((version) => ({ minor: plusOne(version.minor), patch: 0 })),
  IncPatch: raised((version) => version.prerelease === "" ? { patch: plusOne(version.patch) } : {}),
  Major: part("major"),
  Metadata: word((version) => version.metadata),
  Minor: part("minor"),
  Patch: part("patch"),
  Prerelease: word((version) => version.prerelease),
  SetMetadata: withPart("metadata"),
  SetPrerelease: withPart("prerelease"),
  String: word(versionText),
};

/** Methods of a pointer to it. */
const methods: Readonly<Record<string, FunctionRecord>> = {
  ...valueMethods,
  Compare: func(
    [pointer()],
    int,
    (_, ...[receiver, other]: unknown[]) =>
      goInt(compareVersions((receiver as unknown as GoVersion).version, versionOf(other))),
  ),
  Equal: comparison((order) => order === 0),
  GreaterThan: comparison((order) => order > 0),
  GreaterThanEqual: comparison((order) => order >= 0),
  LessThan: comparison((order) => order < 0),
  LessThanEqual: comparison((order) => order <= 0),
  Original: word((version) => version.original),
};

const structType: GoType = {
  kind: "struct",
  name: "semver.Version",
  fields: [
    { name: "major", type: uint64, isPrivate: true },
    { name: "minor", type: uint64, isPrivate: true },
    { name: "patch", type: uint64, isPrivate: true },
    { name: "pre", type: string, isPrivate: true },
    { name: "metadata", type: string, isPrivate: true },
    { name: "original", type: string, isPrivate: true },
  ],
  methods: valueMethods,
  toJson: (value: Value) => versionText((value as GoVersion).version),
};

const pointerToVersion: GoType = { ...pointerType(structType), methods };

const leadingZero = "version segment starts with 0";

/** Why a text is no version, in Go's words. */
function versionFault(text: string): string {
  if (byteLength(text) > 256) return "version string is too long (max 256 bytes)";
  const word = "[0-9A-Za-z-]+";
  const shape = new RegExp(
    `^v?(\\d+)(?:\\.(\\d+))?(?:\\.(\\d+))?(-${word}(?:\\.${word})*)?(?:\\+${word}(?:\\.${word})*)?$`,
  );
  const match = shape.exec(text);
  if (match === null) return "invalid semantic version";
  const large = match.slice(1, 4).find((digits) => digits !== undefined && BigInt(digits) >= 2n ** 64n);
  if (large === undefined) return leadingZero;
  return `error parsing version segment: strconv.ParseUint: parsing ${quoteText(large)}: value out of range`;
}

function readVersion(text: string): Version {
  if (byteLength(text) <= 256) {
    try {
      return parseVersion(text);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
  throw new GoError(versionFault(text));
}

/** Why a text is no range, in Go's words: the first group that is none. */
function rangeFault(text: string): string {
  if (byteLength(text) > 512) return "constraint string is too long (max 512 bytes)";
  const groups = text.split("||");
  if (groups.length > 32) return "too many constraint groups (max 32)";
  const bad = groups.find((group) => rangeOf(group) === undefined) ?? text;
  // Where every part looks like one of a range, a version among them cannot be read.
  const tame = bad.replace(/\d{16,}/g, "1").replace(/-[0-9A-Za-z.-]+/g, "-a");
  return rangeOf(tame) === undefined ? `improper constraint: ${quoteText(bad)}` : "constraint parser error";
}

function rangeOf(text: string): VersionRange | undefined {
  try {
    return parseRange(text);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function readRange(text: string): VersionRange {
  const range = rangeOf(text);
  if (range === undefined) throw new GoError(rangeFault(text));
  return range;
}

/** Functions by name. */
export const semverFunctions: FunctionTable = {
  semver: func([string], pointerToVersion, (_, text) => new GoVersion(readVersion(text), pointerToVersion)),
  semverCompare: func([string, string], bool, (_, constraint, text) => {
    const range = readRange(constraint);
    return range.allows(readVersion(text));
  }),
};
