import type { FileSystem } from "../../core/file_system.ts";
import type { Network } from "../../core/network.ts";
import type { Processes } from "../../core/process.ts";
import type { AfterChange } from "../../core/specs.ts";
import { messageOf, StageError } from "../../core/stage_error.ts";

/** What {@linkcode runAfterChange} may use. */
export interface AfterChangeTools {
  readonly fileSystem: FileSystem;
  readonly processes: Processes;
  readonly network: Network;
}

/** What a command sees of the change, as `PILOTFISH_PATH` and `PILOTFISH_REVISION`. */
export interface ChangeFacts {
  readonly path: string;
  readonly revision: string;
}

/** Longest part of a program's output that goes into an error, in characters. */
const longestOutput = 500;

/**
 * Tells a workload that its files changed: by a command, a signal or an HTTP call.
 *
 * @throws {StageError} ReconciliationFailed with the program's last words or the status; it is tried again without
 *   writing the files anew
 */
export async function runAfterChange(
  after: AfterChange,
  facts: ChangeFacts,
  tools: AfterChangeTools,
  signal: AbortSignal,
): Promise<void> {
  switch (after.kind) {
    case "command":
      return await runCommand(after.command, facts, tools, signal);
    case "signal":
      return await sendSignal(after, tools);
    case "http":
      return await call(after, tools, signal);
  }
}

async function runCommand(
  command: readonly string[],
  facts: ChangeFacts,
  tools: AfterChangeTools,
  signal: AbortSignal,
): Promise<void> {
  const env = { PILOTFISH_PATH: facts.path, PILOTFISH_REVISION: facts.revision };
  const result = await tools.processes.run(command, { signal, env }).catch((error: unknown) => {
    throw new StageError("ReconciliationFailed", `Cannot run "${command[0]}": ${messageOf(error)}`, {
      hint: "Check spec.afterChange.command: a full path, and a program that the daemon may run",
    });
  });
  if (result.code !== 0) {
    const words = (result.stderr.trim() || result.stdout.trim()).slice(-longestOutput);
    throw new StageError("ReconciliationFailed", `Command "${command[0]}" ended with code ${result.code}: ${words}`, {
      hint: "The files are in place; the command is tried again",
    });
  }
}

async function sendSignal(after: Extract<AfterChange, { kind: "signal" }>, tools: AfterChangeTools): Promise<void> {
  const text = await tools.fileSystem.readText(after.pidFile);
  const pid = Number(text?.trim());
  if (text === undefined || !Number.isInteger(pid) || pid <= 1) {
    throw new StageError(
      "ReconciliationFailed",
      text === undefined
        ? `Cannot send ${after.name}: there is no file "${after.pidFile}"`
        : `Cannot send ${after.name}: "${after.pidFile}" holds no process id`,
      { hint: "Check spec.afterChange.signal.pidFile; the process may not have started yet" },
    );
  }
  try {
    tools.processes.signal(pid, after.name);
  } catch (error) {
    throw new StageError("ReconciliationFailed", `Cannot send ${after.name} to process ${pid}: ${messageOf(error)}`);
  }
}

async function call(
  after: Extract<AfterChange, { kind: "http" }>,
  tools: AfterChangeTools,
  signal: AbortSignal,
): Promise<void> {
  const response = await Promise.resolve(tools.network(new Request(after.url, { method: after.method, signal })))
    .catch((error: unknown) => {
      throw new StageError("ReconciliationFailed", `Cannot call ${placeOf(after.url)}: ${messageOf(error)}`);
    });
  await response.body?.cancel();
  if (response.status >= 400) {
    throw new StageError(
      "ReconciliationFailed",
      `${placeOf(after.url)} answered ${response.status} to ${after.method}`,
    );
  }
}

/** An address without what may be secret in it: no credentials, no query. */
function placeOf(url: string): string {
  const parsed = new URL(url);
  return `${parsed.origin}${parsed.pathname}`;
}
