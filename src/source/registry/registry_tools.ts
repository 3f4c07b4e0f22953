import type { Clock } from "../../core/clock.ts";
import type { Connect, Lookup } from "../../core/network.ts";
import type { Random } from "../../core/random.ts";
import type { Settings } from "../../core/specs.ts";

/** What a registry client needs of the outside. */
export interface RegistryTools {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly random: Random;
  /** Addresses of names, so that redirects and token servers cannot lead into private networks by name. */
  readonly lookup?: Lookup;
  /** Tried in order before the registry itself; for reading only. */
  readonly mirrors?: Settings["mirrors"];
  /** `User-Agent` of every request; default `pilotfish`. */
  readonly userAgent?: string;
  readonly limits?: Partial<RegistryLimits>;
}

/** Bounds of every exchange with a registry. */
export interface RegistryLimits {
  /** Tries after the first one, for faults that pass. */
  readonly retries: number;
  /** First pause; each later one may be twice as long, up to `longestPauseMs`. The pause is chosen by chance below that. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** A longer `Retry-After` is not waited for: the error carries it. */
  readonly longestRetryAfterMs: number;
  /** Time for the head of an answer. */
  readonly headTimeoutMs: number;
  /** Time for the body of a document: a manifest, a page of tags. */
  readonly bodyTimeoutMs: number;
  /** A blob that is slower than this over `slowSpanMs` is cut and resumed. */
  readonly minBytesPerSecond: number;
  readonly slowSpanMs: number;
  readonly redirects: number;
  readonly tokenBytes: number;
  readonly errorBytes: number;
  readonly tagPageBytes: number;
  readonly tagTotalBytes: number;
  readonly pages: number;
  readonly referrers: number;
  /** Requests to one host at the same time (until the head of their answer). */
  readonly requestsPerHost: number;
  /** Blobs up to this size are sent with one request. */
  readonly monolithicBytes: number;
  /** Piece of a blob that is sent in pieces. */
  readonly pieceBytes: number;
  /** A mirror that failed is passed over for so long. */
  readonly mirrorRestMs: number;
}

/** Bounds where nobody says otherwise. */
export const defaultLimits: RegistryLimits = {
  retries: 3,
  firstPauseMs: 500,
  longestPauseMs: 10_000,
  longestRetryAfterMs: 30_000,
  headTimeoutMs: 30_000,
  bodyTimeoutMs: 120_000,
  minBytesPerSecond: 1024,
  slowSpanMs: 30_000,
  redirects: 10,
  tokenBytes: 128 * 1024,
  errorBytes: 64 * 1024,
  tagPageBytes: 16 * 1024 * 1024,
  tagTotalBytes: 64 * 1024 * 1024,
  pages: 1000,
  referrers: 1000,
  requestsPerHost: 16,
  monolithicBytes: 16 * 1024 * 1024,
  pieceBytes: 16 * 1024 * 1024,
  mirrorRestMs: 60_000,
};

/** Upper end of the pause before try `attempt` (from 0), times chance: "full jitter" (AWS Architecture Blog, 2015). */
export function pauseMs(limits: RegistryLimits, attempt: number, chance: number): number {
  return Math.min(limits.longestPauseMs, limits.firstPauseMs * 2 ** attempt) * chance;
}
