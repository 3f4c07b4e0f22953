import { Buffer } from "node:buffer";
import { createSign } from "node:crypto";
import type { JsonObject } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import {
  askService,
  type KeyProvider,
  type KeyTools,
  parseSecretJson,
  secretTexts,
  textField,
} from "../key_provider.ts";

const scope = "https://www.googleapis.com/auth/cloudkms";

/**
 * Data keys for Google Cloud KMS. Credentials: a service account's JSON in Secret key `sops.gcp-kms`, else an access
 * token in `GOOGLE_OAUTH_ACCESS_TOKEN`.
 */
export const gcpKeys: KeyProvider = {
  kind: "gcp_kms",
  needs: "a service account's JSON in the key sops.gcp-kms",
  async open(fields, tools) {
    const account = secretTexts(tools, "sops.gcp-kms")[0];
    const token = account === undefined
      ? tools.env("GOOGLE_OAUTH_ACCESS_TOKEN")
      : await accessToken(accountOf(account), tools);
    if (token === undefined || token === "") return undefined;
    const resource = textField(fields, "resource_id");
    if (!/^projects\/[\w.:-]+\/locations\/[\w-]+\/keyRings\/[\w-]+\/cryptoKeys\/[\w-]+$/.test(resource)) {
      throw new Error(`"${resource}" is no key of Google Cloud KMS`);
    }
    const answer = await askService(
      tools.network,
      new Request(`https://cloudkms.googleapis.com/v1/${resource}:decrypt`, {
        method: "POST",
        redirect: "error",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ ciphertext: textField(fields, "enc") }),
      }),
      "Google Cloud KMS",
    );
    if (!isJsonObject(answer) || typeof answer.plaintext !== "string") throw new Error("no plaintext in the answer");
    return Buffer.from(answer.plaintext, "base64");
  },
};

/** A service account's JSON. The runtime's message would hold a piece of the text, so that it is not told. */
function accountOf(text: string): JsonObject {
  const account = parseSecretJson(text);
  if (!isJsonObject(account)) throw new Error("sops.gcp-kms is no service account: it must be a JSON object");
  return account;
}

/** An access token for a service account, by a signed assertion (RFC 7523). */
async function accessToken(account: JsonObject, tools: KeyTools): Promise<string> {
  const { client_email: email, private_key: key } = account;
  if (typeof email !== "string" || typeof key !== "string") {
    throw new Error("sops.gcp-kms is no service account: client_email and private_key are needed");
  }
  const audience = "https://oauth2.googleapis.com/token";
  const issuedAt = Math.floor(tools.now() / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iss: email, scope, aud: audience, iat: issuedAt, exp: issuedAt + 600 };
  const unsigned = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
  const signature = createSign("RSA-SHA256").update(unsigned).sign(key, "base64url");
  const answer = await askService(
    tools.network,
    new Request(audience, {
      method: "POST",
      redirect: "error",
      body: new URLSearchParams({
        grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
        assertion: `${unsigned}.${signature}`,
      }),
    }),
    "Google's token service",
  );
  if (!isJsonObject(answer) || typeof answer.access_token !== "string") {
    throw new Error("no access token in the answer");
  }
  return answer.access_token;
}
