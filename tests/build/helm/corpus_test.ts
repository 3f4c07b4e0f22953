/**
 * Public charts with the output of the real Helm, whole: each case in both dialects, byte for byte; those in which chance
 * takes part after masking what chance makes; those that fail with the same text.
 */
import { strict as assert } from "node:assert";
import { StageError } from "../../../src/core/stage_error.ts";
import type { Dialect } from "../../../src/build/helm/dialect.ts";
import { loadChart } from "../../../src/build/helm/loaded_chart.ts";
import type { LoadedChart } from "../../../src/build/helm/loaded_chart.ts";
import { readValues } from "../../../src/build/helm/chart/read_yaml.ts";
import { defaultCapabilities } from "../../../src/build/helm/release/capabilities.ts";
import { documentText, manifestText } from "../../../src/build/helm/release/manifest_text.ts";
import { documentsOf, RenderError, renderFiles } from "../../../src/build/helm/release/render.ts";
import { seededRandom } from "../../../src/build/helm/release/seeded_random.ts";
import { trim } from "../../../src/build/helm/release/split.ts";
import { GoMap } from "../../../src/build/helm/template/value.ts";
import { chartFolder } from "../../support/chart_folder.ts";
import { vectorsFolder } from "../../support/paths.ts";
import { skips } from "./skip.ts";
import { runCases, textDifference } from "./vector_suite.ts";
import type { SuiteCase } from "./vector_suite.ts";
import "../../support/load_template_modules.ts";

interface Expected {
  readonly file?: string;
  readonly random?: boolean;
  readonly error?: string;
}

interface CorpusCase {
  readonly id: string;
  readonly chart: string;
  readonly values: string | null;
  readonly expected: Readonly<Record<"helm3" | "helm4.2.4", Expected>>;
}

interface Corpus {
  readonly release: string;
  readonly namespace: string;
  readonly kubeVersion: string;
  readonly cases: readonly CorpusCase[];
}

const dialects = ["helm4.2.4", "helm3"] as const satisfies readonly Dialect[];
const archive = vectorsFolder() === undefined ? undefined : `${vectorsFolder()}/helm-corpus.tar.xz`;
const isThere = archive !== undefined && (() => {
  try {
    return Deno.statSync(archive).isFile;
  } catch {
    return false;
  }
})();

/** How two outputs of chance differ: lines that are not the same must be the same apart from words that chance can make. */
function randomDifference(got: string, wanted: string): string | undefined {
  // Certificates and keys differ in length.
  const folded = (text: string) => text.replace(/(-----BEGIN [A-Z ]+-----)[^]*?(?=-----END)/g, "$1").split("\n");
  const [left, right] = [folded(got), folded(wanted)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    if (left[index] === right[index]) continue;
    const [a, b] = [skeleton(left[index] ?? ""), skeleton(right[index] ?? "")];
    if (a !== b) {
      return `line ${index + 1}\n  got    ${left[index]?.slice(0, 200)}\n  wanted ${right[index]?.slice(0, 200)}`;
    }
  }
  return undefined;
}

/** A line with every word of five and more letters and digits hidden. Only lines that differ are looked at so. */
function skeleton(line: string): string {
  return line.replace(/[A-Za-z0-9+/=.$_-]{5,}/g, "*");
}

function render(loaded: LoadedChart, each: CorpusCase, corpus: Corpus, dialect: Dialect, root: string): string {
  const values = each.values === null
    ? new GoMap(new Map())
    : readValues(Deno.readFileSync(`${root}/${each.values}`), dialect);
  const notify = () => {};
  const rendered = renderFiles(
    {
      chart: loaded.chart,
      values,
      release: { name: corpus.release, namespace: corpus.namespace, revision: 1, isUpgrade: false },
      dialect,
      capabilities: { ...defaultCapabilities(dialect), kubeVersion: corpus.kubeVersion },
    },
    { nowMs: Date.now(), random: seededRandom(each.id) },
    { notify, cache: loaded.cache },
  );
  const sorted = documentsOf(rendered.files, { dialect, notify });
  const hooks = sorted.hooks.map((hook) => documentText(hook.path, hook.text)).join("");
  return `${trim(manifestText(sorted.manifests))}\n${hooks}`;
}

Deno.test({
  name: isThere ? "Helm's output of the chart corpus is met" : "chart corpus (skipped: no shared vectors)",
  ignore: !isThere,
  async fn() {
    const root = await Deno.makeTempDir();
    try {
      const unpacked = await new Deno.Command("tar", { args: ["-xJf", archive as string, "-C", root] }).output();
      assert.ok(unpacked.success, "tar cannot unpack the corpus");
      const folder = `${root}/helm-corpus`;
      const corpus = JSON.parse(await Deno.readTextFile(`${folder}/cases.json`)) as Corpus;
      const only = Deno.env.get("ONLY_CASE");
      const faults: Error[] = [];
      for (const dialect of dialects) {
        const charts = new Map<string, LoadedChart>();
        const cases: SuiteCase[] = corpus.cases.filter((each) => only === undefined || each.id.startsWith(only)).map((
          each,
        ) => ({
          name: `${dialect} ${each.id}`,
          run: () => {
            const expected = each.expected[dialect];
            let text: string;
            try {
              // Cases of one chart follow each other: only the last one is kept.
              let loaded = charts.get(each.chart);
              if (loaded === undefined) {
                charts.clear();
                charts.set(each.chart, loaded = loadChart(chartFolder(`${folder}/${each.chart}`), dialect));
              }
              text = render(loaded, each, corpus, dialect, folder);
            } catch (error) {
              if (!(error instanceof RenderError) && !(error instanceof StageError)) throw error;
              if (expected.error === undefined) return `error: ${error.message.slice(0, 600)}`;
              // The list keeps the first 400 characters of an error.
              return textDifference(error.message.slice(0, 400), expected.error.slice(0, 400));
            }
            if (expected.error !== undefined) return `no error, wanted ${expected.error.slice(0, 300)}`;
            const wanted = Deno.readTextFileSync(`${folder}/${expected.file}`);
            return expected.random === true ? randomDifference(text, wanted) : textDifference(text, wanted);
          },
        }));
        const known = Object.fromEntries(
          cases.flatMap(({ name }) => skips[name] === undefined ? [] : [[name, skips[name]]]),
        );
        await runCases(`corpus ${dialect}`, cases, known).catch((error) => faults.push(error as Error));
      }
      assert.equal(faults.length, 0, faults.map((fault) => fault.message).join("\n"));
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
});
