import { condition } from "../core/condition.ts";
import type { JsonValue } from "../core/json.ts";
import type { ObjectStatus } from "../core/status.ts";
import type { Command, Console } from "./command.ts";
import { kindOf, objectOf, pickObject } from "./object_names.ts";
import { connect, connectFlags, outputFlag } from "./shared_flags.ts";
import { type OutputForm, outputForm, printValue, table } from "./output.ts";

/** `pilotfish get`: what the running daemon knows, a line each. */
export const get: Command = {
  name: "get",
  usage: "[KIND [NAME]]",
  summary: "List objects of the running daemon with their state",
  details: "Example: pilotfish get ks\n         pilotfish get ks/site\n         pilotfish get all --output json",
  positionals: [0, 2],
  flags: [
    ...connectFlags,
    { name: "namespace", short: "n", type: "string", value: "NAME", help: "Only objects of this namespace" },
    { name: "failing", type: "boolean", help: "Only objects that are not ready" },
    outputFlag,
  ],
  async run(invocation, { console, app }) {
    const form = outputForm(invocation.text("output"));
    const [kind, name] = invocation.positionals;
    const namespace = invocation.text("namespace");
    const isOne = name !== undefined || kind?.includes("/") === true;
    // Read before the daemon is asked: a wrong word is said even when there is none.
    const one = isOne ? objectOf(invocation.positionals, namespace) : undefined;
    const wanted = isOne || kind === undefined || kind === "all" ? undefined : kindOf(kind);
    const client = await connect(invocation, app);
    const all = await client.objects();
    let shown = all;
    if (one !== undefined) {
      const key = pickObject(all.map((status) => status.key), one);
      shown = all.filter((status) =>
        status.key.kind === key.kind && status.key.namespace === key.namespace && status.key.name === key.name
      );
    } else if (wanted !== undefined) {
      shown = all.filter((status) => status.key.kind === wanted);
    }
    if (namespace !== undefined && one === undefined) {
      shown = shown.filter((status) => status.key.namespace === namespace);
    }
    if (invocation.flag("failing")) shown = shown.filter((status) => readyOf(status).status !== "True");
    printStatuses(shown, form, console);
    return 0;
  },
};

/** Prints objects in the form asked for. */
export function printStatuses(statuses: readonly ObjectStatus[], form: OutputForm, console: Console): void {
  if (form !== "table") console.out(printValue(statuses as unknown as JsonValue, form));
  else if (statuses.length === 0) console.err("No objects found\n");
  else console.out(statusTable(statuses));
}

/** Whether an object is ready, and why not: also of one that has not run yet. */
export function readyOf(status: ObjectStatus): { readonly status: string; readonly message: string } {
  return condition(status.conditions, "Ready") ?? { status: "Unknown", message: "waiting for its first run" };
}

/** Objects as `flux get all` shows them. */
function statusTable(statuses: readonly ObjectStatus[]): string {
  return table(
    ["KIND", "NAMESPACE", "NAME", "REVISION", "SUSPENDED", "READY", "MESSAGE"],
    statuses.map((status) => {
      const ready = readyOf(status);
      return [
        status.key.kind,
        status.key.namespace,
        status.key.name,
        shortRevision(status.artifact?.revision ?? status.lastAppliedRevision ?? ""),
        status.isSuspended ? "True" : "False",
        ready.status,
        ready.message.split("\n")[0] ?? "",
      ];
    }),
  );
}

/** `tag@sha256:12345678`: enough of a revision for a table. */
export function shortRevision(revision: string): string {
  return revision.replace(/(sha\d+:[0-9a-f]{8})[0-9a-f]+/, "$1");
}
