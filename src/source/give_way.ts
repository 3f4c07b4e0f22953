import { setImmediate } from "node:timers/promises";

/** Lets everything else that is ready run first. */
export function giveWay(): Promise<void> {
  return setImmediate();
}
