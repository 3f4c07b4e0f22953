import { union } from "../core/inventory.ts";
import { keyText } from "../core/object.ts";
import { StageError } from "../core/stage_error.ts";
import type { Target, TargetOptions } from "../core/target.ts";
import { type ApplyTools, identityOf, isElsewhere } from "./apply_and_prune.ts";
import { kubeconfigOf } from "./foreign_cluster.ts";
import type { RemovalTools } from "./pipeline.ts";
import type { ObjectRecord, Removal } from "./record.ts";

/** Options of a removal, from what was kept of the document. A login that is gone is left out: the target then says that it is. */
export async function removalOptions(record: ObjectRecord, policy: Removal, tools: ApplyTools): Promise<TargetOptions> {
  const { serviceAccountName, kubeConfig, defaultNamespace, timeoutMs, deletionPropagation } = policy;
  const kubeconfig = kubeConfig === undefined
    ? undefined
    : await kubeconfigOf(record.key.namespace, kubeConfig, tools.referencesOf(record)).catch(() => undefined);
  return {
    isWholeRemoval: true,
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(defaultNamespace === undefined ? {} : { defaultNamespace }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(deletionPropagation === undefined ? {} : { deletionPropagation }),
  };
}

/** Whether what is to be removed stands where the target is now; it waits until others have taken what they may take. */
export async function isWithinReach(record: ObjectRecord, target: Target, removal: RemovalTools): Promise<boolean> {
  if (isElsewhere(record, await identityOf(target, removal.signal))) {
    removal.tell?.(`${record.inventory.entries.length} resources of another cluster or folder are left there`);
    return false;
  }
  if (target.kind === "cluster") await removal.othersApplied?.();
  removal.signal.throwIfAborted();
  return true;
}

/** Removes everything an object applied, as its removal policy says. */
export async function removeApplied(
  record: ObjectRecord,
  tools: ApplyTools,
  removal: RemovalTools,
): Promise<void> {
  const policy = record.removal;
  if (policy === undefined || !policy.prune) return;
  const target = tools.targetOf(policy.target);
  if (!await isWithinReach(record, target, removal)) return;
  const inventory = union(record.inventory, await target.remembered(record.key, removal.signal) ?? { entries: [] });
  if (inventory.entries.length === 0) return;
  const options = await removalOptions(record, policy, tools);
  const result = await target.remove(record.key, inventory.entries, options, removal.signal);
  await removal.checkpoint({ inventory: { entries: result.kept.map((kept) => kept.entry) } });
  for (const kept of result.kept) if (kept.reason === "guarded") removal.tell?.(kept.message);
  const failed = result.kept.filter((kept) =>
    kept.reason === "failed" || (policy.wait && kept.reason === "terminating")
  );
  if (failed.length > 0) {
    throw new StageError("PruneFailed", `${keyText(record.key)}: ${failed.map((kept) => kept.message).join("\n")}`);
  }
}
