import type { Artifact } from "../core/artifact.ts";
import { isTrue } from "../core/condition.ts";
import { digestOf } from "../core/digest.ts";
import type { JsonValue } from "../core/json.ts";
import { canonicalJson } from "../core/json.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import { StageError } from "../core/stage_error.ts";
import type { Target } from "../core/target.ts";
import { pruneAnnotation } from "./apply_and_prune.ts";
import type { Run } from "./pipeline.ts";

/** The artifact of a source that an object uses. @throws {StageError} SourceNotReady */
export function artifactOf(run: Pick<Run<unknown>, "find">, ref: ObjectKey): Artifact {
  const source = run.find(ref);
  const name = `${ref.kind} '${ref.namespace}/${ref.name}'`;
  if (source === undefined) {
    throw new StageError("SourceNotReady", `${name} is not there`, {
      hint: "Add the source, or correct the reference",
    });
  }
  const artifact = source.record?.artifact;
  if (artifact === undefined) throw new StageError("SourceNotReady", `${name} has no artifact yet`);
  return artifact;
}

/** Digest of everything that decides what an object applies: the same digest means nothing to build. */
export function inputsOf(
  object: DesiredObject,
  artifact: Artifact,
  target: Pick<Target, "name" | "ownership">,
  more: readonly JsonValue[],
): string {
  return digestOf(canonicalJson([
    engineVersion,
    artifact.content.kind === "tree" ? artifact.content.digest : artifact.content.descriptor.digest,
    object.document.spec ?? null,
    object.annotations[pruneAnnotation] ?? null,
    object.key.namespace,
    object.key.name,
    target.name,
    ...more,
    // What stood before there was a choice stands.
    ...((target.ownership ?? "flux") === "flux" ? [] : [{ ownership: target.ownership ?? "" }]),
  ]));
}

/** Counts up when the engines may give another result for the same inputs. */
const engineVersion = 2;

/**
 * Whether nothing is to be done: the same inputs as at the last good run, and all of it still stands. What is not
 * repeatable is done again at each interval and each start.
 */
export async function isUntouched(run: Run<unknown>, target: Target, inputs: string): Promise<boolean> {
  const { record } = run;
  if (record.isRepeatable === false && ["start", "interval", "retry"].includes(run.trigger)) return false;
  return record.inputs === inputs && run.trigger !== "request" && record.observedGeneration === record.generation &&
    isTrue(record.conditions, "Ready") && record.children.every((key) => run.find(key) !== undefined) &&
    target.stands !== undefined && await target.stands(run.object.key, inputs, run.signal);
}
