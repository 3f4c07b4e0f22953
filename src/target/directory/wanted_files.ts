import type { InventoryEntry } from "../../core/inventory.ts";
import { entryOf } from "../../core/inventory.ts";
import type { Resource } from "../../core/resource.ts";
import { refOf, refText } from "../../core/resource.ts";
import { StageError } from "../../core/stage_error.ts";
import type { TargetRequest } from "../../core/target.ts";
import { printYaml } from "../../format/yaml.ts";
import { type DirectoryLayout, filePath } from "./file_names.ts";

/** One file that a request wants. */
export interface WantedFile {
  readonly path: string;
  readonly text: string;
  readonly resource: Resource;
  readonly entry: InventoryEntry;
}

/** Files of a request, in order of path. @throws {StageError} ReconciliationFailed when two resources need one file */
export function wantedFiles(request: TargetRequest, layout: DirectoryLayout): readonly WantedFile[] {
  const byPath = new Map<string, WantedFile>();
  for (const resource of request.resources) {
    if (layout === "static-pods" && (resource.kind !== "Pod" || resource.apiVersion !== "v1")) {
      throw new StageError(
        "ReconciliationFailed",
        `Cannot write "${refText(refOf(resource))}": a folder of static Pods takes only Pods`,
        { hint: "Use the layout tree or k3s, or leave other kinds out of the artifact" },
      );
    }
    const ref = refOf(resource);
    const path = filePath(ref, layout);
    const other = byPath.get(path.toLowerCase());
    if (other !== undefined) {
      throw new StageError(
        "ReconciliationFailed",
        `Cannot write "${path}": both "${refText(refOf(other.resource))}" and "${refText(ref)}" need it`,
      );
    }
    byPath.set(path.toLowerCase(), { path, text: printYaml(resource), resource, entry: entryOf(ref) });
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
