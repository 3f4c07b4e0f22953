import type { Clock } from "../../core/clock.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { KubeApi, KubeEvent, KubeRequest, KubeWatch } from "../../core/kube_api.ts";
import { KubeError, kubeErrorOf } from "../../core/kube_api.ts";
import type { Network } from "../../core/network.ts";
import type { Random } from "../../core/random.ts";
import { messageOf } from "../../core/stage_error.ts";
import { groupHeader } from "./credentials.ts";
import { parseKubeJson, printKubeJson } from "./kube_json.ts";
import { RequestGate } from "./request_gate.ts";
import { scrubSecret } from "./scrub_secret.ts";
import { watchEvents } from "./watch_stream.ts";

/** What a client works with. */
export interface KubeClientOptions {
  /** `https://host:port`, without a slash at its end. */
  readonly server: string;
  readonly namespace: string;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  /** Headers that prove who we are; `isRefused` after a 401: look again, the token may have been renewed. */
  readonly authorize: (isRefused: boolean) => Promise<Readonly<Record<string, string>>>;
  /** Requests under way at once, watches not counted. Default 32. */
  readonly concurrency?: number;
  /** Tries of a request that may be repeated. Default 5. */
  readonly tries?: number;
  /** Milliseconds of silence after which a watch is given up. Default 150 seconds: bookmarks come each minute. */
  readonly watchSilenceMs?: number;
  /** Told when no answer came in time, or a watch fell silent: the connection may be dead without knowing it. */
  readonly onSilence?: () => void;
}

const requestTimeoutMs = 30_000;
/** Seconds after which the server is asked to end a watch; half as much again is added by chance. */
const watchSeconds = 300;

/** A {@linkcode KubeApi} over a network. Every sibling made by `as` shares its connection and its gate. */
export function kubeClient(options: KubeClientOptions): KubeApi {
  return clientFor(options, new RequestGate(options.concurrency ?? 32), undefined);
}

function clientFor(options: KubeClientOptions, gate: RequestGate, user: string | undefined): KubeApi {
  const acting: Readonly<Record<string, string>> = user === undefined ? {} : { "impersonate-user": user };
  const headersOf = async (request: KubeRequest, isRefused: boolean) => {
    const headers: Record<string, string> = {
      accept: request.accept ?? "application/json",
      ...(request.body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
      ...await options.authorize(isRefused),
    };
    // The groups that the kubeconfig asks for belong to its own user, not to the one acted as.
    if (user !== undefined) delete headers[groupHeader];
    return { ...headers, ...acting };
  };
  return {
    name: options.server,
    namespace: options.namespace,
    send: (request, signal) => sendPatiently(options, gate, { request, headersOf }, signal),
    watch: (watch, signal) => openWatch(options, { watch, headersOf }, signal),
    as(next) {
      if (next === "") {
        throw new KubeError("Cannot act as another user: its name is empty", { code: 0, reason: "Forbidden" });
      }
      return clientFor(options, gate, next);
    },
  };
}

interface Sending {
  readonly request: KubeRequest;
  readonly headersOf: (request: KubeRequest, isRefused: boolean) => Promise<Record<string, string>>;
}

async function sendPatiently(
  options: KubeClientOptions,
  gate: RequestGate,
  sending: Sending,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  const tries = options.tries ?? 5;
  const outer = signal ?? new AbortController().signal;
  let isRefused = false;
  for (let attempt = 1;; attempt++) {
    try {
      return await sendOnce(options, gate, { ...sending, isRefused }, outer);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      outer.throwIfAborted();
      if (error.code === 401 && !isRefused) {
        isRefused = true;
        continue;
      }
      if (attempt >= tries || !mayRepeat(sending.request, error)) throw error;
      await options.clock.sleep(pauseMs(error, attempt, options.random), outer);
    }
  }
}

/** Overload is answered before anything was done; other faults are repeated where a second time does no harm. */
function mayRepeat(request: KubeRequest, error: KubeError): boolean {
  if (error.code === 429) return true;
  const passes = error.reason === "Unreachable" || error.code === 500 && error.retryAfterMs !== undefined ||
    error.code === 502 || error.code === 503 || error.code === 504 || error.reason === "ServerTimeout";
  const isIdempotent = request.method === "GET" || request.method === "DELETE" ||
    request.method === "PATCH" && request.contentType === "application/apply-patch+yaml";
  return passes && isIdempotent;
}

function pauseMs(error: KubeError, attempt: number, random: Random): number {
  const base = Math.min(5_000, 100 * 2 ** attempt);
  return Math.max(Math.min(error.retryAfterMs ?? 0, 60_000), base * (0.5 + random.next() / 2));
}

async function sendOnce(
  options: KubeClientOptions,
  gate: RequestGate,
  sending: Sending & { readonly isRefused: boolean },
  outer: AbortSignal,
): Promise<JsonObject> {
  const { request } = sending;
  const headers = await sending.headersOf(request, sending.isRefused);
  const timeoutMs = request.timeoutMs ?? requestTimeoutMs;
  await gate.enter(outer);
  let outcome: "done" | "overloaded" = "done";
  const stop = new AbortController();
  const onAbort = () => stop.abort(outer.reason);
  outer.addEventListener("abort", onAbort, { once: true });
  const cancelTimer = options.clock.after(timeoutMs, () => {
    options.onSilence?.();
    stop.abort(new Error(`no answer within ${timeoutMs / 1000} s`));
  });
  try {
    const response = await options.network(
      new Request(urlOf(options.server, request), {
        method: request.method,
        headers: linesOf(headers),
        signal: stop.signal,
        ...(request.body === undefined ? {} : { body: printKubeJson(request.body) }),
      }),
    );
    const text = await response.text();
    if (response.status === 429) outcome = "overloaded";
    const body = bodyOf(text);
    if (response.ok && isJsonObject(body)) return body;
    if (response.ok) throw answerFault(options, request, text);
    throw scrubSecret(
      kubeErrorOf(response.status, body ?? { message: text.slice(0, 500) }, retryAfter(response)),
      request.body,
    );
  } catch (error) {
    if (error instanceof KubeError) throw error;
    outer.throwIfAborted();
    throw unreachable(options, stop.signal.aborted ? stop.signal.reason : error);
  } finally {
    cancelTimer();
    outer.removeEventListener("abort", onAbort);
    gate.leave(outcome);
  }
}

async function* openWatch(
  options: KubeClientOptions,
  opening: { readonly watch: KubeWatch; readonly headersOf: Sending["headersOf"] },
  outer: AbortSignal,
): AsyncGenerator<KubeEvent> {
  const stop = new AbortController();
  const onAbort = () => stop.abort(outer.reason);
  outer.throwIfAborted();
  outer.addEventListener("abort", onAbort, { once: true });
  const silenceMs = options.watchSilenceMs ?? 150_000;
  try {
    const request: KubeRequest = {
      method: "GET",
      path: opening.watch.path,
      ...(opening.watch.accept === undefined ? {} : { accept: opening.watch.accept }),
      query: {
        ...opening.watch.query,
        watch: "true",
        allowWatchBookmarks: "true",
        resourceVersion: opening.watch.resourceVersion,
        timeoutSeconds: String(Math.round(watchSeconds * (1 + options.random.next() / 2))),
      },
    };
    let response: Response | undefined;
    for (const isRefused of [false, true]) {
      const headers = await opening.headersOf(request, isRefused);
      const cancelTimer = options.clock.after(requestTimeoutMs, () => {
        stop.abort(new Error(`no answer within ${requestTimeoutMs / 1000} s`));
      });
      try {
        response = await options.network(
          new Request(urlOf(options.server, request), { headers: linesOf(headers), signal: stop.signal }),
        );
      } finally {
        cancelTimer();
      }
      if (response.status !== 401 || isRefused) break;
      await response.body?.cancel();
    }
    if (response === undefined) return;
    if (!response.ok || response.body === null) {
      const text = await response.text();
      throw kubeErrorOf(response.status, bodyOf(text) ?? { message: text.slice(0, 500) }, retryAfter(response));
    }
    yield* watchEvents(response.body, {
      clock: options.clock,
      silenceMs,
      stop: () => {
        options.onSilence?.();
        stop.abort(new Error("silent"));
      },
    });
  } catch (error) {
    if (error instanceof KubeError) throw error;
    outer.throwIfAborted();
    throw unreachable(options, stop.signal.aborted ? stop.signal.reason : error);
  } finally {
    outer.removeEventListener("abort", onAbort);
    stop.abort();
  }
}

/** Headers line by line: a server takes several groups in one line for the name of one. */
function linesOf(headers: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (name === groupHeader ? value.split(", ") : [value]).map((line): [string, string] => [name, line])
  );
}

function urlOf(server: string, request: KubeRequest): string {
  if (request.query === undefined) return server + request.path;
  return `${server}${request.path}?${new URLSearchParams(request.query)}`;
}

function bodyOf(text: string): unknown {
  try {
    return parseKubeJson(text);
  } catch {
    return undefined;
  }
}

function retryAfter(response: Response): { readonly retryAfterMs?: number } {
  const seconds = Number(response.headers.get("retry-after") ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {};
}

function unreachable(options: KubeClientOptions, cause: unknown): KubeError {
  return new KubeError(`Cannot reach API server "${options.server}": ${messageOf(cause)}`, {
    code: 0,
    reason: "Unreachable",
    cause,
  });
}

function answerFault(options: KubeClientOptions, request: KubeRequest, text: string): KubeError {
  return new KubeError(
    `Cannot read the answer of "${options.server}" to ${request.method} ${request.path}: it must be a JSON object, it starts with "${
      text.slice(0, 40)
    }"`,
    { code: 0, reason: "Unreadable" },
  );
}
