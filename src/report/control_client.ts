import type { Clock } from "../core/clock.ts";
import type { Event } from "../core/event.ts";
import type { Network } from "../core/network.ts";
import type { ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import { messageOf } from "../core/stage_error.ts";
import type { ObjectStatus } from "../core/status.ts";
import type { NumberedEvent } from "./status_board.ts";

/** Talks to a running daemon: what `get`, `describe`, `events`, `reconcile`, `suspend` and `resume` use. */
export interface ControlClient {
  objects(): Promise<readonly ObjectStatus[]>;
  object(key: ObjectKey): Promise<ObjectStatus>;
  /** Events so far, oldest first. */
  events(): Promise<readonly NumberedEvent[]>;
  /** Events after number `since`, by default from now on, until `signal` is aborted or the daemon ends. */
  follow(signal: AbortSignal, since?: number): AsyncIterable<Event>;
  /** Gives an order. @throws {Error} when the daemon refuses it */
  order(
    key: ObjectKey,
    verb: "reconcile" | "suspend" | "resume",
    options?: { readonly withSource?: boolean; readonly token?: string; readonly confirmPrune?: boolean },
  ): Promise<void>;
  /** Waits for the end of the run that a `reconcile` order with this token started. */
  outcome(key: ObjectKey, token: string, signal: AbortSignal): Promise<ObjectStatus>;
}

/** Milliseconds between two looks for an outcome. */
const lookMs = 100;

/** A client over a network that leads to the daemon; `address` is for messages. */
export function controlClient(
  network: Network,
  tools: { readonly address: string; readonly clock: Clock },
): ControlClient {
  const { address, clock } = tools;

  async function send(path: string, init?: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await network(new Request(`http://pilotfish${path}`, init));
    } catch (error) {
      throw new Error(
        `Cannot reach the daemon at "${address}": ${connectFault(error)}. Is it running, and is this its store?`,
      );
    }
    if (response.ok) return response;
    const body: { error?: string } = await response.json().catch(() => ({}));
    throw new Error(body.error ?? `The daemon answered ${response.status} to ${path}`);
  }

  async function object(key: ObjectKey): Promise<ObjectStatus> {
    return await (await send(pathOf(key))).json();
  }

  return {
    object,
    objects: async () => (await (await send("/api/v1/objects")).json()).items,
    events: async () => (await (await send("/api/v1/events")).json()).items,
    async *follow(signal, since) {
      const query = since === undefined ? "" : `?since=${since}`;
      const response = await send(`/api/v1/events${query}`, { headers: { accept: "text/event-stream" }, signal });
      try {
        for await (const message of serverSentEvents(response)) {
          if (message.event === "event") yield JSON.parse(message.data) as Event;
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
    async order(key, verb, options) {
      const response = await send(`${pathOf(key)}/${verb}`, {
        method: "POST",
        body: JSON.stringify(options ?? {}),
        headers: { "content-type": "application/json" },
      });
      await response.body?.cancel();
    },
    async outcome(key, token, signal) {
      // Another order may follow this one before it is looked at: one run answers both, and carries the later token.
      let first: string | undefined;
      while (true) {
        const status = await object(key);
        const handled = status.lastHandledReconcileAt ?? "";
        first ??= handled;
        const isHandled = handled === token || handled !== first;
        const isRunning = status.conditions.some((one) => one.type === "Reconciling" && one.reason === "Progressing");
        if (isHandled && !isRunning && status.isSettled === true) return status;
        if (status.isSuspended) throw new Error(`"${keyText(key)}" is suspended: resume it first`);
        await clock.sleep(lookMs, signal);
      }
    },
  };
}

/** What keeps from connecting, in the system's own words: the runtime puts its request and its layers in front. */
function connectFault(error: unknown): string {
  return messageOf(error).replace(/^.*client error \(Connect\): /s, "").replace(/ \(os error \d+\)$/, "");
}

function pathOf(key: ObjectKey): string {
  return `/api/v1/objects/${[key.kind, key.namespace, key.name].map(encodeURIComponent).join("/")}`;
}

async function* serverSentEvents(response: Response): AsyncIterable<{ readonly event: string; readonly data: string }> {
  let rest = "";
  const text = response.body?.pipeThrough(new TextDecoderStream());
  if (text === undefined) return;
  for await (const chunk of text) {
    rest += chunk;
    const blocks = rest.split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const field = (name: string) =>
        block.split("\n").filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2))
          .join("\n");
      yield { event: field("event"), data: field("data") };
    }
  }
}
