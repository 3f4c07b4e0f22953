import type { Processes } from "../core/process.ts";

/** Longest output that is kept of a program. */
const outputLimitBytes = 64 * 1024;
/** Milliseconds that output is waited for when the program has ended: what it left running may hold it open for good. */
const lingerMs = 1_000;

/** The host's programs, without a shell. */
export const denoProcesses: Processes = {
  run: async (command, options = {}) => {
    const [program, ...args] = command;
    if (program === undefined) throw new RangeError("Cannot run a program: the command is empty");
    options.signal?.throwIfAborted();
    const child = new Deno.Command(program, {
      args,
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      ...(options.env === undefined ? {} : { env: { ...options.env } }),
    }).spawn();
    const stop = () => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    options.signal?.addEventListener("abort", stop, { once: true });
    const outputs = [readHead(child.stdout), readHead(child.stderr)] as const;
    const fed = options.stdin === undefined ? undefined : feed(child.stdin, options.stdin);
    try {
      const { code } = await child.status;
      options.signal?.throwIfAborted();
      await within(lingerMs, Promise.all(outputs.map((output) => output.ended)));
      const [stdout, stderr] = await Promise.all([outputs[0].text(), outputs[1].text()]);
      return { code, stdout, stderr };
    } finally {
      options.signal?.removeEventListener("abort", stop);
      await Promise.all(outputs.map((output) => output.cancel()));
      await fed?.cancel();
    }
  },
  signal: (pid, name) => Deno.kill(pid, name as Deno.Signal),
  env: (name) => Deno.env.get(name),
};

/** Writes to a program's input; a program need not read what it is given. */
function feed(stdin: WritableStream<Uint8Array>, text: string): { cancel(): Promise<void> } {
  const writer = stdin.getWriter();
  const written = writer.write(new TextEncoder().encode(text)).then(() => writer.close()).catch(() => {});
  return {
    async cancel() {
      await writer.abort().catch(() => {});
      await written;
    },
  };
}

/** Start of an output, as far as it has come. */
interface OutputHead {
  /** Settles when the output is closed. */
  readonly ended: Promise<void>;
  text(): Promise<string>;
  /** Nothing more is wanted. */
  cancel(): Promise<void>;
}

/** Reads an output to its end and keeps its start, so that the program never waits for us. */
function readHead(stream: ReadableStream<Uint8Array<ArrayBuffer>>): OutputHead {
  const kept: Uint8Array<ArrayBuffer>[] = [];
  const reader = stream.getReader();
  const read = async () => {
    let sizeBytes = 0;
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (sizeBytes < outputLimitBytes) kept.push(next.value.subarray(0, outputLimitBytes - sizeBytes));
      sizeBytes += next.value.length;
    }
  };
  return {
    ended: read().catch(() => {}),
    text: () => new Blob(kept).text(),
    cancel: () => reader.cancel().catch(() => {}),
  };
}

/** Waits for work, and no longer than so many milliseconds. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, ms);
  await Promise.race([work, over.promise]);
  clearTimeout(timer);
}
