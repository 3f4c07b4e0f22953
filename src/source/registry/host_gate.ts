import type { Clock } from "../../core/clock.ts";
import { StageError } from "../../core/stage_error.ts";
import type { RegistryLimits } from "./registry_tools.ts";

interface HostState {
  running: number;
  /** Monotonic time before which nothing is sent. */
  pausedUntil: number;
  waiting: (() => void)[];
}

/**
 * The door before each host: so many requests at a time, and none while the host has asked for a pause. The pause that one
 * answer asks for (429, 503 with `Retry-After`) holds for all users of the host.
 */
export class HostGate {
  readonly #clock: Clock;
  readonly #limits: RegistryLimits;
  readonly #hosts = new Map<string, HostState>();

  constructor(clock: Clock, limits: RegistryLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /**
   * Waits for a place. Call what it gives back once when the request's head is through.
   *
   * @throws {StageError} OCIArtifactPullFailed with `retryAfterMs` when the host asked for a longer pause than is waited for
   */
  async enter(host: string, signal: AbortSignal | undefined): Promise<() => void> {
    const state = this.#state(host);
    signal?.throwIfAborted();
    while (true) {
      try {
        await this.#rest(host, state, signal);
      } catch (error) {
        // Who was called in and does not come passes the call on.
        state.waiting.shift()?.();
        throw error;
      }
      if (state.running < this.#limits.requestsPerHost) break;
      await this.#turn(state, signal);
    }
    state.running++;
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      state.running--;
      state.waiting.shift()?.();
      if (state.running === 0 && state.waiting.length === 0 && state.pausedUntil <= this.#clock.monotonic()) {
        this.#hosts.delete(host);
      }
    };
  }

  /** Lets a host rest, for all its users. A longer pause that was asked for before stays. Hosts that nobody enters are not kept. */
  pause(host: string, ms: number): void {
    const state = this.#hosts.get(host);
    if (state === undefined) return;
    state.pausedUntil = Math.max(state.pausedUntil, this.#clock.monotonic() + ms);
  }

  #state(host: string): HostState {
    let state = this.#hosts.get(host);
    if (state === undefined) this.#hosts.set(host, state = { running: 0, pausedUntil: 0, waiting: [] });
    return state;
  }

  async #rest(host: string, state: HostState, signal: AbortSignal | undefined): Promise<void> {
    for (let ms; (ms = state.pausedUntil - this.#clock.monotonic()) > 0;) {
      if (ms > this.#limits.longestRetryAfterMs) {
        throw new StageError(
          "OCIArtifactPullFailed",
          `Cannot ask "${host}": it wants no requests for another ${Math.ceil(ms / 1000)} s`,
          {
            retryAfterMs: ms,
            hint: "The registry limits how often it is asked; log in, raise the interval or use a mirror",
          },
        );
      }
      await this.#clock.sleep(ms, signal);
    }
  }

  #turn(state: HostState, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const stop = () => {
        state.waiting = state.waiting.filter((other) => other !== go);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", stop, { once: true });
      state.waiting.push(go);
    });
  }
}
