import { equal } from "node:assert/strict";
import { MetricRegistry } from "../../src/report/metric_registry.ts";

Deno.test("MetricRegistry prints Prometheus' text form", () => {
  const registry = new MetricRegistry();
  const spans = registry.histogram("spans_seconds", "Spans\nof \\ runs", [0.1, 1]);
  const runs = registry.counter("runs_total", "Runs");
  registry.gauge("size", "Size", () => [[{}, 2 ** 40], [{ name: 'a"b\\c\nd' }, Infinity], [{ name: "n" }, NaN]]);
  registry.counter("never_total", "Never");
  for (const value of [0.1, 0.5, 7]) spans.observe({ kind: "a" }, value);
  spans.observe({ kind: "b" }, 1);
  spans.remove({ kind: "b" });
  runs.add({ kind: "a" });
  runs.add({ kind: "a" });

  equal(
    registry.text(),
    String.raw`# HELP spans_seconds Spans\nof \\ runs
# TYPE spans_seconds histogram
spans_seconds_bucket{le="0.1",kind="a"} 1
spans_seconds_bucket{le="1",kind="a"} 2
spans_seconds_bucket{le="+Inf",kind="a"} 3
spans_seconds_sum{kind="a"} 7.6
spans_seconds_count{kind="a"} 3

# HELP runs_total Runs
# TYPE runs_total counter
runs_total{kind="a"} 2

# HELP size Size
# TYPE size gauge
size 1099511627776
size{name="a\"b\\c\nd"} +Inf
size{name="n"} NaN

# HELP never_total Never
# TYPE never_total counter
`,
  );
});
