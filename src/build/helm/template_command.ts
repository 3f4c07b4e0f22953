/**
 * The command `template`, as Helm has it: arguments in, texts and an exit code out. It reads through the doors that it
 * is handed and writes nothing: what `--output-dir` makes is in `written`.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import type { JsonValue } from "../../core/json.ts";
import type { Random } from "../../core/random.ts";
import { withModules } from "../../core/lazy_module.ts";
import { reasons } from "../../core/reason.ts";
import { messageOf, StageError } from "../../core/stage_error.ts";
import { crdsOf } from "./chart/chart.ts";
import type { Chart, ChartCrd } from "./chart/chart.ts";
import { compilePattern, joinPaths } from "./chart/go_path.ts";
import { ChartError } from "./chart/metadata.ts";
import { readYaml } from "./chart/read_yaml.ts";
import { chartSource, loadLocated, withDependencies } from "./chart_source.ts";
import type { ChartFiles, ChartLoader, ChartReference, PulledChart, RegistryLogin } from "./chart_source.ts";
import type { ClusterDoor, KubeFlags } from "./cluster_door.ts";
import type { Dialect } from "./dialect.ts";
import { defaultDialect } from "./dialect.ts";
import type { Notice } from "./notice.ts";
import { noticeLine } from "./notice.ts";
import type { LookupRequest } from "./render_tools.ts";
import { RefusedInput } from "./render_tools.ts";
import { defaultCapabilities, parseKubeVersion } from "./release/capabilities.ts";
import type { Capabilities } from "./release/capabilities.ts";
import { settle } from "./release/inputs.ts";
import type { WorldTools } from "./release/inputs.ts";
import { documentText, filesText, manifestText } from "./release/manifest_text.ts";
import type { HookManifest, SortedManifests } from "./release/manifests.ts";
import { checkReleaseName, templatedName } from "./release/release_name.ts";
import { checkInstallable, documentsOf, RenderError, renderFiles } from "./release/render.ts";
import type { RenderedFiles } from "./release/render.ts";
import { splitManifests, trim } from "./release/split.ts";
import { dialectOf, FlagError, goBool, parseFlags, templateFlags } from "./template_flags.ts";
import type { ParsedFlags } from "./template_flags.ts";
import { quoteText } from "./template/go_quote.ts";
import { fromBytes, toBytes } from "./template/go_string.ts";
import { RenderLimitError } from "./template/run.ts";
import type { RenderLimits } from "./template/run.ts";
import type { Table } from "./values/tables.ts";
import { mergeValueOptions } from "./values/value_options.ts";

/** What the command may use. */
export interface TemplateDoors {
  readonly files: ChartFiles;
  readonly clock: Clock;
  readonly random: Random;
  /** Standard input, for `-f -`. Absent: empty. */
  readonly readStdin?: () => Promise<Uint8Array>;
  /** The packed chart of a reference. Absent: charts come from folders and archives only. */
  readonly pullChart?: (reference: ChartReference, signal?: AbortSignal) => Promise<PulledChart>;
  /** Opens the cluster that flags name; it is closed when the command ends. Absent: no cluster can be asked. */
  readonly openCluster?: (flags: KubeFlags, signal?: AbortSignal) => Promise<ClusterDoor>;
  /** Answers `getHostByName` for `--enable-dns`. Absent: always "". */
  readonly resolveHost?: WorldTools["resolveHost"];
  /** Reads schemas for `--allow-http`. Absent: none are read. */
  readonly readSchema?: WorldTools["readSchema"];
  /** Namespace of the kubeconfig's context, which nobody connects to. Absent: `default`. */
  readonly contextNamespace?: (flags: KubeFlags) => Promise<string | undefined>;
  /** Value of an environment variable: `HELM_NAMESPACE`, `HELM_DEBUG`. */
  readonly environment?: (name: string) => string | undefined;
  /** Makes random values and the time of a render repeatable. */
  readonly seed?: string;
  /** What the render may use. Default: the engine's limits. A render beyond limits that are given here throws. */
  readonly limits?: RenderLimits;
  readonly signal?: AbortSignal;
}

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
  const command = new TemplateCommand(doors);
  try {
    await command.run(args);
    return command.outcome(0);
  } catch (error) {
    doors.signal?.throwIfAborted();
    if (doors.limits !== undefined && error instanceof RenderLimitError) throw error;
    if (!(error instanceof ToldError)) command.complain(errorText(error));
    return command.outcome(1);
  } finally {
    await command.close();
  }
}

/** A failure that was told already. */
class ToldError extends Error {
  override readonly name = "ToldError";
}

/** A failure whose text is Helm's. */
class CommandError extends Error {
  override readonly name = "CommandError";
}

function errorText(error: unknown): string {
  const isWorded = error instanceof CommandError || error instanceof ChartError || error instanceof RenderError ||
    error instanceof FlagError;
  if (isWorded) return (error as Error).message;
  if (error instanceof StageError) return messageOf(error);
  // What a user cannot have caused is shown, too: better a strange message than none.
  return error instanceof Error ? messageOf(error) : String(error);
}

/** Throws the limit that a failure is about. */
function throwLimit(failure: unknown): void {
  if (failure instanceof RenderError && failure.cause instanceof RenderLimitError) throw failure.cause;
}

const unreachableHint =
  "Name a cluster with --kubeconfig, --kube-context or --kube-apiserver, or leave out --validate and --dry-run=server";

/** What is asked of the cluster. */
interface Questions {
  /** Its version, and whether it would take the manifests. */
  readonly checks: boolean;
  /** Objects that templates look up. */
  readonly looksUp: boolean;
}

/** What is rendered, and the cluster that is asked about it. */
interface Rendering {
  readonly request: Parameters<typeof renderFiles>[0];
  readonly cluster: ClusterDoor | undefined;
}

/** One run: texts grow in the order in which Helm prints them. */
class TemplateCommand {
  readonly #doors: TemplateDoors;
  #dialect: Dialect = defaultDialect;
  readonly #written = new Map<string, string>();
  #stdout = "";
  #stderr = "";
  #isDebug = false;
  #cluster: Promise<ClusterDoor> | undefined;

  constructor(doors: TemplateDoors) {
    this.#doors = doors;
  }

  outcome(exitCode: number): TemplateOutcome {
    return { stdout: this.#stdout, stderr: this.#stderr, exitCode, written: this.#written };
  }

  complain(text: string): void {
    this.#stderr += `Error: ${text}\n`;
  }

  async close(): Promise<void> {
    (await this.#cluster?.catch(() => undefined))?.[Symbol.dispose]();
  }

  async run(args: readonly string[]): Promise<void> {
    this.#dialect = dialectOf(args) ?? defaultDialect;
    const flags = parseFlags(args, this.#dialect);
    this.#checkColor(flags);
    for (const line of flags.deprecations) this.#stderr += `${line}\n`;
    this.#isDebug = flags.isOn("debug") || goBool(this.#doors.environment?.("HELM_DEBUG") ?? "") === true;
    if (flags.isOn("help")) {
      this.#stdout += helpText(this.#dialect);
      return;
    }
    if (flags.positional.length === 0) {
      throw new CommandError(
        '"helm template" requires at least 1 argument\n\nUsage:  helm template [NAME] [CHART] [flags]',
      );
    }
    refuseUnbuilt(flags);
    const kubeVersion = this.#kubeVersion(flags);
    const questions = this.#questions(flags);
    this.#debug(
      "Original chart version",
      { version: flags.text("version", "") },
      "install.go:225",
      (fields) => `Original chart version: "${fields.version}"`,
    );
    const world = this.#world(flags, questions);
    const { name, reference } = await withModules(() => this.#nameAndChart(flags, world));
    const source = await this.#locate(reference, flags);
    this.#debug("Chart path", { path: source.path }, "install.go:242", (fields) => `CHART PATH: ${fields.path}\n`);
    const values = await this.#values(flags);
    const chart = await this.#chart(source, flags);
    this.#checkDryRun(flags);
    const isAsked = questions.checks || questions.looksUp && flags.text("dry-run", "") === "server";
    if (isAsked && this.#doors.openCluster === undefined) {
      throw new CommandError("cannot validate: no cluster is configured; --validate and --dry-run=server need one");
    }
    const reached = questions.checks ? await this.#reach(flags) : undefined;
    this.#checkName(name);
    const capabilities = reached?.capabilities ?? this.#capabilities(flags, kubeVersion);
    const release = {
      name,
      namespace: flags.text("namespace", "") || this.#doors.environment?.("HELM_NAMESPACE") ||
        (reached?.cluster.namespace ?? await this.#contextNamespace(flags)) || "default",
      revision: 1,
      isUpgrade: flags.isOn("is-upgrade"),
    };
    const request = {
      chart,
      values,
      release,
      dialect: this.#dialect,
      capabilities,
      ...(this.#doors.limits === undefined ? {} : { limits: this.#doors.limits }),
      skipSchemaValidation: flags.isOn("skip-schema-validation"),
      subNotes: flags.isOn("render-subchart-notes"),
    };
    await this.#render(flags, { request, cluster: reached?.cluster }, world);
  }

  async #render(flags: ParsedFlags, { request, cluster }: Rendering, world: WorldTools): Promise<void> {
    // Each round of a render says the same: only the last one is shown.
    let notices: Notice[] = [];
    let failure: unknown;
    let rendered: RenderedFiles | undefined;
    try {
      const settled = await settle(
        (tools) => {
          notices = [];
          return renderFiles(request, tools, { notify: (notice) => notices.push(notice) });
        },
        world,
        this.#doors.signal,
      );
      rendered = settled.value;
    } catch (error) {
      failure = error;
    }
    if (this.#doors.limits !== undefined) throwLimit(failure);
    if (cluster !== undefined) this.#warnOfCrds(flags, rendered?.crds ?? crdsOf(request.chart));
    notices.forEach((notice) => this.#notice(notice));
    if (rendered === undefined) {
      this.#explainFailure(flags, failure);
      throw this.#withHint(failure);
    }
    let sorted: SortedManifests;
    try {
      sorted = documentsOf(rendered.files, { dialect: this.#dialect, notify: (notice) => this.#notice(notice) });
    } catch (error) {
      if (this.#isDebug && error instanceof RenderError) {
        this.#printManifests(flags, { text: filesText(error.files), hooks: [], failure: error });
      }
      throw this.#withHint(error);
    }
    if (cluster !== undefined) await this.#checkManifests(flags, { request, cluster }, { rendered, sorted });
    try {
      await this.#print(flags, request.release.name, rendered, sorted);
    } catch (error) {
      throw this.#withHint(error);
    }
  }

  /** Helm 4 logs some failures before it prints them. */
  #explainFailure(flags: ParsedFlags, failure: unknown): void {
    if (!(failure instanceof RenderError)) return;
    if (failure.step === "dependencies" && this.#dialect !== "helm3") {
      this.#notice({
        level: "ERROR",
        message: "chart dependencies processing failed",
        fields: { error: failure.message },
      });
    }
    if (failure.step === "render" && this.#isDebug) this.#printManifests(flags, { text: "", hooks: [], failure });
  }

  #withHint(failure: unknown): unknown {
    if (!(failure instanceof RenderError)) return failure;
    const isLate = failure.step === "render" || failure.step === "manifests";
    if (isLate && !this.#isDebug) {
      return new CommandError(`${failure.message}\n\nUse --debug flag to render out invalid YAML`);
    }
    if (failure.step === "dependencies" && this.#dialect !== "helm3") {
      return new CommandError(`chart dependencies processing failed: ${failure.message}`);
    }
    return failure;
  }

  async #print(flags: ParsedFlags, name: string, rendered: RenderedFiles, sorted: SortedManifests): Promise<void> {
    const crds = flags.isOn("include-crds") ? rendered.crds : [];
    const folder = flags.text("output-dir", "");
    const hooks = flags.isOn("no-hooks")
      ? []
      : sorted.hooks.filter((hook) => !(flags.isOn("skip-tests") && hook.events.includes("test")));
    if (folder === "") {
      this.#printManifests(flags, { text: manifestText(sorted.manifests, crds), hooks });
      return;
    }
    const below = flags.isOn("release-name") ? joinPaths(folder, name) : folder;
    const begun = new Set<string>();
    const isFile = (await this.#doors.files.stat(folder))?.kind === "file";
    const write = (root: string, path: string, text: string, adds: boolean) => {
      const file = `${root}/${path}`;
      if (isFile) throw new RenderError("manifests", `stat ${file.slice(0, file.lastIndexOf("/"))}: not a directory`);
      const before = adds ? this.#written.get(file) ?? "" : "";
      this.#written.set(file, before + documentText(path, text));
      this.#stdout += `wrote ${file}\n`;
    };
    for (const crd of crds) {
      write(folder, crd.path, fromBytes(crd.data), begun.has(crd.path));
      begun.add(crd.path);
    }
    for (const manifest of sorted.manifests) {
      write(below, manifest.path, manifest.text, begun.has(manifest.path));
      begun.add(manifest.path);
    }
    for (const hook of hooks) {
      const file = joinPaths(below, hook.path);
      const key = `${below}/${hook.path}`;
      // Helm adds hooks to whatever stands there, also from an earlier run.
      if (!this.#written.has(key)) {
        const old = await this.#doors.files.read(file);
        if (old !== undefined) this.#written.set(key, fromBytes(old));
      }
      write(below, hook.path, hook.text, true);
    }
    this.#printManifests(flags, { text: "", hooks: [] });
  }

  #printManifests(
    flags: ParsedFlags,
    what: { readonly text: string; readonly hooks: readonly HookManifest[]; readonly failure?: Error },
  ): void {
    const text = `${trim(what.text)}\n${what.hooks.map((hook) => documentText(hook.path, hook.text)).join("")}`;
    const wanted = flags.list("show-only");
    if (wanted.length === 0) {
      this.#stdout += text;
      return;
    }
    const documents = splitManifests(text, this.#dialect).map((document) => ({
      document,
      path: /# Source: [^/\n]+\/([^\n]+)/.exec(document)?.[1],
    }));
    let shown = "";
    for (const pattern of wanted) {
      const matches = compilePattern(pattern) ?? (() => false);
      const found = documents.filter(({ path }) => path !== undefined && matches(path));
      if (found.length === 0) {
        if (what.failure !== undefined) throw what.failure;
        throw new CommandError(`could not find template ${pattern} in chart`);
      }
      for (const { document } of found) shown += `---\n${document}\n`;
    }
    this.#stdout += shown;
  }

  #kubeVersion(flags: ParsedFlags): string | undefined {
    const text = flags.text("kube-version", "");
    if (text === "") return undefined;
    try {
      parseKubeVersion(text, this.#dialect);
      return text;
    } catch (error) {
      if (!(error instanceof ChartError)) throw error;
      throw new CommandError(`invalid kube version '${text}': ${error.message}`);
    }
  }

  /** What is asked of the cluster: Helm 3 has a flag for its version and manifests, and one for `lookup`. */
  #questions(flags: ParsedFlags): Questions {
    const written = flags.text("dry-run", "client");
    if (this.#dialect === "helm3") {
      return { checks: flags.isOn("validate"), looksUp: ["server", "none", "false"].includes(written) };
    }
    const asks = this.#asksServer(flags, written);
    return { checks: asks, looksUp: asks };
  }

  /** Whether Helm 4 asks the cluster. */
  #asksServer(flags: ParsedFlags, written: string): boolean {
    if (flags.isOn("validate") || written === "server") return true;
    if (written === "unset") {
      this.#notice({
        level: "WARN",
        message: "--dry-run is deprecated and should be replaced with '--dry-run=client'",
      });
      return false;
    }
    if (written === "client") return false;
    const value = goBool(written);
    if (value === undefined && written !== "none") {
      throw new CommandError(
        `invalid dry-run value (${JSON.stringify(written)}). Must be "none", "server", or "client"`,
      );
    }
    if (value !== true) {
      throw new CommandError(`invalid dry-run value (${JSON.stringify(written)}). Must be "server" or "client"`);
    }
    this.#notice({
      level: "WARN",
      message: `boolean '--dry-run=${written}' flag is deprecated and must be replaced with '--dry-run=client'`,
    });
    return false;
  }

  /** Helm 3 looks at the value only once the chart is there. */
  #checkDryRun(flags: ParsedFlags): void {
    const known = ["", "client", "false", "true", "none", "server"];
    if (this.#dialect !== "helm3" || known.includes(flags.text("dry-run", "client"))) return;
    throw new CommandError("Invalid dry-run flag. Flag must one of the following: false, true, none, client, server");
  }

  /** Helm 4 refuses an unknown mode before it looks at the command. */
  #checkColor(flags: ParsedFlags): void {
    if (this.#dialect === "helm3") return;
    const modes = ["never", "auto", "always"];
    const wrong = ["color", "colour"].map((name) => flags.text(name, "auto")).find((mode) => !modes.includes(mode));
    if (wrong === undefined) return;
    const error = `invalid color mode ${quoteText(wrong)}: must be one of: never, auto, always`;
    this.#notice({ level: "WARN", message: "command failed", fields: { error } });
    throw new ToldError(error);
  }

  #world(flags: ParsedFlags, questions: Questions): WorldTools {
    const { clock, random, openCluster, resolveHost, readSchema, seed } = this.#doors;
    return {
      nowMs: clock.now(),
      monotonicMs: () => clock.monotonic(),
      random,
      ...(seed === undefined ? {} : { seed }),
      ...(questions.looksUp && openCluster !== undefined
        ? { lookup: (request, signal) => this.#lookup(flags, request, signal) }
        : {}),
      ...(flags.isOn("enable-dns") && resolveHost !== undefined ? { resolveHost } : {}),
      ...(flags.isOn("allow-http") && readSchema !== undefined ? { readSchema } : {}),
    };
  }

  #nameAndChart(flags: ParsedFlags, world: WorldTools): { readonly name: string; readonly reference: string } {
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
      return { name: templatedName(template, this.#dialect, tools), reference: first };
    }
    // Helm's command has a name of its own, so that --generate-name has no effect.
    return { name: "release-name", reference: first };
  }

  async #locate(reference: string, flags: ParsedFlags): Promise<ChartLoader> {
    const { pullChart } = this.#doors;
    const name = reference.trim();
    if (!name.startsWith("oci://")) return await chartSource(name, this.#doors.files);
    if (pullChart === undefined) {
      throw new CommandError(`cannot pull ${JSON.stringify(name)}: no registry client is configured`);
    }
    const version = flags.text("version", "") || (flags.isOn("devel") ? ">0.0.0-0" : "");
    const pulled = await pullChart({ ...registryLogin(flags), url: name, version }, this.#doors.signal);
    const told = pulledText(pulled);
    if (this.#dialect === "helm4.2.4") this.#stdout += told;
    else this.#stderr += told;
    return { kind: "archive", path: name, bytes: pulled.bytes };
  }

  async #values(flags: ParsedFlags): Promise<Table> {
    const files: { name: string; bytes: Uint8Array }[] = [];
    for (const name of flags.list("values")) files.push({ name, bytes: await this.#readFile(name) });
    const fromFiles = flags.list("set-file");
    const contents = new Map<string, Uint8Array | Error>();
    // Paths are known only to the grammar: look for them first, read them, then assign.
    for (const text of fromFiles) {
      for (const path of filePaths(text)) {
        contents.set(
          path,
          await this.#readFile(path).catch((error) => error as Error),
        );
      }
    }
    return mergeValueOptions({
      files,
      json: flags.list("set-json"),
      typed: flags.list("set"),
      strings: flags.list("set-string"),
      fromFiles,
      literals: flags.list("set-literal"),
    }, {
      dialect: this.#dialect,
      readFile(path) {
        const content = contents.get(path);
        if (content instanceof Uint8Array) return content;
        throw new ChartError(content?.message ?? `open ${path}: no such file or directory`);
      },
    });
  }

  async #readFile(name: string): Promise<Uint8Array> {
    if (name.trim() === "-") return await this.#doors.readStdin?.() ?? new Uint8Array();
    if (/^https?:\/\//.test(name)) {
      throw new CommandError(`cannot read values from ${JSON.stringify(name)}: only files and standard input are read`);
    }
    const info = await this.#doors.files.stat(name);
    if (info?.kind === "folder") throw new CommandError(`read ${name}: is a directory`);
    const bytes = await this.#doors.files.read(name);
    if (bytes === undefined) throw new CommandError(`open ${name}: no such file or directory`);
    return bytes;
  }

  async #chart(source: ChartLoader, flags: ParsedFlags): Promise<Chart> {
    const load = async () => {
      return await loadLocated(source, this.#doors.files, {
        dialect: this.#dialect,
        notify: (notice) => this.#notice(notice),
      });
    };
    const chart = await load();
    this.#checkType(chart);
    if (chart.metadata.deprecated) {
      this.#notice({ level: "WARN", message: "this chart is deprecated", helm3: "WARNING: This chart is deprecated" });
    }
    try {
      checkInstallable(chart, this.#dialect);
      return chart;
    } catch (error) {
      if (!(error instanceof RenderError) || !flags.isOn("dependency-update")) throw new CommandError(errorText(error));
    }
    return await withDependencies(chart, source, {
      files: this.#doors.files,
      dialect: this.#dialect,
      login: registryLogin(flags),
      notify: (notice) => this.#notice(notice),
      ...(this.#doors.pullChart === undefined ? {} : { pullChart: this.#doors.pullChart }),
      ...(this.#doors.signal === undefined ? {} : { signal: this.#doors.signal }),
    });
  }

  #checkType(chart: Chart): void {
    const { type } = chart.metadata;
    if (type !== "" && type !== "application") throw new CommandError(`${type} charts are not installable`);
  }

  #checkName(name: string): void {
    try {
      checkReleaseName(name);
    } catch (error) {
      if (!(error instanceof ChartError) || this.#dialect === "helm3") throw error;
      this.#notice({ level: "ERROR", message: "release name check failed", fields: { error: error.message } });
      throw new CommandError(`release name check failed: ${error.message}`);
    }
  }

  #capabilities(flags: ParsedFlags, kubeVersion: string | undefined): Capabilities {
    const known = defaultCapabilities(this.#dialect);
    return {
      kubeVersion: kubeVersion ?? known.kubeVersion,
      apiVersions: [...known.apiVersions, ...flags.list("api-versions")],
    };
  }

  async #contextNamespace(flags: ParsedFlags): Promise<string | undefined> {
    const { contextNamespace, environment } = this.#doors;
    return await contextNamespace?.(kubeFlags(flags, environment ?? (() => undefined)));
  }

  /** The cluster, opened once. */
  #open(flags: ParsedFlags): Promise<ClusterDoor> {
    const { openCluster, environment, signal } = this.#doors;
    if (openCluster === undefined) throw new CommandError("cannot ask a cluster: none is configured");
    return this.#cluster ??= openCluster(kubeFlags(flags, environment ?? (() => undefined)), signal);
  }

  /** Opens the cluster and asks what it is, ahead of all else. @throws {CommandError} when it does not answer */
  async #reach(flags: ParsedFlags): Promise<{ readonly cluster: ClusterDoor; readonly capabilities: Capabilities }> {
    try {
      const cluster = await this.#open(flags);
      return { cluster, capabilities: await cluster.capabilities(this.#doors.signal) };
    } catch (error) {
      this.#doors.signal?.throwIfAborted();
      // What the kubeconfig's reader says of documents says nothing here.
      const isOwn = error instanceof StageError && error.hint !== reasons[error.reason].hint;
      const hint = isOwn ? error.hint : unreachableHint;
      const why = messageOf(error);
      const isPlain = this.#dialect === "helm3";
      const text = isPlain
        ? `Kubernetes cluster unreachable: ${why}`
        : `cluster reachability check failed: kubernetes cluster unreachable: ${why}`;
      if (!isPlain) this.#notice({ level: "ERROR", message: text });
      throw new CommandError(`${text}\n  hint: ${hint}`);
    }
  }

  async #lookup(flags: ParsedFlags, request: LookupRequest, signal?: AbortSignal): Promise<JsonValue> {
    let cluster: ClusterDoor;
    try {
      cluster = await this.#open(flags);
    } catch (error) {
      signal?.throwIfAborted();
      throw new RefusedInput(messageOf(error), { cause: error });
    }
    try {
      return await cluster.lookup(request, signal);
    } catch (error) {
      if (error instanceof RefusedInput) error.notices.forEach((notice) => this.#notice(notice));
      throw error;
    }
  }

  #warnOfCrds(flags: ParsedFlags, crds: readonly ChartCrd[]): void {
    if (this.#dialect === "helm3" || flags.isOn("skip-crds") || crds.length === 0) return;
    const message = "This chart or one of its subcharts contains CRDs. Rendering may fail or contain inaccuracies.";
    this.#notice({ level: "WARN", message });
  }

  /** Helm looks at what it would install, and files that it writes itself are no part of that. */
  async #checkManifests(
    flags: ParsedFlags,
    { request, cluster }: { readonly request: Rendering["request"]; readonly cluster: ClusterDoor },
    { rendered, sorted }: { readonly rendered: RenderedFiles; readonly sorted: SortedManifests },
  ): Promise<void> {
    if (flags.text("output-dir", "") !== "") return;
    const { checkWithCluster, ClusterCheckError } = await import("./release/cluster_check.ts");
    const crds = flags.isOn("include-crds")
      ? rendered.crds.flatMap(({ data }) => splitManifests(fromBytes(data), this.#dialect)).map((text) =>
        readYaml(text)
      )
      : [];
    try {
      await checkWithCluster(
        {
          documents: [...crds, ...sorted.manifests.map(({ value }) => value)],
          release: request.release,
          dialect: this.#dialect,
          takesOwnership: flags.isOn("take-ownership"),
          validates: !flags.isOn("disable-openapi-validation"),
        },
        cluster,
        this.#doors.signal,
      );
    } catch (error) {
      throw error instanceof ClusterCheckError ? new CommandError(error.message) : error;
    }
  }

  #notice(notice: Notice): void {
    if (this.#dialect !== "helm3") {
      if (notice.level !== "DEBUG" || this.#isDebug) this.#stderr += `${noticeLine(notice)}\n`;
    } else if (notice.helm3 !== undefined) this.#stderr += `${notice.helm3}\n`;
  }

  #debug(
    message: string,
    fields: Readonly<Record<string, string>>,
    place: string,
    helm3Text: (fields: Readonly<Record<string, string>>) => string,
  ): void {
    if (!this.#isDebug) return;
    const time = new Date(this.#doors.clock.now()).toISOString().slice(0, 19).replaceAll("-", "/").replace("T", " ");
    this.#notice({ level: "DEBUG", message, fields, helm3: `${place}: ${time} [debug] ${helm3Text(fields)}` });
  }
}

/** Flags about the registry that charts are pulled from. */
function registryLogin(flags: ParsedFlags): RegistryLogin {
  const optional = (key: string, flag: string) => flags.has(flag) ? { [key]: flags.text(flag, "") } : {};
  return {
    plainHttp: flags.isOn("plain-http"),
    insecureSkipTlsVerify: flags.isOn("insecure-skip-tls-verify"),
    ...optional("username", "username"),
    ...optional("password", "password"),
    ...optional("caFile", "ca-file"),
    ...optional("certFile", "cert-file"),
    ...optional("keyFile", "key-file"),
  };
}

/** What Helm says of a chart that it pulled, on standard output since 4.2. */
function pulledText({ name, digest }: PulledChart): string {
  const text = `Pulled: ${name}\nDigest: ${digest}\n`;
  return name.includes("_") ? `${text}${name} contains an underscore.\n${underscoreText}` : text;
}

const underscoreText = `
OCI artifact references (e.g. tags) do not support the plus sign (+). To support
storing semantic versions, Helm adopts the convention of changing plus (+) to
an underscore (_) in chart version tags when pushing to a registry and back to
a plus (+) when pulling from a registry.
`;

/** Flags about the cluster, each with Helm's variable behind it. */
function kubeFlags(flags: ParsedFlags, environment: (name: string) => string | undefined): KubeFlags {
  const text = (flag: string, variable: string) => flags.text(flag, "") || environment(`HELM_KUBE${variable}`) || "";
  const named: Record<string, string> = {
    kubeconfig: flags.text("kubeconfig", ""),
    context: text("kube-context", "CONTEXT"),
    server: text("kube-apiserver", "APISERVER"),
    token: text("kube-token", "TOKEN"),
    caFile: text("kube-ca-file", "CAFILE"),
    tlsServerName: text("kube-tls-server-name", "TLS_SERVER_NAME"),
    user: text("kube-as-user", "ASUSER"),
  };
  const groups = flags.has("kube-as-group")
    ? flags.list("kube-as-group")
    : (environment("HELM_KUBEASGROUPS") ?? "").split(",").filter((group) => group !== "");
  const skipVerify = flags.has("kube-insecure-skip-tls-verify")
    ? flags.isOn("kube-insecure-skip-tls-verify")
    : goBool(environment("HELM_KUBEINSECURE_SKIP_TLS_VERIFY") ?? "") === true;
  return { ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== "")), skipVerify, groups };
}

/** Texts of a `--set-file` that may be paths: whatever stands behind `=`, as the grammar reads it. */
function filePaths(text: string): readonly string[] {
  const paths: string[] = [];
  for (const match of text.matchAll(/=((?:\\.|[^,\\])*)/gs)) {
    const path = (match[1] as string).replace(/\\(.)/gs, "$1");
    paths.push(path);
    if (path.startsWith("{")) paths.push(path.slice(1), path.slice(1).replace(/\}$/, ""));
  }
  for (const match of text.matchAll(/[,{]((?:\\.|[^,}\\])*)/gs)) {
    paths.push((match[1] as string).replace(/\\(.)/gs, "$1"));
  }
  return paths;
}

/** Flags whose work is not built fail by name: they are never passed over. */
function refuseUnbuilt(flags: ParsedFlags): void {
  for (const name of ["post-renderer", "repo"]) {
    if (flags.text(name, "") !== "") throw new CommandError(`cannot act on --${name}: not built yet`);
  }
  if (flags.isOn("verify")) throw new CommandError("cannot act on --verify: not built yet");
}

function helpText(dialect: Dialect): string {
  const rows = Object.entries(templateFlags(dialect))
    .filter(([, row]) => row.deprecated === undefined)
    .map(([name, row]) => {
      const short = row.short === undefined ? "    " : `-${row.short}, `;
      const type = row.type === "bool" ? "" : ` ${row.type}`;
      return `  ${short}--${name}${type}`.padEnd(46) + row.summary;
    });
  return [
    "Render a chart's templates locally and print the manifests.",
    "",
    "Usage:",
    "  template [NAME] [CHART] [flags]",
    "",
    "Flags:",
    ...rows,
    "",
  ].join("\n");
}

/** Bytes of a text, for who writes {@linkcode TemplateOutcome.written}: raw bytes of templates are kept. */
export function bytesOf(text: string): Uint8Array {
  return toBytes(text);
}
