import { equal } from "node:assert/strict";
import { vectorsFolder } from "./paths.ts";

/** Reads a JSON file of the shared vectors; `undefined` when the folder is absent. `parse` default `JSON.parse`. */
export function readVectors<T>(path: string, parse: (text: string) => unknown = JSON.parse): T | undefined {
  const folder = vectorsFolder();
  return folder === undefined ? undefined : parse(Deno.readTextFileSync(`${folder}/${path}`)) as T;
}

/** Why a case is not met, by a name that the suite makes for each case. */
export type SkipTable = Readonly<Record<string, string>>;

/**
 * Registers one test for a file of shared vectors: every case is run, those in `skip` must still fail (so that the table
 * stays true), and the counts are printed. Where the folder is absent the test is ignored and says so.
 */
export function testVectors<Case>(
  path: string,
  options: {
    readonly name: (item: Case, index: number) => string;
    /** Throws when the case is not met. */
    readonly run: (item: Case) => void | Promise<void>;
    readonly skip?: SkipTable;
    /** Reads the file. Default `JSON.parse`. */
    readonly parse?: (text: string) => unknown;
  },
): void {
  const file = readVectors<{ readonly cases: readonly Case[] }>(path, options.parse);
  Deno.test({
    name: file === undefined ? `vectors ${path} (folder of shared vectors not found)` : `vectors ${path}`,
    ignore: file === undefined,
    async fn() {
      const failures: string[] = [];
      const skipped: string[] = [];
      const names = new Set<string>();
      for (const [index, item] of (file?.cases ?? []).entries()) {
        const name = options.name(item, index);
        names.add(name);
        let fault: unknown;
        try {
          await options.run(item);
        } catch (error) {
          fault = error ?? new Error("unknown");
        }
        const reason = options.skip?.[name];
        if (fault === undefined && reason !== undefined) {
          failures.push(`${name}: is met now; take it out of the skip table`);
        } else if (fault !== undefined && reason !== undefined) skipped.push(name);
        else if (fault !== undefined) failures.push(`${name}: ${fault instanceof Error ? fault.message : fault}`);
      }
      const unknown = Object.keys(options.skip ?? {}).filter((name) => !names.has(name));
      failures.push(...unknown.map((name) => `${name}: stands in the skip table and is no case`));
      console.log(
        `${path}: ${
          (file?.cases.length ?? 0) - failures.length - skipped.length
        } met, ${failures.length} not met, ${skipped.length} skipped`,
      );
      equal(failures.length, 0, failures.slice(0, Number(Deno.env.get("VECTORS_SHOWN") ?? 20)).join("\n"));
    },
  });
}
