import { crdsOf } from "../chart/chart.ts";
import type { ChartCrd } from "../chart/chart.ts";
import { readYaml } from "../chart/read_yaml.ts";
import { isHelm3 } from "../dialect.ts";
import type { Notice } from "../notice.ts";
import { settle } from "../release/inputs.ts";
import type { WorldTools } from "../release/inputs.ts";
import { filesText } from "../release/manifest_text.ts";
import type { SortedManifests } from "../release/manifests.ts";
import { documentsOf, RenderError, renderFiles } from "../release/render.ts";
import type { RenderedFiles, RenderRequest } from "../release/render.ts";
import { splitManifests } from "../release/split.ts";
import { fromBytes } from "../template/go_string.ts";
import { RenderLimitError } from "../template/run.ts";
import type { ClusterDoor } from "./cluster_door.ts";
import { CommandError } from "./command_error.ts";
import { printRelease, printText } from "./print_release.ts";
import type { TemplateCall } from "./template_call.ts";

/** What a render of the command stands on. */
export interface RenderSurroundings {
  readonly world: WorldTools;
  /** The cluster that is asked whether it would take the manifests. */
  readonly cluster: ClusterDoor | undefined;
}

/** Renders a release, has its manifests checked where a cluster is asked, and prints it. */
export async function renderRelease(
  request: RenderRequest,
  { world, cluster }: RenderSurroundings,
  call: TemplateCall,
): Promise<void> {
  const rendered = await render(request, { world, cluster }, call);
  const sorted = sortedDocuments(rendered, call);
  if (cluster !== undefined) await checkManifests({ request, rendered, sorted }, cluster, call);
  try {
    await printRelease({ name: request.release.name, rendered, sorted }, call);
  } catch (error) {
    throw withHint(error, call);
  }
}

async function render(
  request: RenderRequest,
  { world, cluster }: RenderSurroundings,
  call: TemplateCall,
): Promise<RenderedFiles> {
  const { doors: { limits, signal }, printout } = call;
  // Each round of a render says the same: only the last one is shown.
  let notices: Notice[] = [];
  const tell = (crds: readonly ChartCrd[]) => {
    if (cluster !== undefined) warnOfCrds(crds, call);
    notices.forEach(printout.notify);
  };
  try {
    const { value } = await settle(
      (tools) => {
        notices = [];
        return renderFiles(request, tools, { notify: (notice) => notices.push(notice) });
      },
      world,
      signal,
    );
    tell(value.crds);
    return value;
  } catch (error) {
    if (limits !== undefined && error instanceof RenderError && error.cause instanceof RenderLimitError) {
      throw error.cause;
    }
    tell(crdsOf(request.chart));
    explainFailure(error, call);
    throw withHint(error, call);
  }
}

function sortedDocuments({ files }: RenderedFiles, call: TemplateCall): SortedManifests {
  const { dialect, printout } = call;
  try {
    return documentsOf(files, { dialect, notify: printout.notify });
  } catch (error) {
    if (printout.isDebug && error instanceof RenderError) {
      printText({ text: filesText(error.files), hooks: [], failure: error }, call);
    }
    throw withHint(error, call);
  }
}

/** What Helm logs and prints before it ends with a failure. */
function explainFailure(failure: unknown, call: TemplateCall): void {
  if (!(failure instanceof RenderError)) return;
  const { dialect, printout } = call;
  if (failure.step === "dependencies" && !isHelm3(dialect)) {
    printout.notify({
      level: "ERROR",
      message: "chart dependencies processing failed",
      fields: { error: failure.message },
    });
  }
  if (failure.step === "render" && printout.isDebug) printText({ text: "", hooks: [], failure }, call);
}

function withHint(failure: unknown, { dialect, printout }: TemplateCall): unknown {
  if (!(failure instanceof RenderError)) return failure;
  const isLate = failure.step === "render" || failure.step === "manifests";
  if (isLate && !printout.isDebug) {
    return new CommandError(`${failure.message}\n\nUse --debug flag to render out invalid YAML`);
  }
  if (failure.step === "dependencies" && !isHelm3(dialect)) {
    return new CommandError(`chart dependencies processing failed: ${failure.message}`);
  }
  return failure;
}

function warnOfCrds(crds: readonly ChartCrd[], { flags, dialect, printout }: TemplateCall): void {
  if (isHelm3(dialect) || flags.isOn("skip-crds") || crds.length === 0) return;
  const message = "This chart or one of its subcharts contains CRDs. Rendering may fail or contain inaccuracies.";
  printout.notify({ level: "WARN", message });
}

interface RenderedRelease {
  readonly request: RenderRequest;
  readonly rendered: RenderedFiles;
  readonly sorted: SortedManifests;
}

/** Helm looks at what it would install, and files that it writes itself are no part of that. */
async function checkManifests(
  { request, rendered, sorted }: RenderedRelease,
  cluster: ClusterDoor,
  { flags, dialect, doors }: TemplateCall,
): Promise<void> {
  if (flags.text("output-dir", "") !== "") return;
  const { checkWithCluster, ClusterCheckError } = await import("./cluster_check.ts");
  const crds = flags.isOn("include-crds")
    ? rendered.crds.flatMap(({ data }) => splitManifests(fromBytes(data), dialect)).map((text) => readYaml(text))
    : [];
  try {
    await checkWithCluster(
      {
        documents: [...crds, ...sorted.manifests.map(({ value }) => value)],
        release: request.release,
        dialect,
        takesOwnership: flags.isOn("take-ownership"),
        validates: !flags.isOn("disable-openapi-validation"),
      },
      cluster,
      doors.signal,
    );
  } catch (error) {
    throw error instanceof ClusterCheckError ? new CommandError(error.message) : error;
  }
}
