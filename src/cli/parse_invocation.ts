import { parseArgs } from "node:util";
import { nearest } from "../format/nearest.ts";
import { type Command, type Invocation, rawInvocation, UsageError } from "./command.ts";

/** Reads a command's arguments. @throws {UsageError} naming what is wrong and the nearest known flag */
export function parseInvocation(command: Command, args: readonly string[]): Invocation {
  if (command.ownSyntax === true) return rawInvocation(args);
  const options = Object.fromEntries(command.flags.map((flag) => [flag.name, {
    type: flag.type,
    ...(flag.short === undefined ? {} : { short: flag.short }),
    multiple: flag.multiple ?? false,
  }]));
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(usageMessage(command, error));
  }
  const [least, most] = command.positionals ?? [0, 0];
  const { positionals } = parsed;
  if (positionals.length < least) {
    throw new UsageError(`Cannot run "${command.name}": it needs ${command.usage}`);
  }
  if (positionals.length > most) {
    throw new UsageError(`Cannot run "${command.name}": unexpected "${positionals[most]}"`);
  }
  const values = parsed.values as Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  return {
    positionals,
    raw: args,
    flag: (name) => values[name] === true,
    text: (name) => typeof values[name] === "string" ? values[name] : undefined,
    list: (name) => Array.isArray(values[name]) ? values[name] as readonly string[] : [],
  };
}

function usageMessage(command: Command, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const unknown = /Unknown option '(-{1,2}[^']+)'/.exec(text)?.[1];
  if (unknown === undefined) return `Cannot run "${command.name}": ${text.split(". ")[0]}`;
  const near = nearest(unknown.replace(/^-+/, ""), command.flags.map((flag) => flag.name));
  return `Cannot run "${command.name}": unknown flag "${unknown}"${
    near === undefined ? "" : `; did you mean "--${near}"?`
  }`;
}
