import { compileRegexp } from "./go_regexp.ts";
import { compareVersions, parseRange, type Version, versionOfTag } from "./semver.ts";

/** How a tag is chosen. */
export interface TagChoice {
  /** Only tags that this expression matches anywhere count (`spec.ref.semverFilter`). */
  readonly filter?: string;
  /** The tags are those of a Helm chart: `_` stands for `+`. */
  readonly isHelmChart?: boolean;
}

/**
 * The tag of the newest version in a range, as Flux chooses it (source-controller 1.7, `getTagBySemver`): only tags that are
 * strict versions after one leading `v` count; of equal ones the first in the list wins.
 *
 * @returns the tag as it is written in the list; `undefined` when none fits
 * @throws {FormatError} for a wrong range or filter
 */
export function newestTag(tags: readonly string[], range: string, choice: TagChoice = {}): string | undefined {
  const wanted = parseRange(range);
  const filter = choice.filter === undefined || choice.filter === "" ? undefined : compileRegexp(choice.filter);
  let newest: { readonly tag: string; readonly version: Version } | undefined;
  for (const tag of tags) {
    if (filter !== undefined && !filter.test(tag)) continue;
    const version = versionOfTag(choice.isHelmChart === true ? tag.replaceAll("_", "+") : tag);
    if (version === undefined || !wanted.allows(version)) continue;
    if (newest === undefined || compareVersions(version, newest.version) > 0) newest = { tag, version };
  }
  return newest?.tag;
}
