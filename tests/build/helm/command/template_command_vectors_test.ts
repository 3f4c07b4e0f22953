import { strict as assert } from "node:assert";
import { runTemplate } from "../../../../src/build/helm/command/template_command.ts";
import { type Dialect, dialects } from "../../../../src/build/helm/dialect.ts";
import { denoFileSystem as files } from "../../../../src/platform/deno_file_system.ts";
import { denoRandom } from "../../../../src/platform/deno_random.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { ownVectors, vectorsFolder } from "../../../support/paths.ts";
import { skips } from "../skip.ts";
import { runCases, textDifference } from "../vector_suite.ts";
import type { SuiteCase } from "../vector_suite.ts";

interface Answer {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
  readonly written?: Readonly<Record<string, string>>;
  readonly stderrSorted?: boolean;
  readonly undetermined?: boolean;
}

interface CommandCase {
  readonly group?: string;
  readonly chart?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly filesBase64?: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly "helm4.2.4": Answer;
  /** Absent in our own vectors: the same. */
  readonly "helm4.1"?: Answer;
  readonly helm3: Answer;
}

const folder = vectorsFolder();
const clock = new FakeClock();

function place(each: CommandCase, root: string): string {
  if (each.chart !== undefined) return `${folder}/helm-cmd/testcharts/${each.chart}`;
  const chart = `${root}/chart`;
  const all = [
    ...Object.entries(each.files ?? {}).map(([path, text]) => [path, new TextEncoder().encode(text)] as const),
    ...Object.entries(each.filesBase64 ?? {}).map(([path, text]) => [path, Uint8Array.fromBase64(text)] as const),
  ];
  Deno.mkdirSync(chart, { recursive: true });
  for (const [path, bytes] of all) {
    const full = `${chart}/${path}`;
    if (path.endsWith("/")) Deno.mkdirSync(full, { recursive: true });
    else {
      Deno.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
      Deno.writeFileSync(full, bytes);
    }
  }
  return chart;
}

async function runCommand(each: CommandCase, dialect: Dialect): Promise<string | undefined> {
  const answer = each[dialect] ?? each["helm4.2.4"];
  if (answer.undetermined === true) return undefined;
  const root = await Deno.makeTempDir();
  try {
    const chart = place(each, root);
    const out = `${root}/out`;
    const args = each.args.slice(1).map((arg) => arg.replaceAll("CHART", chart).replaceAll("OUT", out));
    const outcome = await runTemplate(["--dialect", dialect, ...args], { files, clock, random: denoRandom });
    const named = (text: string) => text.replaceAll(chart, "CHART").replaceAll(out, "OUT").replaceAll(root, "CWD");
    const sorted = (text: string) => answer.stderrSorted === true ? text.split("\n").sort().join("\n") : text;
    const time = (text: string) =>
      dialect === "helm3" ? text.replace(/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/g, "TIME") : text;
    const stderr = sorted(time(named(outcome.stderr)));
    const written = Object.fromEntries(
      [...outcome.written].map(([path, text]) => {
        const from = path.startsWith("/") ? named(path) : `CWD/${path}`;
        return [from, named(text)];
      }).sort(),
    );
    const wanted = Object.fromEntries(Object.entries(answer.written ?? {}).sort());
    const differences = [
      textDifference(stderr, sorted(answer.stderr)),
      textDifference(named(outcome.stdout), answer.stdout),
      outcome.exitCode === answer.exitCode ? undefined : `exit code ${outcome.exitCode}`,
      textDifference(JSON.stringify(written), JSON.stringify(wanted)),
    ].filter((difference) => difference !== undefined);
    return differences.length === 0 ? undefined : differences.join("\n  ");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function suite(name: string, path: string, dialects: readonly Dialect[], root: string | undefined = folder): void {
  Deno.test({
    name: root === undefined
      ? `${name} vectors (skipped: no shared vectors)`
      : `runTemplate() meets the ${name} vectors`,
    ignore: root === undefined,
    async fn() {
      const { cases } = JSON.parse(Deno.readTextFileSync(`${root}/${path}`)) as { cases: readonly CommandCase[] };
      assert.ok(cases.length > 0);
      const only = Deno.env.get("ONLY_CASE");
      const runs: SuiteCase[] = cases.flatMap((each, index) =>
        dialects.map((dialect) => ({
          name: `${name} ${index} ${dialect} ${each.group ?? each.chart} ${each.args.slice(2).join(" ")}`,
          run: () => runCommand(each, dialect),
        }))
      ).filter((each) => only === undefined || each.name.startsWith(only));
      await runCases(
        name,
        runs,
        Object.fromEntries(runs.flatMap(({ name: key }) => {
          const reason = skips[key.split(" ").slice(0, 3).join(" ")];
          return reason === undefined ? [] : [[key, reason]];
        })),
      );
    },
  });
}

for (const name of ["flags", "values", "dependencies", "loading", "manifests", "schema"]) {
  suite(name, `helm-values/${name}.json`, ["helm4.2.4", "helm3"]);
}
suite("helm-cmd", "helm-cmd/cases.json", ["helm4.2.4", "helm3"]);
suite("helm_charts", "helm_charts/cases.json", dialects, ownVectors);
