import { readResources } from "./documents.ts";
import { fault } from "./fault.ts";
import { makeConfigMap, makeSecret, mergeOptions } from "./generators/config_data.ts";
import type { ChartRequest, RenderChart } from "./generators/helm_chart.ts";
import { chartRequest } from "./generators/helm_chart.ts";
import { Growth } from "./growth.ts";
import type { NamedResource } from "./named_resource.ts";
import type { Origin } from "./origin.ts";
import { makePlugin } from "./plugins.ts";
import type { Accumulator, BuildGround, Target } from "./target.ts";
import { configuredBy, pluginOrigin } from "./target.ts";

interface Generated {
  readonly resources: NamedResource[] | ChartRequest;
  readonly origin: Origin | undefined;
}

/**
 * Makes what a kustomization generates: ConfigMaps, Secrets, charts, then what its plugins make.
 *
 * @param plugins configurations that `generators` names
 * @throws {StageError} BuildFailed
 */
export async function runGenerators(
  target: Target,
  into: Accumulator,
  plugins: () => Promise<readonly NamedResource[]>,
): Promise<void> {
  const { kustomization, loader, ground } = target;
  const generated: Generated[] = [];
  for (const entry of kustomization.configMapGenerator) {
    const options = mergeOptions(entry.options, kustomization.generatorOptions);
    const resources = [makeConfigMap({ ...entry, options }, loader)];
    generated.push({ resources, origin: configuredBy(target, "ConfigMapGenerator") });
  }
  for (const entry of kustomization.secretGenerator) {
    const options = mergeOptions(entry.options, kustomization.generatorOptions);
    const resources = [makeSecret({ ...entry, options }, loader)];
    generated.push({ resources, origin: configuredBy(target, "SecretGenerator") });
  }
  const globals = kustomization.helmGlobals ?? { chartHome: "", configHome: "" };
  for (const chart of kustomization.helmCharts) {
    const namespace = chart.namespace || kustomization.namespace || target.chartNamespace;
    checkHelm(ground, chart.name);
    const request = chartRequest({ ...chart, namespace }, globals, loader);
    generated.push({ resources: request, origin: configuredBy(target, "HelmChartInflationGenerator") });
  }
  for (const config of await plugins()) {
    const plugin = makePlugin(config, loader);
    const origin = pluginOrigin(config);
    if (plugin.kind === "transformer") throw fault(`Plugin "${config.id().kind}" is not a generator`);
    if (plugin.kind === "chart") checkHelm(ground, plugin.request.name);
    generated.push({ resources: plugin.kind === "chart" ? plugin.request : plugin.generate(), origin });
  }
  for (const { resources, origin } of generated) {
    const list = Array.isArray(resources) ? resources : await inflate(resources as ChartRequest, ground);
    for (const resource of list) {
      if (origin !== undefined) resource.origin ??= origin;
      into.set.absorb(resource);
    }
  }
}

function checkHelm(ground: BuildGround, name: string): void {
  if (!ground.enableHelm) {
    throw fault(`Cannot inflate Helm chart "${name}": must specify --enable-helm`);
  }
  if (ground.renderChart === undefined) {
    throw fault(`Cannot inflate Helm chart "${name}": helmCharts are not rendered here`);
  }
}

async function inflate(request: ChartRequest, ground: BuildGround): Promise<NamedResource[]> {
  const { kubeVersion = "", apiVersions = [] } = ground.chartDefaults;
  const full: ChartRequest = {
    ...request,
    kubeVersion: request.kubeVersion || kubeVersion,
    apiVersions: request.apiVersions.length > 0 ? request.apiVersions : apiVersions,
  };
  const text = await (ground.renderChart as RenderChart)(full, ground.signal);
  const resources = readResources(text, `chart ${request.name}`, { growth: new Growth() });
  for (const resource of resources) resource.isFromChart = true;
  return resources;
}
