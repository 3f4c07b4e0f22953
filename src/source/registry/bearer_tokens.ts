import { Buffer } from "node:buffer";
import { StageError } from "../../core/stage_error.ts";
import { mayLeadTo } from "./address_class.ts";
import type { Challenge } from "./challenge.ts";
import type { Credential } from "./credential.ts";
import { credentialKey } from "./credential.ts";
import { answerError, readLimited, registryMessage } from "./registry_answer.ts";
import { redactedError, shownUrl } from "./redact.ts";
import type { Wire, WireAnswer } from "./wire.ts";

/** Tokens without `expires_in` hold a minute (distribution `docs/spec/auth/token.md`). */
const defaultLifeMs = 60_000;
/** Longest time that a token is kept, whatever its server says. */
const longestLifeMs = 12 * 3_600_000;
const keptAtMost = 1024;
const longestRequestMs = 60_000;

interface KeptToken {
  readonly token: string;
  /** Monotonic time after which it is not used any more. */
  readonly usableUntil: number;
}

/** What a token is for. */
export interface TokenRequest {
  /** Address of the registry that demands it. */
  readonly registry: URL;
  readonly challenge: Challenge;
  readonly scopes: readonly string[];
  readonly credential: Credential | undefined;
  readonly signal?: AbortSignal | undefined;
  /** `Cannot pull "…"`, for errors. */
  readonly action: string;
}

/**
 * Access tokens of token servers, kept per registry, server, scopes and credential until shortly before they end. Several
 * who want the same token wait for one request.
 */
export class BearerTokens {
  readonly #kept = new Map<string, KeptToken>();
  readonly #running = new Map<string, Promise<string>>();
  /** Refresh tokens that replaced the one of a credential. */
  readonly #refreshed = new Map<string, string>();

  /**
   * A token. With `refused` (a token that the registry did not take) a kept one that equals it is not given again.
   *
   * @throws {StageError} AuthenticationFailed, OCIArtifactPullFailed
   */
  async get(wire: Wire, request: TokenRequest, refused?: string): Promise<string> {
    if (request.credential?.kind === "registry-token") return request.credential.token;
    const key = JSON.stringify([
      request.registry.origin,
      request.challenge.parameters.get("realm"),
      request.challenge.parameters.get("service"),
      request.scopes,
      credentialKey(request.credential),
    ]);
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      if (kept.token !== refused && kept.usableUntil > wire.tools.clock.monotonic()) return kept.token;
      this.#kept.delete(key);
    }
    const running = this.#running.get(key);
    if (running !== undefined) return await abortable(running, request.signal);
    // Whoever waits with us must not fail because we are told to stop.
    const limit = new AbortController();
    const cancel = wire.tools.clock.after(longestRequestMs, () =>
      limit.abort(
        new StageError("OCIArtifactPullFailed", `${request.action}: the token server took longer than 60 s`),
      ));
    const started = this.#ask(wire, { ...request, signal: limit.signal }, key).finally(() => {
      cancel();
      this.#running.delete(key);
    });
    this.#running.set(key, started);
    return await abortable(started, request.signal);
  }

  async #ask(wire: Wire, request: TokenRequest, key: string): Promise<string> {
    const realm = await checkedRealm(wire, request);
    const startedAt = wire.tools.clock.monotonic();
    const answer = request.credential?.kind === "identity-token"
      ? await this.#exchangeRefreshToken(wire, request, realm, request.credential)
      : await askWithGet(wire, request, realm, request.credential);
    const parsed = await readToken(wire, request, answer);
    if (request.credential?.kind === "identity-token" && parsed.refreshToken !== undefined) {
      this.#refreshed.set(credentialKey(request.credential), parsed.refreshToken);
    }
    // A tenth is left for the way, at most ten seconds.
    const usableMs = parsed.lifeMs - Math.min(parsed.lifeMs / 10, 10_000);
    if (this.#kept.size >= keptAtMost) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    this.#kept.set(key, { token: parsed.token, usableUntil: startedAt + usableMs });
    return parsed.token;
  }

  async #exchangeRefreshToken(
    wire: Wire,
    request: TokenRequest,
    realm: URL,
    credential: Credential & { readonly kind: "identity-token" },
  ): Promise<WireAnswer> {
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      service: request.challenge.parameters.get("service") ?? "",
      scope: request.scopes.join(" "),
      client_id: "pilotfish",
      refresh_token: this.#refreshed.get(credentialKey(credential)) ?? credential.token,
    }).toString();
    const answer = await wire.repeated({
      method: "POST",
      url: realm,
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: () => form,
      signal: request.signal,
      action: request.action,
    });
    if (answer.response.status !== 404 && answer.response.status !== 405) return answer;
    await answer.response.body?.cancel();
    // Servers without the OAuth2 form take the token as a password (docker/distribution issue of the two flows).
    return await askWithGet(wire, request, realm, { kind: "basic", username: "<token>", password: credential.token });
  }
}

/**
 * The token server that a registry names, if it may be asked: with credentials at stake a registry must not be able to send
 * them anywhere (CVE-2020-15157, CVE-2026-48978). Only `https`, `http` when the registry itself is reached by it; and no
 * address in a private network unless the registry is in one too.
 */
async function checkedRealm(wire: Wire, request: TokenRequest): Promise<URL> {
  const realm = request.challenge.parameters.get("realm") ?? "";
  const refuse = (why: string) =>
    new StageError("AuthenticationFailed", `${request.action}: the registry sends us to a token server ${why}`, {
      hint: "Check the registry's address; its answer is not one that credentials may be given to",
    });
  if (!URL.canParse(realm)) throw refuse("whose address is no URL");
  const url = new URL(realm);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw refuse(`of scheme "${url.protocol}"`);
  if (url.protocol === "http:" && request.registry.protocol === "https:") {
    throw refuse(`without TLS, "${shownUrl(url)}"`);
  }
  if (url.username !== "" || url.password !== "") throw refuse("with credentials in its URL");
  if (!await mayLeadTo(request.registry, url, wire.tools.lookup)) {
    throw refuse(`at "${url.host}", an address that it must not lead to`);
  }
  url.hash = "";
  return url;
}

async function askWithGet(
  wire: Wire,
  request: TokenRequest,
  realm: URL,
  credential: Credential | undefined,
): Promise<WireAnswer> {
  const url = new URL(realm);
  const service = request.challenge.parameters.get("service");
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of request.scopes) url.searchParams.append("scope", scope);
  return await wire.repeated({
    method: "GET",
    url,
    headers: { accept: "application/json" },
    authorization: credential?.kind === "basic" ? basicAuthorization(credential) : undefined,
    signal: request.signal,
    action: request.action,
  });
}

interface ParsedToken {
  readonly token: string;
  readonly lifeMs: number;
  readonly refreshToken?: string;
}

async function readToken(wire: Wire, request: TokenRequest, answer: WireAnswer): Promise<ParsedToken> {
  const { response, url } = answer;
  const who = `${request.action}: token server "${url.host}"`;
  if (response.status !== 200) {
    const message = await registryMessage(response, wire.limits.errorBytes);
    const error = answerError(response, who, message);
    // Token servers answer 400 and 404 to logins that they do not know.
    throw response.status < 500 && error.reason !== "AuthenticationFailed"
      ? new StageError("AuthenticationFailed", error.message, { cause: error.cause })
      : error;
  }
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(new TextDecoder().decode(await readLimited(response, wire.limits.tokenBytes))) ?? {};
  } catch (error) {
    throw new StageError("AuthenticationFailed", `${who} gave no usable answer`, { cause: redactedError(error) });
  }
  const token = [record.token, record.access_token].find((text): text is string =>
    typeof text === "string" && text !== ""
  );
  if (token === undefined || /[^\u0021-\u007e]/.test(token)) {
    throw new StageError("AuthenticationFailed", `${who} gave no token`);
  }
  const seconds = typeof record.expires_in === "number" && record.expires_in > 0 ? record.expires_in : 0;
  return {
    token,
    lifeMs: seconds === 0 ? defaultLifeMs : Math.min(seconds * 1000, longestLifeMs),
    ...(typeof record.refresh_token === "string" && record.refresh_token !== ""
      ? { refreshToken: record.refresh_token }
      : {}),
  };
}

/** Value of `Authorization` for a user and password. */
export function basicAuthorization(credential: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString("base64")}`;
}

/** The promise's outcome, unless the signal comes first. */
function abortable<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work;
  work.catch(() => {});
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).then(() => signal.removeEventListener("abort", stop));
  });
}
