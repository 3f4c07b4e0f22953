import { deepEqual, equal } from "node:assert/strict";
import { diskTree, withFolder } from "../../src/app/disk_tree.ts";
import { denoFileSystem } from "../../src/platform/deno_file_system.ts";
import { writeFolder } from "../support/written_folder.ts";

Deno.test("diskTree follows links, and holds nothing where they lead nowhere", async () => {
  await using folder = await writeFolder({ "a/b.yaml": "b" });
  await Deno.symlink("a", `${folder.path}/l`);
  await Deno.symlink("self", `${folder.path}/self`);
  await Deno.symlink("nowhere", `${folder.path}/gone`);
  await Deno.symlink("/dev/null", `${folder.path}/device`);
  const at = folder.path.slice(1);

  deepEqual(diskTree.locate(`${at}/l`), { path: `${at}/a`, kind: "folder" });
  deepEqual(diskTree.locate(`${at}/l/b.yaml`), { path: `${at}/a/b.yaml`, kind: "file" });
  deepEqual(diskTree.locate(""), { path: "", kind: "folder" });
  equal(new TextDecoder().decode(diskTree.read(`${at}/l/b.yaml`)), "b");
  for (const name of ["self", "gone", "device", "a/b.yaml/c"]) {
    equal(diskTree.locate(`${at}/${name}`), undefined, name);
    equal(diskTree.read(`${at}/${name}`), undefined, name);
  }
});

Deno.test("withFolder() lists files by the paths that lead to them, sorted, without version control", async () => {
  await using folder = await writeFolder({
    "a/z.sh": "run",
    "a/.git/HEAD": "x",
    "a/sub/b.yaml": "b",
    "c/c.yaml": "c",
  });
  await Deno.chmod(`${folder.path}/a/z.sh`, 0o755);
  await Deno.symlink("sub/b.yaml", `${folder.path}/a/link.yaml`);
  await Deno.symlink("../c", `${folder.path}/a/more`);
  await Deno.symlink("..", `${folder.path}/a/sub/up`);
  await Deno.symlink("nowhere", `${folder.path}/a/broken.yaml`);
  const start = `${folder.path.slice(1)}/a`;
  const tree = await withFolder(start, denoFileSystem);

  deepEqual(
    [...tree.files()].map((file) => [file.path.slice(start.length + 1), file.sizeBytes, file.isExecutable]),
    [["link.yaml", 1, false], ["more/c.yaml", 1, false], ["sub/b.yaml", 1, false], ["z.sh", 3, true]],
  );
  equal(new TextDecoder().decode(tree.read(`${start}/more/c.yaml`)), "c");
  deepEqual([...(await withFolder(`${start}/none`, denoFileSystem)).files()], []);
});
