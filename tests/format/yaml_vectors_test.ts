import { equal, throws } from "node:assert/strict";
import { FormatError } from "../../src/format/format_error.ts";
import { parseYaml, printYaml, yamlText } from "../../src/format/yaml.ts";
import { testVectors } from "../support/vectors.ts";
import { goJson, jsonNumbers } from "./go_json.ts";
import { yamlSkips } from "./yaml_skip.ts";

interface ReadCase {
  readonly yaml?: string;
  readonly yamlBase64?: string;
  readonly ok?: boolean;
  readonly json?: string;
  readonly error?: string;
  readonly strictError?: string;
}

function textOf(item: ReadCase): string {
  if (item.yamlBase64 === undefined) return item.yaml ?? "";
  return yamlText(Uint8Array.from(atob(item.yamlBase64 ?? ""), (character) => character.charCodeAt(0)));
}

function read(item: ReadCase): void {
  if (item.ok === true) equal(goJson(parseYaml(textOf(item))), item.json?.replaceAll("\\ufffd", "\ufffd"));
  else throws(() => parseYaml(textOf(item)), FormatError);
  if (item.ok === true && item.strictError !== undefined) {
    throws(() => parseYaml(textOf(item), { strict: true }), FormatError);
  }
}

for (const name of ["scalars", "documents"]) {
  testVectors<ReadCase>(`yaml/${name}.json`, {
    name: (item) => item.yamlBase64 === undefined ? item.yaml ?? "" : `base64 ${item.yamlBase64}`,
    run: read,
    skip: yamlSkips[name] ?? {},
  });
}

interface PrintCase {
  readonly json: string;
  readonly yaml?: string;
  readonly yamlNumber?: string;
  readonly yamlFromText?: string;
  readonly error?: string;
}

testVectors<PrintCase>("yaml/emit.json", {
  name: (item) => item.json,
  run(item) {
    if (item.error === undefined) equal(printYaml(JSON.parse(item.json)), item.yaml);
    else throws(() => printYaml(JSON.parse(item.json)), FormatError);
    // A number's own form (1e3, 1.0) is not kept in a JSON value.
    if (item.yamlNumber !== undefined && !/[0-9][.eE]/.test(item.json)) {
      equal(printYaml(jsonNumbers(item.json)), item.yamlNumber);
    }
  },
  skip: yamlSkips["emit"] ?? {},
});
