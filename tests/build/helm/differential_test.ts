import { strict as assert } from "node:assert";
import { runTemplate } from "../../../src/build/helm/command/template_command.ts";
import { helmFunctions } from "../../../src/build/helm/functions/helm_functions.ts";
import { builtins } from "../../../src/build/helm/template/builtins.ts";
import { denoFileSystem as files } from "../../../src/platform/deno_file_system.ts";
import { denoRandom } from "../../../src/platform/deno_random.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { ChartGenerator } from "../../support/chart_generator.ts";
import { ThemedChartGenerator } from "../../support/themed_chart_generator.ts";
import { SnippetGenerator, snippetValues, unsteadyFunctions } from "../../support/snippet_generator.ts";
import { textDifference } from "./vector_suite.ts";

/** The Helm whose answers are ours. */
const wantedVersion = "v4.2.4";

function versionOfHelm(program = "helm"): string | undefined {
  try {
    const { stdout, success } = new Deno.Command(program, { args: ["version", "--template", "{{ .Version }}"] })
      .outputSync();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

/** Texts that depend on the moment or on an address in memory. */
const unsteady = /[dD]ate|\bago\b|durationRound|Capabilities|%p|\.Values\.date/;
const addresses = /0x[0-9a-f]{8,}/g;
/** What Helm 3 puts before its notices. */
const moments = /\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /g;

async function realHelm(args: readonly string[], home: string, program = "helm"): Promise<string> {
  const { stdout, stderr, code } = await new Deno.Command(program, {
    args: ["template", ...args],
    stdin: "null",
    env: { HOME: home, TZ: "UTC" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const told = text(stderr).replace(/time=\S+ /g, "").replace(moments, "");
  return `${code}\n${told}\n${text(stdout)}`.replace(addresses, "ADDRESS");
}

async function ours(args: readonly string[]): Promise<string> {
  const outcome = await runTemplate(args, { files, clock: new FakeClock(), random: denoRandom });
  const told = outcome.stderr.replace(moments, "");
  return `${outcome.exitCode}\n${told}\n${outcome.stdout}`.replace(addresses, "ADDRESS");
}

/** Helm words its notices in the order of Go's maps: in none. */
function withSortedNotices(text: string): string {
  const lines = text.split("\n");
  const isNotice = (line: string) => line.startsWith("level=");
  const notices = lines.filter(isNotice).sort();
  return lines.map((line) => isNotice(line) ? notices.shift() : line).join("\n");
}

const version = versionOfHelm();
const isThere = version === wantedVersion;

Deno.test({
  name: `runTemplate() says what helm says of random templates${
    isThere ? "" : ` (skipped: helm ${wantedVersion} is not on the PATH)`
  }`,
  ignore: !isThere,
  async fn() {
    // DIFFERENTIAL_SEED and DIFFERENTIAL_COUNT look further: a run of some thousands takes minutes.
    const seed = Number(Deno.env.get("DIFFERENTIAL_SEED") ?? 1);
    const count = Number(Deno.env.get("DIFFERENTIAL_COUNT") ?? 60);
    const names = [...Object.keys(helmFunctions("helm4.2.4")), ...Object.keys(builtins)]
      .filter((name) => !unsteadyFunctions.has(name)).sort();
    const generator = new SnippetGenerator(seed, names);
    const root = await Deno.makeTempDir();
    const chart = `${root}/chart`;
    const args = ["rel", chart];
    const failures: string[] = [];
    try {
      await Deno.mkdir(`${chart}/templates`, { recursive: true });
      await Deno.writeTextFile(`${chart}/Chart.yaml`, "apiVersion: v2\nname: chart\nversion: 0.1.0\n");
      await Deno.writeTextFile(`${chart}/values.yaml`, JSON.stringify(snippetValues));
      await Deno.writeTextFile(`${chart}/a.txt`, "one\ntwo\n");
      for (let done = 0; done < count;) {
        const template = generator.snippet();
        if (unsteady.test(template)) continue;
        done++;
        await Deno.writeTextFile(`${chart}/templates/t.yaml`, `text: |-\n  ${template.replaceAll("\n", "\n  ")}\n`);
        const [wanted, got] = await Promise.all([realHelm(args, root), ours(args)]);
        const difference = textDifference(got, wanted);
        if (difference === undefined) continue;
        // Order of maps, chance: what Helm itself says otherwise the next time is nobody's fault.
        if (await realHelm(args, root) !== wanted) continue;
        failures.push(`${JSON.stringify(template)} ${difference}`);
      }
    } finally {
      await Deno.remove(root, { recursive: true });
    }
    assert.equal(failures.length, 0, `${failures.length} of ${count} differ\n${failures.slice(0, 10).join("\n")}`);
  },
});

Deno.test({
  name: `runTemplate() says what helm says of random charts${
    isThere ? "" : ` (skipped: helm ${wantedVersion} is not on the PATH)`
  }`,
  ignore: !isThere,
  async fn() {
    const seed = Number(Deno.env.get("DIFFERENTIAL_SEED") ?? 1);
    const count = Number(Deno.env.get("DIFFERENTIAL_COUNT") ?? 40);
    const generator = new ChartGenerator(seed);
    const failures: string[] = [];
    for (let done = 0; done < count; done++) {
      const { files: texts, args } = generator.chart();
      const root = await Deno.makeTempDir();
      try {
        for (const [path, text] of Object.entries(texts)) {
          const file = `${root}/app/${path}`;
          await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
          await Deno.writeTextFile(file, text);
        }
        const all = ["rel", `${root}/app`, ...args];
        const [wanted, got] = (await Promise.all([realHelm(all, root), ours(all)])).map(withSortedNotices);
        const difference = textDifference(got as string, wanted as string);
        // Order of maps: what Helm itself says otherwise the next time is nobody's fault.
        if (difference === undefined || withSortedNotices(await realHelm(all, root)) !== wanted) continue;
        failures.push(`chart ${done}: ${args.join(" ")} ${difference}`);
      } finally {
        await Deno.remove(root, { recursive: true });
      }
    }
    assert.equal(failures.length, 0, `${failures.length} of ${count} differ\n${failures.slice(0, 10).join("\n")}`);
  },
});

/** Notices and faults in order: what stands before the first document. */
function withSortedErrors(text: string): string {
  const [code, ...rest] = text.split("\n");
  const start = rest.indexOf("---");
  const told = rest.splice(0, start < 0 ? rest.length : start).sort();
  return [code, ...told, ...rest].join("\n");
}

for (
  const [dialect, program, wanted] of [["helm4.2.4", "helm", wantedVersion], ["helm3", "helm3", "v3.22.0"]] as const
) {
  const isHere = versionOfHelm(program) === wanted;
  Deno.test({
    name: `runTemplate() says what ${program} says of random charts of each theme${
      isHere ? "" : ` (skipped: ${program} ${wanted} is not on the PATH)`
    }`,
    ignore: !isHere,
    async fn() {
      const seed = Number(Deno.env.get("DIFFERENTIAL_SEED") ?? 1);
      const count = Number(Deno.env.get("DIFFERENTIAL_COUNT") ?? 40);
      const generator = new ThemedChartGenerator(seed);
      const failures: string[] = [];
      for (let done = 0; done < count; done++) {
        const { theme, files: contents, folders, values, args } = await generator.chart();
        // Files that are written are compared by vectors; Helm waits for schemas at addresses, which are not fetched here.
        if (args.includes("OUT") || theme === "schema") continue;
        const root = await Deno.makeTempDir();
        try {
          for (const folder of folders) await Deno.mkdir(`${root}/app/${folder}`, { recursive: true });
          for (const [path, content] of Object.entries(contents)) {
            const file = `${root}/app/${path}`;
            await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
            await (typeof content === "string" ? Deno.writeTextFile(file, content) : Deno.writeFile(file, content));
          }
          await Deno.writeTextFile(`${root}/values.yaml`, values);
          const places: Readonly<Record<string, string>> = { CHART: `${root}/app`, VALUES: `${root}/values.yaml` };
          const all = args.map((arg) => places[arg] ?? arg);
          const got = withSortedErrors(await ours(["--dialect", dialect, ...all]));
          let difference: string | undefined;
          // Order of maps: what Helm itself says otherwise the next time is nobody's fault.
          for (let attempt = 0; attempt < 4; attempt++) {
            difference = textDifference(got, withSortedErrors(await realHelm(all, root, program)));
            if (difference === undefined) break;
          }
          if (difference !== undefined) failures.push(`${theme} ${done}: ${args.join(" ")} ${difference}`);
        } finally {
          await Deno.remove(root, { recursive: true });
        }
      }
      assert.equal(failures.length, 0, `${failures.length} of ${count} differ\n${failures.slice(0, 10).join("\n")}`);
    },
  });
}
