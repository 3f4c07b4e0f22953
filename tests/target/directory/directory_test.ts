import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { entryOf, subtract, union } from "../../../src/core/inventory.ts";
import type { Resource } from "../../../src/core/resource.ts";
import { refOf } from "../../../src/core/resource.ts";
import type { TargetOptions } from "../../../src/core/target.ts";
import { DirectoryTarget } from "../../../src/target/directory/directory.ts";
import type { DirectoryLayout } from "../../../src/target/directory/file_names.ts";
import { Ownership } from "../../../src/target/directory/ownership.ts";
import { FaultyDisk, Killed } from "../../support/faulty_file_system.ts";

const owner = { kind: "Kustomization", namespace: "default", name: "apps" };
const signal = new AbortController().signal;

function configMap(name: string, data: Record<string, string> = { a: "1" }): Resource {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "web" }, data };
}

function setUp(layout: DirectoryLayout = "tree") {
  const disk = new FaultyDisk();
  const open = () => new DirectoryTarget("/out", { fileSystem: disk.fileSystem, layout });
  return { disk, target: open(), open };
}

function request(resources: readonly Resource[], options: TargetOptions = {}, inputs = "i") {
  return { owner, resources, previous: { entries: [] }, revision: "v1", inputs, options };
}

/** Paths of files below a folder, those of ours that start with a dot left out. */
async function filesOf(disk: FaultyDisk, folder = "/out"): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await disk.fileSystem.list(folder) ?? []) {
    if (entry.kind === "folder") found.push(...await filesOf(disk, `${folder}/${entry.name}`));
    else if (!entry.name.startsWith(".pilotfish-kustomization")) {
      found.push(`${folder}/${entry.name}`.slice("/out/".length));
    }
  }
  return found.sort();
}

Deno.test("apply() writes a file per resource where a person looks for it", async () => {
  const { disk, target } = setUp();
  const role: Resource = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "system:thing" },
  };
  const custom: Resource = { apiVersion: "acme.io/v1", kind: "Rocket", metadata: { name: "x", namespace: "web" } };

  const result = await target.apply(request([configMap("one"), role, custom]), signal);

  deepEqual(await filesOf(disk), [
    "_cluster/clusterrole-system%3Athing.yaml",
    "web/configmap-one.yaml",
    "web/rocket.acme.io_x.yaml",
  ]);
  equal(
    await disk.fileSystem.readText("/out/web/configmap-one.yaml"),
    'apiVersion: v1\ndata:\n  a: "1"\nkind: ConfigMap\nmetadata:\n  name: one\n  namespace: web\n',
  );
  equal(result.inventory.entries.length, 3);
});

Deno.test("one changed resource touches one file, and nothing changed touches none", async () => {
  const { disk, target } = setUp();
  await target.apply(request([configMap("one"), configMap("two")]), signal);
  const before = await disk.fileSystem.stat("/out/web/configmap-one.yaml");

  const changed = await target.apply(request([configMap("one"), configMap("two", { a: "2" })], {}, "j"), signal);
  disk.arm();
  const same = await target.apply(request([configMap("one"), configMap("two", { a: "2" })], {}, "j"), signal);

  deepEqual(changed.changes.map((change) => change.action), ["unchanged", "configured"]);
  deepEqual(same.changes.map((change) => change.action), ["unchanged", "unchanged"]);
  equal(disk.steps, 0);
  equal((await disk.fileSystem.stat("/out/web/configmap-one.yaml"))?.modifiedAt, before?.modifiedAt);
});

Deno.test("remove() deletes what is ours, with the namespace's folder, and leaves what is foreign", async () => {
  const { disk, target } = setUp();
  await target.apply(request([configMap("one"), configMap("two")]), signal);
  await disk.fileSystem.writeAtomic("/out/web/notes.txt", "mine");
  const entries = (await target.remembered(owner))?.entries ?? [];

  const result = await target.remove(owner, entries, {}, signal);

  equal(result.removed.length, 2);
  deepEqual(await filesOf(disk), ["web/notes.txt"]);
  equal(await target.remembered(owner), undefined);
});

Deno.test("a file that somebody else wrote is never replaced, unless it already is what we want", async () => {
  const { disk, target } = setUp();
  await disk.fileSystem.makeFolder("/out/web");
  await disk.fileSystem.writeAtomic("/out/web/configmap-one.yaml", "mine\n");

  await rejects(target.apply(request([configMap("one")]), signal), /was not written by Pilotfish/);

  equal(await disk.fileSystem.readText("/out/web/configmap-one.yaml"), "mine\n");
  deepEqual(await filesOf(disk), ["web/configmap-one.yaml"]);
});

Deno.test("a disk that refuses is told with the folder, and is no fault of ours", async () => {
  for (const kind of ["ENOSPC", "EROFS", "EIO"] as const) {
    const disk = new FaultyDisk();
    disk.arm({ at: 1, kind, stays: true });
    const target = new DirectoryTarget("/out", { fileSystem: disk.fileSystem, layout: "tree" });
    await rejects(
      target.apply(request([configMap("a", { x: "1" })]), new AbortController().signal),
      (error: Error & { reason: string; hint: string }) =>
        error.reason === "ReconciliationFailed" && /^Cannot write to directory \/out: /.test(error.message) &&
        /path of the target/.test(error.hint),
    );
  }
});

Deno.test("two owners of one file: the second is told who the first is", async () => {
  const { target } = setUp();
  await target.apply(request([configMap("one")]), signal);

  const second = { ...request([configMap("one")]), owner: { ...owner, name: "other" } };

  await rejects(target.apply(second, signal), /Kustomization\/default\/apps/);
});

Deno.test("two owners that take one file at the same moment: one of them has it", async () => {
  const { disk, target } = setUp();
  const others = { ...request([configMap("one", { a: "2" })]), owner: { ...owner, name: "other" } };
  const ended = await Promise.allSettled([
    target.apply(request([configMap("one")]), signal),
    target.apply(others, signal),
  ]);
  deepEqual(ended.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  match(await disk.fileSystem.readText("/out/web/configmap-one.yaml") ?? "", /a: "1"/);
});

Deno.test("stands() sees an edit, a deletion and other inputs", async () => {
  const { disk, target } = setUp();
  await target.apply(request([configMap("one")]), signal);
  const untouched = await target.stands(owner, "i");
  const otherInputs = await target.stands(owner, "j");
  await disk.fileSystem.writeAtomic("/out/web/configmap-one.yaml", "edited");
  const edited = await target.stands(owner, "i");
  await target.apply(request([configMap("one")]), signal);
  const mended = await target.stands(owner, "i");
  await disk.fileSystem.remove("/out/web/configmap-one.yaml");

  deepEqual([untouched, otherInputs, edited, mended, await target.stands(owner, "i")], [
    true,
    false,
    false,
    true,
    false,
  ]);
});

Deno.test("plan() shows what would change and masks what is secret", async () => {
  const { target } = setUp();
  const secret = (value: string): Resource => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s", namespace: "web" },
    data: { key: value, same: "c2FtZQ==" },
  });
  await target.apply(request([configMap("one"), configMap("old"), secret("b2xk")]), signal);

  const plan = await target.plan(request([configMap("one"), configMap("new"), secret("bmV3")]));

  deepEqual(plan.map((change) => `${change.action} ${change.ref.name}`), [
    "create new",
    "unchanged one",
    "update s",
    "delete old",
  ]);
  const text = JSON.stringify(plan);
  ok(!text.includes("b2xk") && !text.includes("bmV3"));
  match(plan[2]?.after ?? "", /key: '\*\*\* \(after\)'\n {2}same: '\*\*\*'/);
});

Deno.test("the folder remembers its owners after our own state is lost", async () => {
  const { target, open, disk } = setUp();
  await target.apply(request([configMap("one"), configMap("two")]), signal);

  const reopened = open();
  const applied = await reopened.apply(request([configMap("two")]), signal);
  const stale = subtract(await reopened.remembered(owner) ?? { entries: [] }, applied.inventory);
  await reopened.remove(owner, stale, {}, signal);

  deepEqual(await filesOf(disk), ["web/configmap-two.yaml"]);
});

Deno.test("layouts: static-pods takes Pods only, k3s is flat", async () => {
  const pod: Resource = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "kube-system" } };
  const pods = setUp("static-pods");
  const k3s = setUp("k3s");

  await pods.target.apply(request([pod]), signal);
  await k3s.target.apply(request([pod, configMap("one")]), signal);

  deepEqual(await filesOf(pods.disk), ["kube-system_p.yaml"]);
  const [first = "", second = ""] = await filesOf(k3s.disk);
  match(first, /^kube-system-pod-p-[0-9a-f]{8}\.yaml$/);
  match(second, /^web-configmap-one-[0-9a-f]{8}\.yaml$/);
  await rejects(pods.target.apply(request([configMap("one")]), signal), /takes only Pods/);
});

Deno.test("fields that only a cluster can act on are refused by name", async () => {
  const { target } = setUp();

  await rejects(
    target.apply(request([configMap("one")], { serviceAccountName: "x" }), signal),
    /spec\.serviceAccountName/,
  );
  await rejects(target.apply(request([configMap("one")], { kubeconfig: "x" }), signal), /spec\.kubeConfig/);
});

Deno.test("killed at any step, the next apply and prune give the same end state", async () => {
  const before = [configMap("one"), configMap("two")];
  const after = [configMap("two", { a: "2" }), configMap("three")];
  const pass = async (target: DirectoryTarget) => {
    const applied = await target.apply(request(after, {}, "j"), signal);
    const known = union(await target.remembered(owner) ?? { entries: [] }, applied.inventory);
    await target.remove(owner, subtract(known, applied.inventory), {}, signal);
  };
  const expected = ["notes.txt", "web/configmap-three.yaml", "web/configmap-two.yaml"];
  let swept = 0;
  for (let at = 1;; at++) {
    for (const mode of ["kept", "lost"] as const) {
      const { disk, target, open } = setUp();
      await disk.fileSystem.makeFolder("/out");
      await disk.fileSystem.writeAtomic("/out/notes.txt", "mine");
      await target.apply(request(before), signal);
      disk.arm({ at, kind: "crash" });
      const died = await pass(target).then(() => false, (error) => {
        ok(disk.isDead, `not killed: ${error} ${error instanceof Killed}`);
        return true;
      });
      disk.reboot(mode);
      await pass(open());
      const files = await filesOf(disk);
      deepEqual(files, expected, `killed at step ${at}, ${mode}`);
      equal(await disk.fileSystem.readText("/out/notes.txt"), "mine");
      if (!died && mode === "lost") {
        ok(swept >= 20, `only ${swept} steps were swept`);
        return;
      }
    }
    swept++;
  }
});

Deno.test("entryOf() of what is written is what remove() takes", async () => {
  const { target } = setUp();
  await target.apply(request([configMap("one")]), signal);

  const result = await target.remove(owner, [entryOf(refOf(configMap("one")))], {}, signal);

  deepEqual(result.removed.map((change) => change.location), ["web/configmap-one.yaml"]);
});

Deno.test("wait() says which file is gone", async () => {
  const { target, disk } = setUp();
  await target.apply(request([configMap("one")]), signal);
  const wait = { owner, refs: [refOf(configMap("one"))], timeoutMs: 1000 };
  equal((await target.wait(wait))[0]?.status, "Current");
  await disk.fileSystem.remove("/out/web/configmap-one.yaml");

  await rejects(target.wait(wait), /"web\/configmap-one.yaml" of "ConfigMap\/web\/one": it is gone/);
});

Deno.test("a record that names files outside of the folder is not believed", async () => {
  const disk = setUp();
  const path = "/out/.pilotfish-kustomization_default_apps.json";
  await disk.target.apply(request([configMap("one")]), signal);
  const text = await disk.disk.fileSystem.readText(path) ?? "";
  await disk.disk.fileSystem.writeAtomic(path, text.replace("web/configmap-one.yaml", "../etc/passwd"));

  equal(await disk.open().remembered(owner), undefined);
});

Deno.test("a deletion that a power cut could take back is for good before its owner is forgotten", async () => {
  const { disk, target, open } = setUp();
  await target.apply(request([configMap("one"), configMap("two")]), signal);
  await target.apply(request([configMap("two")]), signal);
  await target.remove(owner, [entryOf(refOf(configMap("one")))], {}, signal);
  disk.reboot("lost");

  const remembered = await open().remembered(owner);

  deepEqual(await filesOf(disk), ["web/configmap-two.yaml"]);
  equal(remembered?.entries.length, 1);
});

Deno.test("what says that it is kept stays, and is nobody's any more", async () => {
  const { disk, target } = setUp();
  const kept = (name: string, policy: string): Resource => ({
    ...configMap(name),
    metadata: { name, namespace: "web", annotations: { "helm.sh/resource-policy": policy } },
  });
  const { inventory } = await target.apply(request([kept("a", "keep"), kept("b", "delete"), configMap("c")]), signal);
  const result = await target.remove(owner, inventory.entries, {}, signal);

  deepEqual(await filesOf(disk), ["web/configmap-a.yaml"]);
  deepEqual(result.released.map((one) => one.entry.id), ["web_a__ConfigMap"]);
  equal(result.removed.length, 2);
  equal(await target.remembered(owner), undefined);
});

Deno.test("read() shows what its owner wrote, as it stands, and nothing else", async () => {
  const { disk, target } = setUp();
  await target.apply(request([configMap("one")]), signal);
  const ref = refOf(configMap("one"));
  const read = (patch: Partial<typeof ref> = {}, whose = owner) =>
    target.read(whose, { ...ref, ...patch }, { defaultNamespace: "web" });

  deepEqual(await read(), configMap("one"));
  deepEqual(await read({ namespace: "" }), configMap("one"), "without a namespace, in the default one");
  equal(await read({ name: "two" }), undefined);
  equal(await read({ namespace: "other" }), undefined);
  equal(await read({}, { ...owner, name: "other" }), undefined);
  await disk.fileSystem.writeAtomic("/out/web/configmap-one.yaml", "a: [");
  equal(await read(), undefined, "a file that somebody broke");
});

Deno.test("another layout of the folder moves the files, and nothing of the old one stays", async () => {
  const { disk, target } = setUp("tree");
  const pod: Resource = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "kube-system" } };
  await target.apply(request([pod]), signal);
  await disk.fileSystem.writeAtomic("/out/kube-system/notes.txt", "mine");
  const flat = new DirectoryTarget("/out", { fileSystem: disk.fileSystem, layout: "static-pods" });

  equal(await target.stands(owner, "i"), true);
  equal(await flat.stands(owner, "i"), false);
  deepEqual((await flat.plan(request([pod]))).map(({ action, note }) => `${action} ${note}`), [
    "create kube-system_p.yaml",
    "delete kube-system/pod-p.yaml",
  ]);
  await flat.apply(request([pod]), signal);

  deepEqual(await filesOf(disk), ["kube-system/notes.txt", "kube-system_p.yaml"]);
  equal(await flat.stands(owner, "i"), true);
  equal((await flat.remembered(owner))?.entries.length, 1);
});

Deno.test("killed at any step of a move to another layout, the next apply ends it", async () => {
  const pod: Resource = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "kube-system" } };
  for (let at = 1;; at++) {
    for (const mode of ["kept", "lost"] as const) {
      const { disk, target } = setUp("tree");
      await target.apply(request([pod]), signal);
      const flat = () => new DirectoryTarget("/out", { fileSystem: disk.fileSystem, layout: "static-pods" });
      disk.arm({ at, kind: "crash" });
      const died = await flat().apply(request([pod]), signal).then(() => false, () => true);
      disk.reboot(mode);
      await flat().apply(request([pod]), signal);
      deepEqual(await filesOf(disk), ["kube-system_p.yaml"], `killed at step ${at}, ${mode}`);
      if (!died && mode === "lost") return ok(at > 8, `only ${at} steps were swept`);
    }
  }
});

Deno.test("a folder that cannot be read goes on as soon as it can", async () => {
  const disk = new FaultyDisk();
  let isClosed = true;
  const list: typeof disk.fileSystem.list = async (path) => {
    if (isClosed) throw Object.assign(new Error(`Permission denied: '${path}'`), { code: "EACCES" });
    return await disk.fileSystem.list(path);
  };
  const target = new DirectoryTarget("/out", { fileSystem: { ...disk.fileSystem, list }, layout: "tree" });

  await rejects(target.apply(request([configMap("one")]), signal), /Permission denied/);
  isClosed = false;
  await target.apply(request([configMap("one")]), signal);

  deepEqual(await filesOf(disk), ["web/configmap-one.yaml"]);
});

Deno.test("a foreign folder that nobody may read (lost+found) is left alone", async () => {
  const disk = new FaultyDisk();
  await disk.fileSystem.makeFolder("/out/lost+found");
  const list: typeof disk.fileSystem.list = async (path) => {
    if (path.includes("lost+found")) throw Object.assign(new Error("Permission denied"), { code: "EACCES" });
    return await disk.fileSystem.list(path);
  };
  const target = new DirectoryTarget("/out", { fileSystem: { ...disk.fileSystem, list }, layout: "tree" });

  await target.apply(request([configMap("one")]), signal);

  equal((await disk.fileSystem.readText("/out/web/configmap-one.yaml"))?.includes("ConfigMap"), true);
});

Deno.test("whoever only looks changes nothing: what another process is writing stays", async () => {
  const { disk, target } = setUp();
  await target.apply(request([configMap("one")]), signal);
  await using half = await disk.fileSystem.create("/out/web/other.yaml");
  half.write(new Uint8Array([97]));
  disk.arm();
  const looker = new DirectoryTarget("/out", { fileSystem: disk.fileSystem, layout: "tree" });
  await looker.plan(request([configMap("one")]));
  await looker.stands(owner, "i");
  await looker.read(owner, refOf(configMap("one")), {});
  equal(disk.steps, 0);
  await half.commit();

  // What a crash left is removed by the first who writes.
  await using _left = await disk.fileSystem.create("/out/web/left.yaml");
  await looker.apply(request([configMap("two")]), signal);
  ok(!(await filesOf(disk)).some((path) => path.includes("tmp")), String(await filesOf(disk)));
});

Deno.test("two targets of one folder know of each other's files", async () => {
  const disk = new FaultyDisk();
  const ownership = new Ownership("/out", disk.fileSystem);
  const open = (layout: DirectoryLayout) =>
    new DirectoryTarget("/out", { fileSystem: disk.fileSystem, layout, ownership });
  const [tree, flat] = [open("tree"), open("k3s")];
  equal(await flat.remembered(owner), undefined);
  await tree.apply(request([configMap("one")]), signal);

  await flat.apply(request([configMap("one")]), signal);
  await tree.apply({ ...request([configMap("one")]), owner: { ...owner, name: "other" } }, signal);

  equal((await filesOf(disk)).length, 2);
  await rejects(tree.apply(request([configMap("one")]), signal), /is written by "Kustomization\/default\/other"/);
});

Deno.test("a record that the disk refused is written ahead once more, and its claims are let go", async () => {
  const { disk, target } = setUp();
  disk.arm({ at: 2, kind: "ENOSPC" });
  await rejects(target.apply(request([configMap("one")]), signal), /No space left/);
  const record = "/out/.pilotfish-kustomization_default_apps.json";
  equal(await disk.fileSystem.stat(record), undefined);

  await target.apply({ ...request([configMap("one")]), owner: { ...owner, name: "other" } }, signal);
  await target.remove({ ...owner, name: "other" }, [entryOf(refOf(configMap("one")))], {}, signal);
  // Steps: the record (create, write, sync, rename, folder), then the first file.
  disk.arm({ at: 8, kind: "crash" });
  await rejects(target.apply(request([configMap("one")]), signal));
  disk.reboot("kept");

  ok(await disk.fileSystem.stat(record) !== undefined);
});
