import type { Artifact } from "../core/artifact.ts";
import type { ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { FoundIn } from "./record.ts";

/** What a build found of objects, and what the one before had found. */
export interface FoundChildren {
  readonly before: readonly ObjectKey[];
  readonly found: readonly ObjectKey[];
  /** Whether the build gave nothing at all. */
  readonly isEmptyBuild: boolean;
  /** Whether every object in the artifact could be read. */
  readonly areAllRead: boolean;
  /** Whether what left the artifact goes (`spec.prune`). */
  readonly prune: boolean;
  /** Confirmed by a person: no alarm. */
  readonly isConfirmed: boolean;
}

/** How many objects there must be before the share of those that go is looked at. */
const shareFrom = 10;

/**
 * Whether objects that are not in an artifact any more stay: with `prune: false`; while one of the artifact cannot be read,
 * because it may be that one; and when the build gave nothing at all, or more than half of more than ten would go at once, as
 * with a wrong path. All that they applied would go with them.
 */
export function missingChildren(children: FoundChildren): { readonly areKept: boolean; readonly alarm?: string } {
  if (!children.prune || !children.areAllRead) return { areKept: true };
  const found = new Set(children.found.map(keyText));
  const all = new Set([...children.before.map(keyText), ...found]);
  const missing = children.before.filter((key) => !found.has(keyText(key)));
  const isAlarming = missing.length > 0 && children.isEmptyBuild ||
    all.size > shareFrom && missing.length * 2 > all.size;
  if (!isAlarming || children.isConfirmed) return { areKept: false };
  return {
    areKept: true,
    alarm:
      `${missing.length} of ${all.size} objects of the artifact would be removed with all that they applied; to confirm, annotate the owner with pilotfish.dev/prune: confirmed`,
  };
}

/**
 * The artifacts in which the objects of a parent are found again after a run: its own, and for each object that is kept
 * though it is missing there, the one that had it last.
 */
export function artifactsToKeep(
  before: readonly FoundIn[],
  run: { readonly artifact: Artifact; readonly found: readonly ObjectKey[]; readonly areMissingKept: boolean },
): readonly FoundIn[] {
  const found = new Set(run.found.map(keyText));
  const isKept = (key: ObjectKey) => run.areMissingKept && !found.has(keyText(key));
  return [
    { artifact: run.artifact, children: run.found },
    ...before.map(({ artifact, children }) => ({ artifact, children: children.filter(isKept) })),
  ].filter(({ children }) => children.length > 0);
}
