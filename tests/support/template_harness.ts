import { treeOf } from "../../src/core/file_tree.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { StageError } from "../../src/core/stage_error.ts";
import { loadChartFolder } from "../../src/build/helm/chart/load.ts";
import { processDependencies } from "../../src/build/helm/chart/dependencies.ts";
import type { Chart } from "../../src/build/helm/chart/chart.ts";
import type { Dialect } from "../../src/build/helm/functions/registry.ts";
import type { RenderTools } from "../../src/build/helm/render_tools.ts";
import { fromBytes } from "../../src/build/helm/template/go_string.ts";
import { capabilitiesObject } from "../../src/build/helm/template/root/capabilities_object.ts";
import { chartObject } from "../../src/build/helm/template/root/chart_object.ts";
import { filesObject } from "../../src/build/helm/template/root/files_object.ts";
import { releaseObject } from "../../src/build/helm/template/root/release_object.ts";
import { valuesObject } from "../../src/build/helm/template/root/values_object.ts";
import { valuesTypes } from "../../src/build/helm/template/root/values_object.ts";
import type { RenderLimits } from "../../src/build/helm/template/run.ts";
import { executeTemplates, parseTemplates } from "../../src/build/helm/template/template_set.ts";
import type { TemplateScope, TemplateSource } from "../../src/build/helm/template/template_set.ts";
import { fromJson, goDict, GoMap } from "../../src/build/helm/template/value.ts";
import type { Value } from "../../src/build/helm/template/value.ts";
import { coalesceValues } from "../../src/build/helm/values/coalesce.ts";
import { nullRulesOf } from "../../src/build/helm/values/null_rules.ts";
import { isTable } from "../../src/build/helm/values/tables.ts";
import { seededRandom } from "./call_context.ts";
import "./load_template_modules.ts";

/** A small chart to render by hand, and its surroundings. */
export interface HarnessRequest {
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly values?: JsonValue;
  readonly dialect: Dialect;
  readonly apiVersions?: readonly string[];
  readonly tools?: Partial<RenderTools>;
  readonly limits?: RenderLimits;
  readonly isStrict?: boolean;
}

/** Text of each template by its full name, or the error as Helm's engine words it. */
export type HarnessResult =
  | { readonly outputs: ReadonlyMap<string, string>; readonly error?: undefined }
  | { readonly error: string };

/** Renders a chart given as files, as release `rel` in namespace `ns1`, without the door of build/helm. */
export function renderFiles(request: HarnessRequest): HarnessResult {
  const { dialect } = request;
  try {
    const options = { dialect, notify: () => {}, rules: nullRulesOf(dialect) };
    const user = fromJson(request.values ?? {}) as GoMap;
    const chart = processDependencies(loadChartFolder(treeOf(request.files), options), user, options);
    const values = coalesceValues(chart, user, options);
    const sources: TemplateSource[] = [];
    const scopes = new Map<string, TemplateScope>();
    const shared = goDict([
      ["Release", releaseObject({ name: "rel", namespace: "ns1", revision: 1, isInstall: true, isUpgrade: false })],
      [
        "Capabilities",
        capabilitiesObject({
          kubeVersion: "v1.36.0",
          major: "1",
          minor: "36",
          apiVersions: request.apiVersions ?? ["v1"],
          helmVersion: dialect === "helm3" ? "v3.22.0" : "v4.2.4",
          goVersion: "go1.26.8",
          kubeClientVersion: "v1.36",
        }, dialect),
      ],
    ]);
    const collect = (part: Chart, path: string, own: GoMap, isRoot: boolean): GoMap => {
      const subcharts = goDict();
      const scope = new GoMap(
        new Map<string, Value>([
          ["Chart", chartObject(part.metadata, isRoot, dialect)],
          ["Files", filesObject(part.files.map((file) => [file.name, file.data] as const))],
          ...(shared.entries as Map<string, Value>),
          ["Values", valuesObject(own, dialect)],
          ["Subcharts", subcharts],
        ]),
        valuesTypes[dialect],
      );
      for (const child of part.dependencies) {
        const { name } = child.metadata;
        const below = own.entries?.get(name);
        const inner = collect(child, `${path}/charts/${name}`, isTable(below) ? below : goDict(), false);
        subcharts.entries?.set(name, new GoMap(inner.entries));
      }
      for (const file of part.templates) {
        const base = file.name.slice(file.name.lastIndexOf("/") + 1);
        if (part.metadata.type === "library" && !base.startsWith("_")) continue;
        const name = `${path}/${file.name}`;
        sources.push({ name, text: fromBytes(file.data) });
        scopes.set(name, { scope, basePath: `${path}/templates` });
      }
      return scope;
    };
    collect(chart, chart.metadata.name, values, true);

    const outputs = executeTemplates(parseTemplates(sources, dialect), (name) => scopes.get(name), {
      tools: { nowMs: Date.UTC(2026, 0, 1), random: seededRandom(), ...request.tools },
      isStrict: request.isStrict ?? false,
      ...(request.limits === undefined ? {} : { limits: request.limits }),
    });
    return { outputs };
  } catch (error) {
    if (error instanceof StageError) return { error: error.message };
    if (
      error instanceof Error && /^(ChartError|UnmarshalError|YamlConversionError|IgnoreSyntaxError)$/.test(error.name)
    ) {
      return { error: error.message };
    }
    throw error;
  }
}
