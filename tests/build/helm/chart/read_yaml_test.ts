import assert from "node:assert/strict";
import { readValues } from "../../../../src/build/helm/chart/read_yaml.ts";
import { jsonOf } from "../../../../src/build/helm/values/value_json.ts";
import { tableOf } from "../../../../src/build/helm/values/tables.ts";
import type { Dialect } from "../../../../src/build/helm/dialect.ts";

function values(text: string, dialect: Dialect): unknown {
  return jsonOf(tableOf(readValues(new TextEncoder().encode(text), dialect)));
}

Deno.test("readValues() gives the last line its end in Helm 4, not in Helm 3", () => {
  assert.deepEqual(values("a: |\n  x ", "helm4.2.4"), { a: "x \n" });
  assert.deepEqual(values("a: |\n  x ", "helm3"), { a: "x " });
  assert.deepEqual(values("a: |+\n  x\n  ", "helm4.2.4"), { a: "x\n\n" });
});

Deno.test("readValues() counts lines of a fault with the marker that ended nothing", () => {
  const message = (text: string) => {
    try {
      values(text, "helm4.2.4");
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  assert.match(message("---\na: 1\nb: ["), /yaml: line 3: /);
  assert.match(message("x: 1\n---\na: 1\nb: ["), /yaml: line 2: /);
});
