import { strict as assert } from "node:assert";
import type { JsonValue } from "../../../../src/core/json.ts";
import { metaSchemaUrl } from "../../../../src/build/helm/chart/schema/draft.ts";
import { localNumber } from "../../../../src/build/helm/chart/schema/fault_text.ts";
import { ownSchemaUrl, SchemaDocuments } from "../../../../src/build/helm/chart/schema/schema_documents.ts";
import { SchemaError } from "../../../../src/build/helm/chart/schema/schema_error.ts";
import { faultLines, topFaults } from "../../../../src/build/helm/chart/schema/schema_fault.ts";
import { validateValues } from "../../../../src/build/helm/chart/schema/validate.ts";

function check(schema: JsonValue, values: JsonValue): readonly string[] {
  const documents = new SchemaDocuments({ onUrn: () => {} });
  const fault = validateValues(documents, documents.add(ownSchemaUrl, schema), values);
  return fault === undefined ? [] : faultLines(topFaults(fault));
}

Deno.test("validateValues() follows references, anchors and identifiers", () => {
  const schema = {
    $defs: {
      a: {
        $id: "https://example.com/a",
        $defs: { n: { $anchor: "number", type: "number" } },
        properties: { x: { $ref: "#number" } },
      },
    },
    properties: { a: { $ref: "https://example.com/a" }, b: { $ref: "#/$defs/a/properties/x" } },
  };
  assert.deepEqual(check(schema, { a: { x: 1 }, b: 2 }), []);
  assert.deepEqual(check(schema, { a: { x: "t" } }), ["- at '/a/x': got string, want number"]);
});

Deno.test("validateValues() finds what no keyword has looked at", () => {
  const schema = {
    allOf: [{ properties: { a: true } }],
    if: { required: ["k"] },
    then: { properties: { k: true } },
    unevaluatedProperties: false,
  };
  assert.deepEqual(check(schema, { a: 1, k: 2 }), []);
  assert.deepEqual(check(schema, { a: 1, z: 2 }), ["- at '/z': false schema"]);
  assert.deepEqual(check({ prefixItems: [true], unevaluatedItems: false }, [1, 2]), ["- at '/1': false schema"]);
});

Deno.test("validateValues() applies recursive and dynamic references", () => {
  const tree = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $dynamicAnchor: "node",
    type: "object",
    properties: { children: { items: { $dynamicRef: "#node" } } },
    required: ["name"],
  };
  assert.deepEqual(check(tree, { name: "a", children: [{ name: "b" }, {}] }), [
    "- at '/children/1': missing property 'name'",
  ]);
  const documents = new SchemaDocuments({ onUrn: () => {} });
  for (const draft of [4, 6, 7, 2019, 2020] as const) {
    const meta = documents.metaSchema(metaSchemaUrl(draft));
    assert.equal(validateValues(documents, meta, { type: "object", properties: { a: { minimum: 1 } } }), undefined);
    assert.notEqual(validateValues(documents, meta, { properties: { a: { type: 5 } } }), undefined);
  }
});

Deno.test("validateValues() ends at schemas that refer to themselves", () => {
  assert.match(check({ $ref: "#" }, {})[0] ?? "", /causing reference cycle/);
});

Deno.test("SchemaDocuments never leaves the machine", () => {
  assert.throws(
    () => check({ $ref: "https://example.com/x.json" }, {}),
    (error) =>
      error instanceof SchemaError &&
      error.message ===
        'failing loading "https://example.com/x.json": remote schemas are not fetched (--allow-http allows it)',
  );
  assert.throws(() => check({ $ref: "file:///etc/passwd" }, {}), /no such file or directory/);
  assert.throws(() => check({ pattern: "(?=x)" }, "x"), /invalid regex/);
});

Deno.test("localNumber() writes numbers as English text", () => {
  assert.deepEqual([70000, 0.1, 1e21, 100000000, 1e-5, -5, 12345.678].map(localNumber), [
    "70,000",
    "0.1",
    "1×10²¹",
    "1×10⁰⁸",
    "1×10⁻⁰⁵",
    "-5",
    "12,345.678",
  ]);
});
