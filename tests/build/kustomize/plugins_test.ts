import assert from "node:assert/strict";

import { treeOf } from "../../../src/core/file_tree.ts";
import { StageError } from "../../../src/core/stage_error.ts";
import { build } from "../../../src/build/kustomize/kustomize.ts";
import { builtinSchema } from "../../../src/build/kustomize/merge/schema.ts";
import { strategicMerge } from "../../../src/build/kustomize/merge/strategic_merge.ts";
import { printYaml } from "../../../src/format/yaml.ts";
import { nodeToJson } from "../../../src/format/yaml_node/node_json.ts";
import { readYaml } from "../../../src/format/yaml_node/reader.ts";
import { vectorsFolder } from "../../support/paths.ts";
import { mergeSkips, needsFiles, pluginSkips } from "./skip.ts";

const folder = vectorsFolder();

function normal(text: string): string {
  return text.trim().split(/\n---\n/).map((part) => {
    const node = readYaml(part);
    return node === undefined ? "" : printYaml(nodeToJson(node));
  }).join("---\n");
}

interface PluginCase {
  readonly plugin: string;
  readonly test: string;
  readonly method: string;
  readonly args: readonly string[];
}

Deno.test({
  name: `plugins equal kustomize's own tests${folder === undefined ? " (shared vectors are not there)" : ""}`,
  ignore: folder === undefined,
  fn: async () => {
    const rows: readonly PluginCase[] = JSON.parse(await Deno.readTextFile(`${folder}/kustomize/builtin.json`)).cases;
    const failures: string[] = [];
    let passed = 0, left = 0;
    for (const row of rows) {
      const [config = "", input = "", expected] = row.args;
      if (pluginSkips[`${row.plugin}: ${row.test}`] !== undefined || needsFiles.test(config)) {
        left++;
        continue;
      }
      const isGenerator = row.method.includes("Generator");
      const files: Record<string, string> = isGenerator
        ? { "config.yaml": config, "kustomization.yaml": "generators: [config.yaml]\n" }
        : {
          "config.yaml": config,
          "in.yaml": input,
          "kustomization.yaml": "resources: [in.yaml]\ntransformers: [config.yaml]\n",
        };
      const outcome = await build(treeOf(files), ".").then((result) => result.text()).catch((error) => error);
      const good = row.method.includes("CheckError")
        ? outcome instanceof StageError
        : expected === undefined
        ? typeof outcome === "string"
        : typeof outcome === "string" && normal(outcome) === normal(expected);
      if (good) passed++;
      else failures.push(`${row.plugin} ${row.test}: ${outcome}`);
    }
    console.log(`    builtin: ${passed} passed, ${left} skipped`);
    assert.deepEqual(failures, []);
  },
});

interface MergeCase {
  readonly description: string;
  readonly source: string;
  readonly dest: string;
  readonly expected: string;
  readonly mergeOptions?: { readonly ListIncreaseDirection?: string };
}

Deno.test({
  name: `strategicMerge() equals kyaml's merge2 tests${folder === undefined ? " (shared vectors are not there)" : ""}`,
  ignore: folder === undefined,
  fn: () => {
    const groups: Readonly<Record<string, readonly MergeCase[]>> = JSON.parse(
      Deno.readTextFileSync(`${folder}/kustomize/merge2.json`),
    ).cases;
    const failures: string[] = [];
    let passed = 0, left = 0;
    for (const row of Object.values(groups).flat()) {
      if (mergeSkips[row.description.trim()] !== undefined) {
        left++;
        continue;
      }
      const newItems = row.mergeOptions?.ListIncreaseDirection?.includes("Prepend") === true ? "first" : "last";
      const how = { comments: true };
      const target = readYaml(row.dest, how), patch = readYaml(row.source, how), wanted = readYaml(row.expected);
      const merged = target === undefined || patch === undefined
        ? target ?? patch
        : strategicMerge(target, patch, { schema: builtinSchema, newItems });
      const got = merged === undefined ? "" : printYaml(nodeToJson(merged));
      if (got === (wanted === undefined ? "" : printYaml(nodeToJson(wanted)))) passed++;
      else failures.push(`${row.description}: ${got}`);
    }
    console.log(`    merge2: ${passed} passed, ${left} skipped`);
    assert.deepEqual(failures, []);
  },
});
