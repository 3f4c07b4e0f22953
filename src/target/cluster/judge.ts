import { digestOf } from "../../core/digest.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { KubeError } from "../../core/kube_api.ts";
import type { Resource, ResourceRef } from "../../core/resource.ts";
import { driftedFields } from "./compare.ts";
import type { ServedKind } from "./discovery.ts";
import { objectPath } from "./discovery.ts";
import { respectIgnored, withoutIgnored } from "./ignore.ts";
import { isKeptForever, isLeftAlone, markOf } from "./marks.ts";
import { otherOwner } from "./owner_labels.ts";
import { isBuiltIn } from "./normalise.ts";
import { dependsOnComing, dropField, namesImmutableField, unknownFields } from "./refusal.ts";
import type { Access } from "./access.ts";
import { faultText, readObject } from "./access.ts";
import { takeOverPatch } from "./take_over.ts";

/** One resource of an apply, ready to be sent. */
export interface Item {
  readonly ref: ResourceRef;
  readonly kind: ServedKind;
  readonly body: Resource;
  /** Digest of what is wanted: body and switches. */
  readonly desired: string;
  /** Fields that are left as they are. */
  readonly ignored: readonly (readonly string[])[];
  readonly force: boolean;
  /** Create what is missing, leave alone what is there. */
  readonly createOnly: boolean;
}

/** What is to be done about one resource. */
export type Verdict =
  | { readonly kind: "unchanged"; readonly live: JsonObject; readonly note?: string }
  | { readonly kind: "skip"; readonly live: JsonObject | undefined; readonly note: string }
  | Write
  /** It needs something that this very apply makes: it is sent in its turn, unchecked. */
  | { readonly kind: "later"; readonly error: KubeError }
  | { readonly kind: "fault"; readonly message: string; readonly error: unknown };

/** A resource that is to be written. */
export interface Write {
  readonly kind: "write";
  readonly live: JsonObject | undefined;
  readonly body: Resource;
  /** JSON patch that comes first: what earlier managers left. */
  readonly takeOver: readonly JsonObject[];
  readonly drifted: readonly string[];
  readonly recreate: boolean;
  /** What the server would make of it; absent when it was not asked. */
  readonly outcome?: JsonObject;
  readonly note?: string;
}

/** What a judge knows beside the item. */
export interface JudgeOptions {
  /** Whether it is known that there is no such object. */
  readonly isAbsent?: boolean;
  /** Whether we have never applied it, so that it is probably not there. */
  readonly isLikelyNew?: boolean;
  /** Resources of the same apply that are not there yet: kind and name. */
  readonly coming: (text: string) => boolean;
}

/** Finds out what is to be done about one resource, without writing. Never throws for a fault of the resource. */
export async function judge(
  access: Access,
  item: Item,
  options: JudgeOptions,
  signal: AbortSignal,
): Promise<Verdict> {
  try {
    return await judged(access, item, options, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof KubeError)) throw error;
    if (dependsOnComing(error, options.coming)) return { kind: "later", error };
    return { kind: "fault", message: faultText(item.ref, "dry-run", error), error };
  }
}

async function judged(access: Access, item: Item, options: JudgeOptions, signal: AbortSignal): Promise<Verdict> {
  if (options.isAbsent === true && skipNote(item, undefined) === undefined && isSurelyValid(item)) {
    return { kind: "write", live: undefined, body: item.body, takeOver: [], drifted: [], recreate: false };
  }
  const tried = options.isLikelyNew === true && mayTryFirst(item) ? await tryFirst(access, item, signal) : undefined;
  if (tried?.kind === "done" && !hasVersion(tried.outcome)) return verdictOf(access, item, undefined, tried);
  const live = options.isAbsent === true ? undefined : await readObject(access, item, signal);
  if (tried?.kind === "refused" && live === undefined) throw tried.error;
  const skip = skipNote(item, live);
  if (skip !== undefined) return { kind: "skip", live, note: skip };
  if (live !== undefined && item.createOnly) return { kind: "unchanged", live, note: "It is there already" };
  if (tried?.kind === "done" && live !== undefined) return verdictOf(access, item, live, tried);
  const body = live === undefined || item.ignored.length === 0
    ? item.body
    : respectIgnored(item.body, live, { ...access, paths: item.ignored });
  return verdictOf(access, item, live, await dryRun(access, { ...item, body }, live, signal));
}

function verdictOf(access: Access, item: Item, live: JsonObject | undefined, dry: DryRun): Verdict {
  if (dry.kind === "fault") return dry;
  const base: Omit<Write, "takeOver" | "drifted"> = {
    kind: "write",
    live,
    body: dry.body,
    recreate: dry.kind === "recreate",
    ...(dry.kind === "done" ? { outcome: dry.outcome } : {}),
    ...(dry.note === undefined ? {} : { note: dry.note }),
  };
  if (live === undefined || dry.kind === "recreate") return { ...base, takeOver: [], drifted: [] };
  const isGoing = isJsonObject(live.metadata) && typeof live.metadata.deletionTimestamp === "string";
  const takeOver = takeOverPatch(live, access.manager, access.managers);
  const drifted = driftedFields(withoutIgnored(live, item.ignored), withoutIgnored(dry.outcome, item.ignored));
  if (takeOver.length === 0 && drifted.length === 0 && !isGoing) {
    return { kind: "unchanged", live, ...(dry.note === undefined ? {} : { note: dry.note }) };
  }
  return { ...base, takeOver, drifted };
}

/** Whether a trial means the same with and without an object that is there already. */
function mayTryFirst(item: Item): boolean {
  return !item.createOnly && item.ignored.length === 0 && markOf(item.body, "ssa") === "" && !isLeftAlone(item.body);
}

/** A trial before anybody has looked whether the object is there: its answer tells that too. */
async function tryFirst(
  access: Access,
  item: Item,
  signal: AbortSignal,
): Promise<DryRun | { readonly kind: "refused"; readonly error: KubeError }> {
  try {
    return await dryRun(access, item, undefined, signal);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return { kind: "refused", error };
  }
}

/** Whether a trial was of an object that is there: only such a one has a version. */
function hasVersion(outcome: JsonObject): boolean {
  return isJsonObject(outcome.metadata) && typeof outcome.metadata.resourceVersion === "string" &&
    outcome.metadata.resourceVersion !== "";
}

function skipNote(item: Item, live: JsonObject | undefined): string | undefined {
  if (isLeftAlone(item.body)) return "Its manifest says that it is left alone";
  if (isLeftAlone(live)) return "It says in the cluster that it is left alone";
  if (live !== undefined && markOf(item.body, "ssa") === "ifnotpresent") return "It is only created, and it is there";
  return undefined;
}

type DryRun =
  | { readonly kind: "done"; readonly body: Resource; readonly outcome: JsonObject; readonly note?: string }
  | { readonly kind: "recreate"; readonly body: Resource; readonly note?: string }
  | { readonly kind: "fault"; readonly message: string; readonly error: unknown };

async function dryRun(
  access: Access,
  item: Item,
  live: JsonObject | undefined,
  signal: AbortSignal,
): Promise<DryRun> {
  const dropped: string[] = [];
  let body = item.body;
  for (;;) {
    const note = dropped.length === 0
      ? undefined
      : `Fields that its kind does not have were left out: ${dropped.join(", ")}`;
    const noted = note === undefined ? {} : { note };
    try {
      const outcome = await sendApply(access, { ...item, body }, { dryRun: true }, signal);
      return { kind: "done", body, outcome, ...noted };
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      const unknown = isBuiltIn(item.ref.group) ? unknownFields(error) : [];
      const without = unknown.reduce<JsonObject>((current, path) => dropField(current, path), body) as Resource;
      if (unknown.length > 0 && without !== body && dropped.length < 100) {
        dropped.push(...unknown.map((path) => path.join(".")));
        body = without;
        continue;
      }
      if (live === undefined || !namesImmutableField(error)) throw error;
      if (!mayRecreate(item, live)) {
        return { kind: "fault", message: `${faultText(item.ref, "dry-run", error)}${forceHint(item, live)}`, error };
      }
      await tryUnderOtherName(access, { ...item, body }, signal);
      return { kind: "recreate", body, ...noted };
    }
  }
}

function forceHint(item: Item, live: JsonObject): string {
  if (!item.force) return "";
  const why = precious.has(item.ref.kind) ? "it holds data" : sparedWhy(item, live);
  return `; ${why}, so it is only made anew when it says kustomize.toolkit.fluxcd.io/force: enabled`;
}

/** Why an object is not made anew by a switch that is not its own: it would be deleted for that. */
function sparedWhy(item: Item, live: JsonObject): string | undefined {
  if (isKeptForever(live)) return "it says that it is kept";
  const theirs = otherOwner(live, item.body);
  return theirs === undefined ? undefined : `it belongs to another object ("${theirs}")`;
}

/** Kinds whose deletion takes more with it than themselves. */
const precious = new Set(["Namespace", "CustomResourceDefinition", "PersistentVolumeClaim", "PersistentVolume"]);

/** Whether an object may be deleted and made anew where a field that differs cannot change. */
export function mayRecreate(item: Item, live: JsonObject): boolean {
  if (markOf(item.body, "force") === "enabled" || markOf(live, "force") === "enabled") return true;
  return item.force && !precious.has(item.ref.kind) && sparedWhy(item, live) === undefined;
}

/** Asks the server whether it would take the new body, under a name that nobody has. */
async function tryUnderOtherName(access: Access, item: Item, signal: AbortSignal): Promise<void> {
  if (item.ref.kind === "CustomResourceDefinition") return;
  const name = `${item.ref.name.slice(0, 40).replace(/[^a-z0-9]+$/, "")}-${digestOf(item.ref.name).slice(7, 15)}`;
  const body = { ...item.body, metadata: { ...item.body.metadata, name } } as Resource;
  try {
    await sendApply(access, { ...item, ref: { ...item.ref, name }, body }, { dryRun: true }, signal);
  } catch (error) {
    // What the old object still holds (an address, a port) is free once it is gone.
    if (error instanceof KubeError && /already allocated|already in use/i.test(error.message)) return;
    throw error;
  }
}

/** Sends a server-side apply; conflicts are decided for us. */
export async function sendApply(
  access: Access,
  item: Pick<Item, "ref" | "kind" | "body">,
  options: { readonly dryRun: boolean },
  signal: AbortSignal,
): Promise<JsonObject> {
  if (!options.dryRun) access.mayWrite();
  return await access.api.send({
    method: "PATCH",
    path: objectPath(item.kind, item.ref.namespace, item.ref.name),
    query: { fieldManager: access.manager, force: "true", ...(options.dryRun ? { dryRun: "All" } : {}) },
    contentType: "application/apply-patch+yaml",
    body: item.body,
  }, signal);
}

/**
 * Whether an object that is not there would be accepted for certain, so that asking first gains nothing: a ConfigMap with
 * a right name and text values in a namespace that is there. It halves the requests of a first apply.
 */
function isSurelyValid(item: Item): boolean {
  if (item.ref.kind !== "ConfigMap" || item.ref.group !== "") return false;
  const { name, labels, annotations } = item.body.metadata;
  const keys = Object.keys(item.body);
  if (!keys.every((key) => ["apiVersion", "kind", "metadata", "data"].includes(key))) return false;
  if (!Object.keys(item.body.metadata).every((key) => ["name", "namespace", "labels", "annotations"].includes(key))) {
    return false;
  }
  const data = item.body.data ?? {};
  if (!isJsonObject(data) || JSON.stringify(data).length > 900_000) return false;
  return name.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name) &&
    Object.entries(data).every(([key, value]) => typeof value === "string" && /^[-._a-zA-Z0-9]{1,253}$/.test(key)) &&
    textsAreValid(labels, /^(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?$/) && textsAreValid(annotations, /^/);
}

function textsAreValid(texts: unknown, value: RegExp): boolean {
  if (texts === undefined) return true;
  return isJsonObject(texts) &&
    Object.entries(texts).every(([key, text]) =>
      typeof text === "string" && value.test(text) && text.length < 100_000 &&
      /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(key)
    );
}
