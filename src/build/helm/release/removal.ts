import { isJsonObject } from "../../../core/json.ts";
import type { Dialect } from "../dialect.ts";
import { sortByKind } from "./kind_order.ts";
import type { Manifest } from "./manifests.ts";
import { trim } from "./split.ts";

/** What an uninstall removes and keeps. */
export interface Removal {
  /** In the order of removal. */
  readonly removed: readonly Manifest[];
  /** `helm.sh/resource-policy: keep`: Helm names them to the user. */
  readonly kept: readonly Manifest[];
}

/**
 * What becomes of a release's documents when it is uninstalled (Helm 4.2.4, `filterManifestsToKeep`). A document whose
 * policy is another word than `keep` is neither removed nor named, as in Helm.
 */
export function planRemoval(manifests: readonly Manifest[], dialect: Dialect): Removal {
  const removed: Manifest[] = [];
  const kept: Manifest[] = [];
  for (const manifest of manifests) {
    const policy = resourcePolicy(manifest);
    if (policy === undefined) removed.push(manifest);
    else if (trim(policy).toLowerCase() === "keep") kept.push(manifest);
  }
  return { removed: sortByKind(removed, (manifest) => manifest.kind, { direction: "uninstall", dialect }), kept };
}

function resourcePolicy(manifest: Manifest): string | undefined {
  const { value } = manifest;
  if (!isJsonObject(value) || !isJsonObject(value.metadata) || !isJsonObject(value.metadata.annotations)) {
    return undefined;
  }
  const policy = value.metadata.annotations["helm.sh/resource-policy"];
  return policy === undefined || policy === null ? undefined : String(policy);
}
