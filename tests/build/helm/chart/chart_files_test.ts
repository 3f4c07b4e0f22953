import { strict as assert } from "node:assert";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { treeOf } from "../../../../src/core/file_tree.ts";
import { readChartArchive } from "../../../../src/build/helm/chart/archive.ts";
import { basePath, cleanPath, compilePattern, joinPaths } from "../../../../src/build/helm/chart/go_path.ts";
import { IgnoreSyntaxError, keptFiles, parseIgnoreRules } from "../../../../src/build/helm/chart/ignore.ts";
import { loadChartArchive, loadChartFolder } from "../../../../src/build/helm/chart/load.ts";
import { ChartError } from "../../../../src/build/helm/chart/metadata.ts";

const options = { dialect: "helm4.2.4", notify: () => {} } as const;

/** A ustar archive of files, not zipped. */
function tarOf(files: Readonly<Record<string, string | number>>): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const [path, content] of Object.entries(files)) {
    const data = typeof content === "string" ? new TextEncoder().encode(content) : new Uint8Array(content);
    const header = new Uint8Array(512);
    const write = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
    write(0, path);
    write(100, "0000644\0");
    write(124, `${data.length.toString(8).padStart(11, "0")}\0`);
    write(156, "0");
    write(257, "ustar\x0000");
    header.fill(32, 148, 156);
    write(148, `${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `);
    blocks.push(header, data, new Uint8Array((512 - (data.length % 512)) % 512));
  }
  blocks.push(new Uint8Array(1024));
  const all = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}

function archive(files: Readonly<Record<string, string | number>>): Uint8Array {
  return gzipSync(tarOf(files));
}

Deno.test("go_path: paths as Go has them", () => {
  assert.deepEqual(["", "/", "a/b/", "a"].map(basePath), [".", "/", "b", "a"]);
  assert.deepEqual(["", "a//b/../c", "/..", "../a", "./"].map(cleanPath), [".", "a/c", "/", "../a", "."]);
  assert.equal(joinPaths("", "a", "../b"), "b");
  const matches = (pattern: string, name: string) => compilePattern(pattern)?.(name);
  assert.equal(matches("a*c?", "abbcd"), true);
  assert.equal(matches("*", "a/b"), false);
  assert.equal(matches("*.yaml", "x.yaml"), true);
  assert.equal(matches("[^a-c]x", "dx"), true);
  assert.equal(matches("\\*", "*"), true);
  assert.equal(compilePattern("[a"), undefined);
});

Deno.test("compilePattern() matches in time that does not explode", () => {
  const pattern = compilePattern(`${"a*".repeat(50)}b`);
  assert.equal(pattern?.("a".repeat(5000)), false);
});

Deno.test("parseIgnoreRules() follows Helm, not git", () => {
  const rules = parseIgnoreRules("# note\n*.bak\n/top\ndir/\nsub/*.txt\n");
  const files = [
    "a.bak",
    "x/a.bak",
    "top",
    "x/top",
    "dir/a",
    "sub/a.txt",
    "x/sub/a.txt",
    "templates/.x",
    "templates/x",
  ];
  const kept = keptFiles(files.map((path) => ({ path })), rules).map((file) => file.path);
  assert.deepEqual(kept, ["x/top", "x/sub/a.txt", "templates/x"]);
  assert.equal(parseIgnoreRules("!keep").ignores("other", false), true);
  assert.throws(() => parseIgnoreRules("**/x"), IgnoreSyntaxError);
});

Deno.test("readChartArchive() reads no further than the end of the tar", () => {
  const whole = new Uint8Array(archive({ "app/Chart.yaml": "name: app\n" }));
  const wrongSum = whole.slice();
  wrongSum.fill(0, -8, -4);
  for (const bytes of [wrongSum, new Uint8Array([...whole, ...new TextEncoder().encode("garbage")])]) {
    assert.deepEqual(readChartArchive(bytes).map(({ name }) => name), ["Chart.yaml"]);
  }
  const broken = whole.slice();
  broken.fill(0xff, 12, 20);
  assert.throws(() => readChartArchive(broken), ChartError);
});

Deno.test("loadChartArchive() says in which Helm's words Chart.yaml is missing", () => {
  const bytes = archive({ "app/values.yaml": "a: 1\n" });
  assert.throws(() => loadChartArchive(bytes, options), /unable to detect chart version, no Chart\.yaml found/);
  assert.throws(() => loadChartArchive(bytes, { ...options, dialect: "helm3" }), /Chart\.yaml file is missing/);
});

Deno.test("readChartArchive() refuses what leaves the chart or is too large", () => {
  const refused = (files: Readonly<Record<string, string | number>>, pattern: RegExp) =>
    assert.throws(
      () => readChartArchive(archive(files)),
      (error) => error instanceof ChartError && pattern.test(error.message),
    );
  refused({ "Chart.yaml": "x" }, /content outside the base directory: "Chart.yaml"/);
  refused({ "c/../../x": "x" }, /references parent directory/);
  refused({ "c//etc/x": "x" }, /absolute paths/);
  refused({ "c/c:/x": "x" }, /illegally named files/);
  refused({ "c/big": 5 * 1024 * 1024 + 1 }, /larger than the maximum file size 5242880/);
  refused({}, /no files in chart archive/);
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`c/${index}`, 5 * 1024 * 1024]));
  refused(many, /larger than the maximum size 104857600/);
  assert.throws(() => readChartArchive(new Uint8Array([1, 2, 3])), /unexpected EOF/);
  assert.throws(() => readChartArchive(archive({ "c/a": "x" }).subarray(0, 40)), ChartError);
});

Deno.test("readChartArchive() throws nothing but ChartError", () => {
  const good = archive({ "c/Chart.yaml": "name: c\nversion: 1.0.0\n", "c/templates/a": "x" });
  fc.assert(fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
    const bytes = good.slice();
    bytes[at] = byte;
    try {
      readChartArchive(bytes);
    } catch (error) {
      assert.ok(error instanceof ChartError, String(error));
    }
  }));
});

Deno.test("loadChartFolder() and loadChartArchive() read the same chart", () => {
  const files = {
    "Chart.yaml": "apiVersion: v1\nname: c\nversion: 1.0.0\n",
    "requirements.yaml": "dependencies:\n- {name: s, version: 1.0.0, repository: ''}\n",
    "values.yaml": "\ufeffa: 1\n",
    "templates/a.yaml": "x",
    "crds/c.yaml": "y",
    "charts/s/Chart.yaml": "apiVersion: v2\nname: s\nversion: 1.0.0\n",
    "charts/_off/Chart.yaml": "nothing",
  };
  const folder = loadChartFolder(treeOf(files), options);
  const packed = Object.fromEntries(Object.entries(files).map(([path, text]) => [`c/${path}`, text]));
  assert.deepEqual(loadChartArchive(archive(packed), options).metadata, folder.metadata);
  assert.deepEqual(folder.dependencies.map((child) => child.metadata.name), ["s"]);
  assert.deepEqual(folder.metadata.dependencies?.map((each) => each.name), ["s"]);
  assert.deepEqual(folder.files.map((file) => file.name), ["crds/c.yaml", "requirements.yaml"]);
  assert.equal(folder.values?.entries?.get("a"), 1);
});

Deno.test("loadChartFolder() ends at charts nested too deep", () => {
  const files: Record<string, string> = {};
  for (let depth = 0, path = ""; depth < 40; depth++, path += "charts/x/") {
    files[`${path}Chart.yaml`] = "apiVersion: v2\nname: x\nversion: 1.0.0\n";
  }
  assert.throws(() => loadChartFolder(treeOf(files), options), /nested deeper than 32 levels/);
});
