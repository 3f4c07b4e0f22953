/**
 * The command `template`, as Helm has it: arguments in, texts and an exit code out. It reads through the doors that it
 * is handed and writes nothing: what `--output-dir` makes is in `written`. The order of its steps is Helm's, because texts
 * show it: which of two mistakes is told, and what stands before it.
 *
 * @module
 */
import { withModules } from "../../../core/lazy_module.ts";
import { ChartError } from "../chart/metadata.ts";
import type { Dialect } from "../dialect.ts";
import { defaultDialect, isHelm3 } from "../dialect.ts";
import { defaultCapabilities, parseKubeVersion } from "../release/capabilities.ts";
import type { Capabilities } from "../release/capabilities.ts";
import type { WorldTools } from "../release/inputs.ts";
import { checkReleaseName, templatedName } from "../release/release_name.ts";
import { quoteText } from "../template/go_quote.ts";
import { RenderLimitError } from "../template/run.ts";
import { loadInstallable, locateChart } from "./command_chart.ts";
import { CommandCluster } from "./command_cluster.ts";
import { CommandError, errorText, ToldError } from "./command_error.ts";
import { commandValues } from "./command_values.ts";
import { checkHelm3DryRun, clusterQuestions } from "./dry_run.ts";
import type { ClusterQuestions } from "./dry_run.ts";
import { FlagError, goBool } from "./flag_value.ts";
import { helpText } from "./help_text.ts";
import { kubeFlags } from "./kube_flags.ts";
import { dialectOf, parseFlags } from "./parse_flags.ts";
import type { ParsedFlags } from "./parse_flags.ts";
import { Printout } from "./printout.ts";
import { renderRelease } from "./render_release.ts";
import type { TemplateCall, TemplateDoors } from "./template_call.ts";

/** What the command did. */
export interface TemplateOutcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
  /** Files to write below `--output-dir`: path as the user wrote it, joined with the template's. */
  readonly written: ReadonlyMap<string, string>;
}

/**
 * Runs `template` with arguments as Helm takes them, and our own `--dialect`, without the command's own name. Never throws
 * for what a user did.
 *
 * @throws {RenderLimitError} for a render beyond `doors.limits`
 */
export async function runTemplate(args: readonly string[], doors: TemplateDoors): Promise<TemplateOutcome> {
  let call: TemplateCall;
  try {
    call = callOf(args, doors);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    return { stdout: "", stderr: `Error: ${error.message}\n`, exitCode: 1, written: new Map() };
  }
  const { printout } = call;
  const cluster = new CommandCluster(call);
  let exitCode = 0;
  try {
    await run(call, cluster);
  } catch (error) {
    doors.signal?.throwIfAborted();
    if (doors.limits !== undefined && error instanceof RenderLimitError) throw error;
    if (!(error instanceof ToldError)) printout.err(`Error: ${errorText(error)}\n`);
    exitCode = 1;
  } finally {
    await cluster.close();
  }
  return { stdout: printout.stdout, stderr: printout.stderr, exitCode, written: printout.written };
}

/** @throws {FlagError} */
function callOf(args: readonly string[], doors: TemplateDoors): TemplateCall {
  const dialect = dialectOf(args) ?? defaultDialect;
  const flags = parseFlags(args, dialect);
  const isDebug = flags.isOn("debug") || goBool(doors.environment?.("HELM_DEBUG") ?? "") === true;
  return { flags, dialect, doors, printout: new Printout({ dialect, isDebug, clock: doors.clock }) };
}

async function run(call: TemplateCall, cluster: CommandCluster): Promise<void> {
  const { flags, dialect, doors, printout } = call;
  checkColor(call);
  for (const line of flags.deprecations) printout.err(`${line}\n`);
  if (flags.isOn("help")) return printout.out(helpText(dialect));
  if (flags.positional.length === 0) {
    throw new CommandError(
      '"helm template" requires at least 1 argument\n\nUsage:  helm template [NAME] [CHART] [flags]',
    );
  }
  refuseUnbuilt(flags);
  const kubeVersion = wantedKubeVersion(flags, dialect);
  const questions = clusterQuestions(flags, dialect, printout.notify);
  const version = flags.text("version", "");
  printout.debug({
    message: "Original chart version",
    fields: { version },
    helm3: { place: "install.go:225", text: `Original chart version: "${version}"` },
  });
  const world = worldOf(call, cluster, questions);
  const { name, reference } = await withModules(() => nameAndChart(call, world));
  const source = await locateChart(reference, call);
  const { path } = source;
  printout.debug({
    message: "Chart path",
    fields: { path },
    helm3: { place: "install.go:242", text: `CHART PATH: ${path}\n` },
  });
  const values = await commandValues(call);
  const chart = await loadInstallable(source, call);
  if (isHelm3(dialect)) checkHelm3DryRun(flags);
  if (questions.needsCluster && doors.openCluster === undefined) {
    throw new CommandError("cannot validate: no cluster is configured; --validate and --dry-run=server need one");
  }
  const reached = questions.checks ? await cluster.reach() : undefined;
  checkName(name, call);
  const namespace = flags.text("namespace", "") || doors.environment?.("HELM_NAMESPACE") ||
    (reached?.cluster.namespace ?? await doors.contextNamespace?.(kubeFlags(flags, doors.environment))) || "default";
  const request = {
    chart,
    values,
    release: { name, namespace, revision: 1, isUpgrade: flags.isOn("is-upgrade") },
    dialect,
    capabilities: reached?.capabilities ?? assumedCapabilities(call, kubeVersion),
    ...(doors.limits === undefined ? {} : { limits: doors.limits }),
    skipSchemaValidation: flags.isOn("skip-schema-validation"),
    subNotes: flags.isOn("render-subchart-notes"),
  };
  await renderRelease(request, { world, cluster: reached?.cluster }, call);
}

/** Helm 4 refuses an unknown mode before it looks at the command. */
function checkColor({ flags, dialect, printout }: TemplateCall): void {
  if (isHelm3(dialect)) return;
  const modes = ["never", "auto", "always"];
  const wrong = ["color", "colour"].map((name) => flags.text(name, "auto")).find((mode) => !modes.includes(mode));
  if (wrong === undefined) return;
  const error = `invalid color mode ${quoteText(wrong)}: must be one of: never, auto, always`;
  printout.notify({ level: "WARN", message: "command failed", fields: { error } });
  throw new ToldError(error);
}

/** Flags whose work is not built fail by name: they are never passed over. */
function refuseUnbuilt(flags: ParsedFlags): void {
  for (const name of ["post-renderer", "repo"]) {
    if (flags.text(name, "") !== "") throw new CommandError(`cannot act on --${name}: not built yet`);
  }
  if (flags.isOn("verify")) throw new CommandError("cannot act on --verify: not built yet");
}

function wantedKubeVersion(flags: ParsedFlags, dialect: Dialect): string | undefined {
  const text = flags.text("kube-version", "");
  if (text === "") return undefined;
  try {
    parseKubeVersion(text, dialect);
    return text;
  } catch (error) {
    if (!(error instanceof ChartError)) throw error;
    throw new CommandError(`invalid kube version '${text}': ${error.message}`);
  }
}

function worldOf({ flags, doors }: TemplateCall, cluster: CommandCluster, { looksUp }: ClusterQuestions): WorldTools {
  const { clock, random, openCluster, resolveHost, readSchema, seed } = doors;
  return {
    nowMs: clock.now(),
    monotonicMs: () => clock.monotonic(),
    random,
    ...(seed === undefined ? {} : { seed }),
    ...(looksUp && openCluster !== undefined ? { lookup: (request, signal) => cluster.lookup(request, signal) } : {}),
    ...(flags.isOn("enable-dns") && resolveHost !== undefined ? { resolveHost } : {}),
    ...(flags.isOn("allow-http") && readSchema !== undefined ? { readSchema } : {}),
  };
}

/** What the arguments name: the release and where its chart is. */
function nameAndChart(
  { flags, dialect }: TemplateCall,
  world: WorldTools,
): { readonly name: string; readonly reference: string } {
  const [first, second, ...rest] = flags.positional as [string, ...string[]];
  const template = flags.text("name-template", "");
  if (rest.length > 0) {
    throw new CommandError(`expected at most two arguments, unexpected arguments: ${rest.join(", ")}`);
  }
  if (second !== undefined) {
    if (flags.isOn("generate-name")) throw new CommandError("cannot set --generate-name and also specify a name");
    if (template !== "") throw new CommandError("cannot set --name-template and also specify a name");
    return { name: first, reference: second };
  }
  if (template !== "") {
    const tools = { nowMs: world.nowMs, random: world.random };
    return { name: templatedName(template, dialect, tools), reference: first };
  }
  // Helm's command has a name of its own, so that --generate-name has no effect.
  return { name: "release-name", reference: first };
}

function checkName(name: string, { dialect, printout }: TemplateCall): void {
  try {
    checkReleaseName(name);
  } catch (error) {
    if (!(error instanceof ChartError) || isHelm3(dialect)) throw error;
    printout.notify({ level: "ERROR", message: "release name check failed", fields: { error: error.message } });
    throw new CommandError(`release name check failed: ${error.message}`);
  }
}

/** What a cluster can do that is not asked: what Helm assumes, and what flags add. */
function assumedCapabilities({ flags, dialect }: TemplateCall, kubeVersion: string | undefined): Capabilities {
  const known = defaultCapabilities(dialect);
  return {
    kubeVersion: kubeVersion ?? known.kubeVersion,
    apiVersions: [...known.apiVersions, ...flags.list("api-versions")],
  };
}
