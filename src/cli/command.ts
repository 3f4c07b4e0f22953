/**
 * Room `cli`: one file per command: words in, text and an exit code out.
 * In: arguments. Out: standard output, standard error, exit code 0 fine, 1 failed, 2 wrong usage or documents, 3 differences.
 * May fail: usage (2) and whatever the work fails with (1). Called by `main.ts`. No logic of its own.
 *
 * @module
 */
import type { App } from "../app.ts";

/** One flag of a command. */
export interface Flag {
  /** Long name without dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
  /** Word for the value in the help: `PATH`. */
  readonly value?: string;
  /** One sentence. */
  readonly help: string;
}

/** What a command is given. */
export interface Invocation {
  readonly positionals: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  /** All arguments as they were typed, for commands that read them by another tool's rules. */
  readonly raw: readonly string[];
}

/** Where a command prints, and what it may use of the program. */
export interface Console {
  out(text: string): void;
  err(text: string): void;
  readonly isTerminal: boolean;
  /** Width of the terminal in columns. */
  readonly columns: number;
}

/** One command. */
export interface Command {
  readonly name: string;
  /** Words after the name in the usage line: `[PATH...]`. */
  readonly usage: string;
  /** One sentence for the list. */
  readonly summary: string;
  /** More for its own help, with an example. */
  readonly details?: string;
  readonly flags: readonly Flag[];
  /** Arguments are read by another tool's rules: none of ours apply but `--help`, which the command answers itself. */
  readonly ownSyntax?: boolean;
  /** Least and most words. Default 0 and 0. */
  readonly positionals?: readonly [number, number];
  /** @returns the exit code */
  run(invocation: Invocation, tools: CommandTools): Promise<number>;
}

/** What a command works with. */
export interface CommandTools {
  readonly console: Console;
  readonly app: App;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

/** Wrong usage: exit code 2, with a pointer to the help. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Arguments that are left as they are, for commands with another tool's syntax. */
export function rawInvocation(args: readonly string[]): Invocation {
  return { positionals: [], flag: () => false, text: () => undefined, list: () => [], raw: args };
}

/** Help of one command. */
export function helpOf(command: Command): string {
  const lines = [`${command.summary}`, "", `Usage: pilotfish ${command.name} ${command.usage}`.trimEnd()];
  if (command.details !== undefined) lines.push("", command.details);
  if (command.flags.length > 0) {
    const names = command.flags.map((flag) =>
      `${flag.short === undefined ? "    " : `-${flag.short}, `}--${flag.name}${
        flag.type === "string" ? ` ${flag.value ?? "TEXT"}` : ""
      }`
    );
    const width = Math.max(...names.map((name) => name.length));
    lines.push("", "Flags:");
    command.flags.forEach((flag, index) => lines.push(`  ${(names[index] ?? "").padEnd(width)}  ${flag.help}`));
  }
  return `${lines.join("\n")}\n`;
}
