import { equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import { sha256Bytes, sha256Hex, shortSha256Hex } from "../../src/core/sha256.ts";

const known = (data: Uint8Array | string) => createHash("sha256").update(data).digest("hex");

Deno.test("shortSha256Hex() gives what node gives, at every length around a block", () => {
  for (let length = 0; length < 300; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 31 + length) & 0xff);
    equal(shortSha256Hex(bytes), known(bytes), `${length} bytes`);
  }
});

Deno.test("sha256Hex() reads texts as UTF-8, short and long", () => {
  for (const text of ["", "abc", "grüße 🐟", "\ud800", "x".repeat(40_000)]) equal(sha256Hex(text), known(text));
});

Deno.test("sha256Bytes() gives the same as bytes", () => {
  equal(sha256Bytes("abc").toHex(), known("abc"));
});
