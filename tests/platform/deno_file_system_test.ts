import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { temporaryPrefix } from "../../src/core/file_system.ts";
import { denoFileSystem as disk, waitingFileSystem } from "../../src/platform/deno_file_system.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "pilotfish-disk-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const names = async (folder: string) => (await disk.list(folder))?.map((entry) => entry.name);

Deno.test("writeAtomic() replaces a file whole, with its mode, and leaves no temporary file", () =>
  inFolder(async (folder) => {
    await disk.writeAtomic(`${folder}/a`, "old");
    await disk.writeAtomic(`${folder}/a`, "new", { mode: 0o440 });

    equal(await disk.readText(`${folder}/a`), "new");
    equal((await disk.stat(`${folder}/a`))?.mode, 0o440);
    deepEqual(await names(folder), ["a"]);
  }));

Deno.test("writeNew() writes a file with its mode, and never over one that is there", () =>
  inFolder(async (folder) => {
    await disk.writeNew(`${folder}/a`, new Uint8Array(300_000).fill(7), { mode: 0o750 });

    deepEqual(await disk.read(`${folder}/a`), new Uint8Array(300_000).fill(7));
    equal((await disk.stat(`${folder}/a`))?.mode, 0o750);
    await rejects(disk.writeNew(`${folder}/a`, new Uint8Array(1)), /exists/i);
    deepEqual(await names(folder), ["a"]);
  }));

Deno.test("create() shows nothing at the final place before commit", () =>
  inFolder(async (folder) => {
    await using pending = await disk.create(`${folder}/a`);
    pending.write(new Uint8Array([1, 2]));
    pending.write(new Uint8Array([3]));

    equal(pending.sizeBytes, 3);
    equal(await disk.stat(`${folder}/a`), undefined);
    ok((await names(folder))?.[0]?.startsWith(temporaryPrefix));
    await pending.commit();
    deepEqual(await disk.read(`${folder}/a`), new Uint8Array([1, 2, 3]));
  }));

Deno.test("create() leaves nothing when it is given up, or when its folder is gone at commit", () =>
  inFolder(async (folder) => {
    {
      await using pending = await disk.create(`${folder}/a`);
      pending.write(new Uint8Array(10));
    }
    deepEqual(await names(folder), []);
    await disk.makeFolder(`${folder}/b/in/the/way`);
    await rejects(async () => {
      await using pending = await disk.create(`${folder}/b`);
      await pending.commit();
    });
    deepEqual(await names(folder), ["b"]);
  }));

Deno.test("what is missing is undefined or success", () =>
  inFolder(async (folder) => {
    await disk.writeAtomic(`${folder}/file`, "x");
    for (const path of [`${folder}/none`, `${folder}/file/below`]) {
      equal(await disk.stat(path), undefined);
      equal(await disk.read(path), undefined);
      equal(await disk.readText(path), undefined);
      equal(await disk.list(path), undefined);
      equal(await disk.readLink(path), undefined);
      equal(disk.open(path), undefined);
      await disk.remove(path);
      await disk.remove(path, { recursive: true });
    }
    equal(await disk.readLink(`${folder}/file`), undefined);
  }));

Deno.test("open() reads at any offset and says where a file ends", () =>
  inFolder(async (folder) => {
    await disk.writeAtomic(`${folder}/a`, "0123456789");
    using file = disk.open(`${folder}/a`);
    ok(file !== undefined);

    equal(file.sizeBytes, 10);
    equal(new TextDecoder().decode(file.readAt(7, 3)), "789");
    equal(new TextDecoder().decode(file.readAt(0, 2)), "01");
    equal(file.readAt(10, 0).length, 0);
    throws(() => file.readAt(8, 3), RangeError);
  }));

Deno.test("link() replaces a link at once; remove() takes the link, not what it names", () =>
  inFolder(async (folder) => {
    await disk.makeFolder(`${folder}/one`);
    await disk.makeFolder(`${folder}/two`);
    await disk.link("one", `${folder}/current`);
    await disk.link("two", `${folder}/current`);

    equal(await disk.readLink(`${folder}/current`), "two");
    equal((await disk.stat(`${folder}/current`))?.kind, "link");
    await disk.remove(`${folder}/current`, { recursive: true });
    deepEqual(await names(folder), ["one", "two"]);
    await rejects(() => disk.link("one", `${folder}/two`));
    deepEqual(await names(folder), ["one", "two"]);
  }));

Deno.test("lock() is held by one, and free again when it is given back or its process dies", () =>
  inFolder(async (folder) => {
    const path = `${folder}/.lock`;
    const first = await disk.lock(path);
    ok(first !== undefined);
    equal(await disk.readText(path), `${Deno.pid}\n`);
    equal(await disk.lock(path), undefined);
    first[Symbol.dispose]();

    const holder = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `const f = await Deno.open(${JSON.stringify(path)}, {write: true}); await f.lock(true); console.log("held");
         setTimeout(() => f.close(), 60000);`,
      ],
      stdout: "piped",
    }).spawn();
    const reader = holder.stdout.getReader();
    await reader.read();
    equal(await disk.lock(path), undefined);
    holder.kill("SIGKILL");
    await holder.status;
    await reader.cancel();
    using again = await disk.lock(path);
    ok(again !== undefined);
  }));

Deno.test("watch() tells of a ConfigMap's swap and of a file that comes later", () =>
  inFolder(async (folder) => {
    await disk.makeFolder(`${folder}/mount/..one`);
    await disk.makeFolder(`${folder}/mount/..two`);
    await disk.writeAtomic(`${folder}/mount/..one/settings.yaml`, "a: 1");
    await disk.writeAtomic(`${folder}/mount/..two/settings.yaml`, "a: 2");
    await disk.link("..one", `${folder}/mount/..data`);
    await disk.link("..data/settings.yaml", `${folder}/mount/settings.yaml`);
    const stop = new AbortController();
    let next = Promise.withResolvers<void>();
    disk.watch([`${folder}/mount/settings.yaml`, `${folder}/later`], () => next.resolve(), stop.signal);

    await disk.link("..two", `${folder}/mount/..data`);
    await next.promise;
    next = Promise.withResolvers();
    await disk.makeFolder(`${folder}/later`);
    await next.promise;
    next = Promise.withResolvers();
    await disk.writeAtomic(`${folder}/later/a.yaml`, "a: 1");
    await next.promise;
    stop.abort();
  }));

Deno.test("open() opens regular files only: a pipe would wait for its writer, and everything with it", () =>
  inFolder(async (folder) => {
    const made = await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
    equal(made.success, true);
    await disk.link("pipe", `${folder}/link`);
    await disk.writeAtomic(`${folder}/file`, "a");
    await disk.link("file", `${folder}/good`);

    for (const name of ["pipe", "link", ".", "nothing"]) equal(disk.open(`${folder}/${name}`), undefined, name);
    using file = disk.open(`${folder}/good`);
    equal(file?.sizeBytes, 1);
  }));

Deno.test("waitingFileSystem reads what denoFileSystem reads, and is silent about the same", () =>
  inFolder(async (folder) => {
    await disk.writeAtomic(`${folder}/b`, "text");
    await disk.makeFolder(`${folder}/a`);
    await disk.link("b", `${folder}/c`);

    for (const name of ["", "/a", "/b", "/c", "/missing", "/b/below"]) {
      const path = `${folder}${name}`;
      const readings = [disk, waitingFileSystem].map((one) => [one.read(path), one.readText(path), one.list(path)]);
      const [theirs, ours] = await Promise.all(readings.map((each) => Promise.allSettled<unknown>(each)));
      const told = (results: typeof theirs) =>
        results?.map((one) => one.status === "fulfilled" ? one.value : (one.reason as { readonly code: string }).code);
      deepEqual(told(ours), told(theirs), name);
    }
  }));
