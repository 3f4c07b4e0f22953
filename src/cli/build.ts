import type { Command } from "./command.ts";

/** `pilotfish build`: `kustomize build` with our engine: same text, same flags. */
export const build: Command = {
  name: "build",
  usage: "PATH|oci://REFERENCE[//PATH] [kustomize's flags]",
  summary: "Print what `kustomize build PATH` prints",
  flags: [],
  ownSyntax: true,
  async run(invocation, { app, console }) {
    const printed = await app.build(invocation.raw);
    console.out(printed.stdout);
    console.err(printed.stderr);
    return printed.exitCode;
  },
};
