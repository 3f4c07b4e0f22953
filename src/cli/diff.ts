import type { JsonValue } from "../core/json.ts";
import { keyText } from "../core/object.ts";
import { refText } from "../core/resource.ts";
import { type Command, UsageError } from "./command.ts";
import { readyOf } from "./get.ts";
import { outputForm, printValue } from "./output.ts";
import { outputFlag, passFlags, passOf, timeIsOver } from "./shared_flags.ts";

/** `pilotfish diff`: what would change in the target. */
export const diff: Command = {
  name: "diff",
  usage: "",
  summary: "Show what would change in the target; never writes",
  details:
    "Exit code 0: nothing would change; 3: something would; 1: something could not be built or asked; 2: something is wrong with a document, and its object is left out.",
  flags: [...passFlags("5m"), outputFlag],
  async run(invocation, { app, console, signal }) {
    const form = outputForm(invocation.text("output"));
    const outcome = await app.preview({ ...passOf(invocation, "5m"), plans: true }, signal);
    if (outcome.kind === "refused") throw new UsageError(outcome.message);
    const changed = outcome.planned.flatMap((plan) =>
      plan.changes.filter((change) => change.action !== "unchanged" && change.action !== "skip")
        .map((change) => ({ owner: plan.owner, change }))
    );
    if (form !== "table") console.out(printValue(changed as unknown as JsonValue, form));
    else {
      // Loaded here, so that the daemon does not carry it.
      const { textDiff } = await import("../format/text_diff.ts");
      for (const { owner, change } of changed) {
        const name = refText(change.ref);
        const note = change.note === undefined ? "" : ` (${change.note})`;
        console.out(`► ${change.action} ${name}${note}, by ${keyText(owner)}\n`);
        console.out(
          textDiff(change.before ?? "", change.after ?? "", {
            names: [`present/${name}`, `wanted/${name}`],
            colors: console.isTerminal,
          }),
        );
      }
      for (const plan of outcome.planned) {
        for (const change of plan.changes.filter((one) => one.action === "skip")) {
          console.err(`► skipped ${refText(change.ref)}: ${change.note ?? ""}\n`);
        }
      }
    }
    for (const status of outcome.failing) {
      console.err(`✗ ${keyText(status.key)}: ${readyOf(status).message}\n`);
    }
    if (outcome.isCutShort) console.err(`✗ ${timeIsOver(invocation, "5m")}\n`);
    const problems = outcome.problems ?? [];
    for (const problem of problems) console.err(`${problem}\n`);
    if (problems.length > 0) return 2;
    if (outcome.failing.length > 0 || outcome.isCutShort) return 1;
    return changed.length === 0 ? 0 : 3;
  },
};
