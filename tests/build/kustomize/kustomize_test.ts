import assert from "node:assert/strict";

import { treeOf } from "../../../src/core/file_tree.ts";
import { StageError } from "../../../src/core/stage_error.ts";
import { build } from "../../../src/build/kustomize/kustomize.ts";
import { ownVectors, vectorsFolder } from "../../support/paths.ts";
import { randomBuild } from "../../support/random_build.ts";
import { randomOverlay } from "../../support/random_overlay.ts";
import { skipped, unrestricted } from "./skip.ts";

interface Case {
  readonly test: string;
  readonly path: string;
  readonly files: Readonly<Record<string, string>>;
  readonly expected?: string;
  readonly errorContains?: readonly string[];
}

function read<Row>(path: string): readonly Row[] {
  return JSON.parse(Deno.readTextFileSync(path)).cases;
}

function relative(files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path.replace(/^\/+/, ""), text]));
}

const folder = vectorsFolder();
for (const suite of ["kustomize", "kustomize_own"]) {
  const name = `build() equals kustomize 5.8.1 on ${suite}`;
  if (folder === undefined) {
    Deno.test({ name: `${name} (shared vectors are not there)`, ignore: true, fn: () => {} });
    continue;
  }
  Deno.test(name, async () => {
    const failures: string[] = [];
    let passed = 0, left = 0;
    for (const row of read<Case>(`${folder}/${suite}/builds.json`)) {
      const label = `${suite}: ${row.test}`;
      if (skipped[label] !== undefined) {
        left++;
        continue;
      }
      const loadRestriction = unrestricted.has(label) ? "none" : "root-only";
      const outcome = await build(treeOf(relative(row.files)), row.path, { loadRestriction })
        .then((result) => result.text()).catch((error) => error);
      if (
        row.errorContains !== undefined ? outcome instanceof StageError : outcome?.trim?.() === row.expected?.trim()
      ) {
        passed++;
      } else failures.push(`${label}: ${outcome}`);
    }
    console.log(`    ${suite}: ${passed} passed, ${left} skipped`);
    assert.deepEqual(failures, []);
  });
}

interface OwnCase {
  readonly name?: string;
  readonly seed?: number;
  /** Seed of `randomBuild`. */
  readonly build?: number;
  readonly files?: Readonly<Record<string, string>>;
  readonly expected?: string;
  readonly fails?: boolean;
}

Deno.test("build() equals what kustomize printed for our own overlays", async () => {
  const failures: string[] = [];
  for (const row of read<OwnCase>(`${ownVectors}/kustomize/builds.json`)) {
    const files = row.files ?? (row.build === undefined ? randomOverlay(row.seed ?? 0) : randomBuild(row.build));
    const outcome = await build(treeOf(files), "overlay", { reorder: "legacy" })
      .then((result) => result.text()).catch((error) => error);
    const good = row.fails === true ? outcome instanceof StageError : outcome === row.expected;
    if (!good) failures.push(`${row.name ?? row.seed ?? `build ${row.build}`}: ${outcome}`);
  }
  assert.deepEqual(failures, []);
});

async function hasKustomize(): Promise<boolean> {
  try {
    const result = await new Deno.Command("kustomize", { args: ["version"] }).output();
    return new TextDecoder().decode(result.stdout).trim() === "v5.8.1";
  } catch {
    return false;
  }
}

const encoder = new TextEncoder();
const present = await hasKustomize();
/** Overlays compared in an ordinary run; more with `PILOTFISH_OVERLAYS=2000`, another row with `PILOTFISH_SEED`. */
const overlays = Number(Deno.env.get("PILOTFISH_OVERLAYS") ?? "12");
const firstSeed = Number(Deno.env.get("PILOTFISH_SEED") ?? "100001");

Deno.test({
  name: `build() equals the real kustomize on ${overlays} random overlays${
    present ? "" : " (kustomize 5.8.1 is not on PATH)"
  }`,
  ignore: !present,
  fn: async () => {
    const differing: number[] = [];
    for (let seed = firstSeed; seed < firstSeed + overlays; seed++) {
      const files = seed % 2 === 0 ? randomOverlay(seed) : randomBuild(seed);
      const root = await Deno.makeTempDir();
      try {
        for (const [path, content] of Object.entries(files)) {
          await Deno.mkdir(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
          await Deno.writeFile(`${root}/${path}`, typeof content === "string" ? encoder.encode(content) : content);
        }
        const real = await new Deno.Command("kustomize", { args: ["build", `${root}/overlay`] }).output();
        const ours = await build(treeOf(files), "overlay", { reorder: "legacy" })
          .then((result) => result.text()).catch((error) => error);
        const same = real.success ? ours === new TextDecoder().decode(real.stdout) : ours instanceof StageError;
        if (!same) differing.push(seed);
      } finally {
        await Deno.remove(root, { recursive: true });
      }
    }
    assert.deepEqual(differing, []);
  },
});

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";

async function failure(files: Record<string, string>, path = "."): Promise<StageError> {
  const error = await build(treeOf(files), path).then(() => undefined).catch((reason) => reason);
  assert.ok(error instanceof StageError, String(error));
  return error;
}

Deno.test("build() names file, line and field of a fault", async () => {
  const broken = await failure({
    "kustomization.yaml": "resources: [a.yaml]\n",
    "a.yaml": `${configMap}data: {a: [}\n`,
  });
  assert.match(broken.message, /a\.yaml:4:\d+/);
  const unknown = await failure({ "kustomization.yaml": "resorces: [a.yaml]\n" });
  assert.match(unknown.message, /unknown field "resorces", did you mean "resources"/);
  const typed = await failure({ "kustomization.yaml": "commonLabels: {a: 1}\n" });
  assert.match(typed.message, /field "commonLabels\.a" must be a text, not the number 1/);
  const nameless = await failure({
    "kustomization.yaml": "resources: [a.yaml]\n",
    "a.yaml": `${configMap}---\napiVersion: v1\nkind: ConfigMap\n`,
  });
  assert.match(nameless.message, /a\.yaml:5:1: Missing metadata\.name/);
});

Deno.test("build() refuses what leads out of the tree, and remote bases by name", async () => {
  const outside = await failure({ "a/kustomization.yaml": "resources: [../../x.yaml]\n" }, "a");
  assert.match(outside.message, /x\.yaml/);
  const above = await failure({ "a/kustomization.yaml": "resources: [../x.yaml]\n", "x.yaml": configMap }, "a");
  assert.match(above.message, /not in or below "a"/);
  for (
    const url of [
      "https://github.com/a/b?ref=v1",
      "git@github.com:a/b.git",
      "github.com/a/b//c",
      "https://example.com/a.yaml",
    ]
  ) {
    const remote = await failure({ "kustomization.yaml": `resources: ["${url}"]\n` });
    assert.ok(remote.message.includes(url), remote.message);
    assert.match(remote.message, /Refusing/);
  }
  const cycle = await failure({
    "a/kustomization.yaml": "resources: [../b]\n",
    "b/kustomization.yaml": "resources: [../a]\n",
  }, "a");
  assert.match(cycle.message, /Cycle detected/);
});

Deno.test("build() reads absolute paths of files from the tree's root", async () => {
  const files = {
    "srv/a/kustomization.yaml": "resources: [/srv/a/x.yaml]\n",
    "srv/a/x.yaml": configMap,
    "srv/b/kustomization.yaml": "resources: [/srv/a/x.yaml]\n",
    "srv/c/kustomization.yaml": "resources: [/etc/x.yaml]\n",
  };
  const loadRestriction = "none";
  assert.match((await build(treeOf(files), "srv/a")).text(), /name: c/);
  await assert.rejects(build(treeOf(files), "srv/b"), /not in or below "srv\/b"/);
  await assert.rejects(build(treeOf(files), "srv/b", { shownFrom: "srv/a" }), /not in or below "\.\.\/b"/);
  assert.match((await build(treeOf(files), "srv/b", { loadRestriction })).text(), /name: c/);
  await assert.rejects(build(treeOf(files), "srv/c", { loadRestriction }), /cannot be absolute/);
});

Deno.test("build() reads http files through what it is handed", async () => {
  const files = { "kustomization.yaml": 'resources: ["https://example.com/a.yaml"]\n' };
  const fetchFile = (url: string) =>
    Promise.resolve(new TextEncoder().encode(configMap.replace("c}", `"${url.length}"}`)));
  const result = await build(treeOf(files), "", { fetchFile });
  assert.match(result.text(), /name: "26"/);
});

Deno.test("build() reads http files for any field, each once, and says which one cannot be read", async () => {
  const url = (name: string) => `https://example.com/${name}`;
  const remote: Readonly<Record<string, string>> = {
    [url("a.yaml")]: configMap,
    [url("patch.yaml")]: `${configMap}data: {a: b}\n`,
    [url("file.txt")]: "text",
  };
  const asked: string[] = [];
  const fetchFile = (address: string) => {
    asked.push(address);
    const text = remote[address];
    return text === undefined ? Promise.reject(new Error(`no ${address}`)) : Promise.resolve(encoder.encode(text));
  };
  const files = {
    "kustomization.yaml": `resources: ["${url("a.yaml")}"]\npatches:\n- path: ${
      url("patch.yaml")
    }\nconfigMapGenerator:\n- name: g\n  files: ["k=${url("file.txt")}"]\n`,
  };
  const result = await build(treeOf(files), "", { fetchFile });
  assert.deepEqual(result.resources().map((resource) => resource.data), [{ a: "b" }, { k: "text" }]);
  assert.deepEqual(asked.toSorted(), Object.keys(remote).toSorted());
  const missing = treeOf({ "kustomization.yaml": `resources: ["${url("gone.yaml")}"]\n` });
  await assert.rejects(build(missing, "", { fetchFile }), /no https:\/\/example.com\/gone.yaml/);
});

Deno.test("build() inflates charts only when it is told to and handed a renderer", async () => {
  const files = { "kustomization.yaml": "namespace: ns\nhelmCharts: [{name: x, valuesInline: {a: 1}}]\n" };
  assert.match((await failure(files)).message, /--enable-helm/);
  await assert.rejects(build(treeOf(files), "", { enableHelm: true }), /not rendered here/);
  const result = await build(treeOf(files), "", {
    enableHelm: true,
    renderChart: (request) => {
      assert.deepEqual([request.name, request.namespace, request.valuesInline], ["x", "ns", { a: 1 }]);
      return Promise.resolve(configMap);
    },
  });
  assert.equal(result.text(), "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n");
});

Deno.test("build() warns of old fields and keeps builds apart", async () => {
  const tree = treeOf({
    "kustomization.yaml": "bases: [a]\ncommonLabels: {x: z}\n",
    "a/kustomization.yaml": "resources: [c.yaml]\n",
    "a/c.yaml": configMap,
  });
  const results = await Promise.all(Array.from({ length: 8 }, () => build(tree, ".")));
  assert.equal(new Set(results.map((result) => result.text())).size, 1);
  assert.deepEqual(results[0]?.warnings.map((warning) => warning.slice(0, 35)), [
    "# Warning: 'bases' is deprecated. P",
    "# Warning: 'commonLabels' is deprec",
  ]);
});

Deno.test("build() bounds files, nesting, aliases and expressions", async () => {
  const big = await failure({
    "kustomization.yaml": "resources: [a.yaml]\n",
    "a.yaml": "#".repeat(10 * 1024 * 1024 + 1),
  });
  assert.match(big.message, /the limit is 10485760/);
  const bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let at = 1; at < 9; at++) bomb.push(`a${at}: &a${at} [${Array(10).fill(`*a${at - 1}`).join(", ")}]`);
  const aliases = await failure({
    "kustomization.yaml": "resources: [a.yaml]\n",
    "a.yaml": `${configMap}spec:\n  ${bomb.join("\n  ")}\n`,
  });
  assert.match(aliases.message, /more than 2,000,000 nodes/);
  const deep = await failure({
    "kustomization.yaml": "resources: [a.yaml]\n",
    "a.yaml": `${configMap}spec: ${"[".repeat(5000)}${"]".repeat(5000)}\n`,
  });
  assert.match(deep.message, /deeper than 1000/);
  const patch = "- op: add\n      path: /data\n      value: {a: b}\n";
  const slow = await build(
    treeOf({
      "kustomization.yaml": `resources: [a.yaml]\npatches:\n- target: {name: "(a+)+(a+)+$"}\n  patch: |-\n    ${patch}`,
      "a.yaml": configMap.replace("c}", `${"a".repeat(60)}b}`),
    }),
    ".",
  );
  assert.doesNotMatch(slow.text(), /\ndata/);
});

Deno.test("build() bounds the kustomizations that it goes into, and names with many bearers cost little", async () => {
  const wide: Record<string, string> = {
    "a20/kustomization.yaml": "namePrefix: a\n",
    "b20/kustomization.yaml": "namePrefix: b\n",
  };
  for (let at = 0; at < 20; at++) {
    for (const name of ["a", "b"]) {
      wide[`${name}${at}/kustomization.yaml`] = `resources: [../a${at + 1}, ../b${at + 1}]\n`;
    }
  }
  assert.match((await failure(wide, "a0")).message, /more than 20000 kustomizations/);
  const same: Record<string, string> = {};
  const names = Array.from({ length: 300 }, (_, at) => `b${at}`);
  for (const name of names) {
    same[`${name}/kustomization.yaml`] = `resources: [a.yaml]\nnamePrefix: ${name}-\n`;
    same[`${name}/a.yaml`] =
      `${configMap}---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {volumes: [{configMap: {name: c}}]}\n`;
  }
  same["kustomization.yaml"] = JSON.stringify({ resources: names });
  assert.match((await build(treeOf(same), "")).text(), /name: b299-c\n$/m);
});

Deno.test("build() applies thousands of patches", async () => {
  const patches: string[] = [];
  const resources: string[] = [];
  for (let at = 0; at < 3000; at++) {
    resources.push(configMap.replace("c}", `c${at}}`));
    patches.push(`- patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: c${at}}, data: {n: "${at}"}}'\n`);
  }
  const result = await build(
    treeOf({
      "kustomization.yaml": `resources: [a.yaml]\npatches:\n${patches.join("")}`,
      "a.yaml": resources.join("---\n"),
    }),
    ".",
  );
  assert.equal(result.resources().length, 3000);
  assert.deepEqual(result.resources()[2999]?.data, { n: "2999" });
});
