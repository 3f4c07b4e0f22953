import { createApp, openTerminal, version } from "../app.ts";
import { messageOf, StageError } from "../core/stage_error.ts";
import { type Command, helpOf, type Invocation, rawInvocation, UsageError } from "./command.ts";
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
    const wanted = rest[0] === undefined ? undefined : await find(rest[0]);
    if (rest[0] !== undefined && wanted === undefined) {
      console.err(`✗ ${await unknownCommand(rest[0])}\n  hint: pilotfish help\n`);
      return 2;
    }
    console.out(wanted === undefined ? await overview() : helpOf(wanted));
    return 0;
  }
  if (name === "version" || name === "--version") {
    console.out(`pilotfish ${version}\n`);
    return 0;
  }
  try {
    const command = await find(name);
    if (command === undefined) throw new UsageError(await unknownCommand(name));
    if (command.ownSyntax !== true && rest.some((word) => word === "--help" || word === "-h")) {
      console.out(helpOf(command));
      return 0;
    }
    const invocation = await read(command, rest);
    return await command.run(invocation, {
      console,
      app: createApp(),
      get signal() {
        return terminal.signal;
      },
    });
  } catch (error) {
    if (terminal.signal.aborted) return 130;
    console.err(`✗ ${messageOf(error)}\n`);
    if (error instanceof StageError) console.err(`  hint: ${error.hint}\n`);
    // Rooms that may not import this one refuse by the name.
    const isUsage = error instanceof Error && error.name === "UsageError";
    // A reference that cannot be read was typed wrong, and its hint says how it is written.
    if (error instanceof StageError && error.reason === "URLInvalid") return 2;
    if (isUsage) {
      console.err(`  hint: pilotfish help${Object.hasOwn(commands, name) ? ` ${name}` : ""}\n`);
    }
    return isUsage ? 2 : 1;
  }
}

/** A command's arguments; the reader of our own syntax is loaded only for it. */
async function read(command: Command, args: readonly string[]): Promise<Invocation> {
  if (command.ownSyntax === true) return rawInvocation(args);
  return (await import("./parse_invocation.ts")).parseInvocation(command, args);
}

async function unknownCommand(name: string): Promise<string> {
  const { nearest } = await import("../format/nearest.ts");
  const near = nearest(name, Object.keys(commands));
  return `Cannot find command "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`;
}

async function find(name: string): Promise<Command | undefined> {
  return Object.hasOwn(commands, name) ? await commands[name]?.() : undefined;
}

async function overview(): Promise<string> {
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  const width = Math.max(...all.map((command) => command.name.length));
  return [
    `Pilotfish ${version}: Flux documents for OCI sources, reconciled by one small daemon`,
    "",
    "Usage: pilotfish COMMAND [FLAGS]",
    "",
    "Commands:",
    ...all.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    "",
    "pilotfish help COMMAND shows a command's flags.",
    "",
  ].join("\n");
}
