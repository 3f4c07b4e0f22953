import { Buffer } from "node:buffer";
import type { Provider } from "../../../core/provider.ts";
import { StageError } from "../../../core/stage_error.ts";
import type { CredentialSource } from "../credential.ts";
import type { TimedCredential } from "./login_request.ts";
import { answerText, keptLogin, loginJson } from "./login_request.ts";
import type { LoginTools } from "./login_tools.ts";

/** Addresses of Azure's services; for tests only, never from documents. */
export interface AzureEndpoints {
  readonly instanceMetadata: string;
  /** Address of a registry's own token exchange. */
  readonly registry: (registry: string) => string;
  /** Sign-in service where `AZURE_AUTHORITY_HOST` names none. */
  readonly authority: (registry: string) => string;
}

const action = "Cannot log in to Azure";
const cloudEndpoints: AzureEndpoints = {
  instanceMetadata: "http://169.254.169.254",
  registry: (registry) => `https://${registry}`,
  authority: (registry) =>
    registry.endsWith(".cn")
      ? "https://login.chinacloudapi.cn/"
      : registry.endsWith(".us")
      ? "https://login.microsoftonline.us/"
      : "https://login.microsoftonline.com/",
};
const registryPattern = /^[a-z0-9-]+(?:\.[a-z0-9-]+)?\.azurecr\.(?:io|cn|de|us)$/;
/** What the token is for (Azure SDK, container registry audience). */
const audience = "https://containerregistry.azure.net";
/** User name of a token login (Azure documentation, "Authenticate with an Azure container registry"). */
const tokenUser = "00000000-0000-0000-0000-000000000000";

/**
 * Logs in to Azure Container Registry: with a workload identity (`AZURE_FEDERATED_TOKEN_FILE`), else with the managed identity
 * of this machine; the token is exchanged at the registry for one of its own.
 */
export function azureLogin(
  endpoints: AzureEndpoints = cloudEndpoints,
): Provider<undefined, LoginTools, CredentialSource> {
  return {
    name: "azure",
    summary: "Logs in to Azure Container Registry with the workload's identity",
    create: (_, tools) =>
      keptLogin(
        tools.clock,
        ({ registry }) => registryPattern.test(registry) ? registry : undefined,
        ({ registry }) => acrLogin(tools, endpoints, registry),
      ),
  };
}

async function acrLogin(tools: LoginTools, endpoints: AzureEndpoints, registry: string): Promise<TimedCredential> {
  const token = await identityToken(tools, endpoints, registry);
  const answer = await loginJson(tools, {
    method: "POST",
    url: new URL("/oauth2/exchange", endpoints.registry(registry)),
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ grant_type: "access_token", service: registry, access_token: token }).toString(),
    action,
  });
  const refresh = answerText(answer, "refresh_token", action);
  return {
    credential: { kind: "basic", username: tokenUser, password: refresh },
    endsAt: jwtEnd(refresh) ?? tools.clock.now() + 3 * 3_600_000,
  };
}

async function identityToken(tools: LoginTools, endpoints: AzureEndpoints, registry: string): Promise<string> {
  const { env } = tools;
  const client = env("AZURE_CLIENT_ID");
  const tenant = env("AZURE_TENANT_ID");
  const tokenFile = env("AZURE_FEDERATED_TOKEN_FILE");
  if (client && tenant && tokenFile) {
    if (!/^[A-Za-z0-9.-]{1,100}$/.test(tenant)) {
      throw new StageError("AuthenticationFailed", `${action}: AZURE_TENANT_ID is no tenant`);
    }
    const assertion = (await tools.readText(tokenFile))?.trim();
    if (!assertion) {
      throw new StageError(
        "AuthenticationFailed",
        `${action}: the file that AZURE_FEDERATED_TOKEN_FILE names is not there or empty`,
      );
    }
    const answer = await loginJson(tools, {
      method: "POST",
      url: new URL(`${tenant}/oauth2/v2.0/token`, authorityOf(env("AZURE_AUTHORITY_HOST"), endpoints, registry)),
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: client,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: assertion,
        scope: `${audience}/.default`,
      }).toString(),
      action,
    });
    return answerText(answer, "access_token", action);
  }
  const url = new URL("/metadata/identity/oauth2/token", endpoints.instanceMetadata);
  url.searchParams.set("api-version", "2018-02-01");
  url.searchParams.set("resource", audience);
  if (client) url.searchParams.set("client_id", client);
  const answer = await loginJson(tools, { method: "GET", url, headers: { metadata: "true" }, action });
  return answerText(answer, "access_token", action);
}

function authorityOf(written: string | undefined, endpoints: AzureEndpoints, registry: string): string {
  const text = written || endpoints.authority(registry);
  const isGood = URL.canParse(text) && (written === undefined || new URL(text).protocol === "https:");
  if (!isGood) throw new StageError("AuthenticationFailed", `${action}: AZURE_AUTHORITY_HOST must be an https URL`);
  return text.endsWith("/") ? text : `${text}/`;
}

/** End of a token in milliseconds, as it says itself; the registry checks it, not we. */
function jwtEnd(token: string): number | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { exp?: unknown };
    return typeof claims.exp === "number" ? claims.exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
