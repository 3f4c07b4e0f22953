import { FormatError } from "../../../format/format_error.ts";
import { parseRange, parseVersion } from "../../../format/semver.ts";

/** Whether a text is a version as Masterminds' `NewVersion` takes it (leniently). */
export function isLooseVersion(text: string): boolean {
  try {
    parseVersion(text);
    return true;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** Whether a version lies in a range; `false` when either is malformed (Helm 4.2.4, `IsCompatibleRange`). */
export function isCompatibleRange(range: string, version: string): boolean {
  try {
    return parseRange(range).allows(parseVersion(version));
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}
