import { type Command, UsageError } from "./command.ts";
import { printStatuses } from "./get.ts";
import { outputForm } from "./output.ts";
import { outputFlag, passFlags, passOf, timeIsOver } from "./shared_flags.ts";

/** `pilotfish once`: one pass, for CI and init containers. */
export const once: Command = {
  name: "once",
  usage: "",
  summary: "Run everything once, until all is ready or failed, and exit",
  details: "Exit code 0: everything is ready; 1: something is not.",
  flags: [...passFlags("10m"), outputFlag],
  async run(invocation, { app, console, signal }) {
    const form = outputForm(invocation.text("output"));
    const outcome = await app.once(passOf(invocation, "10m"), signal);
    if (outcome.kind === "refused") throw new UsageError(outcome.message);
    printStatuses(outcome.statuses, form, console);
    for (const status of outcome.statuses) {
      for (const warning of status.warnings) {
        console.err(`warning: ${status.key.kind}/${status.key.name}: ${warning}\n`);
      }
      if (status.hint !== undefined && outcome.failing.includes(status)) {
        console.err(`hint: ${status.key.kind}/${status.key.name}: ${status.hint}\n`);
      }
    }
    if (outcome.isCutShort) console.err(`✗ ${timeIsOver(invocation, "10m")}\n`);
    return outcome.failing.length === 0 && !outcome.isCutShort ? 0 : 1;
  },
};
