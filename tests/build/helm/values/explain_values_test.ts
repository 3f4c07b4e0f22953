import { strict as assert } from "node:assert";
import { treeOf } from "../../../../src/core/file_tree.ts";
import { loadChart } from "../../../../src/build/helm/loaded_chart.ts";
import { coalesceValues } from "../../../../src/build/helm/values/coalesce.ts";
import { explainValues } from "../../../../src/build/helm/values/explain_values.ts";
import { nullRulesOf } from "../../../../src/build/helm/values/null_rules.ts";
import { fluxValueLayers, mergeFluxValues } from "../../../../src/build/helm/values/values_from.ts";

Deno.test("explainValues() names the layer that decided each value and shows no secret", () => {
  const { chart } = loadChart(treeOf({
    "Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n",
    "values.yaml": "a: 1\nb: {c: 2, d: 3}\nsub: {x: 4}\n",
    "charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
    "charts/sub/values.yaml": "x: 0\nw: 5\n",
  }));
  const references = [
    { source: "ConfigMap/base/values.yaml", text: "b: {c: 9}\ne: [1]\n" },
    { source: "Secret/key/token", text: "hunter2", targetPath: "b.token" },
  ];
  const inline = { b: { d: 7 } };
  const values = mergeFluxValues(inline, references, "helm4.2.4");
  const joined = coalesceValues(chart, values, { rules: nullRulesOf("helm4.2.4"), notify: () => {} });
  const rows = explainValues(chart, joined, fluxValueLayers(inline, references, "helm4.2.4"));
  assert.deepEqual(rows.map((row) => [row.path, row.value, row.source]), [
    ["a", 1, "values.yaml of app"],
    ["b.c", 9, "ConfigMap/base/values.yaml"],
    ["b.d", 7, "spec.values"],
    ["b.token", undefined, "Secret/key/token"],
    ["e", [1], "ConfigMap/base/values.yaml"],
    ["sub.global", {}, "global values of the parent"],
    ["sub.w", 5, "values.yaml of app/sub"],
    ["sub.x", 4, "values.yaml of app"],
  ]);
});
