import { strict as assert } from "node:assert";
import type { JsonObject, JsonValue } from "../../../../src/core/json.ts";
import { canonicalJson, jsonEqual } from "../../../../src/core/json.ts";
import type { Chart } from "../../../../src/build/helm/chart/chart.ts";
import { processDependencies } from "../../../../src/build/helm/chart/dependencies.ts";
import { ChartError, checkMetadata, readMetadata } from "../../../../src/build/helm/chart/metadata.ts";
import type { Dialect } from "../../../../src/build/helm/dialect.ts";
import { fromJson, GoMap } from "../../../../src/build/helm/template/value.ts";
import { coalesceValues } from "../../../../src/build/helm/values/coalesce.ts";
import { nullRulesOf } from "../../../../src/build/helm/values/null_rules.ts";
import { jsonOf } from "../../../../src/build/helm/values/value_json.ts";
import { vectorsFolder } from "../../../support/paths.ts";
import { runCases } from "../vector_suite.ts";

interface ChartCase {
  readonly name: string;
  readonly version?: string;
  readonly values?: JsonObject;
  readonly dependencies?: readonly JsonObject[];
  readonly charts?: readonly ChartCase[];
}

function chartOf(each: ChartCase): Chart {
  const metadata = checkMetadata(readMetadata({
    apiVersion: "v2",
    name: each.name,
    version: each.version ?? "1.0.0",
    ...(each.dependencies === undefined ? {} : { dependencies: each.dependencies }),
  }, "helm4.2.4"));
  return {
    metadata,
    templates: [],
    files: [],
    values: each.values === undefined ? undefined : fromJson(each.values) as GoMap,
    dependencies: (each.charts ?? []).map(chartOf),
  };
}

function coalesce(chart: ChartCase, values: JsonObject, dialect: Dialect = "helm4.2.4", keepsNulls = false): JsonValue {
  const options = { rules: nullRulesOf(dialect), notify: () => {}, keepsNulls };
  return jsonOf(coalesceValues(chartOf(chart), fromJson(values) as GoMap, options));
}

const parent: ChartCase = {
  name: "top",
  values: { a: 1, b: null, sub: { x: null, y: null }, global: { g: 1 } },
  charts: [{ name: "sub", values: { x: 5, z: null } }],
};

Deno.test("coalesceValues() treats nulls by dialect", () => {
  assert.deepEqual(coalesce(parent, { a: null }), { sub: { x: 5, global: { g: 1 } }, global: { g: 1 } });
  assert.deepEqual(coalesce(parent, { a: null }, "helm3"), {
    b: null,
    sub: { y: null, z: null, global: { g: 1 } },
    global: { g: 1 },
  });
  assert.deepEqual(coalesce(parent, { a: null, sub: { w: 1 } }), {
    sub: { w: 1, y: null, global: { g: 1 } },
    global: { g: 1 },
  });
});

Deno.test("coalesceValues() never changes what it was given", () => {
  const chart = chartOf(parent);
  const values = fromJson({ sub: { x: null } }) as GoMap;
  const before = [canonicalJson(jsonOf(chart.values)), canonicalJson(jsonOf(values))];
  coalesceValues(chart, values, { rules: nullRulesOf("helm4.2.4"), notify: () => {} });
  assert.deepEqual([canonicalJson(jsonOf(chart.values)), canonicalJson(jsonOf(values))], before);
});

Deno.test("coalesceValues() refuses a scalar where a sub-chart's values belong", () => {
  assert.throws(() => coalesce(parent, { sub: "text" }), /type mismatch on sub: %!t\(string=text\)/);
});

interface CoalesceCase {
  readonly name: string;
  readonly chart: ChartCase;
  readonly values: JsonObject;
  readonly coalesce?: JsonValue;
  readonly coalesceError?: string;
  readonly merge?: JsonValue;
  readonly mergeError?: string;
  readonly charts?: JsonValue;
  readonly chartValues?: JsonValue;
  readonly render?: JsonValue;
  readonly renderError?: string;
}

const options = { rules: nullRulesOf("helm4.2.4"), notify: () => {} };

function outcome(step: () => JsonValue): { readonly value?: JsonValue; readonly error?: string } {
  try {
    return { value: step() };
  } catch (error) {
    if (error instanceof ChartError) return { error: error.message };
    throw error;
  }
}

function chartTree(chart: Chart): JsonValue {
  return Object.fromEntries(chart.dependencies.map((child) => [child.metadata.name, chartTree(child)]));
}

function runCoalesce(each: CoalesceCase): string | undefined {
  const chart = chartOf(each.chart);
  const values = fromJson(each.values) as GoMap;
  const differences: string[] = [];
  const compare = (what: string, got: ReturnType<typeof outcome>, value?: JsonValue, error?: string) => {
    if (error !== undefined || got.error !== undefined) {
      if ((error === undefined) !== (got.error === undefined)) {
        differences.push(`${what}: error ${got.error}, wanted ${error}`);
      }
    } else if (value !== undefined && !jsonEqual(got.value, value)) {
      differences.push(`${what}: got ${JSON.stringify(got.value)}, wanted ${JSON.stringify(value)}`);
    }
  };
  compare("coalesce", outcome(() => jsonOf(coalesceValues(chart, values, options))), each.coalesce, each.coalesceError);
  const merged = outcome(() => jsonOf(coalesceValues(chart, values, { ...options, keepsNulls: true })));
  compare("merge", merged, each.merge, each.mergeError);
  let processed = chart;
  const rendered = outcome(() => {
    processed = processDependencies(chart, values, options);
    return jsonOf(coalesceValues(processed, values, options));
  });
  compare("render", rendered, each.render, each.renderError);
  if (each.renderError === undefined) {
    compare("charts", { value: chartTree(processed) }, each.charts);
    compare("chartValues", { value: jsonOf(processed.values ?? new GoMap(new Map())) }, each.chartValues);
  }
  return differences.length === 0 ? undefined : differences.join("\n  ");
}

const folder = vectorsFolder();
Deno.test({
  name: folder === undefined
    ? "coalesce vectors (skipped: no shared vectors)"
    : "coalesceValues() meets the coalesce vectors",
  ignore: folder === undefined,
  async fn() {
    const text = Deno.readTextFileSync(`${folder}/coalesce/values.json`);
    const { cases } = JSON.parse(text) as { cases: CoalesceCase[] };
    await runCases("coalesce", cases.map((each) => ({ name: each.name, run: () => runCoalesce(each) })));
  },
});
