import { type KeyProvider, secretTexts, textField } from "../key_provider.ts";

/** Data keys for age recipients: X25519 and the post-quantum hybrid. Secret keys `*.agekey`, one identity per line. */
export const ageKeys: KeyProvider = {
  kind: "age",
  needs: "an age identity in a key that ends in .agekey",
  async open(fields, tools) {
    const identities = secretTexts(tools, ".agekey").flatMap((text) =>
      text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line.startsWith("AGE-SECRET-KEY-"))
    );
    if (identities.length === 0) return undefined;
    const age = await import("age-encryption");
    const decrypter = new age.Decrypter();
    for (const identity of identities) {
      try {
        decrypter.addIdentity(identity);
      } catch {
        // The library's message holds the whole identity.
        throw new Error("an age identity in the Secret is mistyped or cut off");
      }
    }
    return await decrypter.decrypt(age.armor.decode(textField(fields, "enc")));
  },
};
