import { StageError } from "../core/stage_error.ts";
import type { Command } from "./command.ts";

/**
 * Every command by its name, in the order of the help. Its module is loaded with its use: a command starts with what it
 * needs and nothing else.
 */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./run.ts")).run,
  once: async () => (await import("./once.ts")).once,
  check: async () => (await import("./check.ts")).check,
  reference: async () => (await import("./reference.ts")).reference,
  render: async () => (await import("./render.ts")).render,
  diff: async () => (await import("./diff.ts")).diff,
  get: async () => (await import("./get.ts")).get,
  describe: async () => (await import("./describe.ts")).describe,
  events: async () => (await import("./events.ts")).events,
  reconcile: async () => (await import("./orders.ts")).reconcile,
  suspend: async () => (await import("./orders.ts")).suspend,
  resume: async () => (await import("./orders.ts")).resume,
  build: async () => (await import("./build.ts")).build,
  template: async () => (await import("./template.ts")).template,
  push: async () => (await import("./artifacts.ts")).push,
  pull: async () => (await import("./artifacts.ts")).pull,
  tag: async () => (await import("./artifacts.ts")).tag,
  ls: async () => (await import("./artifacts.ts")).ls,
  inspect: async () => (await import("./artifacts.ts")).inspect,
  copy: async () => (await import("./artifacts.ts")).copy,
  verify: notBuilt("verify", "REFERENCE", "Check the signatures of an artifact"),
  rollback: notBuilt("rollback", "KIND NAME", "Go back to the last revision that was good"),
  logs: notBuilt("logs", "[KIND NAME]", "Show log lines of the running daemon"),
};

/** A command whose place is kept: it says so. */
function notBuilt(name: string, usage: string, summary: string): () => Promise<Command> {
  return async () => ({
    name,
    usage,
    summary: `${summary} (not built yet)`,
    flags: [],
    positionals: [0, 10],
    run: () =>
      Promise.reject(
        new StageError("NotBuiltYet", `Cannot run "${name}": it is not built yet`, {
          hint: "pilotfish help lists the commands that are",
        }),
      ),
  });
}
