import type { Command } from "./command.ts";

/** `pilotfish template`: `helm template` with our engine: same text, same flags. */
export const template: Command = {
  name: "template",
  usage: "[NAME] CHART [helm's flags]",
  summary: "Print what `helm template NAME CHART` prints",
  flags: [],
  ownSyntax: true,
  async run(invocation, { app, console }) {
    const printed = await app.template(invocation.raw);
    console.out(printed.stdout);
    console.err(printed.stderr);
    return printed.exitCode;
  },
};
