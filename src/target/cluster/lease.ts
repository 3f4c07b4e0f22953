import type { Clock } from "../../core/clock.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { isKubeError, KubeError } from "../../core/kube_api.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import { messageOf, StageError } from "../../core/stage_error.ts";

/** Leave to write: one process has it at a time. */
export interface WriterLease {
  /** How often it has come to us from another or from nobody; 0 while it is not ours. In between others may have written. */
  readonly term: number;
  /**
   * Waits until the lease is ours.
   *
   * @throws {StageError} ReconciliationFailed where the account has no right to it
   * @throws {KubeError} when a try finds the server away
   * @throws the signal's reason
   */
  hold(signal: AbortSignal): Promise<void>;
  /**
   * Checks that it still is, and has been since a term began.
   *
   * @throws {KubeError} reason `NotLeader` when it may have passed to another
   */
  assertHeld(term?: number): void;
}

/** A lease that is being sought or held until it is disposed. */
export interface OpenLease extends WriterLease, AsyncDisposable {
  readonly isHeld: boolean;
  /** Whether another process holds it and keeps it: we stand by. */
  readonly isStandby: boolean;
}

/** Which lease, and for whom. Times are client-go's defaults. */
export interface LeaseOptions {
  readonly namespace: string;
  readonly name: string;
  /** Name of this process, unlike any other's: host and chance. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Log;
  /** Milliseconds without renewal after which others take it. Default 15 s. */
  readonly durationMs?: number;
  /** Milliseconds without renewal after which its holder stops writing. Default 10 s. */
  readonly renewDeadlineMs?: number;
  /** Milliseconds between tries; a lease that was renewed rests for half of the renewal's deadline. Default 2 s. */
  readonly retryMs?: number;
}

/**
 * Seeks a `coordination.k8s.io/v1` Lease and keeps it (client-go `tools/leaderelection`). Another's lease has run out when
 * its record has not changed for its duration on our own monotonic clock, so wall clocks need not agree. Whoever cannot
 * renew in time stops by himself, also when the process was frozen: {@linkcode WriterLease.assertHeld} compares times, it
 * does not wait for a timer. Disposing gives it back at once.
 */
export function openLease(api: KubeApi, options: LeaseOptions): OpenLease {
  return new Holder(api, options);
}

class Holder implements OpenLease {
  readonly #api: KubeApi;
  readonly #options: LeaseOptions;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #renewedAt = -Infinity;
  #isOurs = false;
  #terms = 0;
  #observed = "";
  #observedAt = -Infinity;
  #record: JsonObject | undefined;
  /** Until when another's lease holds, on our clock. */
  #othersUntil = -Infinity;
  #waiting: { readonly go: () => void; readonly fail: (error: unknown) => void }[] = [];

  constructor(api: KubeApi, options: LeaseOptions) {
    this.#api = api;
    this.#options = options;
    this.#loop = this.#run();
  }

  get isHeld(): boolean {
    return this.#isOurs && this.#options.clock.monotonic() - this.#renewedAt < this.#renewDeadlineMs;
  }

  get isStandby(): boolean {
    return this.#othersUntil > this.#options.clock.monotonic();
  }

  get term(): number {
    return this.isHeld ? this.#terms : 0;
  }

  async hold(signal: AbortSignal): Promise<void> {
    while (!this.isHeld) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiting = { go: resolve, fail: reject };
      const stop = () => reject(signal.reason);
      this.#waiting.push(waiting);
      signal.addEventListener("abort", stop, { once: true });
      try {
        await promise;
      } finally {
        signal.removeEventListener("abort", stop);
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
      }
    }
  }

  assertHeld(term = this.#terms): void {
    if (this.isHeld && term === this.#terms) return;
    const { namespace, name } = this.#options;
    throw new KubeError(`the Lease "${namespace}/${name}" is not held by this process (any more)`, {
      code: 0,
      reason: "NotLeader",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("released"));
    await this.#loop;
    if (!this.#isOurs || this.#record === undefined) return;
    this.#isOurs = false;
    try {
      await this.#write({ ...specOf(this.#record), holderIdentity: "", leaseDurationSeconds: 1 }, this.#record);
    } catch {
      // It runs out by itself.
    }
  }

  async #run(): Promise<void> {
    const { clock, random, log } = this.#options;
    const { signal } = this.#stop;
    let isRefused = false;
    while (!signal.aborted) {
      const wasHeld = this.isHeld;
      let isRenewed = true;
      try {
        await this.#attempt();
      } catch (error) {
        isRenewed = false;
        if (signal.aborted) return;
        // Without the right to it nothing is ever written.
        if (isKubeError(error, 403)) {
          if (!isRefused) log?.error("Lease may not be had: nothing is written", { cause: messageOf(error) });
          isRefused = true;
          this.#failWaiting(this.#refusal(error));
        } else if (!isKubeError(error, 409)) {
          log?.debug("Lease was not renewed", { cause: messageOf(error) });
          if (!this.isHeld && error instanceof KubeError && error.code === 0) this.#failWaiting(error);
        }
        // Else somebody was faster: the next try tells.
      }
      if (this.isHeld) {
        if (!wasHeld) log?.info("Lease is held", { name: this.#options.name });
        for (const { go } of this.#waiting.splice(0)) go();
      } else if (wasHeld) log?.warn("Lease was lost", { name: this.#options.name });
      const pauseMs = this.#options.retryMs ?? 2_000;
      // A holder that has just renewed has time; those who wait spread out, so that they do not all come at once.
      const nextMs = !this.isHeld
        ? pauseMs * (1 + random.next() * 0.2)
        : isRenewed
        ? Math.max(pauseMs, this.#renewDeadlineMs / 2)
        : pauseMs;
      await clock.sleep(nextMs, signal).catch(() => {});
    }
  }

  #failWaiting(error: unknown): void {
    for (const { fail } of this.#waiting.splice(0)) fail(error);
  }

  #refusal(cause: KubeError): StageError {
    const { namespace, name } = this.#options;
    return new StageError("ReconciliationFailed", `Cannot hold the Lease "${namespace}/${name}": ${cause.message}`, {
      cause,
      hint: `Let the account get, create and update Leases in namespace "${namespace}", or set target.cluster.noLease`,
    });
  }

  async #attempt(): Promise<void> {
    const { clock, identity } = this.#options;
    const startedAt = clock.monotonic();
    const live = await this.#read();
    if (live === undefined) {
      this.#record = await this.#create();
      this.#terms++;
      return this.#renewed(startedAt);
    }
    const spec = specOf(live);
    const holder = typeof spec.holderIdentity === "string" ? spec.holderIdentity : "";
    const state = JSON.stringify([holder, spec.renewTime, spec.leaseTransitions]);
    if (state !== this.#observed) {
      this.#observed = state;
      this.#observedAt = startedAt;
    }
    if (holder !== identity) {
      this.#isOurs = false;
      const seconds = Number(spec.leaseDurationSeconds ?? 0);
      const until = this.#observedAt + Math.max(seconds * 1000, 1_000);
      if (holder !== "" && startedAt < until) {
        this.#othersUntil = until;
        return;
      }
    }
    const isNew = holder !== identity;
    this.#othersUntil = -Infinity;
    this.#record = await this.#write({
      ...spec,
      ...this.#ours(),
      acquireTime: isNew ? microTime(clock.now()) : spec.acquireTime ?? microTime(clock.now()),
      leaseTransitions: Number(spec.leaseTransitions ?? 0) + (isNew ? 1 : 0),
    }, live);
    if (isNew) this.#terms++;
    this.#renewed(startedAt);
  }

  /** The time counts from before the request: the server may have taken it at once. */
  #renewed(startedAt: number): void {
    this.#renewedAt = startedAt;
    this.#isOurs = true;
  }

  #ours(): JsonObject {
    const { identity, clock } = this.#options;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil((this.#options.durationMs ?? 15_000) / 1000),
      renewTime: microTime(clock.now()),
    };
  }

  async #read(): Promise<JsonObject | undefined> {
    try {
      return await this.#api.send(
        { method: "GET", path: this.#path(this.#options.name), timeoutMs: this.#renewDeadlineMs },
        this.#stop.signal,
      );
    } catch (error) {
      if (isKubeError(error, 404)) return undefined;
      throw error;
    }
  }

  #create(): Promise<JsonObject> {
    const { namespace, name, clock } = this.#options;
    return this.#api.send({
      method: "POST",
      path: this.#path(""),
      timeoutMs: this.#renewDeadlineMs,
      body: {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: { namespace, name },
        spec: { ...this.#ours(), acquireTime: microTime(clock.now()), leaseTransitions: 0 },
      },
    }, this.#stop.signal);
  }

  /** Writes the record over the one that was read: a change meanwhile is a conflict. */
  #write(spec: JsonObject, live: JsonObject): Promise<JsonObject> {
    return this.#api.send({
      method: "PUT",
      path: this.#path(this.#options.name),
      timeoutMs: this.#renewDeadlineMs,
      body: { ...live, spec },
    });
  }

  #path(name: string): string {
    const root = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(this.#options.namespace)}/leases`;
    return name === "" ? root : `${root}/${encodeURIComponent(name)}`;
  }

  get #renewDeadlineMs(): number {
    return this.#options.renewDeadlineMs ?? 10_000;
  }
}

function specOf(lease: JsonObject): JsonObject {
  return isJsonObject(lease.spec) ? lease.spec : {};
}

/** Time with microseconds, as a Lease writes it. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000Z");
}
