import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { buildBeside } from "../../src/app/build_worker.ts";
import type { Builders } from "../../src/app/builders.ts";
import { silentLog } from "../../src/core/log.ts";
import { StageError } from "../../src/core/stage_error.ts";
import { denoClock } from "../../src/platform/deno_clock.ts";
import { denoFileSystem } from "../../src/platform/deno_file_system.ts";
import type { KustomizationBuild } from "../../src/reconcile/kustomization.ts";
import type { Store } from "../../src/source/store/store.ts";
import { openStore } from "../../src/source/store/open_store.ts";
import { bring, remoteOf } from "../source/store/store_fixture.ts";

interface Place {
  readonly store: Store;
  readonly storeFolder: string;
}

const never = new AbortController().signal;
const builtHere: Builders = {
  kustomization: () => Promise.resolve({ resources: [], hooks: [], warnings: ["built here"], isRepeatable: true }),
  helmRelease: () => Promise.reject(new Error("not asked")),
};

/** Noise that does not compress, so that the layer is large. */
function noise(sizeBytes: number): string {
  const bytes = new Uint8Array(sizeBytes / 2);
  for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes.toHex();
}

async function withStore(
  run: (place: Place, order: (path: string, timeoutMs?: number) => KustomizationBuild) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "pilotfish-worker-" });
  const options = { fileSystem: denoFileSystem, clock: denoClock, log: silentLog, maxSizeBytes: 2 ** 30, history: 3 };
  const store = await openStore(`${folder}/store`, options);
  try {
    const artifact = await bring(
      store,
      remoteOf("1.0.0", [
        { path: "app/map.yaml", content: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\n" },
        { path: "other/noise.json", content: noise(1_200_000) },
      ]),
    );
    ok(artifact.sizeBytes > 256 * 1024);
    const key = { kind: "Kustomization", namespace: "default", name: "app" };
    await run({ store, storeFolder: `${folder}/store` }, (path, timeoutMs = 60_000) => ({
      object: {
        key,
        apiVersion: "kustomize.toolkit.fluxcd.io/v1",
        labels: {},
        annotations: {},
        generation: 1,
        document: {},
        spec: {
          path,
          timeoutMs,
          components: [],
          patches: [],
          images: [],
          dependsOn: [],
          postBuild: undefined,
        } as never,
      },
      artifact,
      variables: {},
    }));
  } finally {
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

function open(module: string, place: Place) {
  return buildBeside(builtHere, { module, ...place, isDirectory: () => true, asksCluster: () => false });
}

const program = new URL("../../main.ts", import.meta.url).href;

Deno.test("buildBeside() builds large artifacts in a worker beside an open store, and small ones here", async () => {
  await withStore(async (place, order) => {
    using builders = open(program, place);
    const built = await builders.kustomization(order("app"), never);
    deepEqual(built.resources.map((resource) => resource.metadata.name), ["big"]);
    const small = order("app");
    const here = await builders.kustomization({ ...small, artifact: { ...small.artifact, sizeBytes: 10 } }, never);
    deepEqual(here.warnings, ["built here"]);
  });
});

Deno.test("buildBeside() carries a worker's error over with reason, message and hint", async () => {
  await withStore(async (place, order) => {
    using builders = open(program, place);
    const failed = await builders.kustomization(order("nowhere"), never).catch((error: unknown) => error);
    ok(failed instanceof StageError);
    ok(failed.message.includes("nowhere"), failed.message);
    ok(failed.hint.length > 0);
    equal((await builders.kustomization(order("app"), never)).resources.length, 1, "the worker goes on");
  });
});

Deno.test("buildBeside() builds here what cannot be sent", async () => {
  await withStore(async (place, order) => {
    using builders = open(program, place);
    const request = order("app");
    const spec = { ...request.object.spec, check: () => true };
    const built = await builders.kustomization({ ...request, object: { ...request.object, spec } }, never);
    deepEqual(built.warnings, ["built here"]);
  });
});

Deno.test("buildBeside() ends a worker that crashes, hangs or is not wanted any more, and names the object", async () => {
  await withStore(async (place, order) => {
    const module = (text: string) => `data:application/javascript,${encodeURIComponent(text)}`;
    using crashing = open(module('throw new Error("broken")'), place);
    using hanging = open(module("onmessage = () => { while (true); }"), place);
    const isBuildFailed = (words: RegExp) => (error: unknown) =>
      error instanceof StageError && error.reason === "BuildFailed" &&
      error.message.startsWith("Cannot build Kustomization/default/app: ") && words.test(error.message);

    await rejects(crashing.kustomization(order("app"), never), isBuildFailed(/broken/));
    await rejects(crashing.kustomization(order("app"), never), isBuildFailed(/broken/), "another one is started");
    await rejects(hanging.kustomization(order("app", 100), never), isBuildFailed(/longer than 0.1 s/));
    const stop = new AbortController();
    const stopped = hanging.kustomization(order("app"), stop.signal);
    stop.abort(new Error("replaced"));
    await rejects(stopped, /replaced/);
  });
});
