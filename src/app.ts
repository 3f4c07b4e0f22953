/**
 * The only part that knows every room: builds them and plugs them together. This file is its door; the wiring itself
 * is in `src/app/`: `loop.ts` (rooms and engine), `daemon.ts` (run, once), `preview_run.ts` (render, diff).
 * In: paths and flags. Out: what commands print. May fail: documents and flags (exit code 2), everything else (1).
 * Called by `cli` and `main.ts`.
 *
 * @module
 */
import type { Clock } from "./core/clock.ts";
import { asStageError } from "./core/stage_error.ts";
import { denoClock } from "./platform/deno_clock.ts";
import { isBuildProcess } from "./platform/own_program.ts";
import type { ArtifactCommands } from "./app/artifacts.ts";
import type { OnTransfer } from "./source/artifact/progress.ts";
import type { ControlClient } from "./report/control_client.ts";
import type { CheckReport, Pass, Preview, Printed, Refused, WorkOptions } from "./app/work.ts";

export type { ArtifactCommands } from "./app/artifacts.ts";
export type { OnTransfer } from "./source/artifact/progress.ts";
export { version } from "./app/work.ts";
export type { ControlClient } from "./report/control_client.ts";
export { openTerminal } from "./platform/deno_terminal.ts";

/** Everything a command can ask of the program. */
export interface App {
  readonly clock: Clock;
  /** Checks documents; nothing outside the files is asked. */
  check(paths: readonly string[], options: { readonly noCrossNamespaceRefs: boolean }): Promise<CheckReport>;
  /** Every kind of document, field and setting, as Markdown. */
  reference(): Promise<string>;
  /** Runs the daemon until `signal` is aborted. @returns the exit code */
  run(options: WorkOptions, signal: AbortSignal): Promise<number>;
  /** Runs everything once. */
  once(options: WorkOptions & { readonly timeoutMs: number }, signal: AbortSignal): Promise<Pass | Refused>;
  /**
   * Shows what a pass would do; with `plans` the target is asked what would change. Nothing is written to it. Values of
   * Secrets are hidden unless `showsSecrets`.
   */
  preview(
    options: WorkOptions & { readonly timeoutMs: number; readonly plans: boolean; readonly showsSecrets?: boolean },
    signal: AbortSignal,
  ): Promise<Preview | Refused>;
  /** The running daemon. */
  control(place: {
    readonly configPaths: readonly string[];
    readonly socket?: string;
    readonly server?: string;
  }): Promise<ControlClient>;
  /** Commands on artifacts in registries and layouts. */
  artifacts(options: {
    readonly credentials?: string;
    readonly insecure: boolean;
    readonly caFile?: string;
    readonly signal: AbortSignal;
    readonly onTransfer?: OnTransfer;
  }): Promise<ArtifactCommands>;
  /** `kustomize build` with its own arguments. */
  build(args: readonly string[]): Promise<Printed>;
  /** `helm template` with its own arguments. */
  template(args: readonly string[]): Promise<Printed>;
}

/** Serves builds where this program was started by itself for that, until it is not needed any more. @returns whether it was */
export async function serveAsBuildProcess(): Promise<boolean> {
  if (!isBuildProcess()) return false;
  await (await import("./app/serve_builds.ts")).serveBuilds();
  return true;
}

/** The program. Rooms are loaded with the first command that needs them. */
export function createApp(): App {
  return {
    clock: denoClock,
    check: async (paths, options) => (await import("./app/check_documents.ts")).checkPaths(paths, options),
    reference: async () => (await import("./config/reference.ts")).kindReference(),
    run: async (options, signal) => (await import("./app/daemon.ts")).runDaemon(options, signal),
    once: async (options, signal) => (await import("./app/daemon.ts")).runOnce(options, signal),
    preview: async (options, signal) => (await import("./app/preview_run.ts")).runPreview(options, signal),
    control: async (place) => (await import("./app/connect.ts")).connectDaemon(place),
    artifacts: async ({ caFile, credentials, insecure, ...rest }) => {
      const caCert = caFile === undefined ? undefined : await readCaFile(caFile);
      const login = {
        insecure,
        ...(credentials === undefined ? {} : { credentials }),
        ...(caCert === undefined ? {} : { caCert }),
      };
      return (await import("./app/artifacts.ts")).artifactCommands({ ...rest, login });
    },
    build: async (args) => (await import("./app/build_command.ts")).runBuild(args),
    template: async (args) => (await import("./app/template_command.ts")).runTemplate(args),
  };
}

/** @throws {StageError} InvalidDocument when there is no such file, or it cannot be read */
async function readCaFile(path: string): Promise<string> {
  const { denoFileSystem } = await import("./platform/deno_file_system.ts");
  try {
    const text = await denoFileSystem.readText(path);
    if (text !== undefined) return text;
    throw new Error("there is no such file");
  } catch (error) {
    throw asStageError(error, "InvalidDocument", `Cannot read certificate authority "${path}"`, {
      hint: "Name a file with certificates in PEM form in --ca-file",
    });
  }
}
