import type { JsonValue } from "../core/json.ts";
import type { Command } from "./command.ts";
import { outputForm, printValue } from "./output.ts";
import { configFlag, outputFlag } from "./shared_flags.ts";

/** `pilotfish check`: documents only, all problems at once. */
export const check: Command = {
  name: "check",
  usage: "[PATH...]",
  summary: "Check documents: every problem with its file and line",
  details:
    "Example: pilotfish check --config examples/quickstart\nExit code 0: nothing wrong (warnings may be printed); 2: something is.",
  positionals: [0, 1_000],
  flags: [
    configFlag,
    { name: "no-cross-namespace-refs", type: "boolean", help: "Refuse references to objects of another namespace" },
    outputFlag,
  ],
  async run(invocation, { console, app }) {
    const form = outputForm(invocation.text("output"));
    const paths = [...invocation.list("config"), ...invocation.positionals];
    const report = await app.check(paths, { noCrossNamespaceRefs: invocation.flag("no-cross-namespace-refs") });
    if (form !== "table") {
      const problems = report.problems.map(({ text, place, message = text, ...rest }) => ({
        ...place,
        message,
        ...rest,
      }));
      console.out(printValue({ ...report, problems } as unknown as JsonValue, form));
      return report.errors > 0 ? 2 : 0;
    }
    for (const problem of report.problems) console.err(`${problem.text}\n`);
    const counts = [count(report.objects, "object"), count(report.errors, "error"), count(report.warnings, "warning")]
      .join(", ");
    if (report.errors > 0) {
      console.err(`✗ ${counts}\n`);
      return 2;
    }
    console.out(`✔ ${counts}\n`);
    return 0;
  },
};

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}
