import type { App, ControlClient } from "../app.ts";
import type { ObjectStatus } from "../core/status.ts";
import { condition } from "../core/condition.ts";
import { keyText } from "../core/object.ts";
import { type Command, type Invocation, UsageError } from "./command.ts";
import { objectOf, pickObject } from "./object_names.ts";
import { connect, connectFlags } from "./shared_flags.ts";

const namespaceFlag = {
  name: "namespace",
  short: "n",
  type: "string",
  value: "NAME",
  help: "Namespace of the object",
} as const;

/** `pilotfish reconcile`: runs an object of the daemon now and waits for its outcome. */
export const reconcile: Command = {
  name: "reconcile",
  usage: "KIND NAME",
  summary: "Run an object now and wait for the outcome",
  details: "Example: pilotfish reconcile ks apps --with-source",
  positionals: [1, 2],
  flags: [
    ...connectFlags,
    namespaceFlag,
    { name: "with-source", type: "boolean", help: "Run its source first" },
    { name: "confirm-prune", type: "boolean", help: "Let go, this once, what a guard keeps from deletion" },
    { name: "no-wait", type: "boolean", help: "Return at once" },
  ],
  async run(invocation, { console, app, signal }) {
    const { client, status } = await target(invocation, app);
    const token = `cli-${app.clock.now()}`;
    await client.order(status.key, "reconcile", {
      withSource: invocation.flag("with-source"),
      confirmPrune: invocation.flag("confirm-prune"),
      token,
    });
    console.err(`► ${keyText(status.key)} reconciliation requested\n`);
    if (invocation.flag("no-wait")) return 0;
    const outcome = await client.outcome(status.key, token, signal);
    const ready = condition(outcome.conditions, "Ready");
    const isReady = ready?.status === "True";
    console.out(`${isReady ? "✔" : "✗"} ${ready?.message ?? "no outcome"}\n`);
    if (!isReady && outcome.hint !== undefined) console.err(`  hint: ${outcome.hint}\n`);
    return isReady ? 0 : 1;
  },
};

/** `pilotfish suspend`: lets an object rest. */
export const suspend: Command = order("suspend", "Let an object rest until it is resumed, over restarts", "suspended");

/** `pilotfish resume`: ends a rest. */
export const resume: Command = order("resume", "End an object's rest and run it", "resumed");

function order(verb: "suspend" | "resume", summary: string, done: string): Command {
  return {
    name: verb,
    usage: "KIND NAME",
    summary,
    positionals: [1, 2],
    flags: [...connectFlags, namespaceFlag],
    async run(invocation, { console, app }) {
      const { client, status } = await target(invocation, app);
      await client.order(status.key, verb);
      console.out(`✔ ${keyText(status.key)} ${done}\n`);
      return 0;
    },
  };
}

async function target(
  invocation: Invocation,
  app: App,
): Promise<{ readonly client: ControlClient; readonly status: ObjectStatus }> {
  if (invocation.text("server") !== undefined) {
    throw new UsageError("Cannot give orders over --server: the open port is for reading; use --socket or --config");
  }
  const wanted = objectOf(invocation.positionals, invocation.text("namespace"));
  const client = await connect(invocation, app);
  const all = await client.objects();
  const key = pickObject(all.map((status) => status.key), wanted);
  const status = all.find((one) => keyText(one.key) === keyText(key));
  if (status === undefined) throw new RangeError(`Cannot find "${keyText(key)}"`);
  return { client, status };
}
