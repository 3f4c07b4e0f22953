import type { ObjectKey, Place } from "../core/object.ts";
import type { ObjectStatus } from "../core/status.ts";
import type { Planned, Rendered } from "./preview.ts";

/** Version of the program. */
export const version = "0.1.0";

/** Settings as flags give them, by name. */
export type GivenFlags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** What a command that works on documents is told. */
export interface WorkOptions {
  readonly configPaths: readonly string[];
  readonly flags: GivenFlags;
}

/** Problems of documents. */
export interface CheckReport {
  readonly problems: readonly CheckedProblem[];
  readonly objects: number;
  readonly errors: number;
  readonly warnings: number;
}

/** One problem: as text for people, and in parts for editors and CI. */
export interface CheckedProblem {
  readonly severity: "error" | "warning";
  readonly text: string;
  /** Absent where nothing of a file is wrong. */
  readonly place?: Place;
  readonly message?: string;
  readonly hint?: string;
}

/** Work that did not start, because flags or documents do not let it. */
export interface Refused {
  readonly kind: "refused";
  readonly message: string;
}

/** What a pass over all objects gave. */
export interface Pass {
  readonly kind: "done";
  readonly statuses: readonly ObjectStatus[];
  /** Objects that are neither ready nor suspended. */
  readonly failing: readonly ObjectStatus[];
  /** Whether the time limit cut the pass short. */
  readonly isCutShort: boolean;
}

/** What would be applied, and what it would change. */
export interface Preview extends Pass {
  readonly rendered: readonly Rendered[];
  /** Empty unless the target was asked. */
  readonly planned: readonly Planned[];
  /** What is wrong with documents: their objects are left out of all this. */
  readonly problems?: readonly string[];
  /** Per HelmRelease, where each value came from. */
  readonly explained: readonly { readonly owner: ObjectKey; readonly text: string }[];
}

/** What a foreign tool's command printed. */
export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}
