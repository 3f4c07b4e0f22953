import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { treeOf } from "../../../src/core/file_tree.ts";
import { checkOut, type CheckoutRequest, isCheckedOut, removeCheckout } from "../../../src/target/checkout/checkout.ts";
import { FaultyDisk } from "../../support/faulty_file_system.ts";

const signal = new AbortController().signal;
const first = treeOf({ "index.html": "one", "css/site.css": "a", "css/deep/x.css": "b" });
const second = treeOf({ "index.html": "two" });

function order(tree: typeof first, version: string, subPath = ""): CheckoutRequest {
  return {
    content: { kind: "tree", tree },
    place: { path: "/srv/site", subPath, mode: { files: 0o644, folders: 0o755 } },
    version,
    isOurs: false,
  };
}

async function read(disk: FaultyDisk, path: string): Promise<string | undefined> {
  return await disk.fileSystem.readText(path);
}

Deno.test("checkOut() shows the files through a relative link and switches them at once", async () => {
  const disk = new FaultyDisk();
  await disk.fileSystem.makeFolder("/srv");

  const one = await checkOut(order(first, "v1"), disk.fileSystem, signal);
  const link = await disk.fileSystem.readLink("/srv/site");
  const same = await checkOut(order(first, "v1"), disk.fileSystem, signal);
  await checkOut(order(second, "v2"), disk.fileSystem, signal);

  deepEqual([one, same], [{ changed: true, fileCount: 3 }, { changed: false, fileCount: 3 }]);
  equal(link, ".site.pilotfish/v1");
  equal(await read(disk, "/srv/site/index.html"), "two");
  equal(await read(disk, "/srv/.site.pilotfish/v1/css/deep/x.css"), "b", "the old files stay until the next change");
  await checkOut(order(first, "v3"), disk.fileSystem, signal);
  equal(await disk.fileSystem.stat("/srv/.site.pilotfish/v1"), undefined);
});

Deno.test("checkOut() takes a sub-path, and refuses one that is not there", async () => {
  const disk = new FaultyDisk();
  await disk.fileSystem.makeFolder("/srv");

  await checkOut(order(first, "v1", "css"), disk.fileSystem, signal);

  equal(await read(disk, "/srv/site/site.css"), "a");
  await rejects(checkOut(order(first, "v2", "nowhere"), disk.fileSystem, signal), /no such folder/);
});

Deno.test("checkOut() never replaces what it did not make", async () => {
  const disk = new FaultyDisk();
  await disk.fileSystem.makeFolder("/srv/site");
  await disk.fileSystem.writeAtomic("/srv/site/mine", "mine");

  await rejects(checkOut(order(first, "v1"), disk.fileSystem, signal), /a folder is there already/);
  await removeCheckout("/srv/site", "tree", disk.fileSystem);

  equal(await read(disk, "/srv/site/mine"), "mine");
});

Deno.test("a blob becomes one file, byte for byte, and a foreign file stays", async () => {
  const disk = new FaultyDisk();
  await disk.fileSystem.makeFolder("/srv");
  const blob = (text: string, isOurs: boolean): CheckoutRequest => ({
    content: { kind: "blob", bytes: new TextEncoder().encode(text) },
    place: { path: "/srv/app.bin", subPath: "", mode: { files: 0o755, folders: 0o755 } },
    version: "v",
    isOurs,
  });

  await checkOut(blob("one", false), disk.fileSystem, signal);
  await rejects(checkOut(blob("two", false), disk.fileSystem, signal), /a file is there already/);
  const mine = await read(disk, "/srv/app.bin");
  await checkOut(blob("two", true), disk.fileSystem, signal);

  deepEqual([mine, await read(disk, "/srv/app.bin")], ["one", "two"]);
  equal((await disk.fileSystem.stat("/srv/app.bin"))?.mode, 0o755);
});

Deno.test("removeCheckout() takes the link and the versions away", async () => {
  const disk = new FaultyDisk();
  await disk.fileSystem.makeFolder("/srv");
  await checkOut(order(first, "v1"), disk.fileSystem, signal);

  await removeCheckout("/srv/site", "tree", disk.fileSystem);

  deepEqual(await disk.fileSystem.list("/srv"), []);
});

Deno.test("killed at any step, readers see the old or the new files, and the next try completes", async () => {
  const shows = async (disk: FaultyDisk) =>
    [await read(disk, "/srv/site/index.html"), await read(disk, "/srv/site/css/site.css")].join("+");
  let swept = 0;
  for (let at = 1;; at++) {
    for (const mode of ["kept", "lost", "torn"] as const) {
      const disk = new FaultyDisk();
      await disk.fileSystem.makeFolder("/srv");
      await checkOut(order(second, "v1"), disk.fileSystem, signal);
      disk.arm({ at, kind: "crash" });
      const died = await checkOut(order(first, "v2"), disk.fileSystem, signal).then(() => false, () => true);
      disk.reboot(mode);
      const seen = await shows(disk);
      ok(seen === "two+" || seen === "one+a", `step ${at}, ${mode}: readers saw "${seen}"`);

      await checkOut(order(first, "v2"), disk.fileSystem, signal);

      equal(await shows(disk), "one+a");
      const names = (await disk.fileSystem.list("/srv/.site.pilotfish") ?? []).map((entry) => entry.name);
      ok(names.every((name) => name === "v1" || name === "v2"), names.join(" "));
      if (!died && mode === "torn") {
        ok(swept > 15, `only ${swept} steps were swept`);
        return;
      }
    }
    swept++;
  }
});

Deno.test("isCheckedOut() sees a link that somebody moved or a version that is gone", async () => {
  const disk = new FaultyDisk();
  await disk.fileSystem.makeFolder("/srv");
  const { place } = order(first, "v1");
  const asks = () => isCheckedOut({ place, version: "v1", kind: "tree" }, disk.fileSystem);
  const before = await asks();
  await checkOut(order(first, "v1"), disk.fileSystem, signal);
  const after = await asks();
  await disk.fileSystem.remove("/srv/.site.pilotfish/v1", { recursive: true });

  deepEqual([before, after, await asks()], [false, true, false]);
});

Deno.test("versions whose folders may not be written to are removed all the same", async () => {
  const disk = new FaultyDisk();
  await disk.fileSystem.makeFolder("/srv");
  const locked = (tree: typeof first, version: string) => {
    const plain = order(tree, version);
    return { ...plain, place: { ...plain.place, mode: { files: 0o444, folders: 0o555 } } };
  };
  for (const [tree, version] of [[first, "v1"], [second, "v2"], [first, "v3"]] as const) {
    await checkOut(locked(tree, version), disk.fileSystem, signal);
  }

  equal(await disk.fileSystem.stat("/srv/.site.pilotfish/v1"), undefined);
  equal((await disk.fileSystem.stat("/srv/.site.pilotfish/v3/css/deep"))?.mode, 0o555);
  await removeCheckout("/srv/site", "tree", disk.fileSystem);
  deepEqual(disk.paths(), []);
});

Deno.test("killed at any step, nothing of ours is left beside the path", async () => {
  const blob: CheckoutRequest = {
    ...order(first, "v2"),
    content: { kind: "blob", bytes: new TextEncoder().encode("new") },
    place: { path: "/srv/tool", subPath: "", mode: { files: 0o755, folders: 0o755 } },
    isOurs: true,
  };
  for (const request of [order(first, "v2"), blob]) {
    for (let at = 1, died = true; died; at++) {
      const disk = new FaultyDisk();
      await disk.fileSystem.makeFolder("/srv");
      disk.arm({ at, kind: "crash" });
      died = await checkOut(request, disk.fileSystem, signal).then(() => false, () => true);
      disk.reboot("kept");

      await checkOut(request, disk.fileSystem, signal);
      await removeCheckout(request.place.path, request.content.kind, disk.fileSystem);

      deepEqual(await disk.fileSystem.list("/srv"), [], `${request.place.path}, step ${at}`);
    }
  }
});

Deno.test("a version of many files costs three steps a file and a few a folder, not a rename and a folder's sync each", async () => {
  const files = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`d${index % 4}/${index}.txt`, "x"]));
  const disk = new FaultyDisk();
  await disk.fileSystem.makeFolder("/srv");
  disk.arm();
  await checkOut(order(treeOf(files), "v1"), disk.fileSystem, signal);
  ok(disk.steps <= 3 * 200 + 40, `${disk.steps} steps`);
  equal(await read(disk, "/srv/site/d3/199.txt"), "x");
});
