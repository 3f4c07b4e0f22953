/**
 * Speed and memory of the Helm engine on public charts, beside Helm's own packages.
 * `deno run -A tests/bench/helm_bench.ts [--go PROGRAM]`: cold render of every chart of the corpus whose output is fixed, in
 * one process; a chart rendered again and again, with another value each time; memory after the largest. Needs the shared
 * vectors. With Go on PATH, or with a built `tests/bench/go/helm_render`, the same work is timed there: the two take turns,
 * and of several runs the best counts, by the clock and by processor time (of all threads, start and end included).
 *
 * @module
 */
import process from "node:process";
import { readValues } from "../../src/build/helm/chart/read_yaml.ts";
import { renderRelease } from "../../src/build/helm/helm.ts";
import { loadChart } from "../../src/build/helm/loaded_chart.ts";
import type { LoadedChart } from "../../src/build/helm/loaded_chart.ts";
import { defaultCapabilities } from "../../src/build/helm/release/capabilities.ts";
import { documentsOf, renderFiles } from "../../src/build/helm/release/render.ts";
import { seededRandom } from "../../src/build/helm/release/seeded_random.ts";
import { GoMap } from "../../src/build/helm/template/value.ts";
import config from "../../deno.json" with { type: "json" };
import { chartFolder } from "../support/chart_folder.ts";
import { fromFileUrl, vectorsFolder } from "../support/paths.ts";
import "../support/load_template_modules.ts";

interface Corpus {
  readonly release: string;
  readonly namespace: string;
  readonly kubeVersion: string;
  readonly cases: readonly {
    readonly id: string;
    readonly chart: string;
    readonly values: string | null;
    readonly expected: { readonly "helm4.2.4": { readonly random?: boolean; readonly error?: string } };
  }[];
}

/** What is timed: charts and values below a folder. */
interface Work {
  readonly release: string;
  readonly namespace: string;
  readonly kubeVersion: string;
  readonly rounds: number;
  /** A value that is another text in each round; "" for none. */
  readonly override: string;
  readonly cases: readonly { readonly chart: string; readonly values: string }[];
}

/** 3.5 MB of CRDs and manifests, and a chart with much of templates. */
const warm = ["charts/kyverno__kyverno__charts_kyverno", "charts/argoproj__argo-helm__charts_argo-cd"];

/** What the program is started with. */
const flags = /--v8-flags=\S+/.exec(config.tasks.compile)?.[0] ?? "";
const runs = 3;

if (Deno.args[0] === "--worker") {
  await work(Deno.args[1] as string, JSON.parse(Deno.readTextFileSync(Deno.args[2] as string)) as Work);
} else await main();

async function main(): Promise<void> {
  const archive = `${vectorsFolder() ?? ""}/helm-corpus.tar.xz`;
  if (vectorsFolder() === undefined) {
    console.log("The shared vectors are not here: nothing was measured");
    return;
  }
  const root = await Deno.makeTempDir();
  try {
    await new Deno.Command("tar", { args: ["-xJf", archive, "-C", root] }).output();
    const folder = `${root}/helm-corpus`;
    const corpus = JSON.parse(await Deno.readTextFile(`${folder}/cases.json`)) as Corpus;
    const fixed = corpus.cases.filter(({ expected }) =>
      expected["helm4.2.4"].error === undefined && expected["helm4.2.4"].random !== true
    ).map(({ chart, values }) => ({ chart, values: values ?? "" }));
    const program = await goProgram(root);
    const jobs: readonly (readonly [string, readonly { readonly chart: string; readonly values: string }[], number])[] =
      [
        [`cold, ${fixed.length} cases`, fixed, 1],
        ...warm.map((chart) => [`${chart.split("_").at(-1)} 20 times`, [{ chart, values: "" }], 20] as const),
      ];
    for (const [name, cases, rounds] of jobs) {
      const { release, namespace, kubeVersion } = corpus;
      const list = `${root}/list.json`;
      const override = rounds > 1 ? "fullnameOverride" : "";
      const job: Work = { release, namespace, kubeVersion, rounds, override, cases };
      await Deno.writeTextFile(list, JSON.stringify(job));
      const script = fromFileUrl(new URL(import.meta.url));
      const own: Figures[] = [];
      const other: Figures[] = [];
      for (let run = 0; run < runs; run++) {
        own.push(await timed([Deno.execPath(), "run", "-A", "--no-check", flags, script, "--worker", folder, list]));
        if (program !== undefined) other.push(await timed([program, folder, list]));
      }
      report(`${name}, Pilotfish`, leastOf(own));
      if (program === undefined) continue;
      report(`${name}, Go Helm`, leastOf(other));
      for (const key of rounds > 1 ? ["best", "processor"] : ["total", "processor"]) {
        const ratio = number(leastOf(own), key) / number(leastOf(other), key);
        console.log(`  ${key}: ${ratio.toFixed(2)} of what Go Helm needs, ${(1 / ratio).toFixed(1)} times as fast`);
      }
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** A built program: given, or built here where Go is. */
async function goProgram(root: string): Promise<string | undefined> {
  const given = Deno.args.indexOf("--go");
  if (given >= 0) return Deno.args[given + 1];
  const source = fromFileUrl(new URL("go/helm_render", import.meta.url));
  try {
    const built = await new Deno.Command("go", { args: ["build", "-o", `${root}/helm_render`, "."], cwd: source })
      .output();
    if (built.success) return `${root}/helm_render`;
  } catch {
    // No Go.
  }
  console.log("Go is not here: Helm's own packages were not timed");
  return undefined;
}

type Figures = Readonly<Record<string, number>>;

function number(figures: Figures, key: string): number {
  return figures[key] ?? NaN;
}

/** The least of each figure. */
function leastOf(all: readonly Figures[]): Figures {
  const keys = Object.keys(all[0] ?? {});
  return Object.fromEntries(keys.map((key) => [key, Math.min(...all.map((figures) => number(figures, key)))]));
}

async function timed(command: readonly string[]): Promise<Figures> {
  const [program, ...args] = command as [string, ...string[]];
  const started = performance.now();
  const output = await new Deno.Command(program, { args, stderr: "inherit" }).output();
  const wall = performance.now() - started;
  const figures = JSON.parse(new TextDecoder().decode(output.stdout)) as Figures;
  return { ...figures, wall };
}

function report(name: string, figures: Figures): void {
  const texts = Object.entries(figures).map(([key, value]) => `${key} ${Math.round(value * 10) / 10}`);
  console.log(`${name}: ${texts.join(", ")}`);
}

async function work(folder: string, list: Work): Promise<void> {
  const started = performance.now();
  const spent: Record<string, number> = { load: 0, values: 0, render: 0, sort: 0, failed: 0, bytes: 0 };
  const step = (name: string, from: number): number => {
    const now = performance.now();
    spent[name] = (spent[name] ?? 0) + now - from;
    return now;
  };
  let best = Infinity;
  let kept: LoadedChart | undefined;
  for (let round = 0; round < list.rounds; round++) {
    const begun = performance.now();
    for (const each of list.cases) {
      let at = performance.now();
      // One chart again and again: what the daemon does, with the chart kept by its digest.
      const loaded = list.rounds > 1 && kept !== undefined ? kept : loadChart(chartFolder(`${folder}/${each.chart}`));
      if (list.rounds > 1) kept = loaded;
      at = step("load", at);
      const values = each.values === ""
        ? new GoMap(new Map())
        : readValues(await Deno.readFile(`${folder}/${each.values}`), "helm4.2.4");
      if (list.override !== "") values.entries?.set(list.override, `round-${round}`);
      at = step("values", at);
      try {
        const notify = () => {};
        const rendered = renderFiles(
          {
            chart: loaded.chart,
            values,
            release: { name: list.release, namespace: list.namespace, revision: 1, isUpgrade: false },
            dialect: "helm4.2.4",
            capabilities: { ...defaultCapabilities("helm4.2.4"), kubeVersion: list.kubeVersion },
          },
          { nowMs: 0, random: seededRandom("bench") },
          { notify, cache: loaded.cache },
        );
        at = step("render", at);
        const sorted = documentsOf(rendered.files, {
          dialect: "helm4.2.4",
          notify,
          ...(list.rounds > 1 ? { documents: loaded.documents } : {}),
        });
        step("sort", at);
        for (const { text } of [...sorted.manifests, ...sorted.hooks]) spent.bytes = (spent.bytes ?? 0) + text.length;
      } catch {
        spent.failed = (spent.failed ?? 0) + 1;
      }
    }
    best = Math.min(best, performance.now() - begun);
  }
  spent.total = performance.now() - started;
  spent.best = best;
  if (list.rounds > 1 && kept !== undefined) {
    const release = { name: list.release, namespace: list.namespace, revision: 1, isUpgrade: false };
    await renderRelease(kept, { release, values: {} }, { nowMs: 0, random: seededRandom("bench") });
  }
  const { user, system } = process.cpuUsage();
  spent.processor = (user + system) / 1000;
  spent.residentMiB = Deno.memoryUsage().rss / 1024 / 1024;
  console.log(JSON.stringify(spent));
}
