import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Network } from "../../core/network.ts";
import type { PluginTools, TimedLogin } from "./login_plugin.ts";

/** Milliseconds before its end from which on a token is renewed (client-go `expiryDelta`: ten seconds). */
const renewBeforeMs = 10_000;
/** Milliseconds that the issuer may take to answer. */
const issuerTimeoutMs = 30_000;

/**
 * Login of an `auth-provider` named `oidc`: its `id-token` while that is good, then a new one for its `refresh-token`
 * (OpenID Connect Core 1.0 section 12; client-go `plugin/pkg/client/auth/oidc`).
 *
 * Differs: what the issuer gives is kept in memory; client-go writes it back into the kubeconfig.
 */
export function openIdLogin(config: JsonObject, tools: PluginTools): (isRefused: boolean) => Promise<TimedLogin> {
  let idToken = text(config["id-token"]);
  let refreshToken = text(config["refresh-token"]);
  return async (isRefused) => {
    if (isRefused || idToken === "" || tools.clock.now() >= endOf(idToken) - renewBeforeMs) {
      const issuer = text(config["idp-issuer-url"]);
      const missing = Object.entries({ "idp-issuer-url": issuer, "refresh-token": refreshToken })
        .filter(([, value]) => value === "").map(([name]) => name);
      if (missing.length > 0) throw new Error(`the id-token has expired, and ${missing.join(" and ")} is not given`);
      const caCert = await authority(config, tools);
      using network = tools.connect(caCert === undefined ? {} : { caCerts: [caCert] });
      const answer = await renew({ issuer, refreshToken, config }, network.send);
      idToken = text(answer.id_token);
      refreshToken = text(answer.refresh_token) || refreshToken;
      if (idToken === "") throw new Error("the issuer gave no id_token: the refresh token must be of scope openid");
    }
    return { login: { headers: { authorization: `Bearer ${idToken}` } }, endsAt: endOf(idToken) - renewBeforeMs };
  };
}

async function renew(
  wanted: { readonly issuer: string; readonly refreshToken: string; readonly config: JsonObject },
  send: Network,
): Promise<JsonObject> {
  const base = wanted.issuer.replace(/\/$/, "");
  const discovery = await answerOf(new Request(`${base}/.well-known/openid-configuration`), send);
  const endpoint = text(discovery.token_endpoint);
  if (endpoint === "") throw new Error(`issuer "${base}" names no token_endpoint`);
  return await answerOf(
    new Request(endpoint, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: new URLSearchParams({
        grant_type: "refresh_token",
        refresh_token: wanted.refreshToken,
        client_id: text(wanted.config["client-id"]),
        ...(text(wanted.config["client-secret"]) === "" ? {} : { client_secret: text(wanted.config["client-secret"]) }),
      }).toString(),
    }),
    send,
  );
}

/** The answer's JSON. A refusal shows the issuer's word for it, never what was sent. */
async function answerOf(request: Request, send: Network): Promise<JsonObject> {
  const { origin, pathname } = new URL(request.url);
  const response = await send(new Request(request, { signal: AbortSignal.timeout(issuerTimeoutMs) }));
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) {
    const word = isJsonObject(body) ? text(body.error) : "";
    throw new Error(`${origin}${pathname} answered ${response.status}${word === "" ? "" : ` (${word})`}`);
  }
  if (!isJsonObject(body)) throw new Error(`${origin}${pathname} did not answer with a JSON object`);
  return body;
}

async function authority(config: JsonObject, tools: PluginTools): Promise<string | undefined> {
  const data = text(config["idp-certificate-authority-data"]);
  if (data !== "") return atob(data.replace(/\s+/g, ""));
  const path = text(config["idp-certificate-authority"]);
  if (path === "") return undefined;
  const pem = await tools.fileSystem.readText(path);
  if (pem === undefined) throw new Error(`there is no idp-certificate-authority "${path}"`);
  return pem;
}

/** End of a token in milliseconds since 1970; one that does not say counts as ended. The API server checks the rest. */
function endOf(token: string): number {
  try {
    const payload: unknown = JSON.parse(
      new TextDecoder().decode(Uint8Array.fromBase64(token.split(".")[1] ?? "", { alphabet: "base64url" })),
    );
    return isJsonObject(payload) && typeof payload.exp === "number" ? payload.exp * 1_000 : 0;
  } catch {
    return 0;
  }
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
