import { messageOf } from "../../../core/stage_error.ts";
import { type KeyProvider, secretTexts, textField } from "../key_provider.ts";

/** Data keys for OpenPGP keys. Secret keys `*.asc`, each an armored private key without a passphrase. */
export const pgpKeys: KeyProvider = {
  kind: "pgp",
  needs: "an armored private OpenPGP key in a key that ends in .asc",
  async open(fields, tools) {
    const armored = secretTexts(tools, ".asc");
    if (armored.length === 0) return undefined;
    const openpgp = await import("openpgp");
    const message = textField(fields, "enc");
    const faults: string[] = [];
    for (const text of armored) {
      try {
        const decryptionKeys = await openpgp.readPrivateKeys({ armoredKeys: text });
        const { data } = await openpgp.decrypt({
          message: await openpgp.readMessage({ armoredMessage: message }),
          decryptionKeys,
          format: "binary",
          // Old keys of teams use algorithms that the library no longer takes by itself; what they open is still theirs.
          config: { minRSABits: 1024, allowInsecureDecryptionWithSigningKeys: true },
        });
        return data as Uint8Array;
      } catch (error) {
        faults.push(messageOf(error));
      }
    }
    throw new Error(faults.join("; "));
  },
};
