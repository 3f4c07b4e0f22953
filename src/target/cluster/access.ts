import type { Clock } from "../../core/clock.ts";
import type { JsonObject } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { isKubeError, KubeError } from "../../core/kube_api.ts";
import type { Ownership } from "../../core/ownership.ts";
import type { ResourceRef } from "../../core/resource.ts";
import { refText } from "../../core/resource.ts";
import { messageOf } from "../../core/stage_error.ts";
import type { Discovery, ServedKind } from "./discovery.ts";
import { objectPath } from "./discovery.ts";
import type { LiveView, Viewer } from "./live_view.ts";
import type { OverriddenManager } from "./take_over.ts";

/** One cluster seen by one account: what every step of an apply works with. */
export interface Access {
  /** The account that writes. */
  readonly api: KubeApi;
  /** Accounts that may watch for it, in order. */
  readonly viewers: readonly Viewer[];
  readonly discovery: Discovery;
  readonly view: LiveView;
  readonly clock: Clock;
  /** Whose labels our resources carry. */
  readonly ownership: Ownership;
  /** Our field manager: that of `ownership`. */
  readonly manager: string;
  /** Managers whose fields become ours. */
  readonly managers: readonly OverriddenManager[];
  /** Key of the digests that are kept in the cluster; "" for none. */
  readonly digestKey: string;
  /** Requests of one apply at once. */
  readonly concurrency: number;
  /** Called before each write. @throws when this process must not write (any more) */
  readonly mayWrite: () => void;
}

/** An object as it stands; `undefined` when there is none. */
export async function readObject(
  access: Access,
  target: { readonly kind: ServedKind; readonly ref: ResourceRef },
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const { kind, ref } = target;
  try {
    return await access.api.send({ method: "GET", path: objectPath(kind, ref.namespace, ref.name) }, signal);
  } catch (error) {
    if (await saysGone(access, kind, error, signal)) return undefined;
    throw error;
  }
}

/**
 * Whether an answer says that an object is not there: the API server's own word, or its kind is not served any more. The 404 of
 * something in between (a gateway, a server that is just coming up) says nothing.
 */
export async function saysGone(
  access: Pick<Access, "discovery">,
  kind: ServedKind,
  error: unknown,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isKubeError(error, 404)) return false;
  return error.reason === "NotFound" || !await access.discovery.isServed(kind, signal);
}

/** What a failed call on a resource tells people, as Flux writes it: `Kind/ns/name dry-run failed (Reason): message`. */
export function faultText(ref: ResourceRef, action: string, error: unknown): string {
  const reason = error instanceof KubeError && !/^HTTP \d+$/.test(error.reason) ? ` (${error.reason})` : "";
  return `${refText(ref)} ${action} failed${reason}: ${messageOf(error)}`;
}
