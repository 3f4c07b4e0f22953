import { setTimeout } from "node:timers/promises";

/**
 * Lets everything else that is ready run first; costs about a millisecond. An immediate would not do: the runtime then looks
 * at its connections only every 61 turns, and answers over the network waited for 90 ms behind a layer that was unpacked.
 */
export function giveWay(): Promise<void> {
  // deno-lint-ignore pilotfish/doors -- a turn of the loop, which waits for no time
  return setTimeout(0);
}

/** Gives way each time that so much has passed: bytes, files. @returns what is told how much each step was */
export function giveWayEvery(turn: number): (amount: number) => Promise<void> | undefined {
  let passed = 0;
  return (amount) => {
    passed += amount;
    if (passed < turn) return undefined;
    passed = 0;
    return giveWay();
  };
}
