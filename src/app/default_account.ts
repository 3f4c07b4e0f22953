import type { DesiredObject } from "../core/object.ts";

/** Kinds that act on a cluster, and so as somebody. */
const actingKinds = new Set(["Kustomization", "HelmRelease"]);

/**
 * The object as it is acted on: where its document names no `serviceAccountName`, the default one of the settings counts
 * (Flux's `--default-service-account`). Its namespace stays the object's own.
 */
export function withDefaultAccount(object: DesiredObject, account: string | undefined): DesiredObject {
  if (account === undefined || !actingKinds.has(object.key.kind)) return object;
  const spec = object.spec as { readonly serviceAccountName?: string };
  return spec.serviceAccountName === undefined ? { ...object, spec: { ...spec, serviceAccountName: account } } : object;
}
