/** Reading documents from files, folders, mounts and standard input. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { loadDocuments } from "../../src/config/documents.ts";
import { MemoryFiles } from "./memory_files.ts";

async function load(files: Record<string, string>, ...paths: string[]) {
  const { fileSystem } = new MemoryFiles(files);
  const { documents, problems, unreadable } = await loadDocuments(paths, {
    fileSystem,
    stdin: () => Promise.resolve("kind: FromStdin"),
  });
  return {
    documents: documents.map((document) => `${document.file} ${(document.value as { kind: string }).kind}`),
    problems: problems.map((problem) => problem.message),
    unreadable,
  };
}

Deno.test("loadDocuments() reads files, folders in order, and standard input", async () => {
  const found = await load(
    {
      "conf/b.yaml": "kind: B1\n---\n# nothing\n---\nkind: B2",
      "conf/a.json": '{"kind": "A"}',
      "conf/sub/c.yml": "kind: C",
      "conf/.hidden.yaml": "kind: Hidden",
      "conf/.git/x.yaml": "kind: Hidden",
      "conf/notes.txt": "kind: Text",
      "one.conf": "kind: One",
    },
    "conf/",
    "one.conf",
    "-",
    "one.conf",
  );

  deepEqual(found, {
    documents: ["conf/a.json A", "conf/b.yaml B1", "conf/b.yaml B2", "conf/sub/c.yml C", "one.conf One", "- FromStdin"],
    problems: [],
    unreadable: [],
  });
});

Deno.test("loadDocuments() leaves out OCI layouts and a store of ours below a folder", async () => {
  const found = await load(
    {
      "conf/a.yaml": "kind: A",
      "conf/state/b.yaml": "kind: B",
      "conf/data/notes.yaml": "kind: C",
      "conf/data/store/oci-layout": "{}",
      "conf/data/store/index.json": "{}",
      "conf/data/state/x.json": "{}",
      "conf/artifacts/oci-layout": "{}",
      "conf/artifacts/index.json": "{}",
      "conf/artifacts/blobs/sha256/1": "",
    },
    "conf",
  );

  deepEqual(found, {
    documents: ["conf/a.yaml A", "conf/data/notes.yaml C", "conf/state/b.yaml B"],
    problems: [],
    unreadable: [],
  });
});

Deno.test("loadDocuments() leaves out what a target or Checkout of ours wrote below a folder, unless it is named", async () => {
  const files = {
    "conf/a.yaml": "kind: A",
    "conf/out/.pilotfish-kustomization_default_app.json": "{}",
    "conf/out/web/configmap.yaml": "kind: ConfigMap",
    "conf/.site.pilotfish/0123abcd/b.yaml": "kind: B",
    "conf/site": "link:.site.pilotfish/0123abcd",
    "conf/linked": "link:more",
    "conf/more/c.yaml": "kind: C",
  };

  deepEqual((await load(files, "conf")).documents, [
    "conf/a.yaml A",
    "conf/linked/c.yaml C",
    "conf/more/c.yaml C",
  ]);
  deepEqual((await load(files, "conf/out")).documents, ["conf/out/web/configmap.yaml ConfigMap"]);
});

Deno.test("loadDocuments() reads a mounted ConfigMap once, through its links", async () => {
  const found = await load({
    "etc/..2026_01/app.yaml": "kind: App",
    "etc/..data": "link:..2026_01",
    "etc/app.yaml": "link:..data/app.yaml",
  }, "etc");

  deepEqual(found.documents, ["etc/app.yaml App"]);
});

Deno.test("loadDocuments() says where a fault is and reads the other documents", async () => {
  const { fileSystem } = new MemoryFiles({ "a.yaml": "kind: A\n---\nx: [1\n---\nkind: B\n---\nk: 1\nk: 2\n" });
  const { documents, problems } = await loadDocuments(["a.yaml"], { fileSystem });

  equal(documents.length, 2);
  deepEqual(problems.map((problem) => [problem.place?.line, problem.message]), [
    [4, "Cannot read YAML: deficient indentation"],
    [8, 'Cannot read YAML: key "k" is already set in this map'],
  ]);
  ok(problems[1]?.excerpt?.startsWith("8 | k: 2\n"));
  deepEqual(documents[1]?.placeOf(["kind"]), { file: "a.yaml", line: 5, column: 7 });
});

Deno.test("loadDocuments() takes nothing missing or empty for an empty configuration", async () => {
  const missing = await load({}, "none.yaml");
  const noDocument = await load({ "conf/readme.txt": "x" }, "conf");
  const comments = await load({ "a.yaml": "# nothing yet" }, "a.yaml");
  const emptied = await load({ "conf/a.yaml": "kind: A", "conf/b.yaml": " \n" }, "conf");

  deepEqual(missing.problems, ['Cannot read "none.yaml": there is no such file or folder']);
  deepEqual(missing.unreadable, ["none.yaml"]);
  deepEqual(noDocument.unreadable, ["conf"]);
  deepEqual(comments.unreadable, ["a.yaml"]);
  deepEqual(emptied.unreadable, ["conf/b.yaml"]);
});
