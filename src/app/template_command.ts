import { runTemplate as runHelmTemplate } from "../build/helm/command/template_command.ts";
import { absolutePath, readStandardInput } from "../platform/deno_environment.ts";
import { waitingFileSystem } from "../platform/deno_file_system.ts";
import { contextNamespace } from "./context_namespace.ts";
import { hostDoors } from "./doors.ts";
import { lazyRegistries } from "./lazy_registries.ts";
import { outsideOf } from "./outside.ts";
import type { Printed } from "./work.ts";

/** `pilotfish template`: helm's command over charts of this disk and of registries. */
export async function runTemplate(args: readonly string[]): Promise<Printed> {
  const doors = hostDoors;
  using registries = lazyRegistries(doors);
  const outcome = await runHelmTemplate(args, {
    files: waitingFileSystem,
    clock: doors.clock,
    random: doors.random,
    readStdin: async () => new TextEncoder().encode(await readStandardInput()),
    environment: doors.processes.env,
    // Used where a flag allows it.
    ...outsideOf(doors, { allowDns: true, allowHttp: true }),
    contextNamespace: (flags) => contextNamespace(flags, { fileSystem: waitingFileSystem, env: doors.processes.env }),
    openCluster: async (flags) => (await import("./template_cluster.ts")).openTemplateCluster(flags, doors),
    pullChart: async (reference, signal) =>
      (await import("./pull_chart.ts")).pullNamedChart(reference, await registries.open(), signal),
  });
  for (const [path, text] of outcome.written) {
    const full = absolutePath(path);
    await doors.fileSystem.makeFolder(full.slice(0, full.lastIndexOf("/")));
    await doors.fileSystem.writeAtomic(full, text);
  }
  return outcome;
}
