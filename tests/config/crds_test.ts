/** Our tables of fields against the schemas that Flux itself serves. */
import { deepEqual } from "node:assert/strict";
import { kinds } from "../../src/config/kinds.ts";
import type { Fields } from "../../src/config/schema.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { isJsonObject } from "../../src/core/json.ts";
import { parseYamlDocuments } from "../../src/format/yaml.ts";
import { vectorsFolder } from "../support/paths.ts";

const folder = vectorsFolder();
const file = folder === undefined ? "" : `${folder}/../lab/flux-crds.yaml`;
const text = await Deno.readTextFile(file).catch(() => undefined);

/** Differences meant: we take more, or know that a field has no effect. */
const skipped: Readonly<Record<string, string>> = {
  "HelmRelease spec.chart.spec.sourceRef.kind": "an OCIRepository is read too: tutorials write it",
  "HelmRelease spec.chart.spec.verify.provider": "has a default in Flux, and yet is required there",
  "OCIRepository spec.verify.provider": "has a default in Flux, and yet is required there",
};

function at(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((inner, step) => isJsonObject(inner) ? inner[step] : undefined, value);
}

function compare(crd: JsonObject, fields: Fields, path: string, wrong: string[]): void {
  const required = Array.isArray(crd.required) ? crd.required as readonly string[] : [];
  for (const [name, schema] of Object.entries((crd.properties ?? {}) as Record<string, JsonObject>)) {
    const here = `${path}.${name}`;
    const field = fields[name];
    if (field === undefined) {
      wrong.push(`${here} is not known`);
      continue;
    }
    if (skipped[here] !== undefined) continue;
    if (required.includes(name) !== (field.presence === "required")) {
      wrong.push(`${here} is ${required.includes(name) ? "" : "not "}required in Flux`);
    }
    if (Array.isArray(schema.enum)) {
      const words = [...field.schema.type.matchAll(/"([^"]+)"/g)].map((match) => match[1]).sort();
      if (JSON.stringify(words) !== JSON.stringify([...schema.enum].sort())) {
        wrong.push(`${here} takes ${words.join(" ")}, Flux ${schema.enum.join(" ")}`);
      }
    }
    if (typeof schema.default === "string" && field.presence === "defaulted" && field.presetText === undefined) {
      if (field.preset !== schema.default) wrong.push(`${here} has another default than "${schema.default}"`);
    }
    const inner = schema.type === "array" ? schema.items as JsonObject : schema;
    if (isJsonObject(inner) && isJsonObject(inner.properties)) compare(inner, field.schema.fields ?? {}, here, wrong);
  }
}

Deno.test({
  name: text === undefined
    ? "every field of Flux's CRDs is known (skipped: the folder of vectors is not there)"
    : "every field of Flux's CRDs is known, with its words, defaults and whether it is required",
  ignore: text === undefined,
  fn() {
    const wrong: string[] = [];
    let compared = 0;
    for (const { value } of parseYamlDocuments(text ?? "")) {
      const name = at(value, "spec", "names", "kind");
      const kind = kinds.find((candidate) => candidate.kind === name);
      const versions = at(value, "spec", "versions");
      if (kind === undefined || !Array.isArray(versions)) continue;
      const spec = at(versions[0] as JsonValue, "schema", "openAPIV3Schema", "properties", "spec");
      compare(spec as JsonObject, kind.schema.fields ?? {}, `${kind.kind} spec`, wrong);
      compared++;
    }

    deepEqual(wrong, []);
    deepEqual(compared, 4);
  },
});
