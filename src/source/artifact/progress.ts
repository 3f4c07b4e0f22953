import type { Digest } from "../../core/digest.ts";

/** What is going on in a transfer: for a progress display. */
export interface TransferEvent {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** `running` while bytes move; the others once, at the end. */
  readonly state: "running" | "pushed" | "mounted" | "exists" | "pulled";
}

/** Hears of a transfer. Called often: do little. */
export type OnTransfer = (event: TransferEvent) => void;
