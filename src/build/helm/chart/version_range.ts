import { FormatError } from "../../../format/format_error.ts";
import { parseRange, parseVersion } from "../../../format/semver.ts";

/** Whether a text is a version as Masterminds' `NewVersion` takes it (leniently). */
export function isLooseVersion(text: string): boolean {
  return holds(() => parseVersion(text) !== undefined);
}

/** Whether a text is a range as Masterminds' `NewConstraint` takes it. */
export function isRange(text: string): boolean {
  return holds(() => parseRange(text) !== undefined);
}

/** Whether a version lies in a range; `false` when either is malformed (Helm 4.2.4, `IsCompatibleRange`). */
export function isCompatibleRange(range: string, version: string): boolean {
  return holds(() => parseRange(range).allows(parseVersion(version)));
}

/** What is asked of texts; `false` where one of them is malformed. */
function holds(asked: () => boolean): boolean {
  try {
    return asked();
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}
