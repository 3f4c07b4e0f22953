import { Buffer } from "node:buffer";
import { isJsonObject } from "../../../core/json.ts";
import { parseYaml } from "../../../format/yaml.ts";
import { askService, type KeyProvider, type KeyTools, secretTexts, textField } from "../key_provider.ts";

/** Hosts of Azure Key Vault in all clouds: a token never goes anywhere else. */
const vaultHost = /^[a-z0-9-]+\.(vault\.azure\.net|vault\.azure\.cn|vault\.usgovcloudapi\.net|managedhsm\.azure\.net)$/;

/**
 * Data keys for Azure Key Vault. Credentials: YAML in Secret key `sops.azure-kv` with `tenantId`, `clientId` and
 * `clientSecret`, else `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`.
 */
export const azureKeys: KeyProvider = {
  kind: "azure_kv",
  needs: "tenantId, clientId and clientSecret in the key sops.azure-kv",
  async open(fields, tools) {
    const login = credentials(tools);
    if (login === undefined) return undefined;
    const vault = new URL(textField(fields, "vault_url"));
    if (vault.protocol !== "https:" || !vaultHost.test(vault.hostname)) {
      throw new Error(`"${vault.hostname}" is no host of Azure Key Vault`);
    }
    const token = await accessToken(login, vault, tools);
    const path = ["keys", textField(fields, "name"), textField(fields, "version")].map(encodeURIComponent).join("/");
    const answer = await askService(
      tools.network,
      new Request(`${vault.origin}/${path}/decrypt?api-version=7.4`, {
        method: "POST",
        redirect: "error",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ alg: "RSA-OAEP-256", value: textField(fields, "enc") }),
      }),
      "Azure Key Vault",
    );
    if (!isJsonObject(answer) || typeof answer.value !== "string") throw new Error("no value in the answer");
    return Buffer.from(answer.value, "base64url");
  },
};

interface Login {
  readonly tenant: string;
  readonly client: string;
  readonly secret: string;
}

function credentials(tools: KeyTools): Login | undefined {
  const text = secretTexts(tools, "sops.azure-kv")[0];
  const document = text === undefined ? {} : parseYaml(text);
  const read = (names: readonly string[], variable: string): string | undefined => {
    const value = isJsonObject(document)
      ? names.map((name) => document[name]).find((one) => typeof one === "string")
      : undefined;
    return typeof value === "string" ? value : tools.env(variable);
  };
  const tenant = read(["tenantId", "tenant"], "AZURE_TENANT_ID");
  const client = read(["clientId", "appId"], "AZURE_CLIENT_ID");
  const secret = read(["clientSecret", "password"], "AZURE_CLIENT_SECRET");
  return tenant === undefined || client === undefined || secret === undefined ? undefined : { tenant, client, secret };
}

async function accessToken(login: Login, vault: URL, tools: KeyTools): Promise<string> {
  const scopeHost = vault.hostname.slice(vault.hostname.indexOf(".") + 1);
  const authority = tools.env("AZURE_AUTHORITY_HOST") ?? "https://login.microsoftonline.com/";
  const answer = await askService(
    tools.network,
    new Request(`${authority.replace(/\/$/, "")}/${encodeURIComponent(login.tenant)}/oauth2/v2.0/token`, {
      method: "POST",
      redirect: "error",
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: login.client,
        client_secret: login.secret,
        scope: `https://${scopeHost}/.default`,
      }),
    }),
    "Azure's token service",
  );
  if (!isJsonObject(answer) || typeof answer.access_token !== "string") {
    throw new Error("no access token in the answer");
  }
  return answer.access_token;
}
