/** What a program that was run gave back. Output is cut at 64 KiB. */
export interface ProcessResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Other programs of the machine: credential helpers, the command after a Checkout's change. Never called with text from an artifact. */
export interface Processes {
  /** Runs a program without a shell. @throws when it cannot be started, or the signal is aborted (the program is then killed) */
  run(
    command: readonly string[],
    options?: {
      readonly stdin?: string;
      readonly signal?: AbortSignal;
      readonly env?: Readonly<Record<string, string>>;
    },
  ): Promise<ProcessResult>;
  /** Sends a signal, for example `SIGHUP`, to a process. */
  signal(pid: number, name: string): void;
  /** Value of an environment variable. */
  env(name: string): string | undefined;
}
