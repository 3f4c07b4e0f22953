import { deepEqual, equal } from "node:assert/strict";
import { reachOf, treeOfFolders } from "../../src/app/disk_tree.ts";
import { denoFileSystem } from "../../src/platform/deno_file_system.ts";

async function folderOf(files: Record<string, string>): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.realPath(await Deno.makeTempDir());
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(`${path}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("reachOf() finds what a kustomization refers to, through its bases", async () => {
  await using folder = await folderOf({
    "overlays/edge/kustomization.yaml":
      "resources: [../../base, https://example.org/x]\npatches: [{path: ../shared/p.yaml}]",
    "overlays/shared/p.yaml": "{}",
    "base/kustomization.yml": "resources: [d.yaml, ../common]\nconfigMapGenerator: [{name: a, files: [k=../files/x]}]",
    "base/d.yaml": "{}",
    "common/Kustomization": "resources: [../base]",
    "files/x": "1",
    "unrelated/y": "1",
  });
  const { root, folders } = await reachOf(`${folder.path}/overlays/edge`, denoFileSystem);

  equal(root, folder.path);
  deepEqual(
    folders.map((one) => one.slice(folder.path.length + 1)).sort(),
    ["base", "common", "files", "overlays/edge", "overlays/shared"],
  );
});

Deno.test("reachOf() is the folder itself where nothing or nonsense is referred to", async () => {
  await using folder = await folderOf({ "a/kustomization.yaml": "resources: [", "b/x.yaml": "{}" });
  deepEqual(await reachOf(`${folder.path}/a`, denoFileSystem), {
    root: `${folder.path}/a`,
    folders: [`${folder.path}/a`],
  });
  equal((await reachOf(`${folder.path}/b`, denoFileSystem)).root, `${folder.path}/b`);
});

Deno.test("treeOfFolders() reads files and links, sorted, without version control", async () => {
  await using folder = await folderOf({
    "a/z.sh": "run",
    "a/.git/HEAD": "x",
    "a/sub/b.yaml": "b",
    "c/c.yaml": "c",
    "d/d": "d",
  });
  await Deno.chmod(`${folder.path}/a/z.sh`, 0o755);
  await Deno.symlink("sub/b.yaml", `${folder.path}/a/link.yaml`);
  await Deno.symlink("nowhere", `${folder.path}/a/broken.yaml`);
  const tree = await treeOfFolders(folder.path, [`${folder.path}/a`, `${folder.path}/c`], denoFileSystem);

  deepEqual([...tree.files()].map((file) => file.path), ["a/link.yaml", "a/sub/b.yaml", "a/z.sh", "c/c.yaml"]);
  equal(new TextDecoder().decode(tree.read("a/link.yaml")), "b");
  equal(tree.read("d/d"), undefined);
  equal(tree.has("c/c.yaml"), true);
});
