import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { PlannedChange } from "../../core/target.ts";
import { printYaml } from "../../format/yaml.ts";
import { maskPair } from "../mask_secrets.ts";
import type { Access } from "./access.ts";
import { driftedFields, pointerParts } from "./compare.ts";
import { withoutIgnored } from "./ignore.ts";
import type { Item, Write } from "./judge.ts";
import { sendApply } from "./judge.ts";
import type { ManagerEntry } from "./managed_fields.ts";
import { appliedEntry, fieldPointers, fieldsOf, joinFields, managerEntries, subtractFields } from "./managed_fields.ts";
import { ourManagers } from "./owner_labels.ts";
import { isOverridden } from "./take_over.ts";

/**
 * What the write of a resource would change. Where it stands under our other name, or others have set fields of it, that is more
 * than the trial of the apply alone shows.
 *
 * @throws {KubeError} when the server cannot be asked
 */
export async function plannedWrite(
  access: Access,
  item: Item,
  verdict: Write,
  signal: AbortSignal,
): Promise<PlannedChange> {
  const { live, takeOver, recreate } = verdict;
  const after = await afterSwitch(access, item, verdict, signal) ?? verdict.outcome ?? verdict.body;
  const isUpdate = live !== undefined && !recreate;
  const drifted = isUpdate
    ? driftedFields(withoutIgnored(live, item.ignored), withoutIgnored(after, item.ignored))
    : [];
  // What others set beside ours goes with the take-over, and shows in no trial.
  const taken = isUpdate && takeOver.length > 0 ? strangeFields(access, item, live, after) : [];
  const fields = [...new Set([...drifted, ...taken])];
  const isTakeOver = takeOver.length > 0 && drifted.length === 0;
  const note = verdict.note ?? (isTakeOver ? "It is taken over from another manager" : undefined);
  return {
    action: live === undefined ? "create" : recreate ? "recreate" : "update",
    ref: item.ref,
    ...(fields.length === 0 ? {} : { fields }),
    ...(isTakeOver && fields.length === 0 ? { isTakeOver } : {}),
    ...textsOfChange(live, after),
    ...(note === undefined ? {} : { note }),
  };
}

/**
 * What the server would make of an object that we have applied under our other name, before a switch: tried under that name, so
 * that what only that one wanted is gone from it. `undefined` where there is no such object.
 */
async function afterSwitch(
  access: Access,
  item: Item,
  { live, takeOver, recreate, body }: Write,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  if (live === undefined || recreate || takeOver.length === 0) return undefined;
  const manager = ourManagers.find((name) => name !== access.manager && appliedEntry(live, name) !== undefined);
  if (manager === undefined || !access.managers.some(({ name }) => name === manager)) return undefined;
  return await sendApply({ ...access, manager }, { ...item, body }, { dryRun: true }, signal);
}

/** Fields that a manager who is taken over has set, and nobody has after the apply, as JSON pointers. */
function strangeFields(access: Access, item: Item, live: JsonObject, after: JsonObject): readonly string[] {
  const isStrange = (entry: ManagerEntry) =>
    !ourManagers.includes(entry.manager) && isOverridden(entry, access.manager, access.managers);
  const fieldsOfAll = (rows: readonly ManagerEntry[]) => rows.map(fieldsOf).reduce(joinFields, {});
  const set = fieldsOfAll(managerEntries(live).filter(isStrange));
  const kept = fieldsOfAll(managerEntries(after).filter((entry) => !isStrange(entry)));
  return fieldPointers(subtractFields(set, kept)).filter((pointer) => {
    const parts = pointerParts(pointer) ?? [];
    return !item.ignored.some((path) => path.every((part, index) => parts[index] === part));
  });
}

/** Texts of both sides for a diff, without what only the server writes. */
export function textsOfChange(
  before: JsonObject | undefined,
  after: JsonObject | undefined,
): { readonly before?: string; readonly after?: string } {
  const pair = maskPair(readable(before), readable(after));
  return {
    ...(pair.before === undefined ? {} : { before: printYaml(pair.before) }),
    ...(pair.after === undefined ? {} : { after: printYaml(pair.after) }),
  };
}

function readable(object: JsonObject | undefined): JsonObject | undefined {
  if (object === undefined) return undefined;
  const { status: _, ...rest } = object;
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  const shown: Record<string, JsonValue> = {};
  for (const field of ["name", "namespace", "labels", "annotations", "finalizers", "ownerReferences"]) {
    if (metadata[field] !== undefined) shown[field] = metadata[field];
  }
  return { ...rest, metadata: shown };
}
