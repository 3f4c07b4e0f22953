import { keyText } from "../core/object.ts";
import type { HelmReleaseSpec } from "../core/specs.ts";
import { formatDuration } from "../format/duration.ts";
import { type DriftOrder, isOnlyTold, standsAsWanted } from "./drift.ts";
import type { Pipeline, Run, RunResult } from "./pipeline.ts";
import { applyRelease } from "./release_apply.ts";
import { driftMode, standingResult, toldResult } from "./release_drift.ts";
import { actionTimeout, type HelmReleaseTools, orderOf, type ReleaseOrder } from "./release_order.ts";
import { uninstall } from "./release_removal.ts";
import { checkChartVersion, isOtherChart, nextStep } from "./release_step.ts";
import { failedRelease, refuseFurtherTries } from "./release_tries.ts";

/**
 * Pipeline of a HelmRelease: chart and values in, manifests through the same target as a Kustomization's. Hooks run in
 * weight order around a change, and around the removal. What stands is counted in revisions: each change of chart, values
 * or what is done to the manifests that succeeded is one. Release history, rollback, tests and Helm's own storage are not
 * built yet: documents that ask for them say so.
 *
 * Differs: Flux changes nothing of a release that was put out of shape unless `driftDetection` says so; here that is the
 * default, and `mode: disabled` leaves it. A directory runs no hooks.
 */
export function helmReleasePipeline(tools: HelmReleaseTools): Pipeline<HelmReleaseSpec> {
  return {
    kind: "HelmRelease",
    run: (run) => runRelease(run, tools),
    async remove(record, removal) {
      let kept = record;
      await uninstall({
        ...removal,
        get record() {
          return kept;
        },
        signal: removal.signal,
        async checkpoint(patch) {
          kept = { ...kept, ...patch };
          await removal.checkpoint(patch);
        },
        progress: () => {},
        offWorker: (work) => work(),
      }, tools);
      await tools.store.unpin(keyText(record.key));
    },
  };
}

async function runRelease(run: Run<HelmReleaseSpec>, tools: HelmReleaseTools): Promise<RunResult> {
  const order = await orderOf(run, tools);
  if (!order.step.isChange && await standsAsWanted(run, order.target, driftOf(run, order))) {
    return standingResult(run, order);
  }
  refuseFurtherTries(run, order.step);
  try {
    return await makeRelease(run, order, tools);
  } catch (error) {
    if (run.signal.aborted) throw error;
    throw await failedRelease(run, order, { error, tools });
  }
}

function driftOf(run: Run<HelmReleaseSpec>, { inputs }: ReleaseOrder): DriftOrder {
  return { mode: driftMode(run.object.spec), inputs };
}

/** Renders and applies: a change of the release, or the same one again where it lost its shape. */
async function makeRelease(
  run: Run<HelmReleaseSpec>,
  given: ReleaseOrder,
  tools: HelmReleaseTools,
): Promise<RunResult> {
  const { object } = run;
  const { spec } = object;
  let order = given;
  const render = async () => {
    const { action, revision } = order.step;
    run.progress(`Running '${action}' action with timeout of ${formatDuration(actionTimeout(spec, action))}`);
    const { artifact, valuesFrom } = order;
    const { ownership } = order.target;
    const owned = ownership === undefined ? {} : { ownership };
    const built = await tools.render({ object, artifact, valuesFrom, action, revision, ...owned }, run.signal);
    checkChartVersion(spec, artifact, built.chart);
    return built;
  };
  const startAnew = async () => {
    run.progress(`Running 'uninstall' action for release ${order.step.before.namespace}/${order.step.before.name}`);
    await uninstall(run, tools);
    await run.checkpoint({ release: order.step.fresh });
    order = { ...order, step: nextStep(object, order.step.fresh, { digest: order.step.digest }) };
  };
  if (order.step.isElsewhere) await startAnew();
  let built = await render();
  if (isOtherChart(spec, order.step.before, built.chart.name)) {
    await startAnew();
    built = await render();
  }
  return !order.step.isChange && isOnlyTold(run, order.target, driftOf(run, order))
    ? await toldResult(run, order, built)
    : await applyRelease(run, { ...order, built }, tools);
}
