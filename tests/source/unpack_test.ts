import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { StageError } from "../../src/core/stage_error.ts";
import { openPack, packWriter, readListing } from "../../src/source/store/tree_pack.ts";
import type { UnpackOptions } from "../../src/source/unpack.ts";
import { unpackLayer } from "../../src/source/unpack.ts";
import { joinBytes, paxRecords, tarOf, type TarPart } from "../support/tar_of.ts";

async function* piecesOf(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Unpacks into memory and reads everything back: `path` (with `*` where executable) to text. */
async function unpacked(layer: Uint8Array, options: Partial<UnpackOptions> = {}) {
  const chunks: Uint8Array[] = [];
  const writer = packWriter({ write: (chunk) => void chunks.push(chunk.slice()) });
  const result = await unpackLayer(piecesOf(layer), writer, { ignore: { kind: "none" }, ...options });
  const digest = await writer.finish(result.files);
  const bytes = joinBytes(chunks);
  const file = {
    sizeBytes: bytes.length,
    readAt: (offset: number, length: number) => bytes.slice(offset, offset + length),
    [Symbol.dispose]: () => {},
  };
  const listing = readListing(file, digest);
  ok(listing !== undefined);
  const tree = openPack(file, listing, () => {});
  const files: Record<string, string> = {};
  for (const entry of tree.files()) {
    files[entry.path + (entry.isExecutable ? "*" : "")] = new TextDecoder().decode(tree.read(entry.path));
  }
  return { ...result, files, digest };
}

const filesOf = async (parts: readonly TarPart[], options: Partial<UnpackOptions> = {}) =>
  (await unpacked(tarOf(parts), options)).files;

const simple: readonly TarPart[] = [
  { path: "./", type: "5" },
  { path: "./b/run.sh", content: "#!", mode: 0o755 },
  { path: "./a.yaml", content: "a: 1" },
];

Deno.test("unpackLayer() reads tar, tar+gzip, several gzip members, and tar+zstd", async () => {
  const tar = tarOf(simple);
  const wanted = { "a.yaml": "a: 1", "b/run.sh*": "#!" };
  const members = joinBytes([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]);
  for (const layer of [tar, gzipSync(tar), members, zstdCompressSync(tar)]) {
    deepEqual((await unpacked(new Uint8Array(layer))).files, wanted);
  }
});

Deno.test("unpackLayer() gives the same files the same digest, however they are packed", async () => {
  const first = await unpacked(tarOf(simple));
  const second = await unpacked(
    gzipSync(tarOf([
      { path: "a.yaml", content: "old" },
      { path: "ignored.png", content: "x" },
      { path: "a.yaml", content: "a: 1", mode: 0o600 },
      { path: "b", type: "5" },
      { path: "b//run.sh", content: "#!", mode: 0o711 },
    ])),
    { ignore: { kind: "apply" } },
  );
  const other = await unpacked(tarOf(simple.map((part) => ({ ...part, mode: 0o644 }))));

  equal(second.digest, first.digest);
  ok(other.digest !== first.digest);
});

Deno.test("unpackLayer() passes over links inside the tree and joins hard links", async () => {
  const result = await unpacked(tarOf([
    { path: "a/file", content: "x" },
    { path: "a/link", type: "2", link: "../b/./file" },
    { path: "copy", type: "1", link: "./a/file" },
  ]));

  deepEqual(result.files, { "a/file": "x", copy: "x" });
  equal(result.skippedLinks, 1);
  equal(result.wastedBytes, 0);
});

Deno.test("unpackLayer() applies .sourceignore of every folder, wherever it stands, and spec.ignore after them", async () => {
  const parts: TarPart[] = [
    { path: "a.md", content: "1" },
    { path: "keep.md", content: "2" },
    { path: "sub/b.txt", content: "3" },
    { path: "sub/b.md", content: "4" },
    { path: "picture.png", content: "5" },
    { path: ".git/config", content: "6" },
    { path: "sub/.sourceignore", content: "*.txt\n" },
    { path: ".sourceignore", content: "*.md\n" },
  ];
  deepEqual(Object.keys(await filesOf(parts, { ignore: { kind: "apply", extra: "!keep.md" } })), [
    ".sourceignore",
    "keep.md",
    "picture.png",
    "sub/.sourceignore",
  ]);
  deepEqual(Object.keys(await filesOf(parts.slice(0, 6), { ignore: { kind: "apply" } })), [
    "a.md",
    "keep.md",
    "sub/b.md",
    "sub/b.txt",
  ]);
  equal(Object.keys(await filesOf(parts)).length, 8);
});

Deno.test("unpackLayer() writes only what is kept in a second pass", async () => {
  const layer = tarOf([
    { path: "big.md", content: "x".repeat(1000) },
    { path: "also.yaml", type: "1", link: "big.md" },
    { path: "other.md", content: "y".repeat(1000) },
    { path: ".sourceignore", content: "*.md" },
  ]);
  const first = await unpacked(layer, { ignore: { kind: "apply" } });
  equal(first.wastedBytes, 1000);
  const second = await unpacked(layer, { ignore: { kind: "apply" }, only: first.contentPaths });

  equal(second.wastedBytes, 0);
  equal(second.digest, first.digest);
  deepEqual(second.files, first.files);
});

const refused: readonly { readonly name: string; readonly parts: readonly TarPart[]; readonly says: RegExp }[] = [
  { name: "parent", parts: [{ path: "../a" }], says: /"\.\.\/a".*"\.\."/ },
  { name: "parent inside", parts: [{ path: "a/../b" }], says: /"\.\."/ },
  { name: "parent alone", parts: [{ path: "..", type: "5" }], says: /"\.\."/ },
  { name: "absolute", parts: [{ path: "/etc/passwd" }], says: /"\/etc\/passwd".*absolute/ },
  { name: "backslash", parts: [{ path: "a\\..\\b" }], says: /backslash/ },
  { name: "link out", parts: [{ path: "a/l", type: "2", link: "../../x" }], says: /"a\/l".*link to "\.\.\/\.\.\/x"/ },
  { name: "absolute link", parts: [{ path: "l", type: "2", link: "/etc" }], says: /link to "\/etc"/ },
  { name: "hard link out", parts: [{ path: "h", type: "1", link: "../x" }], says: /hard link to "\.\.\/x"/ },
  { name: "absolute hard link", parts: [{ path: "h", type: "1", link: "/etc/passwd" }], says: /hard link/ },
  {
    name: "hard link to nothing",
    parts: [{ path: "h", type: "1", link: "later" }, { path: "later" }],
    says: /no file before it/,
  },
  {
    name: "hard link to a link",
    parts: [{ path: "l", type: "2", link: "x" }, { path: "h", type: "1", link: "l" }],
    says: /no file before it/,
  },
  { name: "character device", parts: [{ path: "d", type: "3" }], says: /"d".*device/ },
  { name: "block device", parts: [{ path: "d", type: "4" }], says: /device/ },
  { name: "fifo", parts: [{ path: "f", type: "6" }], says: /fifo/ },
  { name: "sparse", parts: [{ path: "s", type: "S", format: "gnu" }], says: /sparse/ },
  { name: "unknown type", parts: [{ path: "s", type: "M" }], says: /type "M"/ },
  {
    name: "below a link",
    parts: [{ path: "l", type: "2", link: "x" }, { path: "l/a" }],
    says: /"l" above it is a link/,
  },
  { name: "over a link", parts: [{ path: "l", type: "2", link: "x" }, { path: "l" }], says: /earlier as a link/ },
  { name: "link over file", parts: [{ path: "l" }, { path: "l", type: "2", link: "x" }], says: /earlier as a file/ },
  { name: "file then folder", parts: [{ path: "a" }, { path: "a/", type: "5" }], says: /earlier as a file/ },
  { name: "below a file", parts: [{ path: "a" }, { path: "a/b/c" }], says: /"a" above it is a file/ },
  { name: "folder then file", parts: [{ path: "a/b" }, { path: "a" }], says: /earlier as a folder/ },
  { name: "nameless file", parts: [{ path: "./", content: "x" }], says: /no name/ },
  {
    name: "control characters",
    parts: [{ path: "x", type: "x", content: paxRecords({ path: "../\u001b[31m\u202eevil" }) }, { path: "a" }],
    says: /"\.\.\/\\u001b\[31m\\u202eevil"/,
  },
];

Deno.test("unpackLayer() refuses what could leave the tree, and names it", async () => {
  for (const { name, parts, says } of refused) {
    await rejects(unpacked(tarOf(parts)), (error: unknown) => {
      ok(error instanceof StageError, name);
      equal(error.reason, "OCIArtifactLayerOperationFailed");
      ok(says.test(error.message), `${name}: ${error.message}`);
      return true;
    });
  }
});

Deno.test("unpackLayer() holds its limits", async () => {
  const limited = (parts: readonly TarPart[], limits: UnpackOptions["limits"], says: RegExp) =>
    rejects(unpacked(gzipSync(tarOf(parts)), { limits: limits ?? {} }), says);
  await limited([{ path: "a", size: 101 }], { fileBytes: 100 }, /"a" is refused: it has 101 bytes, allowed are 100/);
  await limited([{ path: "a" }, { path: "b" }], { entries: 1 }, /more than 1 entries/);
  await limited([{ path: "abcd" }], { pathLength: 3 }, /longer than 3 characters/);
  await limited([{ path: "a/b/c" }], { depth: 2 }, /deeper than 2/);
  await limited([{ path: "a", content: "x".repeat(5000) }], { totalBytes: 4000 }, /more than 4000 bytes/);
  await limited(
    [{ path: `${"ä".repeat(40)}/${"x".repeat(10)}`, prefix: "p".repeat(100) }],
    { pathLength: 30 },
    /longer/,
  );
  await rejects(
    unpacked(tarOf([
      { path: "x", type: "x", content: paxRecords({ path: "ü".repeat(128) }) },
      { path: "a" },
    ])),
    /longer than 255 bytes/,
  );
});

Deno.test("unpackLayer() stops a bomb before it has unpacked it", async () => {
  const zeros = new Uint8Array(90 * 1024 ** 2);
  const bomb = gzipSync(joinBytes([tarOf([{ path: "a", size: 900 * 1024 ** 2 }], { closing: 0 }), zeros]));
  await rejects(
    unpacked(bomb, { limits: { fileBytes: 1024 ** 3 } }),
    /more than 500 times its size \(near entry "a"\)/,
  );
});

Deno.test("unpackLayer() says what is wrong with a layer that is no archive, damaged or cut off", async () => {
  await rejects(unpacked(new TextEncoder().encode("kind: ConfigMap\n".repeat(99))), (error: unknown) => {
    ok(error instanceof StageError);
    ok(/no good tar archive/.test(error.message));
    ok(/copy/.test(error.hint));
    return true;
  });
  const packed = gzipSync(tarOf(simple));
  await rejects(unpacked(packed.subarray(0, packed.length - 30)), /compressed data is damaged/);
  const flipped = new Uint8Array(packed);
  flipped[40] = (flipped[40] ?? 0) ^ 0xff;
  await rejects(unpacked(flipped), StageError);
  await rejects(unpacked(tarOf(simple).subarray(0, 700)), /cut off/);
  await rejects(unpacked(gzipSync(new Uint8Array(0))).then(() => Promise.reject(new Error("none"))), /none/);
  await rejects(unpacked(new Uint8Array(0)), /it is empty/);
});

Deno.test("unpackLayer() stops when it is told to", async () => {
  const stop = new AbortController();
  stop.abort(new Error("enough"));
  await rejects(unpacked(tarOf(simple), { signal: stop.signal }), /enough/);
});

Deno.test("unpackLayer() answers any archive with a tree of clean paths or a StageError", async () => {
  const part = fc.record({
    path: fc.oneof(
      fc.constantFrom("a", "a/b", "../a", "/a", "a/../b", "./a//b/", "b/.sourceignore", "l", "l/x"),
      fc.string({ maxLength: 20 }),
    ),
    type: fc.constantFrom("0", "1", "2", "5", "L", "x", "g", "3", "S"),
    link: fc.constantFrom("a", "b/../a", "../..", "/etc", ""),
    content: fc.string({ maxLength: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
      try {
        const { files } = await unpacked(
          tarOf(
            parts.map((one) =>
              one.type === "0" ? one : { ...one, content: "LxgS".includes(one.type) ? one.content : "" }
            ),
          ),
        );
        for (const path of Object.keys(files)) {
          ok(!path.startsWith("/") && !path.split("/").includes("..") && !path.split("/").includes(""));
        }
      } catch (error) {
        ok(error instanceof StageError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});
