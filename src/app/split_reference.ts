import { joinPath } from "../core/file_tree.ts";
import { StageError } from "../core/stage_error.ts";

/**
 * Reference and folder of `oci://…//path` or `oci-layout://…//path`, as kustomize writes a folder behind a repository;
 * `undefined` for anything else. Without `//` the folder is the root, "".
 *
 * @throws {StageError} URLInvalid when the folder would leave the artifact
 */
export function splitReference(text: string): { readonly reference: string; readonly path: string } | undefined {
  const scheme = /^oci(?:-layout)?:\/\//.exec(text)?.[0];
  if (scheme === undefined) return undefined;
  const at = text.indexOf("//", scheme.length + 1);
  if (at < 0) return { reference: text, path: "" };
  const path = joinPath("", text.slice(at + 2).replace(/^\/+/, ""));
  if (path === undefined) {
    throw new StageError("URLInvalid", `Cannot read "${text}": its path leads out of the artifact`, {
      hint: "Write oci://REGISTRY/REPOSITORY[:TAG|@DIGEST]//PATH",
    });
  }
  return { reference: text.slice(0, at), path };
}
