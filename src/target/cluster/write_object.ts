import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { isKubeError, KubeError } from "../../core/kube_api.ts";
import type { AppliedChange } from "../../core/target.ts";
import { driftedFields } from "./compare.ts";
import { objectPath } from "./discovery.ts";
import { withoutIgnored } from "./ignore.ts";
import type { Item, Write } from "./judge.ts";
import { mayRecreate, sendApply } from "./judge.ts";
import { isLeftAlone } from "./marks.ts";
import { versionOf } from "./seen.ts";
import type { Access } from "./access.ts";
import { readObject, saysGone } from "./access.ts";
import { takeOverPatch } from "./take_over.ts";

/** What a write gave. */
export interface Written {
  readonly object: JsonObject;
  readonly change: AppliedChange;
}

const tries = 5;
/** Longest that an object may take to go before it is made anew, in milliseconds. */
const goneWithinMs = 60_000;

/**
 * Writes one resource as it was judged. When the object changed meanwhile it is looked at again.
 *
 * @throws {KubeError} what the server says
 */
export async function writeObject(access: Access, item: Item, write: Write, signal: AbortSignal): Promise<Written> {
  let { live } = write;
  let { takeOver } = write;
  let action: AppliedChange["action"] = live === undefined ? "created" : "configured";
  if (write.recreate && live !== undefined) {
    await deleteForAnew(access, item, live, signal);
    await untilGone(access, item, goneWithinMs, signal);
    action = "recreated";
    takeOver = [];
  } else if (live !== undefined && isGoing(live)) {
    await untilGone(access, item, goneWithinMs, signal);
    action = "created";
    takeOver = [];
  }
  for (let attempt = 1;; attempt++) {
    try {
      if (takeOver.length > 0) await sendTakeOver(access, item, takeOver, signal);
      const object = await sendApply(access, { ...item, body: write.body }, { dryRun: false }, signal);
      refuseOtherIdentity(item, object);
      return { object, change: changeOf(item, write, action, object) };
    } catch (error) {
      const isStale = isKubeError(error, 409) || takeOver.length > 0 && isKubeError(error, 422);
      if (!isStale || attempt >= tries) throw error;
      live = await readObject(access, item, signal);
      takeOver = live === undefined ? [] : takeOverPatch(live, access.manager, access.managers);
    }
  }
}

/** Deletes what is made anew. Who changes it meanwhile may have made it his: then it is looked at again. */
async function deleteForAnew(access: Access, item: Item, judged: JsonObject, signal: AbortSignal): Promise<void> {
  let live = judged;
  for (let attempt = 1;; attempt++) {
    try {
      const [uid, resourceVersion] = [uidOf(live), versionOf(live)];
      await deleteObject(access, item, { uid, resourceVersion, propagation: "background" }, signal);
      return;
    } catch (error) {
      if (!isKubeError(error, 409) || attempt >= tries) throw error;
      const now = await readObject(access, item, signal);
      if (now === undefined) return;
      if (uidOf(now) !== uidOf(live) || !mayRecreate(item, now)) throw error;
      live = now;
    }
  }
}

/** A write without a judgement: of what could not be checked before its turn came. */
export async function writeUnjudged(access: Access, item: Item, signal: AbortSignal): Promise<Written> {
  const live = await readObject(access, item, signal);
  if (isLeftAlone(live) && live !== undefined) {
    return { object: live, change: { action: "skipped", ref: item.ref, note: "It says that it is left alone" } };
  }
  return await writeObject(access, item, {
    kind: "write",
    live,
    body: item.body,
    takeOver: live === undefined ? [] : takeOverPatch(live, access.manager, access.managers),
    drifted: [],
    recreate: false,
  }, signal);
}

function changeOf(item: Item, write: Write, action: AppliedChange["action"], object: JsonObject): AppliedChange {
  const before = write.live;
  const isSame = action === "configured" && before !== undefined && write.takeOver.length === 0 &&
    driftedFields(withoutIgnored(before, item.ignored), withoutIgnored(object, item.ignored)).length === 0;
  return {
    action: isSame ? "unchanged" : action,
    ref: item.ref,
    ...(write.drifted.length === 0 ? {} : { drifted: write.drifted }),
    ...(write.note === undefined ? {} : { note: write.note }),
  };
}

async function sendTakeOver(
  access: Access,
  item: Item,
  patch: readonly JsonObject[],
  signal: AbortSignal,
): Promise<void> {
  access.mayWrite();
  await access.api.send({
    method: "PATCH",
    path: objectPath(item.kind, item.ref.namespace, item.ref.name),
    query: { fieldManager: access.manager },
    contentType: "application/json-patch+json",
    body: patch,
  }, signal);
}

/** What became of a deletion. */
export type Deletion = "gone" | "going";

const propagationPolicies = { background: "Background", foreground: "Foreground", orphan: "Orphan" } as const;

/**
 * Deletes an object if it is still the one that was looked at, and with `resourceVersion` if it is still as it was.
 *
 * @throws {KubeError} code 409 when it is another one by now, or not as it was
 */
export async function deleteObject(
  access: Access,
  item: Pick<Item, "kind" | "ref">,
  options: {
    readonly uid: string;
    readonly resourceVersion?: string;
    readonly propagation: "background" | "foreground" | "orphan";
  },
  signal: AbortSignal,
): Promise<Deletion> {
  access.mayWrite();
  const { uid, resourceVersion = "" } = options;
  const preconditions = {
    ...(uid === "" ? {} : { uid }),
    ...(resourceVersion === "" ? {} : { resourceVersion }),
  };
  try {
    const answer = await access.api.send({
      method: "DELETE",
      path: objectPath(item.kind, item.ref.namespace, item.ref.name),
      body: {
        apiVersion: "v1",
        kind: "DeleteOptions",
        propagationPolicy: propagationPolicies[options.propagation],
        ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
      },
    }, signal);
    // The answer is a Status when the object is gone, and the object itself while something still holds it.
    return answer.kind === "Status" ? "gone" : isGoing(answer) ? "going" : "gone";
  } catch (error) {
    if (await saysGone(access, item.kind, error, signal)) return "gone";
    throw error;
  }
}

/** Waits until an object is gone. @throws {KubeError} code 0, reason `Timeout`, when it is still there in the end */
async function untilGone(
  access: Access,
  item: Pick<Item, "kind" | "ref">,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const until = access.clock.monotonic() + timeoutMs;
  for (let pauseMs = 50;; pauseMs = Math.min(2_000, pauseMs * 2)) {
    const live = await readObject(access, item, signal);
    if (live === undefined || !isGoing(live)) return;
    if (access.clock.monotonic() >= until) {
      const metadata = live.metadata as JsonObject;
      const holders = Array.isArray(metadata.finalizers) ? metadata.finalizers.map(String).join(", ") : "";
      throw new KubeError(
        `it is still being deleted after ${timeoutMs / 1000} s${
          holders === "" ? "" : `, held by finalizers ${holders}`
        }`,
        { code: 0, reason: "Timeout" },
      );
    }
    await access.clock.sleep(pauseMs, signal);
  }
}

/** Whether an object is being deleted. */
export function isGoing(object: JsonObject): boolean {
  return isJsonObject(object.metadata) && typeof object.metadata.deletionTimestamp === "string";
}

/** Identity that the server gave an object; "" where it has none. */
export function uidOf(object: JsonObject): string {
  const uid = isJsonObject(object.metadata) ? object.metadata.uid : undefined;
  return typeof uid === "string" ? uid : "";
}

/** An admission webhook that renames what we send would make us own something else. */
function refuseOtherIdentity(item: Item, object: JsonObject): void {
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  const name = String(metadata.name ?? "");
  const namespace = typeof metadata.namespace === "string" ? metadata.namespace : "";
  if (name === item.ref.name && namespace === item.ref.namespace) return;
  throw new KubeError(`the server changed its identity to "${namespace}/${name}"`, {
    code: 0,
    reason: "OtherIdentity",
  });
}
