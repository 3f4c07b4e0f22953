import assert from "node:assert/strict";
import { floatText, formatFloat, parseFloat64, parseInt64 } from "../../../../src/build/helm/template/go_number.ts";
import { vectorsFolder } from "../../../support/paths.ts";

function bitsOf(hex: string): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${hex}`));
  return view.getFloat64(0);
}

function hexOf(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
}

const folder = vectorsFolder();
const ignore = folder === undefined;

function cases(name: string): Record<string, string>[] {
  return JSON.parse(Deno.readTextFileSync(`${folder}/gofmt/${name}.json`)).cases;
}

Deno.test({ name: "formatFloat() writes the vectors of gofmt/floats", ignore }, () => {
  for (const row of cases("floats")) {
    const value = bitsOf(row.bits as string);
    assert.equal(formatFloat(value, "g", -1), row.g);
    assert.equal(formatFloat(value, "e", -1), row.e);
    assert.equal(formatFloat(value, "f", -1), row.f);
    assert.equal(floatText(value), row.v);
  }
});

Deno.test({ name: "parseFloat64() and parseInt64() read the vectors of gofmt/parse_float", ignore }, () => {
  const failed: string[] = [];
  for (const row of cases("parse_float")) {
    const float = parseFloat64(row.input as string);
    const shown = float.fault === undefined ? hexOf(float.value) : undefined;
    if (shown !== row.bits && !(Number.isNaN(bitsOf(row.bits ?? "0")) && shown?.startsWith("7ff8"))) {
      failed.push(`${row.input}: ${shown} instead of ${row.bits} ${row.floatError}`);
    }
    const int = parseInt64(row.input as string);
    if ((int.fault === undefined ? int.value.toString() : undefined) !== row.int) {
      failed.push(
        `${row.input}: ${JSON.stringify(int, (_, v) => typeof v === "bigint" ? `${v}` : v)} instead of ${row.int}`,
      );
    }
  }
  assert.deepEqual(failed, []);
});

Deno.test("formatFloat() rounds exact halves to even", () => {
  assert.equal(formatFloat(0.5, "f", 0), "0");
  assert.equal(formatFloat(2.5, "f", 0), "2");
  assert.equal(formatFloat(3.5, "f", 0), "4");
  assert.equal(formatFloat(0.125, "f", 2), "0.12");
  assert.equal(formatFloat(9.999, "f", 2), "10.00");
  assert.equal(formatFloat(999999.5, "g", 6), "1e+06");
});
