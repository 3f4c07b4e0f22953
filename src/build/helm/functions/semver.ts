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
import { goTypes, pointerType } from "../template/go_type.ts";
import type { GoType } from "../template/go_type.ts";
import { goInt, goInteger, GoStruct } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import { func, method } from "./registry.ts";
import type { FunctionRecord, FunctionTable } from "./registry.ts";

const { bool, int, string, uint64 } = goTypes;

/** A `*semver.Version`, or the `semver.Version` that `IncMajor` and its kin give. */
class GoVersion extends GoStruct {
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

const methods: Readonly<Record<string, FunctionRecord>> = {
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
  Major: part("major"),
  Metadata: word((version) => version.metadata),
  Minor: part("minor"),
  Original: word((version) => version.original),
  Patch: part("patch"),
  Prerelease: word((version) => version.prerelease),
  String: word(versionText),
  IncMajor: raised((version) => ({ major: plusOne(version.major), minor: 0, patch: 0 })),
  IncMinor: raised((version) => ({ minor: plusOne(version.minor), patch: 0 })),
  IncPatch: raised((version) => version.prerelease === "" ? { patch: plusOne(version.patch) } : {}),
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
  methods,
  toJson: (value: Value) => versionText((value as GoVersion).version),
};

const pointerToVersion = pointerType(structType);

function readVersion(text: string): Version {
  try {
    return parseVersion(text);
  } catch (error) {
    if (error instanceof FormatError) throw new GoError("invalid semantic version");
    throw error;
  }
}

function readRange(text: string): VersionRange {
  try {
    return parseRange(text);
  } catch (error) {
    if (error instanceof FormatError) throw new GoError(`improper constraint: ${quoteText(text)}`);
    throw error;
  }
}

/** Functions by name. */
export const semverFunctions: FunctionTable = {
  semver: func([string], pointerToVersion, (_, text) => new GoVersion(readVersion(text), pointerToVersion)),
  semverCompare: func([string, string], bool, (_, constraint, text) => {
    const range = readRange(constraint);
    return range.allows(readVersion(text));
  }),
};
