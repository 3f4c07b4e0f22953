import { quoted } from "./fault_text.ts";
import { pointerOf } from "./schema_address.ts";

/** One thing that does not fit, with what led to it. Layout and words are those that Helm shows. */
export interface SchemaFault {
  /** Keys and indexes from the root of the values. */
  readonly path: readonly string[];
  readonly text: string;
  /** `group`: only holds its causes; `reference`: is passed over where it has one cause. */
  readonly role: "fault" | "group" | "reference";
  readonly causes: readonly SchemaFault[];
}

/** Lines of faults: `- at '/path': what`, causes indented below. */
export function faultLines(faults: readonly SchemaFault[], depth = 0): readonly string[] {
  return faults.flatMap((fault) => {
    if (fault.role === "reference" && fault.causes.length === 1) return faultLines(fault.causes, depth);
    const line = `${"  ".repeat(depth)}- at ${quoted(pointerOf(fault.path))}: ${fault.text}`;
    return [line, ...faultLines(fault.causes, depth + 1)];
  });
}

/** What stands at the top: the causes of a group, or the fault itself. */
export function topFaults(fault: SchemaFault): readonly SchemaFault[] {
  return fault.role === "group" ? fault.causes : [fault];
}
