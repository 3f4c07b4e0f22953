import type { Event } from "../core/event.ts";
import type { JsonValue } from "../core/json.ts";
import { keyText } from "../core/object.ts";
import type { Command } from "./command.ts";
import { kindOf } from "./object_names.ts";
import { outputForm, printValue, table } from "./output.ts";
import { connect, connectFlags, outputFlag } from "./shared_flags.ts";

/** `pilotfish events`: what happened, oldest first. */
export const events: Command = {
  name: "events",
  usage: "[KIND [NAME]]",
  summary: "Show what happened, and with --follow what happens",
  positionals: [0, 2],
  flags: [
    ...connectFlags,
    { name: "namespace", short: "n", type: "string", value: "NAME", help: "Only events of this namespace" },
    { name: "follow", short: "f", type: "boolean", help: "Go on until interrupted" },
    outputFlag,
  ],
  async run(invocation, { console, app, signal }) {
    const form = outputForm(invocation.text("output"));
    const [kindWord, name] = invocation.positionals;
    const kind = kindWord === undefined || kindWord === "all" ? undefined : kindOf(kindWord);
    const namespace = invocation.text("namespace");
    const client = await connect(invocation, app);
    const fits = (event: Event) =>
      (kind === undefined || event.object.kind === kind) && (name === undefined || event.object.name === name) &&
      (namespace === undefined || event.object.namespace === namespace);
    const all = await client.events();
    const past = all.filter(fits);
    if (form === "table" && past.length === 0) console.err("No events found\n");
    else if (form === "table") {
      console.out(table(["TIME", "SEVERITY", "OBJECT", "REASON", "MESSAGE"], past.map(row)));
    } else console.out(printValue(past as unknown as JsonValue, form));
    if (!invocation.flag("follow")) return 0;
    for await (const event of client.follow(signal, all.at(-1)?.id ?? 0)) {
      if (!fits(event)) continue;
      console.out(form === "table" ? `${row(event).join("   ")}\n` : printValue(event as unknown as JsonValue, form));
    }
    return 0;
  },
};

function row(event: Event): string[] {
  return [event.timestamp, event.severity, keyText(event.object), event.reason, event.message.replaceAll("\n", "; ")];
}
