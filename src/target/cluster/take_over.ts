import type { JsonObject, JsonValue } from "../../core/json.ts";
import { canonicalJson } from "../../core/json.ts";
import type { ManagerEntry } from "./managed_fields.ts";
import { fieldsOf, joinFields, managerEntries } from "./managed_fields.ts";
import { markOf, textsOf } from "./marks.ts";
import { ourManagers } from "./owner_labels.ts";

/** Annotations and labels of earlier tools, which an apply clears away (fluxcd/pkg ssa `ApplyCleanupOptions`). */
const oldAnnotations = [
  "kubectl.kubernetes.io/last-applied-configuration",
  "kustomize.toolkit.fluxcd.io/checksum",
  "fluxcd.io/sync-checksum",
];
const oldLabels = ["kustomize.toolkit.fluxcd.io/checksum", "fluxcd.io/sync-gc-mark"];

/** A manager whose fields become ours. */
export interface OverriddenManager {
  readonly name: string;
  /** Compare only the start of the name. */
  readonly isPrefix?: boolean;
  /** Default both. */
  readonly operation?: "Apply" | "Update";
}

/**
 * Managers that wrote before us: kubectl in all its ways and what an object had before its first apply, as in Flux; Flux's
 * controllers and Helm, so that what they made can be handed over to us; both of our own names, for a switch between them.
 *
 * Differs: Flux takes over `helm` and other controllers only with --override-manager.
 */
export const earlierManagers: readonly OverriddenManager[] = [
  { name: "kubectl", isPrefix: true },
  { name: "before-first-apply", operation: "Update" },
  ...ourManagers.map((name) => ({ name })),
  { name: "helm-controller" },
  { name: "helm" },
];

/** Whether the fields of a manager's row become ours before an apply. */
export function isOverridden(entry: ManagerEntry, ours: string, managers: readonly OverriddenManager[]): boolean {
  if (entry.subresource) return false;
  if (entry.manager === ours) return entry.operation === "Update";
  return managers.some((manager) =>
    (manager.isPrefix === true ? entry.manager.startsWith(manager.name) : entry.manager === manager.name) &&
    (manager.operation === undefined || manager.operation === entry.operation)
  );
}

/**
 * JSON patch (RFC 6902) that makes an object ours: fields of earlier managers move into our row, so that what the new
 * configuration leaves out is removed and nobody fights about the rest; marks of earlier tools go. Empty when nothing is
 * to be done, or the object says `ssa: Merge`. The patch fails when the object changed meanwhile.
 */
export function takeOverPatch(
  live: JsonObject,
  ours: string,
  managers: readonly OverriddenManager[],
): readonly JsonObject[] {
  if (markOf(live, "ssa") === "merge") return [];
  const entries = managerEntries(live);
  const patch: JsonObject[] = [];
  for (const [field, keys] of [["annotations", oldAnnotations], ["labels", oldLabels]] as const) {
    const texts = textsOf(live, field);
    for (const key of keys) {
      if (key in texts) {
        patch.push({ op: "remove", path: `/metadata/${field}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}` });
      }
    }
  }
  const taken = entries.filter((entry) => isOverridden(entry, ours, managers));
  if (taken.length > 0) {
    const own = entries.find((entry) => isOurs(entry, ours));
    const fields = [...taken, ...(own === undefined ? [] : [own])].map(fieldsOf).reduce(joinFields, {});
    const model = own ?? taken.find((entry) => entry.operation === "Apply") ?? taken[0];
    const rest = entries.filter((entry) => !taken.includes(entry) && entry !== own);
    patch.push({
      op: "replace",
      path: "/metadata/managedFields",
      value: [...rest, { ...model, manager: ours, operation: "Apply", fieldsV1: fields }] as JsonValue,
    });
  }
  if (patch.length === 0) return [];
  const metadata = live.metadata as JsonObject;
  return [{ op: "test", path: "/metadata/resourceVersion", value: metadata.resourceVersion ?? "" }, ...patch];
}

function isOurs(entry: ManagerEntry, ours: string): boolean {
  return entry.manager === ours && entry.operation === "Apply" && !entry.subresource;
}

/** Short text of what a take-over would clear away; "" when nothing. Part of the proof that an object is untouched. */
export function foreignTraces(live: JsonObject, ours: string, managers: readonly OverriddenManager[]): string {
  if (markOf(live, "ssa") === "merge") return "";
  const names = managerEntries(live)
    .filter((entry) => isOverridden(entry, ours, managers))
    .map((entry) => `${entry.manager}/${entry.operation}`);
  const annotations = textsOf(live, "annotations");
  const labels = textsOf(live, "labels");
  const marks = [...oldAnnotations.filter((key) => key in annotations), ...oldLabels.filter((key) => key in labels)];
  return names.length + marks.length === 0 ? "" : canonicalJson([...names, ...marks].sort());
}
