import type { Provider } from "../../../core/provider.ts";
import { StageError } from "../../../core/stage_error.ts";
import type { CredentialSource } from "../credential.ts";
import type { TimedCredential } from "./login_request.ts";
import { answerText, keptLogin, loginJson } from "./login_request.ts";
import type { LoginTools } from "./login_tools.ts";

/** Addresses of Google's services; for tests only, never from documents. */
export interface GcpEndpoints {
  readonly metadata: string;
  readonly sts: string;
  readonly iam: string;
}

const action = "Cannot log in to Google Cloud";
const cloudEndpoints: GcpEndpoints = {
  metadata: "http://metadata.google.internal",
  sts: "https://sts.googleapis.com",
  iam: "https://iamcredentials.googleapis.com",
};
const registryPattern = /^(?:(?:[a-z0-9-]+\.)?gcr\.io|[a-z0-9-]+-docker\.pkg\.dev)$/;
/** What the token may be used for; registries need no more than reading and writing objects and artifacts. */
const scope = "https://www.googleapis.com/auth/cloud-platform";

/**
 * Logs in to Artifact Registry and Container Registry: with a federated identity where `GOOGLE_APPLICATION_CREDENTIALS` names
 * an `external_account` file, else with the service account of this machine or Pod.
 */
export function gcpLogin(
  endpoints: GcpEndpoints = cloudEndpoints,
): Provider<undefined, LoginTools, CredentialSource> {
  return {
    name: "gcp",
    summary: "Logs in to Google Artifact Registry and Container Registry with the workload's identity",
    create: (_, tools) =>
      keptLogin(
        tools.clock,
        ({ registry }) => registryPattern.test(registry) ? "google" : undefined,
        () => googleLogin(tools, endpoints),
      ),
  };
}

async function googleLogin(tools: LoginTools, endpoints: GcpEndpoints): Promise<TimedCredential> {
  const path = tools.env("GOOGLE_APPLICATION_CREDENTIALS");
  if (path) return await federatedLogin(tools, endpoints, path);
  const answer = await loginJson(tools, {
    method: "GET",
    url: new URL("/computeMetadata/v1/instance/service-accounts/default/token", endpoints.metadata),
    headers: { "metadata-flavor": "Google" },
    action,
  });
  return timed(tools, answerText(answer, "access_token", action), answer.expires_in);
}

async function federatedLogin(tools: LoginTools, endpoints: GcpEndpoints, path: string): Promise<TimedCredential> {
  const account = await readJson(tools, path);
  if (account.type !== "external_account") {
    throw new StageError(
      "AuthenticationFailed",
      `${action}: the file of GOOGLE_APPLICATION_CREDENTIALS is of type "${
        String(account.type).slice(0, 40)
      }", known is "external_account"`,
      { hint: "Use workload identity, or put a key into a Secret and name it in spec.secretRef" },
    );
  }
  const source = account.credential_source as { readonly file?: unknown; readonly format?: unknown } | undefined;
  if (typeof source?.file !== "string") {
    throw new StageError("AuthenticationFailed", `${action}: only a credential_source with "file" is known`);
  }
  const exchanged = await loginJson(tools, {
    method: "POST",
    url: new URL("/v1/token", endpoints.sts),
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience: answerText(account, "audience", action),
      scope,
      requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
      subjectTokenType: typeof account.subject_token_type === "string"
        ? account.subject_token_type
        : "urn:ietf:params:oauth:token-type:jwt",
      subjectToken: await subjectToken(tools, source.file, source.format),
    }),
    action,
  });
  const token = answerText(exchanged, "access_token", action);
  // The file names a URL of its own; only the account's name in it is used, with our address.
  const email = /\/serviceAccounts\/([^/:]+@[a-z0-9.-]+):generateAccessToken$/
    .exec(String(account.service_account_impersonation_url ?? ""))?.[1];
  if (email === undefined) return timed(tools, token, exchanged.expires_in);
  const own = await loginJson(tools, {
    method: "POST",
    url: new URL(`/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:generateAccessToken`, endpoints.iam),
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ scope: [scope] }),
    action,
  });
  const end = Date.parse(String(own.expireTime ?? ""));
  return timed(
    tools,
    answerText(own, "accessToken", action),
    Number.isNaN(end) ? undefined : (end - tools.clock.now()) / 1000,
  );
}

async function subjectToken(tools: LoginTools, path: string, format: unknown): Promise<string> {
  const { type, subject_token_field_name: field } = (format ?? {}) as Record<string, unknown>;
  if (type === "json" && typeof field === "string") return answerText(await readJson(tools, path), field, action);
  const text = (await tools.readText(path))?.trim();
  if (text) return text;
  throw new StageError("AuthenticationFailed", `${action}: the token file of credential_source is not there or empty`);
}

async function readJson(tools: LoginTools, path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse(await tools.readText(path) ?? "");
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below: the text may hold a secret.
  }
  throw new StageError("AuthenticationFailed", `${action}: a credentials file is not there or no JSON object`);
}

function timed(tools: LoginTools, token: string, expiresIn: unknown): TimedCredential {
  const seconds = typeof expiresIn === "number" && expiresIn > 0 ? expiresIn : 300;
  return {
    credential: { kind: "basic", username: "oauth2accesstoken", password: token },
    endsAt: tools.clock.now() + seconds * 1000,
  };
}
