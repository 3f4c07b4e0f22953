import type { ObjectKey } from "./object.ts";

/** Something that happened to an object, for people and receivers (fluxcd/pkg `apis/event/v1beta1`). */
export interface Event {
  readonly object: ObjectKey;
  readonly severity: "trace" | "info" | "error";
  /** RFC 3339. */
  readonly timestamp: string;
  readonly reason: string;
  readonly message: string;
  /** `revision`, `originRevision`, and what annotations `event.toolkit.fluxcd.io/<key>` add. */
  readonly metadata: Readonly<Record<string, string>>;
}
