import type { RenderTools } from "../render_tools.ts";
import type { Chart, ChartCrd } from "../chart/chart.ts";
import { crdsOf } from "../chart/chart.ts";
import { checkDependencies, processDependencies } from "../chart/dependencies.ts";
import { ChartError } from "../chart/metadata.ts";
import { isCompatibleRange } from "../chart/version_range.ts";
import type { Dialect } from "../dialect.ts";
import { dependencyAdvice, languageOf } from "../dialect.ts";
import type { Notice } from "../notice.ts";
import { StageError } from "../../../core/stage_error.ts";
import { compareStrings } from "../template/go_string.ts";
import type { RenderLimits } from "../template/run.ts";
import { executeTemplates, parseTemplates } from "../template/template_set.ts";
import type { TemplateSet } from "../template/template_set.ts";
import type { GoMap } from "../template/value.ts";
import { checkSchemas } from "../chart/values_schema.ts";
import { coalesceValues } from "../values/coalesce.ts";
import { nullRulesOf } from "../values/null_rules.ts";
import type { Table } from "../values/tables.ts";
import { capabilityValues } from "./capabilities.ts";
import type { Capabilities } from "./capabilities.ts";
import { sortManifests } from "./manifests.ts";
import type { SortedManifests, SortOptions } from "./manifests.ts";
import { scopesOf, sourcesOf, templatesOf } from "./scopes.ts";
import type { PlacedTemplate, ReleaseIdentity } from "./scopes.ts";

/** A chart and a release to render. */
export interface RenderRequest {
  readonly chart: Chart;
  /** The user's values, merged. */
  readonly values: GoMap;
  readonly release: ReleaseIdentity;
  readonly dialect: Dialect;
  readonly capabilities: Capabilities;
  readonly skipSchemaValidation?: boolean;
  /** Notes of sub-charts too. */
  readonly subNotes?: boolean;
  /** A missing key is an error. */
  readonly isStrict?: boolean;
  readonly limits?: RenderLimits;
}

/** Rendered files of a release, before they are cut into documents. */
export interface RenderedFiles {
  /** The chart as its conditions left it, with imported values among its defaults. */
  readonly chart: Chart;
  /** `.Values` of the root, before templates changed them. */
  readonly values: Table;
  /** Text by template, in the order of execution; notes are not among them. */
  readonly files: ReadonlyMap<string, string>;
  /** "" where the chart has none. */
  readonly notes: string;
  readonly crds: readonly ChartCrd[];
}

/** At which step a chart was refused: Helm words some errors by it. */
export type RenderStep = "dependencies" | "values" | "render" | "manifests";

/** A chart that cannot be rendered; the message is Helm's own. */
export class RenderError extends Error {
  override readonly name = "RenderError";
  readonly step: RenderStep;
  /** Texts that were rendered before the fault, for `--debug`. */
  readonly files: ReadonlyMap<string, string>;

  constructor(
    step: RenderStep,
    message: string,
    options: { readonly cause?: unknown; readonly files?: ReadonlyMap<string, string> } = {},
  ) {
    super(message, { cause: options.cause });
    this.step = step;
    this.files = options.files ?? new Map();
  }
}

/** Parsed templates, kept by what they were parsed from. */
export interface TemplateCache {
  get(templates: readonly PlacedTemplate[], dialect: Dialect): TemplateSet;
}

/**
 * Renders a chart: dependencies, values, schemas, Kubernetes version, templates, notes, in Helm's order.
 *
 * @throws {RenderError} with Helm's text
 * @throws {MissingInput} when a tool has no answer yet
 */
export function renderFiles(
  request: RenderRequest,
  tools: RenderTools,
  options: { readonly notify: (notice: Notice) => void; readonly cache?: TemplateCache },
): RenderedFiles {
  const { dialect } = request;
  const rules = nullRulesOf(dialect);
  const joining = { rules, notify: options.notify };
  const chart = step(
    "dependencies",
    () => processDependencies(request.chart, request.values, { ...joining, sharesAliases: dialect === "helm3" }),
  );
  const values = step("values", () => {
    const joined = coalesceValues(chart, request.values, joining);
    if (request.skipSchemaValidation !== true) {
      const { readSchema } = tools;
      checkSchemas(chart, joined, {
        dialect,
        notify: options.notify,
        ...(readSchema === undefined ? {} : { readSchema }),
      });
    }
    return joined;
  });
  return step("render", () => {
    const { kubeVersion } = chart.metadata;
    const kube = capabilityValues(request.capabilities, dialect);
    const version = dialect === "helm3" ? kube.kubeVersion : kube.normalizedKubeVersion ?? kube.kubeVersion;
    if (kubeVersion !== "" && !isCompatibleRange(kubeVersion, version)) {
      throw new ChartError(
        `chart requires kubeVersion: ${kubeVersion} which is incompatible with Kubernetes ${kube.kubeVersion}`,
      );
    }
    const templates = templatesOf(chart);
    const set = options.cache?.get(templates, dialect) ?? parseTemplates(sourcesOf(templates), languageOf(dialect));
    const scopes = scopesOf(chart, { values, release: request.release, capabilities: request.capabilities, dialect });
    const rendered = executeTemplates(set, (name) => scopes.get(name), {
      tools,
      isStrict: request.isStrict === true,
      ...(request.limits === undefined ? {} : { limits: request.limits }),
    });
    return { chart, values, ...withoutNotes(chart, rendered, request.subNotes === true), crds: crdsOf(chart) };
  });
}

/** Cuts rendered files into documents. @throws {RenderError} for a document that is no YAML */
export function documentsOf(
  files: ReadonlyMap<string, string>,
  options: SortOptions,
): SortedManifests {
  try {
    return sortManifests(files, options);
  } catch (error) {
    if (!(error instanceof ChartError)) throw error;
    throw new RenderError("manifests", error.message, { cause: error, files });
  }
}

/** Whether a chart can be installed and has what it declares. @throws {RenderError} with Helm's text */
export function checkInstallable(chart: Chart, dialect: Dialect): void {
  const { type } = chart.metadata;
  if (type !== "" && type !== "application") {
    throw new RenderError("dependencies", `${type} charts are not installable`);
  }
  try {
    checkDependencies(chart);
  } catch (error) {
    if (!(error instanceof ChartError)) throw error;
    throw new RenderError("dependencies", `${dependencyAdvice(dialect)}: ${error.message}`, { cause: error });
  }
}

function step<T>(name: RenderStep, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof ChartError || (error instanceof StageError && error.reason === "BuildFailed")) {
      throw new RenderError(name, error.message, { cause: error });
    }
    throw error;
  }
}

const notesFile = "NOTES.txt";

/** Notes are what files whose path ends in `NOTES.txt` give; they are never manifests. */
function withoutNotes(
  chart: Chart,
  rendered: ReadonlyMap<string, string>,
  subNotes: boolean,
): { readonly files: ReadonlyMap<string, string>; readonly notes: string } {
  const files = new Map<string, string>();
  const notes: string[] = [];
  const own = `${chart.metadata.name}/templates/${notesFile}`;
  const names = [...rendered.keys()];
  for (const name of names) {
    if (!name.endsWith(notesFile)) files.set(name, rendered.get(name) as string);
  }
  // Helm's order of several notes is open; here it is the parent's first, then by path.
  const wanted = names.filter((name) => name.endsWith(notesFile) && (subNotes || name === own));
  wanted.sort((a, b) => Number(b === own) - Number(a === own) || compareStrings(a, b));
  for (const name of wanted) {
    const text = rendered.get(name) as string;
    notes.push(notes.length > 0 && notes.some((each) => each !== "") ? `\n${text}` : text);
  }
  return { files, notes: notes.join("") };
}
