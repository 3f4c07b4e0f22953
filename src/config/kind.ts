import type { JsonObject } from "../core/json.ts";
import type { Path, Report } from "./finding.ts";
import type { Owner } from "./parts.ts";
import type { Schema } from "./schema.ts";

/** What is done with the documents of a kind. */
export type Role =
  /** Reconciled: a source, or a consumer of one. */
  | "object"
  /** Says who is told of events, or who may trigger a run. */
  | "notification"
  /** A Secret or ConfigMap that others refer to. */
  | "data"
  /** Settings of the daemon. */
  | "settings";

/** One kind of document: its schema, and how it becomes a typed spec. */
// deno-lint-ignore no-explicit-any -- the table of kinds holds all of them; defineKind keeps each one typed
export interface Kind<Input = any, Spec = any> {
  readonly kind: string;
  /** The one right `apiVersion`. */
  readonly apiVersion: string;
  /** Older or wrong ones that are read as if they were right, with a warning. */
  readonly oldVersions: readonly string[];
  readonly role: Role;
  /** One sentence for the reference page. */
  readonly summary: string;
  /** Schema of `spec`; of the document without `apiVersion`, `kind` and `metadata` where `body` is `root`. */
  readonly schema: Schema<Input>;
  readonly body: "spec" | "root";
  /** Turns old and wrong forms of the body into the right one, with a warning each. */
  translate?(body: JsonObject, path: Path, report: Report): JsonObject;
  /** The typed spec; `undefined` after an error was reported. Paths start at `spec`. */
  toSpec(input: Input, owner: Owner, report: Report): Spec | undefined;
  /** Why documents of this kind have no effect in this version; a warning says so. Absent for all others. */
  readonly idle?: string;
  /** A whole document for the reference page. */
  readonly example: string;
}

/** Checks the shape of a kind at the place where it is written. */
export function defineKind<Input, Spec>(kind: Kind<Input, Spec>): Kind<Input, Spec> {
  return kind;
}
