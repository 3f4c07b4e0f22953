import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { createIgnore } from "../../src/format/source_ignore.ts";
import { testVectors } from "../support/vectors.ts";

Deno.test("createIgnore() drops pictures and CI files until somebody writes a pattern", () => {
  const plain = createIgnore();
  equal(plain("docs/a.png", false), true);
  equal(plain(".git/config", false), true);
  equal(plain("deploy/a.yaml", false), false);
  const own = createIgnore({ extra: "# only\nsecrets/\n" });
  equal(own("docs/a.png", false), false);
  equal(own(".git", true), true);
  equal(own("a/secrets/x", false), true);
  equal(own("secrets", false), false);
});

Deno.test("createIgnore() reads patterns relative to their folder, and keeps what a later rule names", () => {
  const ignore = createIgnore({
    patternsByFolder: new Map([["", "/*\n"], ["deploy", "!*.yaml"]]),
    extra: "!/deploy/x.txt",
  });
  deepEqual(["deploy", "deploy/a.yaml", "deploy/b.txt", "deploy/x.txt", "c.yaml"].map((path) => ignore(path, false)), [
    true,
    false,
    true,
    false,
    true,
  ]);
});

Deno.test("createIgnore() answers any pattern at once", () => {
  equal(createIgnore({ extra: `${"*a".repeat(2000)}b` })("a".repeat(4000), false), false);
  const signs = fc.string({ unit: fc.constantFrom("a", "*", "?", "[", "]", "\\", "/", "!", "^", "-", " ", "\n", "#") });
  fc.assert(fc.property(signs, signs, (extra, path) => typeof createIgnore({ extra })(path, false) === "boolean"));
});

interface KeptCase {
  readonly name: string;
  readonly files: readonly string[];
  readonly sourceignore?: Readonly<Record<string, string>>;
  readonly specIgnore?: string;
  readonly keptFiles: readonly string[] | null;
  readonly keptDirs: readonly string[] | null;
}

testVectors<KeptCase>("sourceignore/kept.json", {
  name: (item) => JSON.stringify([item.name, item.sourceignore, item.specIgnore]),
  run(item) {
    const texts = new Map(Object.entries(item.sourceignore ?? {}));
    const ignores = createIgnore({
      patternsByFolder: texts,
      ...(item.specIgnore === undefined ? {} : { extra: item.specIgnore }),
    });
    const all = [
      ...item.files,
      ...[...texts.keys()].map((folder) => folder === "." ? ".sourceignore" : `${folder}/.sourceignore`),
    ];
    const folders = new Set(["."]);
    for (const file of all) {
      const parts = file.split("/");
      for (let count = 1; count < parts.length; count++) folders.add(parts.slice(0, count).join("/"));
    }
    deepEqual([...new Set(all)].filter((file) => !ignores(file, false)).sort(), [...item.keptFiles ?? []].sort());
    deepEqual([...folders].filter((folder) => !ignores(folder, true)).sort(), [...item.keptDirs ?? []].sort());
  },
});
