import { goDict, goInt } from "../value.ts";
import type { GoMap } from "../value.ts";

/** `.Release`: a map (helm `pkg/chart/common/util`, `ToRenderValues`). */
export function releaseObject(release: {
  readonly name: string;
  readonly namespace: string;
  readonly revision: number;
  readonly isInstall: boolean;
  readonly isUpgrade: boolean;
}): GoMap {
  return goDict([
    ["Name", release.name],
    ["Namespace", release.namespace],
    ["IsUpgrade", release.isUpgrade],
    ["IsInstall", release.isInstall],
    ["Revision", goInt(release.revision)],
    ["Service", "Helm"],
  ]);
}
