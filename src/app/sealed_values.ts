import { openDecryptor } from "../build/decrypt/decryptor.ts";
import { encryptedFormat } from "../build/decrypt/sops_file.ts";
import { StageError } from "../core/stage_error.ts";
import type { OpenValue } from "../reconcile/sealed_values.ts";
import type { Doors } from "./doors.ts";

/** How a value begins that was encrypted as a part of a whole Secret: its key stood in the Secret's `sops` field. */
const sealedPart = "ENC[AES256_GCM,data:";

/**
 * Opens SOPS files that are values of Secrets, in memory. What is encrypted and cannot be opened is refused: it must not
 * get into a manifest as text.
 *
 * @param onOpened hears what was decrypted: it must never be told to people
 */
export function valueOpener(doors: Doors, onOpened: (key: string, value: Uint8Array) => void): OpenValue {
  return async ({ key, bytes, decryption }) => {
    if (startsSealed(bytes)) {
      throw new StageError("DecryptionFailed", "Cannot use the value: its Secret is SOPS encrypted as a whole", {
        hint: "Bring the Secret in an artifact whose Kustomization has spec.decryption, or encrypt its values as files",
      });
    }
    if (encryptedFormat(bytes) === undefined) return bytes;
    if (decryption === undefined) {
      throw new StageError(
        "DecryptionFailed",
        "Cannot use the value: it is SOPS encrypted, and there are no keys for it",
        {
          hint: "Set spec.decryption on the Kustomization (for a HelmRelease: on the one that brings it)",
        },
      );
    }
    using network = doors.connect({});
    const decryptor = openDecryptor({
      secret: decryption.keys?.data ?? new Map(),
      env: doors.processes.env,
      network: network.send,
      now: doors.clock.now,
    });
    const value = await decryptor.decryptValue(key, bytes);
    onOpened(key, value);
    return value;
  };
}

function startsSealed(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(0, sealedPart.length)) === sealedPart;
}
