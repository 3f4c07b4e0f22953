import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../src/format/format_error.ts";
import { tarParser } from "../../src/format/tar.ts";
import { paxRecords, tarOf, type TarPart } from "../support/tar_of.ts";

/** Entries of an archive as short texts, fed in pieces of `step` bytes. */
function entriesOf(archive: Uint8Array, step = archive.length): string[] {
  const seen: string[] = [];
  const parser = tarParser({
    entry(entry) {
      const link = entry.linkTarget === "" ? "" : ` -> ${entry.linkTarget}`;
      const index = seen.push(`${entry.kind} ${entry.path}${link} ${entry.mode.toString(8)}`) - 1;
      if (entry.kind !== "file") return undefined;
      let text = "";
      return {
        write: (chunk) => text += new TextDecoder("latin1").decode(chunk),
        end: () => seen[index] += ` "${text}"`,
      };
    },
  });
  for (let at = 0; at < archive.length; at += step) parser.write(archive.subarray(at, at + step));
  parser.end();
  return seen;
}

const long = `${"folder/".repeat(30)}file.yaml`;

const readable: readonly {
  readonly name: string;
  readonly parts: readonly TarPart[];
  readonly seen: readonly string[];
}[] = [
  {
    name: "files and folders",
    parts: [{ path: "a/", type: "5", mode: 0o755 }, { path: "a/b", content: "hello", mode: 0o750 }],
    seen: ["folder a/ 755", 'file a/b 750 "hello"'],
  },
  { name: "an empty file", parts: [{ path: "a" }], seen: ['file a 644 ""'] },
  { name: "v7", parts: [{ path: "a", content: "x", type: "\0", format: "v7" }], seen: ['file a 644 "x"'] },
  { name: "a v7 folder", parts: [{ path: "a/", type: "\0", format: "v7" }], seen: ["folder a/ 644"] },
  {
    name: "a ustar prefix",
    parts: [{ path: "b", prefix: "some/where", content: "x" }],
    seen: ['file some/where/b 644 "x"'],
  },
  {
    name: "no prefix in GNU's format",
    parts: [{ path: "b", prefix: "12345", content: "x", format: "gnu" }],
    seen: ['file b 644 "x"'],
  },
  {
    name: "a GNU long name and link",
    parts: [
      { path: "././@LongLink", type: "L", content: `${long}\0`, format: "gnu" },
      { path: "././@LongLink", type: "K", content: `${long}x\0`, format: "gnu" },
      { path: "cut", type: "2", link: "cut", format: "gnu" },
    ],
    seen: [`symlink ${long} -> ${long}x 644`],
  },
  {
    name: "PAX path, size and link",
    parts: [
      { path: "PaxHeaders/x", type: "x", content: paxRecords({ path: "ä/ö", mtime: "1.5", size: "5" }) },
      { path: "cut", content: "hello", size: 0 },
      { path: "PaxHeaders/x", type: "x", content: paxRecords({ linkpath: "ü" }) },
      { path: "hard", type: "1", link: "cut" },
    ],
    seen: ['file ä/ö 644 "hello"', "hardlink hard -> ü 644"],
  },
  {
    name: "an empty PAX record as none",
    parts: [
      { path: "PaxHeaders/x", type: "x", content: paxRecords({ path: "", comment: "a=b\nc" }) },
      { path: "a", content: "x" },
    ],
    seen: ['file a 644 "x"'],
  },
  {
    name: "a global header, passed over",
    parts: [{ path: "pax_global_header", type: "g", content: paxRecords({ comment: "abc", path: "no" }) }, {
      path: "a",
    }],
    seen: ['file a 644 ""'],
  },
  {
    name: "sparse files as such",
    parts: [
      { path: "a", type: "S", content: "x", format: "gnu" },
      { path: "PaxHeaders/x", type: "x", content: paxRecords({ "GNU.sparse.major": "1" }) },
      { path: "b", content: "x" },
    ],
    seen: ["sparse a 644", "sparse b 644"],
  },
  {
    name: "devices, fifos and unknown types",
    parts: [{ path: "a", type: "3" }, { path: "b", type: "4" }, { path: "c", type: "6" }, {
      path: "d",
      type: "Z",
      content: "x",
    }],
    seen: ["device a 644", "device b 644", "fifo c 644", "other d 644"],
  },
  {
    name: "a base-256 size",
    parts: [{ path: "a", content: "hello", size: "\x80" + "\0".repeat(10) + "\x05" }],
    seen: ['file a 644 "hello"'],
  },
];

Deno.test("tarParser() reads every format, in pieces of any size", () => {
  for (const { name, parts, seen } of readable) {
    const archive = tarOf(parts.map((part) => typeof part.size === "string" ? { ...part, size: part.size } : part));
    // The text encoder writes \x80 as two bytes: put the one byte that is meant.
    const fixed = name === "a base-256 size" ? base256(archive) : archive;
    for (const step of [fixed.length, 512, 100, 1]) deepEqual(entriesOf(fixed, step), seen, `${name}, step ${step}`);
  }
});

function base256(archive: Uint8Array): Uint8Array {
  const fixed = archive.slice();
  fixed.fill(0, 124, 136);
  fixed[124] = 0x80;
  fixed[135] = 5;
  fixed.fill(0x20, 148, 156);
  const sum = fixed.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  fixed.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return fixed;
}

Deno.test("tarParser() takes a single or no closing block, and anything behind two", () => {
  const parts = [{ path: "a", content: "x" }];
  deepEqual(entriesOf(tarOf(parts, { closing: 1 })), ['file a 644 "x"']);
  deepEqual(entriesOf(tarOf(parts, { closing: 0 })), ['file a 644 "x"']);
  deepEqual(entriesOf(new Uint8Array([...tarOf(parts), 1, 2, 3])), ['file a 644 "x"']);
  deepEqual(entriesOf(new Uint8Array(0)), []);
});

const broken: readonly { readonly name: string; readonly archive: Uint8Array; readonly says: RegExp }[] = [
  { name: "checksum", archive: tarOf([{ path: "a", checksumError: 1 }]), says: /checksum is wrong/ },
  { name: "no tar", archive: new TextEncoder().encode("apiVersion: v1\n".repeat(100)), says: /near byte 0: / },
  { name: "cut header", archive: tarOf([{ path: "a" }]).subarray(0, 300), says: /cut off/ },
  { name: "cut content", archive: tarOf([{ path: "a", content: "hello" }]).subarray(0, 514), says: /cut off/ },
  { name: "cut padding", archive: tarOf([{ path: "a", content: "hello" }]).subarray(0, 1000), says: /cut off/ },
  { name: "size", archive: tarOf([{ path: "a", size: "12x" }]), says: /not octal/ },
  { name: "no name", archive: tarOf([{ path: "" }]), says: /no name/ },
  {
    name: "header alone",
    archive: tarOf([{ path: "x", type: "L", content: "name" }]),
    says: /extended header stands at its end/,
  },
  {
    name: "PAX length",
    archive: tarOf([{ path: "x", type: "x", content: "99 path=a\n" }, { path: "a" }]),
    says: /PAX record is malformed/,
  },
  {
    name: "PAX end",
    archive: tarOf([{ path: "x", type: "x", content: "9 path=ab" }, { path: "a" }]),
    says: /PAX record is malformed/,
  },
  {
    name: "PAX zero byte",
    archive: tarOf([{ path: "x", type: "x", content: paxRecords({ path: "a\0b" }) }, { path: "a" }]),
    says: /zero byte/,
  },
  {
    name: "PAX size",
    archive: tarOf([{ path: "x", type: "x", content: paxRecords({ size: "-1" }) }, { path: "a" }]),
    says: /not a number/,
  },
  { name: "huge header", archive: tarOf([{ path: "x", type: "L", size: 2 ** 21 }]), says: /the limit is 1048576/ },
  {
    name: "one zero block between",
    archive: new Uint8Array([...new Uint8Array(512), ...tarOf([{ path: "a" }])]),
    says: /single block of zeros/,
  },
];

Deno.test("tarParser() refuses what is broken", () => {
  for (const { name, archive, says } of broken) {
    for (const step of [archive.length, 7]) {
      throws(() => entriesOf(archive, step), (error: unknown) => {
        ok(error instanceof FormatError, name);
        ok(says.test(error.message), `${name}: ${error.message}`);
        return true;
      });
    }
  }
  const notText = tarOf([{ path: "abc" }]).slice();
  notText[1] = 0xff;
  notText.fill(0x20, 148, 156);
  const sum = notText.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  notText.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  throws(() => entriesOf(notText), /not UTF-8/);
});

Deno.test("tarParser() answers any bytes with entries or a FormatError", () => {
  const good = tarOf([
    { path: "PaxHeaders/x", type: "x", content: paxRecords({ path: "long" }) },
    { path: "a", content: "hello" },
    { path: "b/", type: "5" },
  ]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }),
      fc.nat(good.length),
      fc.integer({ min: 1, max: 700 }),
      (changes, length, step) => {
        const bytes = good.slice(0, length);
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        try {
          entriesOf(bytes, step);
        } catch (error) {
          ok(error instanceof FormatError);
        }
      },
    ),
    { numRuns: 500 },
  );
  equal(entriesOf(good).length, 2);
});
