import { Buffer } from "node:buffer";
import { isJsonObject } from "../../../core/json.ts";
import { askService, type KeyProvider, secretTexts, textField } from "../key_provider.ts";

/** Data keys for the transit engine of Vault or OpenBao. Token: Secret key `sops.vault-token`, else `VAULT_TOKEN`. */
export const vaultKeys: KeyProvider = {
  kind: "hc_vault",
  needs: "a token in the key sops.vault-token",
  async open(fields, tools) {
    const token = (secretTexts(tools, "sops.vault-token")[0] ?? tools.env("VAULT_TOKEN"))?.trim();
    if (token === undefined || token === "") return undefined;
    const address = new URL(textField(fields, "vault_address"));
    // The address comes with the artifact: a token never goes over a line that others can read.
    const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(address.hostname);
    if (address.protocol !== "https:" && !isLoopback) {
      throw new Error(`the Vault address "${address.origin}" must be https`);
    }
    const path = [textField(fields, "engine_path"), "decrypt", textField(fields, "key_name")]
      .map((part) => part.split("/").map(encodeURIComponent).join("/")).join("/");
    const answer = await askService(
      tools.network,
      new Request(`${address.origin}${address.pathname.replace(/\/$/, "")}/v1/${path}`, {
        method: "POST",
        redirect: "error",
        headers: { "x-vault-token": token, "content-type": "application/json" },
        body: JSON.stringify({ ciphertext: textField(fields, "enc") }),
      }),
      "Vault",
    );
    const data = isJsonObject(answer) ? answer.data : undefined;
    if (!isJsonObject(data) || typeof data.plaintext !== "string") {
      throw new Error("Vault answered without a plaintext");
    }
    return Buffer.from(data.plaintext, "base64");
  },
};
