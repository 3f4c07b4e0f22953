import assert from "node:assert/strict";
import { resolveLink } from "../../../../src/build/helm/chart/resolve_link.ts";
import type { LinkFiles } from "../../../../src/build/helm/chart/resolve_link.ts";

/** Files by path; a text is where a link points. */
function filesOf(entries: Readonly<Record<string, "file" | "folder" | `-> ${string}`>>): LinkFiles {
  return {
    stat: (path) => {
      const entry = entries[path];
      if (entry === undefined) return Promise.resolve(undefined);
      const kind = entry === "file" || entry === "folder" ? entry : "link";
      return Promise.resolve({ kind, sizeBytes: 0, mode: 0o644, modifiedAt: 0 });
    },
    readLink: (path) => Promise.resolve(entries[path]?.replace(/^-> /, "")),
  };
}

const files = filesOf({
  "/a": "folder",
  "/a/b": "folder",
  "/a/b/up": "-> ../c/d",
  "/a/c": "-> e",
  "/a/e": "folder",
  "/a/e/d": "file",
  "/a/far": "-> /a/b/up",
  "/a/gone": "-> ../nowhere/x",
  "/a/self": "-> self",
  "chart": "folder",
  "chart/x": "-> ../other",
  "old..": "folder",
  "old../y": "-> ../chart",
  "up": "-> ../../far",
});

Deno.test("resolveLink() replaces every link of a path", async () => {
  assert.equal(await resolveLink("/a/b/up", files), "/a/e/d");
  assert.equal(await resolveLink("/a/far", files), "/a/e/d");
  assert.equal(await resolveLink("/a/./e//d", files), "/a/e/d");
});

Deno.test("resolveLink() names what is not there, and circles", async () => {
  await assert.rejects(resolveLink("/a/gone", files), { message: "lstat /nowhere: no such file or directory" });
  await assert.rejects(resolveLink("/a/self", files), { message: "EvalSymlinks: too many links" });
  await assert.rejects(resolveLink("chart/x", files), { message: "lstat other: no such file or directory" });
});

Deno.test("resolveLink() goes up by elements of a path, above where it begins too", async () => {
  assert.equal(await resolveLink("old../y", files), "chart");
  await assert.rejects(resolveLink("up", files), { message: "lstat ../../far: no such file or directory" });
});
