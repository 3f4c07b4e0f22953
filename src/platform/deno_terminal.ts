import { stopSignal } from "./deno_environment.ts";

/** Where a command prints, and the signal that interrupts it. */
export interface Terminal extends Disposable {
  readonly console: {
    out(text: string): void;
    err(text: string): void;
    readonly isTerminal: boolean;
    readonly columns: number;
  };
  readonly signal: AbortSignal;
}

/** Exit code of a process that a second interrupt ends at once. */
const interruptedCode = 130;

/** The terminal that the program was started in. Text is written whole, also to a pipe that is slow. */
export function openTerminal(): Terminal {
  const stop = stopSignal(() => Deno.exit(interruptedCode));
  const isTerminal = Deno.stdout.isTerminal() && Deno.env.get("NO_COLOR") === undefined;
  return {
    console: {
      out: (text) => writeAll(Deno.stdout, text),
      err: (text) => writeAll(Deno.stderr, text),
      isTerminal,
      columns: isTerminal ? Deno.consoleSize().columns : 80,
    },
    signal: stop.signal,
    [Symbol.dispose]: () => stop[Symbol.dispose](),
  };
}

const encoder = new TextEncoder();

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let rest = encoder.encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(stream.writeSync(rest));
    } catch (error) {
      // A reader that has gone (head, less) is no fault of ours: what is left has nobody to read it.
      if (error instanceof Deno.errors.BrokenPipe) return;
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
    }
  }
}
