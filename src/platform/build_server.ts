import { frameOf, readFrames, valueOf } from "./value_frames.ts";

/** `PR_SET_PDEATHSIG` of the kernel's `prctl`, and `SIGKILL`. */
const parentDeathSignal = 1;
const kill = 9n;

/**
 * Answers the calls of the process that started this one ({@linkcode openBuildProcess}), in order, until its pipe closes. An
 * answer is sent in parts, a frame each.
 *
 * The kernel ends this process with its parent (Linux), and takes it first when memory runs out. Signals that a terminal
 * sends to both are left to the parent. Of what it may do, only reading and the network are kept.
 */
export async function serveCalls(answer: (value: unknown) => Promise<readonly unknown[]>): Promise<void> {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(name, () => {});
  dieFirst();
  dieWithParent();
  for (const name of ["run", "write", "ffi"] as const) giveUp(name);
  write(frameOf("ready"));
  for await (const frame of readFrames(Deno.stdin.readable)) {
    if (frame.kind !== "order") throw new Error(`Cannot answer: a frame of kind "${frame.kind}" is no order`);
    try {
      for (const part of await answer(valueOf(frame))) write(frameOf("part", part));
      write(frameOf("end"));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return;
      write(frameOf("fault", String(error)));
    }
  }
}

/** Gives a permission of this process up for good. */
export function giveUp(name: "run" | "write" | "ffi" | "net"): void {
  Deno.permissions.revokeSync({ name });
}

function write(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** Makes this process the one that the kernel ends when memory runs out (Linux; elsewhere nothing happens). */
function dieFirst(): void {
  try {
    Deno.writeTextFileSync("/proc/self/oom_score_adj", "1000");
  } catch {
    // Not Linux, or not allowed: the parent looks at our memory all the same.
  }
}

/** Has the kernel end this process with its parent, busy or not (Linux; elsewhere it ends when it comes to read the pipe). */
function dieWithParent(): void {
  if (Deno.build.os !== "linux" || Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return;
  try {
    const library = Deno.dlopen("libc.so.6", { prctl: { parameters: ["i32", "u64"], result: "i32" } });
    library.symbols.prctl(parentDeathSignal, kill);
    library.close();
  } catch {
    // Another C library: what it builds ends with its limits.
  }
}
