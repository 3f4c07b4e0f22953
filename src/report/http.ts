import { createHash, timingSafeEqual } from "node:crypto";
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { type SSEMessage, streamSSE } from "hono/streaming";
import type { Clock } from "../core/clock.ts";
import type { EngineControl } from "../core/control.ts";
import type { JsonValue } from "../core/json.ts";
import { canonicalJson, isJsonObject } from "../core/json.ts";
import { keyText } from "../core/object.ts";
import { filterOf, objectPage, overviewPage } from "./page.tsx";
import { pageIcon, pageScript, pageStyle } from "./page_assets.ts";
import type { NumberedEvent, StatusBoard } from "./status_board.ts";

/** One thing that a probe looks at. */
export interface ProbeCheck {
  readonly name: string;
  /** `undefined` when fine, else what is wrong. */
  check(): string | undefined;
}

/** What the open port shows. */
export interface OpenTools {
  readonly board: StatusBoard;
  readonly metrics: { text(): string };
  readonly version: string;
  /** Alive: the loop turns. Nothing outside the process may take part. */
  readonly liveness: readonly ProbeCheck[];
  /** Ready: the first pass is done and the store can be written. A registry that is away never counts. */
  readonly readiness: readonly ProbeCheck[];
  /** Started: documents read, store open. */
  readonly startup: readonly ProbeCheck[];
  /** Wall time in milliseconds, for ages. */
  readonly now: () => number;
  /** Aborted when the daemon stops: streams end then. */
  readonly stopping: AbortSignal;
  /**
   * The port is open to this machine alone: requests by a name that may lead anywhere are refused, so that no page in a
   * browser here reads the status by pointing its own name at us (DNS rebinding).
   */
  readonly isLocal?: boolean;
  /** Beats on quiet streams, so that listeners that vanished are noticed; absent: no beats. */
  readonly clock?: Pick<Clock, "after">;
}

/** What the control app is handed. */
export interface ControlTools extends OpenTools {
  readonly engine: EngineControl;
  /** Token that every request must carry (`Authorization: Bearer …`); absent on a socket that only its owner may open. */
  readonly token?: string;
}

/** Milliseconds between two beats on a quiet stream. */
const beatMs = 15_000;
/** Messages that may wait for a slow listener; beyond that its stream ends, and it asks for what it missed. */
const mostWaiting = 500;
/** Most listeners of `/api/v1/events` at the same time. */
const mostStreams = 100;

/**
 * Everything that may be seen without a login: probes, metrics, the page, objects and events. It changes nothing: what
 * changes something is {@linkcode controlApp}, behind the control socket.
 */
export function openApp(tools: OpenTools): Hono {
  const app = new Hono();
  app.use(secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      scriptSrc: ["'self'"],
      connectSrc: ["'self'"],
      imgSrc: ["'self'", "data:"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
    referrerPolicy: "no-referrer",
  }));
  if (tools.isLocal === true) {
    app.use(async (context, next) => {
      const { url } = context.req;
      const hostname = URL.canParse(url) ? new URL(url).hostname : "";
      if (isOwnName(hostname)) return await next();
      const error =
        `There is nothing for host "${hostname}": ask by address or as "localhost", or listen on another address`;
      return context.json({ error }, 421);
    });
  }
  probe(app, "/healthz", tools.liveness);
  probe(app, "/readyz", tools.readiness);
  probe(app, "/startupz", tools.startup);
  app.get(
    "/metrics",
    (context) =>
      context.text(tools.metrics.text(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }),
  );
  statusRoutes(app, tools);
  // From a fixed table: no path of a request ever reaches a disk.
  app.get("/assets/page.css", (context) => context.body(pageStyle, 200, { "content-type": "text/css; charset=utf-8" }));
  app.get(
    "/assets/page.js",
    (context) => context.body(pageScript, 200, { "content-type": "text/javascript; charset=utf-8" }),
  );
  app.get("/assets/icon.svg", (context) => context.body(pageIcon, 200, { "content-type": "image/svg+xml" }));
  app.get("/", (context) => {
    const { board } = tools;
    return context.html(
      overviewPage(board.statuses(), board.events(), pageFacts(tools), filterOf(context.req.query())),
    );
  });
  app.get("/objects/:kind/:namespace/:name", (context) => {
    const status = tools.board.status(context.req.param());
    if (status === undefined) return context.notFound();
    return context.html(objectPage(status, tools.board.statuses(), tools.board.events(), pageFacts(tools)));
  });
  app.notFound((context) => context.json({ error: `There is nothing at "${context.req.path}"` }, 404));
  app.onError((_, context) => context.json({ error: "The request could not be answered" }, 500));
  return app;
}

/** What only the control socket (mode 0600) or a bearer token opens: the open routes, and orders to the loop. */
export function controlApp(tools: ControlTools): Hono {
  const app = new Hono();
  const { token } = tools;
  if (token !== undefined) {
    const refuse = {
      error: 'The request needs the header "Authorization: Bearer TOKEN" with the token of this daemon',
    };
    app.use(async (context, next) => {
      if (!isToken(context.req.header("authorization"), token)) {
        return context.json(refuse, 401, { "www-authenticate": "Bearer" });
      }
      await next();
    });
  }
  statusRoutes(app, tools);
  app.post("/api/v1/objects/:kind/:namespace/:name/:verb", async (context) => {
    const { verb, ...key } = context.req.param();
    const unknown = () => context.json({ error: `There is no object "${keyText(key)}"` }, 404);
    switch (verb) {
      case "reconcile": {
        const given: unknown = await context.req.json().catch(() => undefined);
        const body = isJsonObject(given) ? given : {};
        const order = {
          ...(body.withSource === true ? { withSource: true } : {}),
          ...(body.confirmPrune === true ? { confirmPrune: true } : {}),
          ...(typeof body.token === "string" ? { token: body.token.slice(0, 128) } : {}),
        };
        return tools.engine.reconcile(key, order) ? context.json({ done: true }, 202) : unknown();
      }
      case "suspend":
        return await tools.engine.suspend(key) ? context.json({ done: true }) : unknown();
      case "resume":
        return await tools.engine.resume(key) ? context.json({ done: true }, 202) : unknown();
      default:
        return context.json({ error: `Cannot "${verb}" an object: reconcile, suspend and resume are known` }, 404);
    }
  });
  app.notFound((context) => context.json({ error: `There is nothing at "${context.req.path}"` }, 404));
  app.onError((_, context) => context.json({ error: "The request could not be answered" }, 500));
  return app;
}

/** Whether a host as URLs have it is an address or `localhost`, which nobody else can point elsewhere. */
function isOwnName(hostname: string): boolean {
  return /^(?:\[.*\]|\d+\.\d+\.\d+\.\d+|(?:.*\.)?localhost)$/.test(hostname);
}

/** Whether a header carries the token. Takes as long for a near miss as for a far one; an empty token fits nothing. */
function isToken(header: string | undefined, token: string): boolean {
  const given = /^bearer +(\S+)$/i.exec(header ?? "")?.[1];
  if (given === undefined || token === "") return false;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

function probe(app: Hono, path: string, checks: readonly ProbeCheck[]): void {
  app.get(path, (context) => {
    const results = checks.map((one) => ({ name: one.name, fault: one.check() }));
    const isGood = results.every((result) => result.fault === undefined);
    const isVerbose = context.req.query("verbose") !== undefined;
    const lines = results.map((result) =>
      `[${result.fault === undefined ? "+" : "-"}] ${result.name}${
        result.fault === undefined ? "" : `: ${result.fault}`
      }`
    );
    const text = isVerbose || !isGood ? `${[...lines, isGood ? "ok" : "failed"].join("\n")}\n` : "ok\n";
    return context.text(text, isGood ? 200 : 503, { "cache-control": "no-store" });
  });
}

function statusRoutes(app: Hono, tools: OpenTools): void {
  const { board } = tools;
  const json = (value: unknown) => canonicalJson(value as JsonValue);
  const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" };
  app.get("/api/v1/objects", (context) => context.body(json({ items: board.statuses() }), 200, headers));
  app.get("/api/v1/objects/:kind/:namespace/:name", (context) => {
    const key = context.req.param();
    const status = board.status(key);
    return status === undefined
      ? context.json({ error: `There is no object "${keyText(key)}"` }, 404)
      : context.body(json(status), 200, headers);
  });
  let streams = 0;
  app.get("/api/v1/events", (context) => {
    const given = context.req.header("last-event-id") ?? context.req.query("since");
    const since = Number(given ?? "0");
    const from = Number.isSafeInteger(since) && since > 0 ? since : 0;
    if (!(context.req.header("accept") ?? "").includes("text/event-stream")) {
      return context.body(json({ items: board.events(from) }), 200, headers);
    }
    if (streams >= mostStreams) {
      return context.json({ error: `Too many listeners: the limit is ${mostStreams}` }, 503, { "retry-after": "10" });
    }
    return streamSSE(context, async (stream) => {
      streams++;
      const ended = Promise.withResolvers<void>();
      const end = () => ended.resolve();
      let waiting = 0;
      const send = async (message: SSEMessage) => {
        if (++waiting > mostWaiting) return end();
        await stream.writeSSE(message).catch(end);
        waiting--;
      };
      const eventMessage = (event: NumberedEvent) => ({ id: String(event.id), event: "event", data: json(event) });
      const unlisten = board.listen((news) => {
        if (news.kind === "event") void send(eventMessage(news.event));
        else if (news.kind === "status") void send({ event: "status", data: keyText(news.status.key) });
        else void send({ event: "gone", data: keyText(news.key) });
      });
      let cancelBeat: (() => void) | undefined;
      const beat = () => {
        void send({ event: "beat", data: "" });
        cancelBeat = tools.clock?.after(beatMs, beat);
      };
      cancelBeat = tools.clock?.after(beatMs, beat);
      stream.onAbort(end);
      tools.stopping.addEventListener("abort", end, { once: true });
      if (tools.stopping.aborted) end();
      try {
        if (given !== undefined) { for (const event of board.events(from)) await stream.writeSSE(eventMessage(event)); }
        await stream.writeSSE({ event: "hello", data: tools.version });
        await ended.promise;
      } finally {
        streams--;
        cancelBeat?.();
        unlisten();
        tools.stopping.removeEventListener("abort", end);
      }
    });
  });
}

function pageFacts(tools: OpenTools): { readonly version: string; readonly nowMs: number } {
  return { version: tools.version, nowMs: tools.now() };
}
