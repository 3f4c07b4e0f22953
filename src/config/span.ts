import type { Schema } from "./schema.ts";
import { quoted, wrongType } from "./schema.ts";

/** Options of {@linkcode span}. */
export interface SpanOptions {
  /** Whether hours may be written: `timeout` of sources takes `ms s m` only. Default `true`. */
  readonly hours?: boolean;
  /** Shorter spans are raised to this one, with a warning. Milliseconds. Default 0: only an empty span is refused. */
  readonly leastMs?: number;
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
/** Longest span that Go's `time.Duration` holds, and so the longest that Flux reads. */
const longestMs = 9_223_372_036_854;

/**
 * A span of time as Flux's kinds write it: numbers with units, `1h30m`, `90s`, `1.5m` (pattern
 * `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$` of their CRDs). Reads as milliseconds.
 *
 * Differs: a span of 0 is refused, and an interval below a second counts as a second, so that nothing ever loops busily.
 */
export function span(options: SpanOptions = {}): Schema<number> {
  const { hours = true, leastMs = 0 } = options;
  const units = hours ? "ms, s, m, h" : "ms, s, m";
  const pattern = hours ? /^(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+$/ : /^(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m))+$/;
  const type = `duration such as "${hours ? "1h30m" : "90s"}" (units ${units})`;
  return {
    type,
    read(value, path, report) {
      if (typeof value !== "string") return wrongType(value, `a ${type}`, path, report);
      const shown = JSON.stringify(value.slice(0, 60));
      const refuse = (why: string, hint: string) => {
        report({ severity: "error", path, message: `Cannot use ${quoted(path)} ${shown}: ${why}`, hint });
        return undefined;
      };
      if (value.length > 100 || !pattern.test(value)) {
        return refuse(`it must be a ${type}`, hintFor(value, hours));
      }
      let ms = 0;
      for (const [, amount, unit] of value.matchAll(/([0-9.]+)(ms|s|m|h)/g)) {
        ms += Number(amount) * (unitMs[unit ?? ""] ?? 0);
      }
      if (ms > longestMs) return refuse("it must be at most 2562047h47m16s", "Write a shorter duration");
      if (ms <= 0) return refuse("it must be more than 0s", "Write a longer duration");
      if (ms >= leastMs) return Math.max(1, Math.round(ms));
      report({
        severity: "warning",
        path,
        message: `Value of ${quoted(path)} ${shown} is raised to "${spanText(leastMs)}", the shortest allowed`,
        hint: `Write "${spanText(leastMs)}" or more`,
      });
      return leastMs;
    },
  };
}

function hintFor(value: string, hours: boolean): string {
  const trimmed = value.trim();
  if (/^[0-9.]+$/.test(trimmed)) return `Add the unit: "${trimmed}s" or "${trimmed}m"`;
  if (trimmed !== value) return "Remove the blanks";
  if (!hours && /^[0-9.]+h$/.test(trimmed)) return `Write minutes: "${Number(trimmed.slice(0, -1)) * 60}m"`;
  if (/^[0-9.]+d$/.test(trimmed)) return `Write hours: "${Number(trimmed.slice(0, -1)) * 24}h"`;
  return "Write numbers with units, without blanks or sign";
}

/** A span as its shortest text: `1h30m`, `45s`, `10ms`. */
function spanText(ms: number): string {
  let rest = ms;
  let text = "";
  for (const [unit, size] of [["h", 3_600_000], ["m", 60_000], ["s", 1_000], ["ms", 1]] as const) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === "" ? "0s" : text;
}
