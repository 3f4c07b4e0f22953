import { deepEqual } from "node:assert/strict";
import type { Artifact } from "../../src/core/artifact.ts";
import type { ObjectKey } from "../../src/core/object.ts";
import { artifactsToKeep } from "../../src/reconcile/missing_children.ts";
import type { FoundIn } from "../../src/reconcile/record.ts";

const keyOf = (name: string): ObjectKey => ({ kind: "App", namespace: "default", name });

/** The artifacts after runs that found these objects, one letter each, and which of them is looked for in which. */
function after(...runs: readonly (readonly [found: string, areMissingKept: boolean])[]): readonly string[] {
  let kept: readonly FoundIn[] = [];
  for (const [nth, [found, areMissingKept]] of runs.entries()) {
    const artifact = { revision: `r${nth + 1}` } as Artifact;
    kept = artifactsToKeep(kept, { artifact, found: [...found].map(keyOf), areMissingKept });
  }
  return kept.map(({ artifact, children }) => `${artifact.revision}:${children.map((key) => key.name).join("")}`);
}

Deno.test("artifactsToKeep() remembers each object with the artifact that had it last", () => {
  deepEqual(after(["ab", false]), ["r1:ab"]);
  deepEqual(after(["ab", false], ["bc", true], ["b", true]), ["r3:b", "r2:c", "r1:a"]);
  deepEqual(after(["ab", false], ["b", true], ["a", true]), ["r3:a", "r2:b"]);
  deepEqual(after(["ab", false], ["b", true], ["b", false]), ["r3:b"]);
  deepEqual(after(["ab", false], ["", true]), ["r1:ab"]);
  deepEqual(after(["ab", false], ["", false]), []);
});
