import type { Network } from "../../core/network.ts";
import { StageError } from "../../core/stage_error.ts";
import { mayLeadTo } from "./address_class.ts";
import { retryAfterMs } from "./answer_headers.ts";
import { lastingFaultHint } from "./connection_fault.ts";
import type { HostGate } from "./host_gate.ts";
import { redactedError, shownUrl } from "./redact.ts";
import { dropBody, registryMessage, TransientFault, transientStatuses } from "./registry_answer.ts";
import type { RegistryLimits, RegistryTools } from "./registry_tools.ts";
import { pauseMs } from "./registry_tools.ts";

/** Content of a request, made anew for each try. */
export type WireBody = () => Uint8Array<ArrayBuffer> | string | ReadableStream<Uint8Array>;

/** One request, before redirects. */
export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to the origin of `url` only. */
  readonly authorization?: string | undefined;
  readonly body?: WireBody | undefined;
  readonly signal?: AbortSignal | undefined;
  /** `Cannot pull "…"`, for errors. */
  readonly action: string;
  /** Time for the head of the answer, where a body takes long to send; default the limit. */
  readonly headTimeoutMs?: number;
}

/** An answer and where it came from after redirects. */
export interface WireAnswer {
  readonly response: Response;
  readonly url: URL;
}

/** The way to registries with one set of connection options: gate, redirects by our rules, limits of time. */
export interface Wire {
  readonly tools: RegistryTools;
  readonly limits: RegistryLimits;
  /** One try. @throws {TransientFault} for a fault that passes, {StageError} for one that does not */
  once(request: WireRequest): Promise<WireAnswer>;
  /** As many tries as the limits allow. @throws {StageError} */
  repeated(request: WireRequest): Promise<WireAnswer>;
}

/** A wire over a network. */
export function openWire(network: Network, tools: RegistryTools, limits: RegistryLimits, gate: HostGate): Wire {
  const wire: Wire = {
    tools,
    limits,
    once: async (request) => {
      const leave = await gate.enter(request.url.host, request.signal);
      try {
        const answer = await followed(network, request, tools, limits);
        if (!transientStatuses.has(answer.response.status)) return answer;
        throw await transientAnswer(answer, tools, limits, gate);
      } finally {
        leave();
      }
    },
    repeated: (request) => withRetries(wire, request.action, request.signal, () => wire.once(request)),
  };
  return wire;
}

/**
 * Tries again after faults that pass, with growing pauses chosen by chance. A pause that the registry asks for is kept; when
 * it is longer than we wait, the error carries it.
 */
export async function withRetries<Result>(
  wire: Pick<Wire, "tools" | "limits">,
  action: string,
  signal: AbortSignal | undefined,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const { tools, limits } = wire;
  for (let count = 0;; count++) {
    try {
      return await attempt();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (!(error instanceof TransientFault)) throw error;
      const asked = error.retryAfterMs ?? 0;
      if (count >= limits.retries || asked > limits.longestRetryAfterMs) throw finalError(error, action);
      await tools.clock.sleep(asked + pauseMs(limits, count, tools.random.next()), signal);
    }
  }
}

/** The error that is left when no try is. */
export function finalError(fault: TransientFault, action: string): StageError {
  const retry = fault.retryAfterMs === undefined ? {} : { retryAfterMs: fault.retryAfterMs };
  const cause = fault.cause === undefined ? {} : { cause: fault.cause };
  return new StageError("OCIArtifactPullFailed", `${action}: ${fault.message}`, {
    ...retry,
    ...cause,
    ...hintOf(fault),
  });
}

function hintOf(fault: TransientFault): { readonly hint?: string } {
  if (fault.status === 429) {
    return { hint: "The registry limits how often it is asked; log in, raise the interval or use a mirror" };
  }
  if (fault.status !== undefined) return { hint: "The registry has a fault of its own; it is tried again later" };
  return {};
}

async function transientAnswer(
  answer: WireAnswer,
  tools: RegistryTools,
  limits: RegistryLimits,
  gate: HostGate,
): Promise<TransientFault> {
  const { response, url } = answer;
  const asked = retryAfterMs(response.headers.get("retry-after"), tools.clock.now());
  if (response.status === 429 || (response.status === 503 && asked !== undefined)) {
    gate.pause(url.host, asked ?? limits.firstPauseMs);
  }
  const message = await registryMessage(response, limits.errorBytes);
  return new TransientFault(`registry answered ${response.status}${message === "" ? "" : ` (${message})`}`, {
    status: response.status,
    retryAfterMs: asked,
  });
}

/** One exchange, redirects followed by our rules. */
async function followed(
  network: Network,
  request: WireRequest,
  tools: RegistryTools,
  limits: RegistryLimits,
): Promise<WireAnswer> {
  let url = request.url;
  let method = request.method;
  for (let hop = 0;; hop++) {
    const response = await exchange(network, { ...request, method }, url, tools, limits);
    const location = response.headers.get("location");
    const isRedirect = [301, 302, 303, 307, 308].includes(response.status) && location !== null;
    if (!isRedirect) return { response, url };
    await dropBody(response);
    const refuse = (why: string) =>
      new StageError("OCIArtifactPullFailed", `${request.action}: the registry redirects ${why}`, {
        hint: "Check the registry's own address and any proxy before it",
      });
    if (hop >= limits.redirects) throw refuse(`more than ${limits.redirects} times`);
    if (!URL.canParse(location, url)) throw refuse("to something that is no URL");
    const next = new URL(location, url);
    if (next.protocol !== "https:" && next.protocol !== "http:") throw refuse(`to scheme "${next.protocol}"`);
    if (url.protocol === "https:" && next.protocol === "http:") throw refuse(`from https to "${shownUrl(next)}"`);
    if (next.username !== "" || next.password !== "") throw refuse("to a URL with credentials");
    if (!await mayLeadTo(request.url, next, tools.lookup)) {
      throw refuse(`to "${next.host}", an address that it must not lead to`);
    }
    if (method !== "GET" && method !== "HEAD") {
      if (response.status !== 307 && response.status !== 308) {
        throw refuse(`a ${method} request with status ${response.status}`);
      }
      if (next.origin !== request.url.origin) throw refuse(`a ${method} request to "${next.host}"`);
    } else if (response.status === 303) method = method === "HEAD" ? "HEAD" : "GET";
    url = next;
  }
}

async function exchange(
  network: Network,
  request: WireRequest,
  url: URL,
  tools: RegistryTools,
  limits: RegistryLimits,
): Promise<Response> {
  const timeoutMs = request.headTimeoutMs ?? limits.headTimeoutMs;
  const late = new AbortController();
  const cancel = tools.clock.after(
    timeoutMs,
    () => late.abort(new Error(`there was no answer for ${timeoutMs / 1000} s`)),
  );
  const signal = request.signal === undefined ? late.signal : AbortSignal.any([request.signal, late.signal]);
  const headers = new Headers(request.headers);
  headers.set("accept-encoding", "identity");
  headers.set("user-agent", tools.userAgent ?? "pilotfish");
  if (request.authorization !== undefined && url.origin === request.url.origin) {
    headers.set("authorization", request.authorization);
  }
  const body = request.body?.();
  const init: RequestInit & { duplex?: "half" } = { method: request.method, headers, signal, redirect: "manual" };
  if (body !== undefined) {
    init.body = body;
    if (body instanceof ReadableStream) init.duplex = "half";
  }
  try {
    return await network(new Request(url, init));
  } catch (error) {
    if (request.signal?.aborted) throw request.signal.reason;
    if (error instanceof StageError) throw error;
    const cause = redactedError(late.signal.aborted ? late.signal.reason : error);
    const message = `cannot reach "${url.host}": ${cause.message}`;
    const hint = lastingFaultHint(cause.message);
    if (hint === undefined) throw new TransientFault(message, { cause });
    throw new StageError("OCIArtifactPullFailed", `${request.action}: ${message}`, { cause, hint });
  } finally {
    cancel();
  }
}
