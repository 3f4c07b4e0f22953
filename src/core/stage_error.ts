import type { Place } from "./object.ts";
import { placeText } from "./object.ts";
import type { Reason } from "./reason.ts";
import { reasons } from "./reason.ts";

/** What a {@linkcode StageError} carries beside reason and message. */
export interface StageErrorOptions {
  readonly cause?: unknown;
  /** What to do; the reason's own hint where absent. */
  readonly hint?: string;
  /** Earliest useful next try in milliseconds, for example from `Retry-After`. */
  readonly retryAfterMs?: number;
  /** Where in a text the fault is. */
  readonly place?: Place;
  /** Set when all tries that the document allows have failed: says so (`Stalled`, RetriesExceeded), and only a change helps. */
  readonly exhausted?: string;
}

/**
 * The error of every stage: one reason (for machines), one message (for people), one hint (what to do), the cause.
 * Secrets never enter any of them.
 */
export class StageError extends Error {
  override readonly name = "StageError";
  readonly reason: Reason;
  readonly hint: string;
  readonly retryAfterMs?: number;
  readonly place?: Place;
  readonly exhausted?: string;

  constructor(reason: Reason, message: string, options: StageErrorOptions = {}) {
    super(
      options.place === undefined ? message : `${placeText(options.place)}: ${message}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.reason = reason;
    this.hint = options.hint ?? reasons[reason].hint;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
    if (options.place !== undefined) this.place = options.place;
    if (options.exhausted !== undefined) this.exhausted = options.exhausted;
  }
}

/** `error` itself when it is a {@linkcode StageError}, else one of `reason` that carries it as its cause. */
export function asStageError(
  error: unknown,
  reason: Reason,
  action: string,
  options: { readonly hint?: string } = {},
): StageError {
  if (error instanceof StageError) return error;
  return new StageError(reason, `${action}: ${messageOf(error)}`, { ...options, cause: error });
}

/** Text of an error and of its causes, outermost first, without repeats. The runtime hides network reasons in `cause`. */
export function messageOf(error: unknown): string {
  const texts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 8 && current !== undefined && current !== null; depth++) {
    const text = current instanceof Error ? current.message : String(current);
    if (text !== "" && !texts.some((earlier) => earlier.includes(text))) texts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return texts.join(": ");
}
