import type { Artifact } from "../../core/artifact.ts";
import type { Descriptor } from "../../core/descriptor.ts";
import type { Digest } from "../../core/digest.ts";

/** One artifact that the store keeps for one owner. */
export interface PinRecord {
  readonly owner: string;
  /** `false`: kept as history, for a rollback. */
  readonly isPinned: boolean;
  readonly artifact: Artifact;
  /** Of the manifest or index that the artifact's reference resolved to. */
  readonly manifest: Descriptor;
  /** Sizes of the blobs that it needs, in bytes. */
  readonly sizes: Readonly<Record<Digest, number>>;
}

/** Files of the store, by the digest in their name. */
export interface NeededFiles {
  readonly blobs: ReadonlySet<Digest>;
  readonly trees: ReadonlySet<Digest>;
}

/** What tells one kept artifact of an owner from another. */
function pinIdentity(artifact: Artifact): string {
  const { content } = artifact;
  return `${artifact.revision} ${content.kind} ${content.kind === "tree" ? content.digest : content.descriptor.digest}`;
}

/**
 * Records after `owner` said what it needs: `pinned`, then what it needed before, newest first, until it has `history`
 * artifacts in all. What is pinned is never cut. Other owners stay as they are.
 */
export function withPins(
  records: readonly PinRecord[],
  owner: string,
  pinned: readonly PinRecord[],
  history: number,
): readonly PinRecord[] {
  const identities = new Set(pinned.map((record) => pinIdentity(record.artifact)));
  const older = records
    .filter((record) => record.owner === owner && !identities.has(pinIdentity(record.artifact)))
    .slice(0, Math.max(0, history - pinned.length))
    .map((record) => ({ ...record, isPinned: false }));
  return [...records.filter((record) => record.owner !== owner), ...pinned, ...older];
}

/** Records without the history entries that were added first, one of each owner in turn, until `fits` says that it is enough. */
export function withLessHistory(
  records: readonly PinRecord[],
  fits: (records: readonly PinRecord[]) => boolean,
): readonly PinRecord[] {
  let kept = records;
  while (!fits(kept)) {
    const oldest = oldestOfEachOwner(kept);
    if (oldest.size === 0) return kept;
    for (const record of oldest) {
      kept = kept.filter((other) => other !== record);
      if (fits(kept)) return kept;
    }
  }
  return kept;
}

/** The last history entry of each owner, the one changed longest ago first. */
function oldestOfEachOwner(records: readonly PinRecord[]): ReadonlySet<PinRecord> {
  const last = new Map<string, PinRecord>();
  for (const record of records) if (!record.isPinned) last.set(record.owner, record);
  return new Set(
    [...last.values()].sort((a, b) => (a.artifact.lastUpdateTime < b.artifact.lastUpdateTime ? -1 : 1)),
  );
}

/** Files that records need. The layer is among them, so that a pack can be made again. */
export function neededFiles(records: readonly PinRecord[]): NeededFiles {
  const blobs = new Set<Digest>();
  const trees = new Set<Digest>();
  for (const { artifact, manifest } of records) {
    blobs.add(manifest.digest).add(artifact.digest);
    for (const digest of artifact.blobs) blobs.add(digest);
    if (artifact.recipe !== undefined) blobs.add(artifact.recipe.layer.digest);
    if (artifact.content.kind === "tree") trees.add(artifact.content.digest);
    else blobs.add(artifact.content.descriptor.digest);
  }
  return { blobs, trees };
}
