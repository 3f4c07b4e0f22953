import assert from "node:assert/strict";
import fc from "fast-check";
import {
  byteLength,
  compareStrings,
  fromBytes,
  rejoin,
  toBytes,
} from "../../../../src/build/helm/template/go_string.ts";

Deno.test("fromBytes() and toBytes() give back any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    const text = fromBytes(bytes);
    assert.deepEqual([...toBytes(text)], [...bytes]);
    assert.equal(byteLength(text), bytes.length);
  }));
});

Deno.test("rejoin() makes text of bytes that were cut apart", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.nat(), (text, cut) => {
    const whole = text.toWellFormed();
    const bytes = toBytes(whole);
    const at = cut % (bytes.length + 1);
    assert.equal(rejoin(fromBytes(bytes.subarray(0, at)) + fromBytes(bytes.subarray(at))), whole);
  }));
});

Deno.test("compareStrings() orders as bytes do", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (left, right) => {
    const [a, b] = [left.toWellFormed(), right.toWellFormed()];
    if (a !== b) assert.equal(Math.sign(compareStrings(a, b)), hexOf(a) < hexOf(b) ? -1 : 1);
  }));
});

function hexOf(text: string): string {
  return toBytes(text).toHex();
}
