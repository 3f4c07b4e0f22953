import { deepEqual, equal, rejects } from "node:assert/strict";
import type { Artifact } from "../../src/core/artifact.ts";
import type { DesiredObject } from "../../src/core/object.ts";
import type { CheckoutSpec } from "../../src/core/specs.ts";
import { StageError } from "../../src/core/stage_error.ts";
import { checkoutPipeline } from "../../src/reconcile/checkout.ts";
import type { RunResult } from "../../src/reconcile/pipeline.ts";
import { newRecord, type ObjectRecord } from "../../src/reconcile/record.ts";

const source = { kind: "OCIRepository", namespace: "default", name: "src" } as const;

function specOf(patch: Partial<CheckoutSpec> = {}): CheckoutSpec {
  return {
    sourceRef: source,
    path: "/srv/site",
    subPath: "",
    mode: { files: 0o644, folders: 0o755 },
    afterChange: { kind: "command", command: ["reload"] },
    intervalMs: 60_000,
    timeoutMs: 60_000,
    dependsOn: [],
    suspend: false,
    ...patch,
  };
}

function artifactOf(revision: string, kind: "tree" | "blob" = "tree"): Artifact {
  const digest = `sha256:${revision}`;
  return {
    revision,
    content: kind === "tree" ? { kind, digest, fileCount: 1 } : { kind, descriptor: { digest }, fileName: "f" },
    metadata: {},
  } as never;
}

/** A disk of one path, and a workload that may refuse to listen. */
function bench() {
  const calls: string[] = [];
  const world = { shown: "", isDeaf: false, spec: specOf(), artifact: artifactOf("v1") };
  const pipeline = checkoutPipeline({
    isCheckedOut: (_spec, _artifact, version) => Promise.resolve(world.shown === version),
    checkOut: ({ version, isOurs, spec }) => {
      calls.push(`check out ${spec.path}${isOurs ? " (ours)" : ""}`);
      const changed = world.shown !== version;
      world.shown = version;
      return Promise.resolve({ changed, fileCount: 1 });
    },
    afterChange: () => {
      calls.push("tell");
      return world.isDeaf ? Promise.reject(new StageError("ReconciliationFailed", "deaf")) : Promise.resolve();
    },
    remove: (path, kind) => Promise.resolve(void calls.push(`remove ${kind} ${path}`)),
  });
  const objectOf = (): DesiredObject<CheckoutSpec> => ({
    key: { kind: "Checkout", namespace: "default", name: "site" },
    apiVersion: "pilotfish.dev/v1alpha1",
    labels: {},
    annotations: {},
    spec: world.spec,
    generation: 1,
    document: {},
  });
  let record: ObjectRecord = newRecord(objectOf());
  const run = async (): Promise<RunResult> => {
    const result = await pipeline.run({
      object: objectOf(),
      get record() {
        return record;
      },
      trigger: "interval",
      signal: new AbortController().signal,
      find: () => ({ object: objectOf(), record: { ...record, artifact: world.artifact } }),
      checkpoint: (patch) => Promise.resolve(void (record = { ...record, ...patch })),
      progress: () => {},
      offWorker: (work) => work(),
    });
    record = { ...record, ...result.record };
    return result;
  };
  const remove = () =>
    pipeline.remove(record, { signal: new AbortController().signal, checkpoint: () => Promise.resolve() });
  const told = () => calls.splice(0);
  return { world, run, remove, told };
}

Deno.test("a first checkout writes files, tells the workload, and then rests", async () => {
  const { run, told } = bench();

  const first = await run();
  deepEqual(told(), ["check out /srv/site", "tell"]);
  equal(first.events.length, 1);
  deepEqual((await run()).events, []);
  deepEqual(told(), []);
});

Deno.test("a workload that does not listen is told again, and the files are left alone", async () => {
  const { world, run, told } = bench();
  world.isDeaf = true;

  await rejects(run(), /deaf/);
  await rejects(run(), /deaf/);
  world.isDeaf = false;
  await run();
  await run();

  deepEqual(told(), ["check out /srv/site", "tell", "check out /srv/site", "tell", "check out /srv/site", "tell"]);
});

Deno.test("files that somebody removed come back, and the workload is told until it listens", async () => {
  const { world, run, told } = bench();
  await run();
  told();
  world.shown = "";
  world.isDeaf = true;

  await rejects(run(), /deaf/);
  world.isDeaf = false;
  await run();
  await run();

  deepEqual(told(), ["check out /srv/site (ours)", "tell", "check out /srv/site (ours)", "tell"]);
});

Deno.test("a file is taken for ours only after a run that ended well at that path", async () => {
  const { world, run, told } = bench();
  world.spec = specOf({ path: "/etc/app.conf" });
  world.artifact = artifactOf("v1", "blob");
  world.isDeaf = true;

  await rejects(run());
  world.artifact = artifactOf("v2", "blob");
  world.isDeaf = false;
  await run();
  world.artifact = artifactOf("v3", "blob");
  await run();
  world.spec = specOf({ path: "/etc/other.conf" });
  await run();

  deepEqual(told().filter((line) => line !== "tell"), [
    "check out /etc/app.conf",
    "check out /etc/app.conf",
    "check out /etc/app.conf (ours)",
    "remove blob /etc/app.conf",
    "check out /etc/other.conf",
  ]);
});

Deno.test("removal takes a link away always, and a file only when it is known to be ours", async () => {
  const link = bench();
  link.world.isDeaf = true;
  await rejects(link.run());
  link.told();
  await link.remove();
  deepEqual(link.told(), ["remove tree /srv/site"]);

  const file = bench();
  file.world.artifact = artifactOf("v1", "blob");
  file.world.isDeaf = true;
  await rejects(file.run());
  file.told();
  await file.remove();
  deepEqual(file.told(), []);
  file.world.isDeaf = false;
  await file.run();
  file.told();
  await file.remove();
  deepEqual(file.told(), ["remove blob /srv/site"]);
});
