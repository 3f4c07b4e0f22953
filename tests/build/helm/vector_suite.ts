/** Whole-vector suites: every case runs, what is not met must stand in a table of skips, and the count is printed. */
import { strict as assert } from "node:assert";

/** Reason by name of a case. A case that stands here and passes is a fault too: the table must not rot. */
export type Skips = Readonly<Record<string, string>>;

/** What a suite is told of a case. */
export interface SuiteCase {
  readonly name: string;
  /** Throws, or gives a text that says what differs; `undefined` when the case is met. */
  run(): Promise<string | undefined> | string | undefined;
}

/** Runs cases and asserts that exactly those in `skips` are not met. */
export async function runCases(suite: string, cases: readonly SuiteCase[], skips: Skips = {}): Promise<void> {
  const failures: string[] = [];
  let passed = 0;
  let skipped = 0;
  for (const each of cases) {
    let difference: string | undefined;
    try {
      difference = await each.run();
    } catch (error) {
      difference = error instanceof Error ? error.stack ?? error.message : String(error);
    }
    if (difference === undefined) {
      if (each.name in skips) failures.push(`${each.name}: passes, remove it from the table of skips`);
      else passed++;
    } else if (each.name in skips) skipped++;
    else failures.push(`${each.name}: ${difference}`);
  }
  console.log(`${suite}: ${passed} passed, ${failures.length} failed, ${skipped} skipped of ${cases.length}`);
  const shown = failures.slice(0, Number(Deno.env.get("SHOWN_FAILURES") ?? 10)).map((each) => each.slice(0, 3000));
  assert.equal(failures.length, 0, `${suite}: ${failures.length} failed\n${shown.join("\n")}`);
}

/** First place where two texts differ, with what stands around it. */
export function textDifference(got: string, wanted: string): string | undefined {
  if (got === wanted) return undefined;
  let at = 0;
  while (at < got.length && got[at] === wanted[at]) at++;
  const from = Math.max(0, at - 60);
  return `differs at ${at}\n  got    ${JSON.stringify(got.slice(from, at + 120))}\n  wanted ${
    JSON.stringify(wanted.slice(from, at + 120))
  }`;
}
