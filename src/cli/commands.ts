import { copy, inspect, ls, pull, push, tag } from "./artifacts.ts";
import { check } from "./check.ts";
import { StageError } from "../core/stage_error.ts";
import type { Command } from "./command.ts";
import { describe } from "./describe.ts";
import { diff } from "./diff.ts";
import { events } from "./events.ts";
import { build, template } from "./foreign.ts";
import { get } from "./get.ts";
import { once } from "./once.ts";
import { reconcile, resume, suspend } from "./orders.ts";
import { render } from "./render.ts";
import { run } from "./run.ts";

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  run,
  once,
  check,
  render,
  diff,
  get,
  describe,
  events,
  reconcile,
  suspend,
  resume,
  build,
  template,
  push,
  pull,
  tag,
  ls,
  inspect,
  copy,
  notBuilt("verify", "REFERENCE", "Check the signatures of an artifact"),
  notBuilt("rollback", "KIND NAME", "Go back to the last revision that was good"),
  notBuilt("logs", "[KIND NAME]", "Show log lines of the running daemon"),
];

/** A command whose place is kept: it says so. */
function notBuilt(name: string, usage: string, summary: string): Command {
  return {
    name,
    usage,
    summary: `${summary} (not built yet)`,
    flags: [],
    positionals: [0, 10],
    run: () => Promise.reject(new StageError("NotBuiltYet", `Cannot run "${name}": it is not built yet`)),
  };
}
