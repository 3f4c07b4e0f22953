import type { App, ControlClient } from "../../src/app.ts";
import type { Event } from "../../src/core/event.ts";
import { keyText } from "../../src/core/object.ts";
import type { ObjectStatus } from "../../src/core/status.ts";
import type { Command } from "../../src/cli/command.ts";
import { parseInvocation } from "../../src/cli/parse_invocation.ts";
import { FakeClock } from "./fake_clock.ts";

/** Status of an object that is ready; `patch` says what is different. */
export function statusOf(kind: string, name: string, patch: Partial<ObjectStatus> = {}): ObjectStatus {
  return {
    key: { kind, namespace: "default", name },
    apiVersion: "v1",
    isSuspended: false,
    generation: 1,
    observedGeneration: 1,
    conditions: [{
      type: "Ready",
      status: "True",
      reason: "Succeeded",
      message: "all is well",
      lastTransitionTime: "2026-01-01T00:00:00Z",
      observedGeneration: 1,
    }],
    history: [],
    warnings: [],
    failures: 0,
    ...patch,
  };
}

/** The same, not ready. */
export function failingStatus(kind: string, name: string, message: string, hint?: string): ObjectStatus {
  const good = statusOf(kind, name);
  return {
    ...good,
    conditions: good.conditions.map((one) => ({ ...one, status: "False" as const, reason: "BuildFailed", message })),
    ...(hint === undefined ? {} : { hint }),
  };
}

/** A running daemon of these objects and events that notes its orders. */
export function fakeDaemon(statuses: readonly ObjectStatus[], events: readonly Event[] = []) {
  const orders: string[] = [];
  const client: ControlClient = {
    objects: () => Promise.resolve(statuses),
    object: (key) => Promise.resolve(statuses.find((one) => keyText(one.key) === keyText(key)) as ObjectStatus),
    events: () => Promise.resolve(events.map((event, index) => ({ ...event, id: index + 1, count: 1 }))),
    async *follow() {
      yield* events;
    },
    order: (key, verb, options) =>
      Promise.resolve(void orders.push(`${verb} ${keyText(key)}${options?.withSource === true ? " with source" : ""}`)),
    outcome: (key) => client.object(key),
  };
  return { client, orders };
}

/** Runs one command over a program of which only `app` is there. */
export async function runFake(command: Command, args: readonly string[], app: Partial<App>) {
  const printed = { out: "", err: "" };
  const code = await command.run(parseInvocation(command, args), {
    app: { clock: new FakeClock(), ...app } as App,
    console: {
      out: (text) => void (printed.out += text),
      err: (text) => void (printed.err += text),
      isTerminal: false,
      columns: 80,
    },
    signal: new AbortController().signal,
  });
  return { code, ...printed };
}
