import type { Clock } from "../../../core/clock.ts";
import { messageOf, StageError } from "../../../core/stage_error.ts";
import type { Credential, CredentialSource, LoginTarget } from "../credential.ts";
import { redact, shownUrl } from "../redact.ts";
import { readLimited, registryMessage } from "../registry_answer.ts";
import type { LoginTools } from "./login_tools.ts";

/** Largest answer of a login service. */
const answerLimitBytes = 128 * 1024;
/** Time for one request of a login. */
const requestTimeoutMs = 15_000;

/** A credential and when it ends. */
export interface TimedCredential {
  readonly credential: Credential;
  /** Wall time in milliseconds. */
  readonly endsAt: number;
}

/** One request of a login. */
export interface LoginRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** `Cannot log in to AWS`, for errors. */
  readonly action: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Text of an answer with status 200. Redirects are not followed.
 *
 * @throws {StageError} AuthenticationFailed with what the service says, without tokens
 */
export async function loginText(tools: LoginTools, request: LoginRequest): Promise<string> {
  const late = new AbortController();
  const cancel = tools.clock.after(requestTimeoutMs, () => late.abort(new Error("there was no answer for 15 s")));
  const where = `${request.action}: ${shownUrl(request.url)}`;
  try {
    const signal = request.signal === undefined ? late.signal : AbortSignal.any([request.signal, late.signal]);
    const response = await tools.network(
      new Request(request.url, {
        method: request.method,
        headers: { ...request.headers, "accept-encoding": "identity" },
        redirect: "manual",
        signal,
        ...(request.body === undefined ? {} : { body: request.body }),
      }),
    );
    if (response.status !== 200) {
      const message = await registryMessage(response, answerLimitBytes);
      throw new StageError(
        "AuthenticationFailed",
        `${where} answered ${response.status}${message === "" ? "" : ` (${message})`}`,
      );
    }
    return new TextDecoder().decode(await readLimited(response, answerLimitBytes));
  } catch (error) {
    if (request.signal?.aborted) throw request.signal.reason;
    if (error instanceof StageError) throw error;
    const why = redact(messageOf(late.signal.aborted ? late.signal.reason : error));
    throw new StageError("AuthenticationFailed", `${where}: ${why}`, {
      hint: "Check that this machine or Pod has an identity at this cloud, and that its login service can be reached",
    });
  } finally {
    cancel();
  }
}

/** The same as a JSON object. */
export async function loginJson(tools: LoginTools, request: LoginRequest): Promise<Readonly<Record<string, unknown>>> {
  const text = await loginText(tools, request);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below: the text may hold a token.
  }
  throw new StageError("AuthenticationFailed", `${request.action}: ${shownUrl(request.url)} gave no JSON object`);
}

/** A text of an answer. @throws {StageError} AuthenticationFailed when it is not there */
export function answerText(answer: Readonly<Record<string, unknown>>, name: string, action: string): string {
  const text = answer[name];
  if (typeof text === "string" && text !== "") return text;
  throw new StageError("AuthenticationFailed", `${action}: the answer has no "${name}"`);
}

/**
 * Credentials that a login service gives, for registries that it is for: asked once for many, kept until a tenth of their
 * life, at most five minutes, is left.
 *
 * @param keyOf what the credential is for; `undefined` when the registry is none of this cloud
 */
export function keptLogin(
  clock: Clock,
  keyOf: (target: LoginTarget) => string | undefined,
  login: (target: LoginTarget) => Promise<TimedCredential>,
): CredentialSource {
  const kept = new Map<string, TimedCredential & { readonly usableUntil: number }>();
  const running = new Map<string, Promise<Credential>>();
  const renew = async (key: string, target: LoginTarget): Promise<Credential> => {
    const startedAt = clock.now();
    const timed = await login(target);
    const lifeMs = timed.endsAt - startedAt;
    kept.set(key, { ...timed, usableUntil: timed.endsAt - Math.min(lifeMs / 10, 300_000) });
    return timed.credential;
  };
  return async (target, signal) => {
    const key = keyOf(target);
    if (key === undefined) return [];
    const known = kept.get(key);
    if (known !== undefined && known.usableUntil > clock.now()) return [known.credential];
    let started = running.get(key);
    if (started === undefined) {
      started = renew(key, target).finally(() => running.delete(key));
      running.set(key, started);
    }
    started.catch(() => {});
    signal?.throwIfAborted();
    return [await started];
  };
}
