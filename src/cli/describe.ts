import type { JsonValue } from "../core/json.ts";
import { placeText } from "../core/object.ts";
import type { ObjectStatus } from "../core/status.ts";
import { refText } from "../core/resource.ts";
import { refOfEntry } from "../core/inventory.ts";
import type { Command } from "./command.ts";
import { objectOf, pickObject } from "./object_names.ts";
import { connect, connectFlags, outputFlag } from "./shared_flags.ts";
import { outputForm, printValue, sizeText } from "./output.ts";

/** `pilotfish describe`: everything that is known of one object. */
export const describe: Command = {
  name: "describe",
  usage: "KIND NAME",
  summary: "Show everything known of one object: conditions, inventory, history, events",
  positionals: [1, 2],
  flags: [
    ...connectFlags,
    { name: "namespace", short: "n", type: "string", value: "NAME", help: "Namespace of the object" },
    outputFlag,
  ],
  async run(invocation, { console, app }) {
    const form = outputForm(invocation.text("output"));
    const wanted = objectOf(invocation.positionals, invocation.text("namespace"));
    const client = await connect(invocation, app);
    const all = await client.objects();
    const key = pickObject(all.map((status) => status.key), wanted);
    const status = await client.object(key);
    if (form !== "table") {
      console.out(printValue(status as unknown as JsonValue, form));
      return 0;
    }
    const events = (await client.events()).filter((event) =>
      event.object.kind === key.kind && event.object.namespace === key.namespace && event.object.name === key.name
    );
    const children = all.filter((other) =>
      other.parent?.kind === key.kind && other.parent.name === key.name && other.parent.namespace === key.namespace
    );
    console.out(describeText(status, children));
    if (events.length > 0) {
      console.out("\nEvents:\n");
      for (const event of events.slice(-20)) {
        console.out(
          `  ${event.timestamp}  ${event.severity}  ${event.reason}: ${event.message.replaceAll("\n", "\n    ")}\n`,
        );
      }
    }
    return 0;
  },
};

/** The text of `describe`, without events. */
export function describeText(status: ObjectStatus, children: readonly ObjectStatus[]): string {
  const lines: string[] = [];
  const add = (label: string, value: string | number | undefined) => {
    if (value !== undefined && value !== "") lines.push(`${`${label}:`.padEnd(22)}${value}`);
  };
  add("Kind", status.key.kind);
  add("Namespace", status.key.namespace);
  add("Name", status.key.name);
  add("Document", status.place === undefined ? undefined : placeText(status.place));
  add(
    "Parent",
    status.parent === undefined ? undefined : `${status.parent.kind}/${status.parent.namespace}/${status.parent.name}`,
  );
  add("Target", status.target);
  add("Suspended", status.isSuspended ? "yes" : "no");
  add("Generation", `${status.generation} (observed ${status.observedGeneration})`);
  add("Artifact", status.artifact?.revision);
  add("Artifact size", status.artifact === undefined ? undefined : sizeText(status.artifact.sizeBytes));
  add("Fetched from", status.artifact?.url);
  add("Applied revision", status.lastAppliedRevision);
  if (status.lastAttemptedRevision !== status.lastAppliedRevision) {
    add("Attempted revision", status.lastAttemptedRevision);
  }
  add("Origin revision", status.lastAppliedOriginRevision);
  add("Failures in a row", status.failures === 0 ? undefined : status.failures);
  add("Next run", status.nextRunAt);
  add("Hint", status.hint);
  lines.push("", "Conditions:");
  for (const one of status.conditions) {
    lines.push(`  ${one.type} ${one.status}  ${one.reason}  since ${one.lastTransitionTime}`);
    for (const line of one.message.split("\n")) lines.push(`    ${line}`);
  }
  const section = (title: string, rows: readonly string[]) => {
    if (rows.length > 0) lines.push("", `${title}:`, ...rows.map((row) => `  ${row}`));
  };
  section("Warnings", status.warnings);
  section("Inventory", (status.inventory?.entries ?? []).map((entry) => refText(refOfEntry(entry))));
  section(
    "Not ready",
    (status.health ?? []).filter((one) => one.status !== "Current").map((one) =>
      `${refText(one.ref)}: ${one.status}: ${one.message}`
    ),
  );
  section("Children", children.map((child) => `${child.key.kind}/${child.key.namespace}/${child.key.name}`));
  section(
    "History",
    status.history.map((row) =>
      `${row.lastReconciled}  ${row.status}  ${row.revision}  ${row.totalReconciliations} runs, last ${row.lastDurationMs} ms`
    ),
  );
  return `${lines.join("\n")}\n`;
}
