import { inParallel } from "../../core/in_parallel.ts";
import type { Inventory } from "../../core/inventory.ts";
import { inventoryOf } from "../../core/inventory.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { isKubeError, KubeError } from "../../core/kube_api.ts";
import type { Resource, ResourceRef } from "../../core/resource.ts";
import { refKey, refOf, splitApiVersion } from "../../core/resource.ts";
import { StageError } from "../../core/stage_error.ts";
import type { AppliedChange, ApplyResult, TargetRequest } from "../../core/target.ts";
import type { Item, Verdict } from "./judge.ts";
import { judge } from "./judge.ts";
import { namesOneOf, prepare, unknownKindText } from "./items.ts";
import { rankGroups, stageOf, stages } from "./order.ts";
import type { OwnerState, Proof } from "./owner_state.ts";
import { isKeptForever } from "./marks.ts";
import { dropProof, hasLabel, look, summary, viewOf } from "./owner_state.ts";
import { listPages } from "./recover_inventory.ts";
import type { Access } from "./access.ts";
import { faultText, readObject } from "./access.ts";
import type { Written } from "./write_object.ts";
import { isGoing, writeObject, writeUnjudged } from "./write_object.ts";
import { waitForHealth } from "./health.ts";

/** Longest wait for the definitions of an apply to be established, in milliseconds (fluxcd/pkg ssa `WaitOptions`). */
const stageTimeoutMs = 60_000;
/** Longest wait for a kind that was just defined to be served, and the pause between two looks, in milliseconds. */
const servedTimeoutMs = 15_000;
const askServedMs = 200;
/** Resources of one kind and namespace from which on one list of names is cheaper than a look at each. */
const probeFrom = 8;

/**
 * Applies the resources of a request stage by stage. All resources of a stage are checked before the first of them is
 * written, and what is wrong with them is told together.
 *
 * @param options `isSweep`: compare everything with the server, whatever is known already; `beforeWrite`: awaited before each
 *   stage that writes; `made`: gets the key of each resource that stands as wanted or may have been written, as they come
 * @throws {StageError} ReconciliationFailed, HealthCheckFailed when a definition is not established in time
 */
export async function applyResources(
  state: OwnerState,
  request: TargetRequest,
  options: {
    readonly isSweep: boolean;
    readonly beforeWrite: () => Promise<void>;
    readonly made: Set<string>;
  },
  signal: AbortSignal,
): Promise<ApplyResult> {
  const { access } = state;
  const changes: AppliedChange[] = [];
  const refs: ResourceRef[] = [];
  const keys = new Set<string>();
  state.skipped.clear();
  for (const stage of stages) {
    const resources = request.resources.filter((resource) => stageOf(refOf(resource)) === stage);
    if (resources.length === 0) continue;
    const { items, unknown, faults } = await prepareServed(access, request, resources, signal);
    const problems = [...faults, ...unknown.map(unknownKindText)];
    const verdicts = await judgeAll(state, request, { items, isSweep: options.isSweep }, signal);
    for (const [item, verdict] of verdicts) {
      if (verdict.kind === "fault") problems.push(verdict.message);
      else if (verdict.kind === "unchanged") options.made.add(refKey(item.ref));
    }
    if (problems.length > 0) throw failed(problems, [...verdicts.values()]);
    for (const item of items) {
      refs.push(item.ref);
      keys.add(refKey(item.ref));
    }
    if ([...verdicts.values()].some(({ kind }) => kind === "write" || kind === "later")) await options.beforeWrite();
    const touched = await writeAll(state, { items, verdicts, changes, made: options.made }, signal);
    if (stage !== "rest") await awaitStage(access, touched, signal);
  }
  for (const key of [...state.proofs.keys()]) if (!keys.has(key)) dropProof(state, key);
  const inventory: Inventory = inventoryOf(refs);
  return { inventory, changes: changes.sort((a, b) => (refKey(a.ref) < refKey(b.ref) ? -1 : 1)) };
}

/** Verdict on each item; what is proved to be as wanted costs no request. */
async function judgeAll(
  state: OwnerState,
  request: TargetRequest,
  what: { readonly items: readonly Item[]; readonly isSweep: boolean },
  signal: AbortSignal,
): Promise<ReadonlyMap<Item, Verdict>> {
  const { access } = state;
  const open: Item[] = [];
  const verdicts = new Map<Item, Verdict>();
  await inParallel(what.items, access.concurrency, async (item) => {
    const proof = state.proofs.get(refKey(item.ref));
    if (!what.isSweep && proof?.desired === item.desired) {
      const seen = await look(state, proof, signal);
      if (seen !== undefined && seen.owned === proof.owned && seen.status !== "Terminating") {
        verdicts.set(item, { kind: "unchanged", live: {} });
        return;
      }
    }
    open.push(item);
  });
  const absent = await probe(access, open.filter((item) => !state.proofs.has(refKey(item.ref))), signal);
  const coming = namesOneOf(request.resources);
  await inParallel(open, access.concurrency, async (item) => {
    const isLikelyNew = !state.proofs.has(refKey(item.ref));
    verdicts.set(item, await judge(access, item, { isAbsent: absent(item), isLikelyNew, coming }, signal));
  });
  return verdicts;
}

/**
 * Which items are not there for certain: one list of names instead of a look at each, where there are many of a kind in
 * a namespace. A namespace that is not there has nothing, and nothing can be said of what cannot be listed.
 */
async function probe(
  access: Access,
  items: readonly Item[],
  signal: AbortSignal,
): Promise<(item: Item) => boolean> {
  const groups = new Map<string, Item[]>();
  const groupOf = (item: Item) => `${item.kind.group}/${item.kind.plural}/${item.ref.namespace}`;
  for (const item of items) groups.set(groupOf(item), [...groups.get(groupOf(item)) ?? [], item]);
  const names = new Map<string, ReadonlySet<string>>();
  for (const [key, group] of groups) {
    const first = group[0];
    if (first === undefined || group.length < probeFrom) continue;
    try {
      if (first.kind.isNamespaced && !await namespaceIsThere(access, first.ref.namespace, signal)) continue;
      const found = await listPages(access.api, { kind: first.kind, namespace: first.ref.namespace }, signal);
      names.set(key, new Set(found.map((object) => String((object.metadata as JsonObject).name))));
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
    }
  }
  return (item) => names.get(groupOf(item))?.has(item.ref.name) === false;
}

async function namespaceIsThere(access: Access, namespace: string, signal: AbortSignal): Promise<boolean> {
  const kind = await access.discovery.kindOf({ group: "", version: "v1", kind: "Namespace" }, signal);
  if (kind === undefined) return false;
  const ref = { group: "", version: "v1", kind: "Namespace", namespace: "", name: namespace };
  try {
    const live = await readObject(access, { kind, ref }, signal);
    return live !== undefined && !isGoing(live);
  } catch (error) {
    // An account of one namespace may not look at it, and yet works in it.
    if (isKubeError(error, 403)) return true;
    throw error;
  }
}

interface Writing {
  readonly items: readonly Item[];
  readonly verdicts: ReadonlyMap<Item, Verdict>;
  readonly changes: AppliedChange[];
  /** Gets the key of each resource that may have been written. */
  readonly made: Set<string>;
}

/** Writes in the order of the kinds, those of one kind together. @returns refs of what was created or changed */
async function writeAll(state: OwnerState, writing: Writing, signal: AbortSignal): Promise<readonly ResourceRef[]> {
  const { access } = state;
  const touched: ResourceRef[] = [];
  for (const group of rankGroups(writing.items, (item) => item.ref)) {
    const faults: { readonly text: string; readonly error: unknown }[] = [];
    await inParallel(group, access.concurrency, async (item) => {
      const verdict = writing.verdicts.get(item);
      const isNew = !writing.made.has(refKey(item.ref));
      if (verdict?.kind === "write" || verdict?.kind === "later") writing.made.add(refKey(item.ref));
      try {
        const written = await carryOut(state, item, verdict, signal);
        writing.changes.push(written.change);
        if (written.change.action !== "unchanged" && written.change.action !== "skipped") touched.push(item.ref);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof KubeError)) throw error;
        faults.push({ text: faultText(item.ref, "apply", error), error });
        if (isNew && await isNotThere(access, item, signal)) writing.made.delete(refKey(item.ref));
      }
    });
    if (faults.length > 0) {
      throw new StageError("ReconciliationFailed", faults.map((fault) => fault.text).sort().join("\n"), {
        cause: faults[0]?.error,
        ...retryAfterOf(faults[0]?.error),
      });
    }
  }
  return touched;
}

/** Whether an object whose write failed is not there for certain: an answer that was lost may have been a success. */
async function isNotThere(access: Access, item: Item, signal: AbortSignal): Promise<boolean> {
  try {
    return await readObject(access, item, signal) === undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof KubeError)) throw error;
    return false;
  }
}

async function carryOut(
  state: OwnerState,
  item: Item,
  verdict: Verdict | undefined,
  signal: AbortSignal,
): Promise<{ readonly change: AppliedChange }> {
  const { ref } = item;
  if (verdict === undefined || verdict.kind === "unchanged") {
    if (verdict !== undefined && Object.keys(verdict.live).length > 0) await prove(state, item, verdict.live, signal);
    return { change: { action: "unchanged", ref, ...noteOf(verdict?.note) } };
  }
  if (verdict.kind === "skip") return skipped(state, { action: "skipped", ref, note: verdict.note });
  // What differs because something else is wanted now has not drifted.
  const isWantedStill = state.proofs.get(refKey(ref))?.desired === item.desired;
  const { object, change }: Written = verdict.kind === "write"
    ? await writeObject(state.access, item, isWantedStill ? verdict : { ...verdict, drifted: [] }, signal)
    : await writeUnjudged(state.access, item, signal);
  if (change.action === "skipped") return skipped(state, change);
  await prove(state, item, object, signal);
  return { change };
}

/** What is left alone has no proof, and nobody waits for its health. */
function skipped(state: OwnerState, change: AppliedChange): { readonly change: AppliedChange } {
  const key = refKey(change.ref);
  dropProof(state, key);
  state.skipped.add(key);
  return { change };
}

function noteOf(note: string | undefined): { readonly note?: string } {
  return note === undefined ? {} : { note };
}

/** Remembers how a resource stands after its apply. */
async function prove(state: OwnerState, item: Item, object: JsonObject, signal: AbortSignal): Promise<void> {
  const key = refKey(item.ref);
  const known = state.proofs.get(key);
  const seen = summary(state.access, object);
  const isUnlabelled = !hasLabel(state, object);
  const proof: Proof = {
    ref: item.ref,
    desired: item.desired,
    owned: seen.owned,
    fields: seen.fields,
    kind: item.kind,
    isUnlabelled,
    isKept: isKeptForever(item.body),
  };
  if (known?.view !== undefined && (known.isUnlabelled ?? false) === isUnlabelled) proof.view = known.view;
  else known?.view?.[Symbol.dispose]();
  state.proofs.set(key, proof);
  // Whatever was told of it, what stands now is our own doing.
  state.told.delete(key);
  if (state.watchers.size > 0 && proof.view === undefined) await viewOf(state, proof, signal);
  if (isJsonObject(object.metadata)) proof.view?.collection.note(object);
}

/** Prepares resources. A definition is established a moment before its kind is served: kinds of this request are waited for. */
async function prepareServed(
  access: Access,
  request: TargetRequest,
  resources: readonly Resource[],
  signal: AbortSignal,
): ReturnType<typeof prepare> {
  const endsAt = access.clock.monotonic() + servedTimeoutMs;
  while (true) {
    const prepared = await prepare(access, request, resources, signal);
    const isComing = prepared.unknown.some((resource) => isDefinedIn(request.resources, resource));
    if (!isComing || access.clock.monotonic() >= endsAt) return prepared;
    await access.clock.sleep(askServedMs, signal);
  }
}

function isDefinedIn(resources: readonly Resource[], { apiVersion, kind }: Resource): boolean {
  const { group } = splitApiVersion(apiVersion);
  return resources.some((resource) => {
    const spec = resource.kind === "CustomResourceDefinition" && isJsonObject(resource.spec) ? resource.spec : {};
    return spec.group === group && isJsonObject(spec.names) && spec.names.kind === kind;
  });
}

/** Waits until what a stage made is established, so that the next one finds it. */
async function awaitStage(access: Access, refs: readonly ResourceRef[], signal: AbortSignal): Promise<void> {
  // Classes and roles are what they are at once; CRDs and Namespaces come up.
  const slow = refs.filter((ref) => ref.kind === "CustomResourceDefinition" || ref.kind === "Namespace");
  if (slow.length === 0) return;
  await waitForHealth(access, { refs: slow, timeoutMs: stageTimeoutMs, action: "Waiting for definitions" }, signal);
}

function failed(problems: readonly string[], verdicts: readonly Verdict[]): StageError {
  const fault = verdicts.find((verdict) => verdict.kind === "fault");
  const cause = fault?.kind === "fault" ? fault.error : undefined;
  return new StageError("ReconciliationFailed", [...problems].sort().join("\n"), {
    ...(cause === undefined ? {} : { cause }),
    ...retryAfterOf(cause),
  });
}

function retryAfterOf(error: unknown): { readonly retryAfterMs?: number } {
  return error instanceof KubeError && error.retryAfterMs !== undefined ? { retryAfterMs: error.retryAfterMs } : {};
}
