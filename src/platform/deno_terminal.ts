import { stopSignal } from "./deno_environment.ts";

/** Where a command prints, and the signal that interrupts it. */
export interface Terminal extends Disposable {
  readonly console: {
    out(text: string): void;
    err(text: string): void;
    readonly isTerminal: boolean;
    readonly columns: number;
  };
  /**
   * Aborted by an interrupt, and when the reader of the output has gone: what follows without end ends then. Until it is
   * asked for, an interrupt ends the process.
   */
  readonly signal: AbortSignal;
}

/** Exit code of a process that a second interrupt ends at once. */
const interruptedCode = 130;

/** The terminal that the program was started in. Text is written whole, also to a pipe that is slow. */
export function openTerminal(): Terminal {
  const readerGone = new AbortController();
  let stop: ReturnType<typeof stopSignal> | undefined;
  let signal: AbortSignal | undefined;
  const isTerminal = Deno.stdout.isTerminal() && Deno.env.get("NO_COLOR") === undefined;
  return {
    console: {
      out: (text) => {
        if (!writeAll(Deno.stdout, text)) readerGone.abort(new Error("Nobody reads the output any more"));
      },
      err: (text) => void writeAll(Deno.stderr, text),
      isTerminal,
      columns: isTerminal ? Deno.consoleSize().columns : 80,
    },
    get signal() {
      // To listen takes a thread of its own, which a command that is soon done need not start.
      stop ??= stopSignal(() => Deno.exit(interruptedCode));
      return signal ??= AbortSignal.any([stop.signal, readerGone.signal]);
    },
    [Symbol.dispose]: () => stop?.[Symbol.dispose](),
  };
}

const encoder = new TextEncoder();

/** @returns `false` when the reader has gone */
function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): boolean {
  let rest = encoder.encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(stream.writeSync(rest));
    } catch (error) {
      // A reader that has gone (head, less) is no fault of ours: what is left has nobody to read it.
      if (error instanceof Deno.errors.BrokenPipe) return false;
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
    }
  }
  return true;
}
