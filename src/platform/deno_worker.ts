import { releaseMemory } from "./deno_environment.ts";

/** What a worker is asked, or answers: values that can be cloned. */
interface Message {
  /** Number of the call; {@linkcode listening} says that the worker hears calls from now on. */
  readonly id: number;
  readonly value?: unknown;
  readonly fault?: string;
  /** Shared with the worker: 1 in its first place asks it to stop what it does. */
  readonly stop?: Int32Array<SharedArrayBuffer>;
}

/** How one call is made. */
export interface CallOptions {
  readonly signal: AbortSignal;
  /** Milliseconds after which the worker is ended and the call fails. */
  readonly timeoutMs: number;
  /** Bytes by which the process may grow meanwhile: beyond, the worker is ended and the call fails. Default: no limit. */
  readonly maxGrowthBytes?: number;
}

/** A call that took more than it may: the worker was ended for it. */
export class WorkerLimitError extends Error {
  override readonly name = "WorkerLimitError";
}

/** A program of ours in a thread of its own, started with its first call. */
export interface WorkerThread extends Disposable {
  /**
   * Asks it and waits for the answer; calls are answered one after the other.
   *
   * @throws the signal's reason; a `DataCloneError` for what cannot be sent; a {@linkcode WorkerLimitError} when it took too
   * long or too much memory; an `Error` when it crashed
   */
  call(value: unknown, options: CallOptions): Promise<unknown>;
}

/** A worker loads its modules before it listens, and what it is sent before is lost: it says when it does. */
const listening = 0;

/** Milliseconds without a call after which the thread ends, and its memory with it. */
const warmMs = 30_000;

/**
 * Milliseconds between two looks at the process's memory during a call. A worker's heap has no limit of its own here, and
 * one that fills what V8 allows ends the whole process; a program fills some gigabytes a second at most.
 */
const watchMs = 25;

/** Milliseconds after which an ended thread's memory is there to be given back. */
const releaseAfterMs = 1_000;

/** The same for one that was at work: it ends when it comes to look whether it is still wanted. */
const lateReleasesMs = [10_000, 60_000];

/** The address of the program's own first module, from which a worker can be started: also when bundled or compiled. */
export function mainModule(): string {
  return Deno.mainModule;
}

/** Whether this program runs as a worker of itself. */
export function isWorker(): boolean {
  return "WorkerGlobalScope" in globalThis;
}

/** A thread that runs the module at `url`, which must call {@linkcode serveCalls}. */
export function openWorkerThread(url: string): WorkerThread {
  let worker: Worker | undefined;
  let isListening = false;
  let stop = new Int32Array(new SharedArrayBuffer(4));
  let last: Promise<unknown> = Promise.resolve();
  let count = 0;
  let rest: ReturnType<typeof setTimeout> | undefined;
  let lateReleases: readonly ReturnType<typeof setTimeout>[] = [];
  const end = () => {
    clearTimeout(rest);
    // Deno 2.9 ends a worker when its program rests, and not before: one that is at work has to be asked.
    Atomics.store(stop, 0, 1);
    stop = new Int32Array(new SharedArrayBuffer(4));
    worker?.terminate();
    worker = undefined;
    isListening = false;
  };
  const cool = () => {
    end();
    rest = setTimeout(releaseMemory, releaseAfterMs);
    Deno.unrefTimer(rest);
  };
  const ask = (value: unknown, { signal, timeoutMs, maxGrowthBytes = Infinity }: CallOptions): Promise<unknown> => {
    signal.throwIfAborted();
    clearTimeout(rest);
    const thread = worker ??= new Worker(url, { type: "module", name: "pilotfish-build" });
    const id = ++count;
    const answer = Promise.withResolvers<unknown>();
    const fail = (error: unknown) => {
      cool();
      lateReleases.forEach((timer) => clearTimeout(timer));
      lateReleases = lateReleasesMs.map((ms) => setTimeout(releaseMemory, ms));
      lateReleases.forEach((timer) => Deno.unrefTimer(timer));
      answer.reject(error);
    };
    const limit = setTimeout(
      () => fail(new WorkerLimitError(`it took longer than ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    const mostBytes = Deno.memoryUsage().rss + maxGrowthBytes;
    const watch = maxGrowthBytes === Infinity ? undefined : setInterval(() => {
      if (Deno.memoryUsage().rss <= mostBytes) return;
      fail(new WorkerLimitError(`it took more than ${Math.round(maxGrowthBytes / 2 ** 20)} MiB of memory`));
    }, watchMs);
    const abort = () => fail(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    thread.onerror = (event) => {
      event.preventDefault();
      fail(new Error(`the worker ended: ${event.message}`));
    };
    const send = () => {
      try {
        thread.postMessage({ id, value, stop });
      } catch (error) {
        answer.reject(error);
      }
    };
    thread.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.id === listening) {
        isListening = true;
        send();
      }
      if (data.id !== id) return;
      if (data.fault === undefined) answer.resolve(data.value);
      else answer.reject(new Error(data.fault));
    };
    if (isListening) send();
    return answer.promise.finally(() => {
      clearTimeout(limit);
      clearInterval(watch);
      signal.removeEventListener("abort", abort);
      if (worker === undefined) return;
      clearTimeout(rest);
      rest = setTimeout(cool, warmMs);
      Deno.unrefTimer(rest);
    });
  };
  return {
    call(value, options) {
      const answer = last.then(() => ask(value, options));
      // What was answered is not held.
      last = answer.then(() => {}, () => {});
      return answer;
    },
    [Symbol.dispose]() {
      lateReleases.forEach((timer) => clearTimeout(timer));
      end();
    },
  };
}

/**
 * Answers the calls of the thread that started this worker, for as long as it runs. `isStopped` says whether the answer is not
 * wanted any more: long work looks at it, since nothing else ends it.
 */
export function serveCalls(answer: (value: unknown, isStopped: () => boolean) => Promise<unknown>): void {
  const scope = globalThis as unknown as Pick<Worker, "onmessage" | "postMessage">;
  scope.onmessage = ({ data: { id, value, stop } }: MessageEvent<Message>) => {
    const isStopped = () => stop !== undefined && Atomics.load(stop, 0) === 1;
    answer(value, isStopped).then(
      (result) => scope.postMessage({ id, value: result }),
      (error: unknown) => scope.postMessage({ id, fault: String(error) }),
    ).catch((error: unknown) => scope.postMessage({ id, fault: String(error) }));
  };
  scope.postMessage({ id: listening });
}
