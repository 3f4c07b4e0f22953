import { copy, inspect, ls, pull, push, tag } from "./artifacts.ts";
import { check } from "./check.ts";
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
];
