import type { App, ControlClient } from "../app.ts";
import { settingsHelp } from "../app/settings_help.ts";
import { parseDuration } from "../format/duration.ts";
import { type Flag, type Invocation, UsageError } from "./command.ts";

/** Where documents are. */
export const configFlag: Flag = {
  name: "config",
  short: "c",
  type: "string",
  multiple: true,
  value: "PATH",
  help: "File or folder with documents, or - for standard input; may be given several times (PILOTFISH_CONFIG)",
};

/** How a command finds the running daemon. */
export const connectFlags: readonly Flag[] = [
  configFlag,
  {
    name: "socket",
    type: "string",
    value: "PATH",
    help: "Control socket of the daemon (default: control.sock in its store)",
  },
  { name: "server", type: "string", value: "URL", help: "Address of the daemon's open port, for reading only" },
];

/** The running daemon that the flags lead to. */
export function connect(invocation: Invocation, app: App): Promise<ControlClient> {
  const server = invocation.text("server");
  const socket = invocation.text("socket");
  return app.control({
    configPaths: invocation.list("config"),
    ...(server === undefined ? {} : { server }),
    ...(socket === undefined ? {} : { socket }),
  });
}

/** Form of a list. */
export const outputFlag: Flag = {
  name: "output",
  short: "o",
  type: "string",
  value: "FORM",
  help: "table (default), json or yaml",
};

/** The settings of the daemon, each a flag. */
export const settingsFlags: readonly Flag[] = settingsHelp;

/** Settings as they were given. */
export function settingsOf(
  invocation: Invocation,
): Readonly<Record<string, string | boolean | readonly string[] | undefined>> {
  return Object.fromEntries(settingsFlags.map((flag) => [
    flag.name,
    flag.multiple === true
      ? invocation.list(flag.name)
      : invocation.text(flag.name) ?? (invocation.flag(flag.name) || undefined),
  ]));
}

/** Flags of a command that runs everything once: documents, settings, and how long it may take. */
export function passFlags(timeout: string): readonly Flag[] {
  const help = `Give up after this time (default ${timeout})`;
  return [configFlag, ...settingsFlags, { name: "timeout", type: "string", value: "SPAN", help }];
}

/** What {@linkcode passFlags} say. @throws {UsageError} when the time is no span */
export function passOf(
  invocation: Invocation,
  timeout: string,
): {
  readonly configPaths: readonly string[];
  readonly flags: ReturnType<typeof settingsOf>;
  readonly timeoutMs: number;
} {
  return {
    configPaths: invocation.list("config"),
    flags: settingsOf(invocation),
    timeoutMs: timeoutOf(invocation, timeout),
  };
}

/** What is said when the time ran out before all objects had run. */
export function timeIsOver(invocation: Invocation, preset: string): string {
  return `Not all objects have run: the time limit of ${invocation.text("timeout") ?? preset} is over (--timeout)`;
}

/** Milliseconds of `--timeout`. @throws {UsageError} when it is no span */
function timeoutOf(invocation: Invocation, preset: string): number {
  const text = invocation.text("timeout") ?? preset;
  try {
    const ms = parseDuration(text);
    if (ms > 0) return ms;
  } catch {
    // Told below with the flag's name.
  }
  throw new UsageError(`Cannot use --timeout "${text}": it must be a positive span such as "90s" or "5m"`);
}
