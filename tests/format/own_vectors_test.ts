/** The project's own cases of the room `format`, made with the Go libraries that each file names; they always run. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { canonicalJson } from "../../src/core/json.ts";
import { formatDuration, parseDuration } from "../../src/format/duration.ts";
import { substitute } from "../../src/format/envsubst.ts";
import { FormatError } from "../../src/format/format_error.ts";
import { applyJsonPatch } from "../../src/format/json_patch.ts";
import { parseJsonPatch } from "../../src/format/json_patch_text.ts";
import { parseRange, parseVersion } from "../../src/format/semver.ts";
import { parseYaml, printYaml } from "../../src/format/yaml.ts";
import { ownVectors } from "../support/paths.ts";
import { goJson, jsonNumbers } from "./go_json.ts";

function casesOf<T>(path: string): readonly T[] {
  return (JSON.parse(Deno.readTextFileSync(`${ownVectors}/format/${path}`)) as { readonly cases: readonly T[] }).cases;
}

Deno.test("own vectors: parseYaml()", () => {
  for (const item of casesOf<{ yaml: string; json?: string; error?: string }>("yaml/read.json")) {
    if (item.error === undefined) equal(goJson(parseYaml(item.yaml)), item.json, item.yaml);
    else throws(() => parseYaml(item.yaml), FormatError, item.yaml);
  }
});

Deno.test("own vectors: parseYaml() with libyaml's line breaks", () => {
  for (const item of casesOf<{ yaml: string; json?: string; error?: string }>("yaml/read_breaks.json")) {
    if (item.error === undefined) {
      equal(goJson(parseYaml(item.yaml)), item.json, item.yaml);
    } else throws(() => parseYaml(item.yaml), FormatError, item.yaml);
  }
});

Deno.test("own vectors: printYaml() with libyaml's line breaks", () => {
  for (const item of casesOf<{ json: string; yaml?: string; error?: string }>("yaml/print_breaks.json")) {
    if (item.error === undefined) equal(printYaml(JSON.parse(item.json)), item.yaml, item.json);
    else throws(() => printYaml(JSON.parse(item.json)), FormatError, item.json);
  }
});

Deno.test("own vectors: printYaml()", () => {
  for (const item of casesOf<{ json: string; yaml?: string; error?: string }>("yaml/print.json")) {
    if (item.error === undefined) equal(printYaml(jsonNumbers(item.json)), item.yaml, item.json);
    else throws(() => printYaml(jsonNumbers(item.json)), FormatError, item.json);
  }
});

Deno.test("own vectors: parseRange()", () => {
  type Case = { constraint: string; satisfied?: string[]; unsatisfied?: string[]; error?: string };
  for (const item of casesOf<Case>("semver/constraints.json")) {
    if (item.error !== undefined) {
      throws(() => parseRange(item.constraint), FormatError, item.constraint);
      continue;
    }
    const range = parseRange(item.constraint);
    const all = [...item.satisfied ?? [], ...item.unsatisfied ?? []];
    deepEqual(all.filter((version) => range.allows(parseVersion(version))), item.satisfied, item.constraint);
  }
});

Deno.test("own vectors: substitute()", () => {
  type Case = { input: string; vars: Record<string, string>; strict: boolean; output?: string; error?: string };
  for (const item of casesOf<Case>("envsubst/eval.json")) {
    const result = substitute(item.input, (name) => item.vars[name], { strict: item.strict });
    if (item.error === undefined) deepEqual(result, { kind: "done", text: item.output ?? "" }, item.input);
    else equal(result.kind, "failed", item.input);
  }
});

Deno.test("own vectors: applyJsonPatch()", () => {
  for (const item of casesOf<{ doc: string; patch: string; result?: string; error?: string }>("jsonpatch/apply.json")) {
    const apply = () => canonicalJson(applyJsonPatch(jsonNumbers(item.doc), parseJsonPatch(item.patch)));
    if (item.error === undefined) equal(apply(), canonicalJson(jsonNumbers(item.result ?? "null")), item.patch);
    else throws(apply, FormatError, item.patch);
  }
});

Deno.test("own vectors: parseDuration()", () => {
  for (const item of casesOf<{ input: string; string?: string; ms?: number; error?: string }>("gofmt/durations.json")) {
    if (item.error !== undefined) throws(() => parseDuration(item.input), FormatError, item.input);
    else {
      equal(parseDuration(item.input), item.ms, item.input);
      equal(formatDuration(parseDuration(item.input)), item.string, item.input);
    }
  }
});
