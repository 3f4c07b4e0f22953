import type { CallContext } from "../functions/registry.ts";
import { sprintf, textOf } from "../template/printf.ts";
import type { Value } from "../template/value.ts";

/** Formatting outside of a render: nothing is counted, nothing impure is at hand. */
const bare = { dialect: "helm4.2.4", spend() {}, made() {}, reserve() {} } as unknown as CallContext;

/** Go's `fmt.Sprintf` over template values. */
export function goFormat(format: string, ...args: readonly Value[]): string {
  return sprintf(bare, format, args);
}

/** A value as Go's `%v` shows it. */
export function goText(value: Value): string {
  return textOf(bare, value);
}
