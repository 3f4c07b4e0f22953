import type { Artifact } from "../core/artifact.ts";
import { digestOf } from "../core/digest.ts";
import { canonicalJson } from "../core/json.ts";
import type { CheckoutSpec } from "../core/specs.ts";
import { artifactOf } from "./inputs.ts";
import type { Pipeline } from "./pipeline.ts";

/** What a Checkout's pipeline is handed. */
export interface CheckoutTools {
  /** Whether the path shows this version of this artifact already. */
  readonly isCheckedOut: (spec: CheckoutSpec, artifact: Artifact, version: string) => Promise<boolean>;
  readonly checkOut: (
    order: {
      readonly spec: CheckoutSpec;
      readonly artifact: Artifact;
      readonly version: string;
      readonly isOurs: boolean;
    },
    signal: AbortSignal,
  ) => Promise<{ readonly changed: boolean; readonly fileCount: number }>;
  readonly afterChange: (spec: CheckoutSpec, artifact: Artifact, signal: AbortSignal) => Promise<void>;
  readonly remove: (path: string, kind: "tree" | "blob") => Promise<void>;
}

/** Pipeline of a Checkout: files first, then what the workload is told; a failure of the latter is tried again alone. */
export function checkoutPipeline(tools: CheckoutTools): Pipeline<CheckoutSpec> {
  return {
    kind: "Checkout",
    async run(run) {
      const { spec } = run.object;
      const artifact = artifactOf(run, spec.sourceRef);
      const { content } = artifact;
      const digest = content.kind === "tree" ? content.digest : content.descriptor.digest;
      const inputs = digestOf(canonicalJson([
        digest,
        spec.path,
        spec.subPath,
        spec.mode.files,
        spec.mode.folders,
        spec.mode.owner === undefined ? null : [spec.mode.owner.uid, spec.mode.owner.gid],
      ]));
      const version = inputs.slice("sha256:".length, "sha256:".length + 32);
      const target = `checkout ${spec.path}`;
      const message = `Checked out revision: ${artifact.revision}`;
      const removal = { prune: true, wait: false, target: `${content.kind}:${spec.path}` };
      const settled = {
        record: { inputs, lastAppliedRevision: artifact.revision, lastAttemptedRevision: artifact.revision, removal },
        reason: "ReconciliationSucceeded",
        message,
        warnings: [],
        target,
      } as const;
      if (run.record.inputs === inputs && await tools.isCheckedOut(spec, artifact, version)) {
        return { ...settled, events: [] };
      }
      run.progress(`Checking out revision ${artifact.revision}`);
      // Kept before anything is written: what a crash leaves is known to be ours, and that the workload has not heard of it.
      const before = run.record.removal;
      await run.checkpoint({
        removal,
        lastAttemptedRevision: artifact.revision,
        ...(run.record.inputs === undefined ? {} : { inputs: unfinished }),
      });
      if (before?.target !== undefined && before.target !== removal.target) await removeAt(before.target, tools);
      // Only a run that ended well proves that the file is ours: an earlier one may have been refused.
      const isOurs = run.record.inputs !== undefined && before?.target === removal.target;
      const done = await tools.checkOut({ spec, artifact, version, isOurs }, run.signal);
      // The same inputs again: somebody removed the files, and they are back; the workload hears of it too.
      if (spec.afterChange !== undefined) await tools.afterChange(spec, artifact, run.signal);
      return {
        ...settled,
        events: done.changed
          ? [{
            severity: "info" as const,
            reason: "ReconciliationSucceeded",
            message: `${message} (${done.fileCount} files in "${spec.path}")`,
            metadata: { revision: artifact.revision },
          }]
          : [],
      };
    },
    async remove(record) {
      const { removal } = record;
      if (
        removal?.prune === true && removal.target !== undefined &&
        (record.inputs !== undefined || removal.target.startsWith("tree:"))
      ) {
        await removeAt(removal.target, tools);
      }
    },
  };
}

/** Stands for inputs while files may have changed and the workload was not told yet. */
const unfinished = "";

async function removeAt(target: string, tools: CheckoutTools): Promise<void> {
  const colon = target.indexOf(":");
  await tools.remove(target.slice(colon + 1), target.slice(0, colon) as "tree" | "blob");
}
