import type { Gvk } from "./identity.ts";

/** `apiVersion` text of a group and version. */
export function apiVersionText(gvk: Pick<Gvk, "group" | "version">): string {
  return gvk.group === "" ? gvk.version : `${gvk.group}/${gvk.version}`;
}
