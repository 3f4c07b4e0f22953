import { privateBytes } from "./memory_limit.ts";
import { buildCommand } from "./own_program.ts";
import { type Frame, frameOf, readFrames, valueOf } from "./value_frames.ts";

/** How one call is made. */
export interface CallOptions {
  readonly signal: AbortSignal;
  /** Milliseconds after which the process is ended and the call fails. */
  readonly timeoutMs: number;
}

/** What a process is started with. */
export interface BuildProcessOptions {
  /** Bytes that it may take for itself, asked when it is started: beyond, it is ended and the call fails. */
  readonly limitBytes: () => number;
  /** Bytes that there are for it at the moment, asked again and again while it works. Default: enough. */
  readonly roomBytes?: () => number;
}

/** The program, started again as a process of its own with its first call, and ended some seconds after its last one. */
export interface BuildProcess extends AsyncDisposable {
  /**
   * Asks it and waits for the answer; calls are answered one after the other. Whatever ends a call before its answer ends
   * the process, at once, and the next call starts another one.
   *
   * @returns the answer's parts, in order
   * @throws the signal's reason; an {@linkcode UnsendableError} for what cannot be sent; a {@linkcode BuildLimitError} when
   * it took too long or too much memory; a {@linkcode CannotStartError}; an `Error` when it crashed or says that it failed
   */
  call(value: unknown, options: CallOptions): Promise<readonly unknown[]>;
}

/** A call that took more than it may: the process was ended for it. */
export class BuildLimitError extends Error {
  override readonly name = "BuildLimitError";
}

/** No process could be started, or it ended before it was ready: nothing was asked. */
export class CannotStartError extends Error {
  override readonly name = "CannotStartError";
}

/** Milliseconds without a call after which the process ends, and its memory with it. */
const warmMs = 5_000;
/** Milliseconds between two looks at its memory during a call: a program fills one or two gigabytes a second at most. */
const watchMs = 25;
const mebi = 1024 * 1024;
/** Of what it may take, this is for all but V8's old generation: its code, buffers, and what was just made. */
const besideHeapBytes = 64 * mebi;
/** Below this it is kept small by V8, too, which is slower: a chart that took 250 MB then takes 110, and twice the time. */
const tightBytes = 384 * mebi;
/** Parts of at least so many bytes are followed by a turn of the loop. */
const largePartBytes = 128 * 1024;
/** Bytes of its standard error that are kept until it is ready. It knows no secret before. */
const keptErrorBytes = 4 * 1024;
/** What V8 writes before it ends a process whose heap is full. */
const outOfMemory = /out of memory/i;

/** The program whose first module is `module`, which calls `serveCalls` when it is started so. Nothing is started yet. */
export function openBuildProcess(module: string, options: BuildProcessOptions): BuildProcess {
  let child: Child | undefined;
  let ending: Promise<void> = Promise.resolve();
  let last: Promise<unknown> = Promise.resolve();
  let rest: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;
  const drop = (dropped: Child) => {
    if (child === dropped) child = undefined;
    ending = dropped.end();
  };
  const start = async (): Promise<Child> => {
    await ending;
    if (isStopped) throw new Error("its process was stopped");
    const started = new Child(module, options.limitBytes());
    void started.gone.then(() => child === started ? drop(started) : undefined);
    return child = started;
  };
  const ask = async (value: unknown, { signal, timeoutMs }: CallOptions): Promise<readonly unknown[]> => {
    signal.throwIfAborted();
    const order = frameOf("order", value);
    clearTimeout(rest);
    const asked = child ?? await start();
    const stopped = Promise.withResolvers<never>();
    const stop = (reason: unknown) => {
      drop(asked);
      stopped.reject(reason);
    };
    const limit = setTimeout(() => stop(new BuildLimitError(`it took longer than ${timeoutMs / 1000} s`)), timeoutMs);
    const watch = setInterval(() => {
      const mostBytes = Math.min(asked.limitBytes, options.roomBytes?.() ?? Infinity);
      if (asked.takenBytes() > mostBytes) stop(tooLarge(mostBytes));
    }, watchMs);
    const abort = () => stop(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    try {
      return await Promise.race([stopped.promise, asked.talk(order)]);
    } catch (error) {
      if (!(error instanceof AnswerFault)) drop(asked);
      throw error;
    } finally {
      clearTimeout(limit);
      clearInterval(watch);
      signal.removeEventListener("abort", abort);
      if (child === asked) Deno.unrefTimer(rest = setTimeout(() => drop(asked), warmMs));
    }
  };
  return {
    call(value, callOptions) {
      const turn = last;
      const answer = turnOf(turn, callOptions.signal).then(() => ask(value, callOptions));
      // What was answered is not held.
      last = Promise.all([turn, answer.then(() => {}, () => {})]);
      return answer;
    },
    async [Symbol.asyncDispose]() {
      isStopped = true;
      clearTimeout(rest);
      if (child !== undefined) drop(child);
      await ending;
    },
  };
}

/** Waits for a turn, and no longer when it is not wanted any more. */
async function turnOf(turn: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<void>();
  const abort = () => aborted.resolve();
  signal.addEventListener("abort", abort, { once: true });
  await Promise.race([turn, aborted.promise]);
  signal.removeEventListener("abort", abort);
  signal.throwIfAborted();
}

/** What the program answered instead of an answer: it goes on. */
class AnswerFault extends Error {
  override readonly name = "AnswerFault";
}

/** One process. */
class Child {
  readonly limitBytes: number;
  /** Settled when it has ended, by itself or not. */
  readonly gone: Promise<Deno.CommandStatus>;
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #frames: AsyncGenerator<Frame, undefined>;
  readonly #errors: Promise<void>;
  #isReady = false;
  #isEnded = false;
  #errorText = "";
  #isOutOfMemory = false;

  /** @throws {CannotStartError} when the system does not start it */
  constructor(module: string, limitBytes: number) {
    this.limitBytes = limitBytes;
    const [program, ...args] = buildCommand(module, v8Flags(limitBytes));
    try {
      this.#process = new Deno.Command(program, {
        args,
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
        env: { NO_COLOR: "1" },
      }).spawn();
    } catch (error) {
      throw new CannotStartError(String(error), { cause: error });
    }
    this.gone = this.#process.status;
    this.#input = this.#process.stdin.getWriter();
    this.#frames = readFrames(this.#process.stdout);
    this.#errors = this.#readErrors();
  }

  /** What it takes for itself; 0 where that does not show: its heap is bounded all the same. */
  takenBytes(): number {
    return privateBytes(this.#process.pid) ?? 0;
  }

  async talk(order: Uint8Array): Promise<readonly unknown[]> {
    if (!this.#isReady) {
      const { value: first } = await this.#frames.next();
      if (first?.kind !== "ready") throw await this.#startFault();
      this.#isReady = true;
    }
    // It may end before it has read all: that is told by what it does not answer.
    this.#input.write(order).catch(() => {});
    const parts: unknown[] = [];
    for (;;) {
      const { value: frame } = await this.#frames.next();
      if (frame === undefined) throw await this.#death();
      if (frame.kind === "end") return parts;
      if (frame.kind === "fault") throw new AnswerFault(String(valueOf(frame)));
      parts.push(valueOf(frame));
      if (frame.body.length >= largePartBytes) await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** Ends it at once. @returns when nothing is left of it */
  async end(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
      this.#isEnded = true;
    } catch {
      // It has ended by itself.
    }
    await this.gone;
    await this.#input.abort().catch(() => {});
    await this.#frames.return(undefined).catch(() => {});
    await this.#errors;
  }

  /** Reads what it writes to its standard error, which may hold anything once it was asked: none of that is kept. */
  async #readErrors(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#process.stderr) {
      const text = decoder.decode(chunk, { stream: true });
      if (outOfMemory.test(text)) this.#isOutOfMemory = true;
      if (!this.#isReady) this.#errorText = (this.#errorText + text).slice(-keptErrorBytes);
    }
  }

  async #startFault(): Promise<CannotStartError> {
    const words = endingOf(await this.gone);
    await this.#errors;
    const text = this.#errorText.trim();
    return new CannotStartError(`the process ended (${words}) before it was ready${text === "" ? "" : `: ${text}`}`);
  }

  async #death(): Promise<Error> {
    if (this.#isEnded) return new Error("its process was stopped");
    const status = await this.gone;
    await this.#errors;
    if (this.#isOutOfMemory) return tooLarge(this.limitBytes);
    if (status.signal !== "SIGKILL") return new Error(`its process ended (${endingOf(status)})`);
    return new BuildLimitError(
      `the system ended its process (SIGKILL), as it does when memory runs out; its own limit is ${
        mebiText(this.limitBytes)
      }`,
    );
  }
}

/** Flags for a process that may take so much. */
function v8Flags(limitBytes: number): readonly string[] {
  const heapBytes = Math.max(limitBytes - besideHeapBytes, limitBytes / 2);
  return [
    `--max-old-space-size=${Math.floor(heapBytes / mebi)}`,
    "--stack-size=3400",
    ...(limitBytes < tightBytes ? ["--max-semi-space-size=2", "--no-memory-pool"] : []),
  ];
}

function tooLarge(limitBytes: number): BuildLimitError {
  return new BuildLimitError(`it took more than ${mebiText(limitBytes)} of memory`);
}

function mebiText(bytes: number): string {
  return `${Math.round(bytes / mebi)} MiB`;
}

function endingOf({ code, signal }: Deno.CommandStatus): string {
  return signal === null ? `exit code ${code}` : signal;
}
