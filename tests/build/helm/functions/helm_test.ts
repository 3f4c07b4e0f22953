import assert from "node:assert/strict";
import { MissingInput } from "../../../../src/build/helm/render_tools.ts";
import type { LookupRequest } from "../../../../src/build/helm/render_tools.ts";
import { renderFiles } from "../../../support/template_harness.ts";

const files = (template: string) => ({
  "Chart.yaml": "apiVersion: v2\nname: chart\nversion: 0.1.0\n",
  "templates/t.yaml": template,
});

function output(template: string, tools = {}): string | undefined {
  const result = renderFiles({ files: files(template), dialect: "helm4.2.4", tools });
  return result.error ?? (result.error === undefined ? result.outputs.get("chart/templates/t.yaml") : undefined);
}

Deno.test("lookup asks the tool and hands its answer on", () => {
  const asked: LookupRequest[] = [];
  const lookup = (request: LookupRequest) => {
    asked.push(request);
    return { metadata: { name: request.name }, data: { n: 1 } };
  };
  assert.equal(output('{{ (lookup "v1" "Secret" "ns" "s").metadata.name }}', { lookup }), "s");
  assert.deepEqual(asked, [{ kind: "lookup", apiVersion: "v1", resourceKind: "Secret", namespace: "ns", name: "s" }]);
});

Deno.test("lookup is empty where there is no cluster", () => {
  assert.equal(output('{{ lookup "v1" "Secret" "" "" }}{{ getHostByName "a" }}|'), "map[]|");
});

Deno.test("a missing input passes through every layer unchanged", () => {
  const lookup = (request: LookupRequest) => {
    throw new MissingInput(request);
  };
  const template =
    '{{ define "a" }}{{ tpl "{{ lookup `v1` `Pod` `` `` }}" . }}{{ end }}{{ range list 1 }}{{ include "a" $ }}{{ end }}';
  assert.throws(() => output(template, { lookup }), MissingInput);
});

Deno.test("getHostByName asks the tool", () => {
  assert.equal(output('{{ getHostByName "a.example" }}', { resolveHost: () => "192.0.2.1" }), "192.0.2.1");
  assert.match(output('{{ getHostByName "a.example" }}', { resolveHost: () => "" }) ?? "", /invalid argument to Intn/);
});

Deno.test("required and fail give the author's words and the outermost place", () => {
  assert.equal(
    output('{{ define "a" }}{{ required "give it" nil }}{{ end }}\n{{ include "a" . }}'),
    "execution error at (chart/templates/t.yaml:2:3): give it",
  );
  assert.equal(output('{{ required "x" 0 }}{{ required "x" false }}{{ required "x" (list) }}'), "0false[]");
});

Deno.test("functions of chance repeat with the same source", () => {
  const template = '{{ randAlphaNum 8 }} {{ uuidv4 }} {{ shuffle "abcdef" }} {{ randInt 1 100 }}';
  const first = output(template);
  assert.equal(output(template), first);
  assert.match(
    first ?? "",
    /^[A-Za-z0-9]{8} [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12} [a-f]{6} [0-9]+$/,
  );
});
