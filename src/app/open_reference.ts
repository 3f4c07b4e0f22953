import { isDigest } from "../core/digest.ts";
import { StageError } from "../core/stage_error.ts";
import { isTag, parseImageReference } from "../format/image_reference.ts";
import { absolutePath } from "../platform/deno_environment.ts";
import { openLayout } from "../source/layout/layout_source.ts";
import type { OciDestination } from "../source/oci_source.ts";
import type { Doors } from "./doors.ts";
import type { Registries, RegistryLogin } from "./registry.ts";

/** A reference as people write it, opened. */
export interface OpenReference {
  readonly repository: OciDestination;
  /** Tag or digest; `latest` where none was written. */
  readonly wanted: string;
  readonly hasTag: boolean;
}

/**
 * Opens `oci-layout://PATH[:TAG|@DIGEST]`, or a registry's `[oci://]REGISTRY/REPOSITORY[:TAG][@DIGEST]`.
 *
 * @throws {StageError} URLInvalid
 */
export function openReference(
  text: string,
  doors: Doors,
  reach: { readonly registries: Registries; readonly login: RegistryLogin },
): OpenReference {
  if (text.startsWith("oci-layout://")) {
    const match = /^oci-layout:\/\/(.+?)(?:@([a-z0-9]+:[0-9a-f]+)|:([^/:]+))?$/.exec(text);
    const [, path = "", digest, tag] = match ?? [];
    if (path === "" || (digest !== undefined && !isDigest(digest)) || (tag !== undefined && !isTag(tag))) {
      throw new StageError("URLInvalid", `Cannot read reference "${text}"`, {
        hint: "Write oci-layout://PATH[:TAG|@DIGEST]",
      });
    }
    return {
      repository: openLayout(absolutePath(path), { fileSystem: doors.fileSystem }),
      wanted: digest ?? tag ?? "latest",
      hasTag: tag !== undefined,
    };
  }
  const reference = parseImageReference(text);
  return {
    repository: reach.registries.ofCommand(reference, reach.login),
    wanted: reference.digest ?? reference.tag ?? "latest",
    hasTag: reference.tag !== undefined,
  };
}
