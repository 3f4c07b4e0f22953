import { gzipSync } from "node:zlib";
import type { Clock } from "../../src/core/clock.ts";

/**
 * What goes wrong with one exchange of a {@linkcode ScriptedRegistry}: it gets the request and the honest way to an answer, and
 * gives back what the client sees. Several may be nested.
 */
export type RegistryFault = (request: Request, answer: (request: Request) => Promise<Response>) => Promise<Response>;

/** An error in the distribution specification's form. */
export function errorAnswer(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ errors: [{ code, message, detail: null }] }, { status, headers });
}

/** Answers with a status at once: 401, 403, 404, 429, 500, 503, … `retryAfter` is the header's text: seconds or a date. */
export function status(
  code: number,
  options: {
    readonly retryAfter?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  } = {},
): RegistryFault {
  const headers = {
    ...(options.retryAfter === undefined ? {} : { "retry-after": options.retryAfter }),
    ...options.headers,
  };
  return async () =>
    options.body === undefined
      ? errorAnswer(code, code === 429 ? "TOOMANYREQUESTS" : "UNKNOWN", `scripted ${code}`, headers)
      : new Response(options.body, { status: code, headers });
}

/** No connection at all. */
export function unreachable(message = "error sending request: connection refused"): RegistryFault {
  return () => Promise.reject(new TypeError(message));
}

/** No answer until the client gives up. */
export function silence(): RegistryFault {
  return (request) => untilAborted(request);
}

/** The body breaks off after so many bytes: with an error as a lost connection does, or with a quiet end. */
export function cut(afterBytes: number, how: "error" | "end" = "error"): RegistryFault {
  return (request, answer) =>
    changedBody(request, answer, (bytes) => {
      const left = bytes.subarray(0, afterBytes);
      return how === "end"
        ? streamOf([left])
        : brokenAfter([left], new TypeError("error reading a body: reset by peer"));
    });
}

/** The body comes in pieces of so many bytes; with `clock`, each after a pause; `stallAfter` pieces no more come. */
export function pieces(
  pieceBytes: number,
  options: { readonly clock?: Clock; readonly pauseMs?: number; readonly stallAfter?: number } = {},
): RegistryFault {
  return (request, answer) =>
    changedBody(request, answer, (bytes) => {
      let offset = 0;
      let count = 0;
      return new ReadableStream({
        async pull(controller) {
          if (offset >= bytes.length) return controller.close();
          if (count === options.stallAfter) return await untilAborted(request);
          if (options.clock !== undefined) await options.clock.sleep(options.pauseMs ?? 0, request.signal);
          controller.enqueue(bytes.slice(offset, offset += pieceBytes));
          count++;
        },
      }, { highWaterMark: 0 });
    });
}

/** Other bytes of the same length: one bit of the byte at `at` is flipped. The headers stay as they were. */
export function otherBytes(at = 0): RegistryFault {
  return (request, answer) =>
    changedBody(request, answer, (bytes) => {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      return streamOf([changed]);
    });
}

/** More bytes than were announced by the descriptor; `Content-Length` is left out. */
export function moreBytes(count: number): RegistryFault {
  return (request, answer) =>
    changedBody(request, answer, (bytes) => streamOf([bytes, new Uint8Array(count)]), { remove: ["content-length"] });
}

/** A body that never ends, in pieces of 64 KiB. */
export function endless(start: Uint8Array = new Uint8Array(0)): RegistryFault {
  return (request, answer) =>
    changedBody(
      request,
      answer,
      () => {
        let isFirst = true;
        return new ReadableStream({
          pull(controller) {
            controller.enqueue(isFirst && start.length > 0 ? start : new Uint8Array(65_536).fill(0x20));
            isFirst = false;
          },
        }, { highWaterMark: 0 });
      },
      { remove: ["content-length"] },
    );
}

/** Another body, whole: `{"tags":null}`, HTML, no JSON at all. */
export function body(
  content: string | Uint8Array<ArrayBuffer>,
  options: { readonly status?: number; readonly contentType?: string } = {},
): RegistryFault {
  return async (request) =>
    new Response(request.method === "HEAD" ? null : content, {
      status: options.status ?? 200,
      headers: { "content-type": options.contentType ?? "application/json" },
    });
}

/** Headers set or, with `undefined`, left out: a wrong `Content-Type`, no `Docker-Content-Digest`, a `Warning`. */
export function headers(changes: Readonly<Record<string, string | undefined>>): RegistryFault {
  return async (request, answer) => {
    const honest = await answer(request);
    const set = new Headers(honest.headers);
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) set.delete(name);
      else set.set(name, value);
    }
    return new Response(honest.body, { status: honest.status, headers: set });
  };
}

/** A redirect. `to` may count from the request's URL: `{"host": "blobs.example.com"}` becomes the same path there. */
export function redirect(
  to: string | ((url: URL) => string),
  code: 301 | 302 | 303 | 307 | 308 = 307,
): RegistryFault {
  return async (request) =>
    new Response(null, {
      status: code,
      headers: { location: typeof to === "string" ? to : to(new URL(request.url)) },
    });
}

/** A redirect to the same path of another host. */
export function redirectToHost(host: string, code: 302 | 307 = 307): RegistryFault {
  return redirect((url) => `${url.protocol}//${host}${url.pathname}${url.search}`, code);
}

/** Sends the body with `Content-Encoding: gzip`, although nobody asked for it. */
export function compressed(): RegistryFault {
  return (request, answer) =>
    changedBody(request, answer, (bytes) => streamOf([gzipSync(bytes)]), {
      remove: ["content-length"],
      set: { "content-encoding": "gzip" },
    });
}

/** Does as if `Range` had not been asked for. */
export function withoutRanges(): RegistryFault {
  return (request, answer) => {
    const plain = new Headers(request.headers);
    plain.delete("range");
    return answer(new Request(request, { headers: plain }));
  };
}

/** Takes only the first bytes of what is uploaded; then the connection is lost. */
export function partialUpload(keptBytes: number): RegistryFault {
  return async (request, answer) => {
    const whole = new Uint8Array(await request.arrayBuffer());
    const kept = whole.subarray(0, keptBytes);
    await answer(new Request(request.url, { method: request.method, headers: request.headers, body: kept }));
    throw new TypeError("error sending request: connection reset by peer");
  };
}

/** Does what was asked and loses the answer. */
export function lostAnswer(): RegistryFault {
  return async (request, answer) => {
    await answer(request);
    throw new TypeError("error sending request: connection closed before message completed");
  };
}

/** Calls back before an exchange goes on honestly: to change the registry in the middle of a pull. */
export function meanwhile(action: () => void | Promise<void>): RegistryFault {
  return async (request, answer) => {
    await action();
    return await answer(request);
  };
}

async function changedBody(
  request: Request,
  answer: (request: Request) => Promise<Response>,
  change: (bytes: Uint8Array<ArrayBuffer>) => ReadableStream<Uint8Array>,
  options: { readonly remove?: readonly string[]; readonly set?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  const honest = await answer(request);
  if (request.method === "HEAD" || honest.body === null) return honest;
  const set = new Headers(honest.headers);
  for (const name of options.remove ?? []) set.delete(name);
  for (const [name, value] of Object.entries(options.set ?? {})) set.set(name, value);
  const bytes = new Uint8Array(await honest.arrayBuffer());
  return new Response(change(bytes), { status: honest.status, headers: set });
}

function streamOf(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) if (chunk.length > 0) controller.enqueue(chunk);
      controller.close();
    },
  });
}

function brokenAfter(chunks: readonly Uint8Array[], error: Error): ReadableStream<Uint8Array> {
  const left = chunks.filter((chunk) => chunk.length > 0);
  return new ReadableStream({
    pull(controller) {
      const chunk = left.shift();
      if (chunk === undefined) controller.error(error);
      else controller.enqueue(chunk);
    },
  }, { highWaterMark: 0 });
}

function untilAborted(request: Request): Promise<never> {
  return new Promise((_, reject) => {
    if (request.signal.aborted) return reject(request.signal.reason);
    request.signal.addEventListener("abort", () => reject(request.signal.reason), { once: true });
  });
}
