import type { Artifact, ArtifactStore } from "../core/artifact.ts";
import type { DesiredObject } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Source } from "../core/source.ts";
import type { Pipeline } from "./pipeline.ts";

/** What a source's pipeline is handed. */
export interface SourceTools {
  readonly store: ArtifactStore;
  /** The source of an object; made anew when its document changed. @throws {StageError} when its spec cannot work */
  readonly open: (object: DesiredObject) => Source;
}

/** Pipeline of a kind that yields artifacts: look, pull what is new, pin it, tell the consumers. */
export function sourcePipeline(kind: string, tools: SourceTools): Pipeline<{ readonly timeoutMs: number }> {
  return {
    kind,
    async run(run) {
      const source = tools.open(run.object);
      const previous = run.record.artifact;
      const isKept = previous !== undefined && await tools.store.has(previous);
      const result = await source.pull(isKept ? previous : undefined, run.signal);
      const { artifact } = result;
      const isNew = result.changed || !isKept;
      // The one before it stays as long as the store keeps history.
      if (isNew) await tools.store.pin(keyText(run.object.key), [artifact]);
      const message = `stored artifact for digest '${artifact.revision}'`;
      return {
        record: { artifact, lastAttemptedRevision: artifact.revision },
        reason: "Succeeded",
        message,
        conditions: [
          { type: "ArtifactInStorage", reason: "Succeeded", message },
          ...(result.verified === undefined
            ? []
            : [{ type: "SourceVerified", reason: "Succeeded", message: result.verified }]),
        ],
        warnings: result.warnings,
        events: isNew
          ? [{
            severity: "info" as const,
            reason: "NewArtifact",
            message: `stored artifact with revision '${artifact.revision}' from '${artifact.url}'`,
            metadata: {
              revision: artifact.revision,
              ...originRevision(artifact),
            },
          }]
          : [],
        ...(isNew ? { newArtifact: artifact } : {}),
      };
    },
    async remove(record) {
      await tools.store.unpin(keyText(record.key));
    },
  };
}

/** The revision of the repository that an artifact was made of, where its maker noted it. */
export function originRevision(artifact: Artifact): { readonly originRevision?: string } {
  const revision = artifact.metadata["org.opencontainers.image.revision"];
  return revision === undefined ? {} : { originRevision: revision };
}
