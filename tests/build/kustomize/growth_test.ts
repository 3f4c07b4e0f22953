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
const tooMuch = /Aliases, patches, replacements, vars and generators of a build make more than 200,000 values/;

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

Deno.test("build() bounds what it makes of files, vars, names and texts within texts", async () => {
  const many = (count: number, make: (at: number) => string) => Array.from({ length: count }, (_, at) => make(at));
  const documents = many(100, (at) => configMap.replace("c}", `c${at}}`)).join("---\n");
  await fails({
    "kustomization.yaml": JSON.stringify({
      configMapGenerator: [{ name: "g", files: many(40, (at) => `k${at}=large`) }],
    }),
    large: "x".repeat(500_000),
  }, tooMuch);
  await fails(
    { "kustomization.yaml": kustomizationOf({ namePrefix: "p".repeat(200_000) }), "a.yaml": documents },
    tooMuch,
  );
  await fails(
    { "kustomization.yaml": kustomizationOf({ namespace: "n".repeat(200_000) }), "a.yaml": documents },
    tooMuch,
  );
  const value = {
    name: "A",
    objref: { apiVersion: "v1", kind: "ConfigMap", name: "c" },
    fieldref: { fieldpath: "data.a" },
  };
  await fails({
    "kustomization.yaml": kustomizationOf({ vars: [value] }),
    "a.yaml": `${configMap.replace("a: b", `a: ${"v".repeat(100_000)}`)}---\n${
      JSON.stringify({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "p" },
        spec: { containers: [{ name: "c", command: ["$(A)".repeat(200)] }] },
      })
    }\n`,
  }, tooMuch);
  const inner = JSON.stringify(JSON.stringify({ k: "v", rest: many(1_000, () => "x") }));
  const targets = [{ select: target, fieldPaths: many(300, () => "data.a.k") }];
  await fails({
    "kustomization.yaml": kustomizationOf({ replacements: [{ sourceValue: "v", targets }] }),
    "a.yaml": configMap.replace("a: b", `a: ${inner}`),
  }, tooMuch);
  const long = [{ select: target, fieldPaths: [`a${".a".repeat(200_000)}`], options: { create: true } }];
  await fails({
    "kustomization.yaml": kustomizationOf({ replacements: [{ sourceValue: "v", targets: long }] }),
    "a.yaml": configMap,
  }, /^Field path "a\.a\.a.{30,40}…" has 200001 parts, the limit is 1000$/);
});

Deno.test("build() shows nothing of literals, JSON patches and values that may be secret", async () => {
  await fails({
    "kustomization.yaml": JSON.stringify({ secretGenerator: [{ name: "s", literals: ["a=b", "hunter2"] }] }),
  }, /Invalid literal source 2 of "s", expected key=value$/);
  const patches = [{ path: "patch.json", target }];
  await fails(
    { "kustomization.yaml": kustomizationOf({ patches }), "a.yaml": configMap, "patch.json": "[hunter2]" },
    /^(?!.*hunter2).*must be JSON, and is not/s,
  );
  const source = { kind: "ConfigMap", name: "c", fieldPath: "data.a", options: { delimiter: ":", index: 3 } };
  await fails({
    "kustomization.yaml": kustomizationOf({ replacements: [{ source, targets: [{ select: target }] }] }),
    "a.yaml": configMap.replace("a: b", "a: hunter2"),
  }, /Options\.index 3 is out of bounds for a value of 1 parts$/);
});
