import { createApp, openTerminal, version } from "../app.ts";
import { messageOf, StageError } from "../core/stage_error.ts";
import { nearest } from "../format/nearest.ts";
import { type Command, helpOf, parseInvocation, UsageError } from "./command.ts";
import { commands } from "./commands.ts";

/**
 * Runs one command line.
 *
 * @returns the exit code: 0 fine, 1 failed, 2 wrong usage or documents, 3 differences found
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  using terminal = openTerminal();
  const { console } = terminal;
  const [name, ...rest] = args;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    const wanted = rest[0] === undefined ? undefined : find(rest[0]);
    if (rest[0] !== undefined && wanted === undefined) {
      console.err(`✗ ${unknownCommand(rest[0])}\n  hint: pilotfish help\n`);
      return 2;
    }
    console.out(wanted === undefined ? overview() : helpOf(wanted));
    return 0;
  }
  if (name === "version" || name === "--version") {
    console.out(`pilotfish ${version}\n`);
    return 0;
  }
  try {
    const command = find(name);
    if (command === undefined) {
      throw new UsageError(unknownCommand(name));
    }
    if (command.ownSyntax !== true && rest.some((word) => word === "--help" || word === "-h")) {
      console.out(helpOf(command));
      return 0;
    }
    const invocation = parseInvocation(command, rest);
    return await command.run(invocation, { console, app: createApp(), signal: terminal.signal });
  } catch (error) {
    if (terminal.signal.aborted) return 130;
    console.err(`✗ ${messageOf(error)}\n`);
    if (error instanceof StageError) console.err(`  hint: ${error.hint}\n`);
    // Rooms that may not import this one refuse by the name.
    const isUsage = error instanceof Error && error.name === "UsageError";
    if (isUsage) {
      console.err(`  hint: pilotfish help${find(name) === undefined ? "" : ` ${name}`}\n`);
    }
    return isUsage ? 2 : 1;
  }
}

function unknownCommand(name: string): string {
  const near = nearest(name, commands.map((one) => one.name));
  return `Cannot find command "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`;
}

function find(name: string): Command | undefined {
  return commands.find((command) => command.name === name);
}

function overview(): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  return [
    `Pilotfish ${version}: Flux documents for OCI sources, reconciled by one small daemon`,
    "",
    "Usage: pilotfish COMMAND [FLAGS]",
    "",
    "Commands:",
    ...commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    "",
    "pilotfish help COMMAND shows a command's flags.",
    "",
  ].join("\n");
}
