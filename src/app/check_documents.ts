import type { LoadedConfig } from "../config/load.ts";
import { loadConfig } from "../config/load.ts";
import { problemText } from "../config/problem.ts";
import { readSettings } from "../config/settings.ts";
import type { Settings } from "../core/specs.ts";
import { denoFileSystem } from "../platform/deno_file_system.ts";
import { denoProcesses } from "../platform/deno_processes.ts";
import { absolutePath, readStandardInput } from "../platform/deno_environment.ts";
import type { CheckReport, GivenFlags, Refused } from "./work.ts";

/** Paths of documents: as given, else `PILOTFISH_CONFIG`. @returns a refusal when there are none */
export function configPathsOf(given: readonly string[]): readonly string[] | Refused {
  if (given.length > 0) return given;
  const fromEnv = denoProcesses.env("PILOTFISH_CONFIG")?.split(":").filter((path) => path !== "") ?? [];
  if (fromEnv.length > 0) return fromEnv;
  return { kind: "refused", message: "Cannot find documents: name them with --config PATH" };
}

/** Reads and checks the documents at paths. */
export function readDocuments(
  paths: readonly string[],
  options: { readonly noCrossNamespaceRefs: boolean },
): Promise<LoadedConfig> {
  return loadConfig(paths, {
    fileSystem: denoFileSystem,
    stdin: readStandardInput,
    baseFolderOf: (file) => absolutePath(file === "-" ? "." : `${file}/..`),
    ...options,
  });
}

/** Documents and settings, or why the work cannot start. */
export async function readConfig(
  configPaths: readonly string[],
  flags: GivenFlags,
): Promise<
  {
    readonly kind: "read";
    readonly paths: readonly string[];
    readonly config: LoadedConfig;
    readonly settings: Settings;
  } | Refused
> {
  const paths = configPathsOf(configPaths);
  if ("kind" in paths) return paths;
  // Settings may stand in the documents, and one of them decides how the documents are checked.
  let config = await readDocuments(paths, { noCrossNamespaceRefs: false });
  const { settings, problems } = readSettings({
    flags,
    env: denoProcesses.env,
    ...(config.desired.settings === undefined ? {} : { document: config.desired.settings }),
  });
  if (settings.noCrossNamespaceRefs) config = await readDocuments(paths, settings);
  const errors = problems.filter((problem) => problem.severity === "error");
  if (errors.length > 0) return { kind: "refused", message: errors.map(problemText).join("\n") };
  const output = settings.target.kind === "directory" ? absolutePath(settings.target.path) : undefined;
  const mixed = paths.find((path) => path !== "-" && absolutePath(path) === output);
  if (mixed !== undefined) {
    const message = `Cannot write to "${output}": documents are read from there (--config ${mixed})`;
    return {
      kind: "refused",
      message: `${message}\n    hint: Name another folder in --target or spec.target.directory.path`,
    };
  }
  const hasNothing = config.desired.objects.length === 0 && config.desired.notifications.length === 0;
  if (hasNothing && config.problems.some((problem) => problem.severity === "error")) {
    return { kind: "refused", message: config.problems.map(problemText).join("\n") };
  }
  return { kind: "read", paths, config, settings };
}

/** Checks documents for `pilotfish check`. */
export async function checkPaths(
  given: readonly string[],
  options: { readonly noCrossNamespaceRefs: boolean },
): Promise<CheckReport> {
  const paths = configPathsOf(given);
  if ("kind" in paths) {
    return { problems: [{ severity: "error", text: paths.message }], objects: 0, errors: 1, warnings: 0 };
  }
  const { desired, problems } = await readDocuments(paths, options);
  const { problems: settingsProblems } = readSettings({
    flags: {},
    env: () => undefined,
    ...(desired.settings === undefined ? {} : { document: desired.settings }),
  });
  const all = [...problems, ...settingsProblems];
  return {
    problems: all.map((problem) => ({
      severity: problem.severity,
      text: problemText(problem),
      message: problem.message,
      hint: problem.hint,
      ...(problem.place === undefined ? {} : { place: problem.place }),
    })),
    objects: desired.objects.length + desired.notifications.length,
    errors: all.filter((problem) => problem.severity === "error").length,
    warnings: all.filter((problem) => problem.severity === "warning").length,
  };
}
