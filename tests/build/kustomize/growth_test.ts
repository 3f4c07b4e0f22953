import assert from "node:assert/strict";

import { build } from "../../../src/build/kustomize/kustomize.ts";
import { Growth } from "../../../src/build/kustomize/growth.ts";
import { NamedResource } from "../../../src/build/kustomize/named_resource.ts";
import { applyJsonPatch } from "../../../src/build/kustomize/transformers/json6902.ts";
import type { MapNode } from "../../../src/format/yaml_node/node.ts";
import { nodeFromJson } from "../../../src/format/yaml_node/node_json.ts";
import { treeOf } from "../../../src/core/file_tree.ts";
import { StageError } from "../../../src/core/stage_error.ts";

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n";
const target = { kind: "ConfigMap" };
const tooMuch = /Aliases, patches and replacements of a build make more than 200,000 values/;

async function fails(files: Readonly<Record<string, string>>, message: RegExp): Promise<void> {
  await assert.rejects(build(treeOf(files), "", { maxGrowth: 200_000 }), (error: unknown) => {
    assert.ok(error instanceof StageError, String(error));
    assert.equal(error.reason, "BuildFailed");
    assert.match(error.message, message);
    return true;
  });
}

function kustomizationOf(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ resources: ["a.yaml"], ...fields });
}

/** Lists of ten, each of ten of the one before: 10^count values of a few lines. */
function aliases(count: number): string {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let at = 1; at < count; at++) lines.push(`a${at}: &a${at} [${Array(10).fill(`*a${at - 1}`).join(", ")}]`);
  return `spec:\n  ${lines.join("\n  ")}\n`;
}

Deno.test("build() bounds aliases over all documents and files, and maps that are merged into themselves", async () => {
  const documents = Array.from({ length: 5 }, (_, at) => configMap.replace("c}", `c${at}}`) + aliases(5)).join(
    "---\n",
  );
  await fails({ "kustomization.yaml": kustomizationOf({}), "a.yaml": documents }, tooMuch);
  const paths = Array.from({ length: 5 }, (_, at) => `p${at}.yaml`);
  const patches = Object.fromEntries(paths.map((path) => [path, configMap + aliases(5)]));
  await fails({
    "kustomization.yaml": kustomizationOf({ patches: paths.map((path) => ({ path })) }),
    "a.yaml": configMap,
    ...patches,
  }, tooMuch);
  const merged = ["m0: &m0 {a: b}"];
  for (let at = 1; at < 40; at++) {
    merged.push(`m${at}: &m${at} {<<: [*m${at - 1}, *m${at - 1}], x: *m${at - 1}, y: *m${at - 1}}`);
  }
  await fails(
    { "kustomization.yaml": kustomizationOf({}), "a.yaml": `${configMap}spec:\n  ${merged.join("\n  ")}\n` },
    /more than 2,000,000 nodes after aliases are expanded/,
  );
});

Deno.test("build() bounds what JSON patches copy, in one patch and over many", async () => {
  const copies = Array.from({ length: 40 }, (_, at) => ({ op: "copy", from: "/data", path: `/data/x${at}` }));
  await fails({
    "kustomization.yaml": kustomizationOf({ patches: [{ target, patch: JSON.stringify(copies) }] }),
    "a.yaml": configMap,
  }, tooMuch);
  await fails({
    "kustomization.yaml": kustomizationOf({
      patches: copies.map((copy) => ({ target, patch: JSON.stringify([copy]) })),
    }),
    "a.yaml": configMap,
  }, tooMuch);
});

Deno.test("build() bounds what JSON patches move within lists, over many patches", async () => {
  const growth = new Growth();
  const list = Array.from({ length: 200_000 }, (_, at) => at);
  const doc = nodeFromJson({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" }, data: list });
  const resource = new NamedResource(doc as MapNode);
  const patch = (count: number, path: string) => Array.from({ length: count }, () => ({ op: "add", path, value: 1 }));
  applyJsonPatch(resource, patch(4_000, "/data/0"), growth);
  applyJsonPatch(resource, patch(10_000, "/data/-"), growth);
  assert.throws(() => applyJsonPatch(resource, patch(4_000, "/data/0"), growth), /move more than 1,000,000,000 items/);
});

Deno.test("build() bounds what replacements copy: maps into two places, texts behind themselves", async () => {
  const replacement = (
    fieldPath: string,
    fieldPaths: readonly string[],
    options: Readonly<Record<string, unknown>>,
  ) => ({
    source: { ...target, fieldPath },
    targets: [{ select: target, fieldPaths, options }],
  });
  const maps = Array.from(
    { length: 40 },
    (_, at) => replacement(`spec.m${at}`, [`spec.m${at + 1}.a`, `spec.m${at + 1}.b`], { create: true }),
  );
  await fails({
    "kustomization.yaml": kustomizationOf({ replacements: maps }),
    "a.yaml": `${configMap}spec: {m0: {a: b}}\n`,
  }, tooMuch);
  const texts = Array.from({ length: 40 }, () => replacement("data.a", ["data.a"], { delimiter: ",", index: 9 }));
  await fails({
    "kustomization.yaml": kustomizationOf({ replacements: texts }),
    "a.yaml": configMap.replace("b}", `${"b".repeat(1_000)}}`),
  }, tooMuch);
});

Deno.test("build() takes expressions of patch targets and replacements in linear time, and names those that are wrong", async () => {
  const resource = configMap.replace("c}", `${"a".repeat(250)}b}`);
  const built = async (name: string) => {
    const files = {
      "kustomization.yaml": kustomizationOf({
        patches: [{ target: { name }, patch: JSON.stringify([{ op: "add", path: "/data/x", value: "y" }]) }],
        replacements: [{
          sourceValue: "z",
          targets: [{ select: { name }, fieldPaths: ["data.z"], options: { create: true } }],
        }],
      }),
      "a.yaml": resource,
    };
    return (await build(treeOf(files), "")).text();
  };
  for (const name of ["(a+)+", "(a|a|aa)+", "(.*)*(.*)*(.*)*x", "(a{1,30}){1,30}", "a?".repeat(1_000)]) {
    assert.doesNotMatch(await built(name), /^ {2}[xz]:/m);
  }
  assert.match(await built("(a+)+b"), /x: "?y"?\n {2}z: z/);
  await assert.rejects(built("((a{1,30}){1,30}){1,30}"), /invalid repeat count/);
  await assert.rejects(built("(a"), /missing closing \)/);
});
