import type { Command } from "./command.ts";

/** `pilotfish reference`: every kind of document, field and setting, from the schemas that check them. */
export const reference: Command = {
  name: "reference",
  usage: "",
  summary: "Print every kind of document, field and setting, as Markdown",
  details: "Example: pilotfish reference > reference.md",
  flags: [],
  async run(_invocation, { app, console }) {
    console.out(await app.reference());
    return 0;
  },
};
