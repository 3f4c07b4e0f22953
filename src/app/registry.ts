import { StageError } from "../core/stage_error.ts";
import type { ImageReference } from "../format/image_reference.ts";
import { referenceText } from "../format/image_reference.ts";
import type { OciDestination } from "../source/oci_source.ts";
import type { Doors } from "./doors.ts";

/** How a command logs in: by flags, else as the docker client would. */
export interface RegistryLogin {
  /** `user:password`. */
  readonly credentials?: string;
  /** Plain HTTP. */
  readonly insecure: boolean;
  /** PEM of a certificate authority. */
  readonly caCert?: string;
}

/** A registry's repository for a command. */
export function openRegistry(reference: ImageReference, _login: RegistryLogin, _doors: Doors): OciDestination {
  throw new StageError("NotBuiltYet", `Cannot reach "${referenceText(reference)}": registries are not built yet`);
}
