import type { Processes } from "../core/process.ts";

/** Longest output that is kept of a program. */
const outputLimitBytes = 64 * 1024;

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
    try {
      const fed = options.stdin === undefined ? undefined : feed(child.stdin, options.stdin);
      const [stdout, stderr, status] = await Promise.all([head(child.stdout), head(child.stderr), child.status, fed]);
      options.signal?.throwIfAborted();
      return { code: status.code, stdout, stderr };
    } finally {
      options.signal?.removeEventListener("abort", stop);
    }
  },
  signal: (pid, name) => Deno.kill(pid, name as Deno.Signal),
  env: (name) => Deno.env.get(name),
};

async function feed(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch {
    // A program need not read what it is given.
    await writer.abort().catch(() => {});
  }
}

/** Start of an output; the rest is read and dropped, so that the program never waits for us. */
async function head(stream: ReadableStream<Uint8Array>): Promise<string> {
  const kept: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream) {
    if (sizeBytes < outputLimitBytes) kept.push(chunk.subarray(0, outputLimitBytes - sizeBytes));
    sizeBytes += chunk.length;
  }
  return await new Blob(kept as Uint8Array<ArrayBuffer>[]).text();
}
