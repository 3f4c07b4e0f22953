import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { buildBeside } from "../../src/app/build_beside.ts";
import { type Builders, openBuilders } from "../../src/app/builders.ts";
import { hostDoors } from "../../src/app/doors.ts";
import type { Outside } from "../../src/app/outside.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { type LogFields, silentLog } from "../../src/core/log.ts";
import { StageError } from "../../src/core/stage_error.ts";
import { denoClock } from "../../src/platform/deno_clock.ts";
import { denoRandom } from "../../src/platform/deno_random.ts";
import { denoFileSystem } from "../../src/platform/deno_file_system.ts";
import { RenderLimitError } from "../../src/build/helm/template/run.ts";
import type { HostRequest, LookupRequest } from "../../src/build/helm/render_tools.ts";
import type { ReleaseBuild } from "../../src/reconcile/release_order.ts";
import type { KustomizationBuild } from "../../src/reconcile/kustomization.ts";
import type { Store } from "../../src/source/store/store.ts";
import { openStore } from "../../src/source/store/open_store.ts";
import { specOf } from "../support/release_bench.ts";
import { bring, remoteOf } from "../source/store/store_fixture.ts";

interface Place {
  readonly store: Store;
  readonly storeFolder: string;
  readonly allowHttp?: boolean;
  readonly limitBytes?: number;
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
        // Nobody listens there.
        { path: "web/kustomization.yaml", content: 'resources: ["http://127.0.0.1:1/map.yaml"]\n' },
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
  return buildBeside(builtHere, {
    module,
    ...place,
    isDirectory: () => true,
    factsOf: () => undefined,
    doors: { clock: denoClock, random: denoRandom },
    log: silentLog,
  });
}

const program = new URL("../../main.ts", import.meta.url).href;

Deno.test("buildBeside() builds large artifacts in a process beside an open store, and small ones here", async () => {
  await withStore(async (place, order) => {
    await using builders = open(program, place);
    const built = await builders.kustomization(order("app"), never);
    deepEqual(built.resources.map((resource) => resource.metadata.name), ["big"]);
    const small = order("app");
    const here = await builders.kustomization({ ...small, artifact: { ...small.artifact, sizeBytes: 10 } }, never);
    deepEqual(here.warnings, ["built here"]);
  });
});

Deno.test("buildBeside() carries a process's error over with reason, message and hint", async () => {
  await withStore(async (place, order) => {
    await using builders = open(program, place);
    const failed = await builders.kustomization(order("nowhere"), never).catch((error: unknown) => error);
    ok(failed instanceof StageError);
    ok(failed.message.includes("nowhere"), failed.message);
    ok(failed.hint.length > 0);
    equal((await builders.kustomization(order("app"), never)).resources.length, 1, "the process goes on");
  });
});

Deno.test("buildBeside() reads http(s) addresses in the process where that is allowed", async () => {
  await withStore(async (place, order) => {
    await using refusing = open(program, place);
    await rejects(refusing.kustomization(order("web"), never), /Refusing to read "http:\/\/127\.0\.0\.1:1\/map\.yaml"/);
    await using reading = open(program, { ...place, allowHttp: true });
    const failed = await reading.kustomization(order("web"), never).catch((error: unknown) => error);
    ok(failed instanceof StageError);
    equal(failed.reason, "BuildFailed");
    ok(!failed.message.includes("Refusing"), failed.message);
    ok(failed.hint.includes("A copy in the tree needs no network"), failed.hint);
  });
});

Deno.test("buildBeside() builds here what cannot be sent", async () => {
  await withStore(async (place, order) => {
    await using builders = open(program, place);
    const request = order("app");
    const spec = { ...request.object.spec, check: () => true };
    const built = await builders.kustomization({ ...request, object: { ...request.object, spec } }, never);
    deepEqual(built.warnings, ["built here"]);
  });
});

const server = import.meta.resolve("../../src/platform/build_server.ts");

/** A program that answers each order so. */
function answering(body: string): string {
  return dataModule(`import { serveCalls } from "${server}";\nserveCalls(async (order) => { ${body} });`);
}

function dataModule(text: string): string {
  return `data:application/javascript,${encodeURIComponent(text)}`;
}

Deno.test("buildBeside() ends a process that crashes, hangs or is not wanted any more, and names the object", async () => {
  await withStore(async (place, order) => {
    await using crashing = open(answering("Deno.exit(3);"), place);
    await using hanging = open(answering("for (;;);"), place);
    const isBuildFailed = (words: RegExp) => (error: unknown) =>
      error instanceof StageError && error.reason === "BuildFailed" &&
      error.message.startsWith("Cannot build Kustomization/default/app: ") && words.test(error.message);

    await rejects(crashing.kustomization(order("app"), never), isBuildFailed(/its process ended \(exit code 3\)$/));
    await rejects(crashing.kustomization(order("app"), never), isBuildFailed(/exit code 3/), "another one is started");
    await rejects(hanging.kustomization(order("app", 500), never), isBuildFailed(/longer than 0.5 s/));
    const stop = new AbortController();
    const stopped = hanging.kustomization(order("app"), stop.signal);
    const waiting = hanging.kustomization(order("app"), stop.signal);
    stop.abort(new Error("replaced"));
    await rejects(stopped, /replaced/);
    await rejects(waiting, /replaced/);
  });
});

Deno.test("buildBeside() ends a process that fills the memory, says so, and starts another one", async () => {
  const filling = {
    heap: "const all = []; for (;;) all.push(new Array(1e5).fill(0));",
    "beside the heap": "const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1));",
  };
  await withStore(async (place, order) => {
    for (const [what, body] of Object.entries(filling)) {
      await using builders = open(answering(body), { ...place, limitBytes: 160 * 2 ** 20 });
      for (const attempt of ["first", "second"]) {
        const failed = await builders.kustomization(order("app"), never).catch((error: unknown) => error);
        ok(failed instanceof StageError, `${what}, ${attempt}`);
        equal(failed.reason, "BuildFailed");
        equal(failed.message, "Cannot build Kustomization/default/app: it took more than 160 MiB of memory");
        ok(failed.hint.includes("grows without end"), failed.hint);
      }
    }
  });
});

Deno.test("buildBeside() builds here within limits where no process starts, and says so once", async () => {
  await withChart("kind: A\n", async (place, request) => {
    const told: LogFields[] = [];
    const asked: unknown[] = [];
    await using builders = buildBeside({
      ...builtHere,
      helmRelease: (_request, _signal, limits) => {
        asked.push(limits?.timeMs);
        return Promise.resolve({ resources: [], hooks: [], warnings: [], isRepeatable: true, chart: {} } as never);
      },
    }, {
      module: dataModule('throw new Error("seccomp")'),
      ...place,
      isDirectory: () => true,
      factsOf: () => undefined,
      doors: { clock: denoClock, random: denoRandom },
      log: { ...silentLog, warn: (_message, fields = {}) => told.push(fields) },
    });
    await builders.helmRelease(request, never);
    await builders.helmRelease(request, never);
    deepEqual(asked, [10_000, 10_000]);
    equal(told.length, 1);
    match(String(told[0]?.error), /ended \(exit code 1\) before it was ready: .*seccomp/s);
  });
});

/** What a hostile template asks for, and how its render ends in the other process. */
const hostile: Readonly<Record<string, readonly [template: string, message: RegExp]>> = {
  "steps": ["{{ range 1000000000 }}{{ end }}", /takes more than 50000000 steps/],
  "a list": ["{{ until 1000000000 }}", /takes more than 50000000 steps/],
  "a text": ['{{ repeat 1000000000 "x" }}', /Cannot call "repeat".* the limit is 16777216/],
  "a width": ['{{ range 1000000 }}{{ $x := printf "%999999d" 1 }}{{ end }}', /make more than 268435456 characters/],
  "a value that holds itself often": [
    "{{ $d := dict }}{{ range 40 }}{{ $d = dict `l` $d `r` $d }}{{ end }}{{ toYaml $d }}",
    /make more than 268435456 characters/,
  ],
  "a pattern": ['{{ regexMatch (repeat 1000000 "a?") "aaaa" }}', /takes more than 50000000 steps/],
};

Deno.test("buildBeside() ends each hostile render with the limit and its place, and renders on", async (t) => {
  for (const [what, [template, message]] of Object.entries(hostile)) {
    await t.step(what, () =>
      withChart(`${template}\n`, async (place, request) => {
        const options = { ...place, isDirectory: () => true, factsOf: () => undefined };
        const here = openBuilders({ ...options, doors: hostDoors });
        await using builders = buildBeside(here, { ...options, module: program, doors: hostDoors, log: silentLog });
        for (const sizeBytes of [10, request.artifact.sizeBytes]) {
          const failed = await builders.helmRelease({ ...request, artifact: { ...request.artifact, sizeBytes } }, never)
            .catch((error: unknown) => error);
          ok(failed instanceof StageError);
          equal(failed.reason, "BuildFailed");
          match(failed.message, message);
          match(failed.message, /"web\/templates\/all\.yaml" at line 1/);
        }
      }));
  }
});

/** A release of a large chart whose templates ask for one object after the other, as `next` says. */
async function withChart(
  template: string,
  run: (place: Place, request: ReleaseBuild) => Promise<void>,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  await withStore(async (place) => {
    const artifact = await bring(
      place.store,
      remoteOf("2.0.0", [
        { path: "web/Chart.yaml", content: "apiVersion: v2\nname: web\nversion: 2.0.0\n" },
        { path: "web/templates/all.yaml", content: template },
        { path: "web/files/noise.txt", content: noise(400_000) },
        ...Object.entries(files).map(([path, content]) => ({ path: `web/${path}`, content })),
      ]),
    );
    ok(artifact.sizeBytes > 100 * 1024);
    await run(place, {
      object: {
        key: { kind: "HelmRelease", namespace: "default", name: "web" },
        apiVersion: "helm.toolkit.fluxcd.io/v2",
        labels: {},
        annotations: {},
        generation: 1,
        document: {},
        spec: specOf(),
      },
      artifact,
      valuesFrom: [],
      action: "upgrade",
      revision: 4,
    });
  });
}

const asking = `
{{- $first := lookup "v1" "ConfigMap" "shop" "first" }}
{{- $second := lookup "v1" "Secret" "shop" (dig "data" "next" "none" $first) }}
{{- $list := lookup "v1" "Pod" "shop" "" }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
data:
  password: {{ dig "data" "password" "new" $second | quote }}
  pods: {{ len (dig "items" list $list) | quote }}
  revision: {{ .Release.Revision | quote }}
  kube: {{ .Capabilities.KubeVersion.Version }}
  chance: {{ randAlphaNum 12 }}
`;

Deno.test("buildBeside() renders a release off the main thread and answers its look-ups from here, one round each", async () => {
  await withChart(asking, async (place, request) => {
    const asked: string[] = [];
    const objects: Record<string, JsonObject> = {
      "ConfigMap/first": { data: { next: "second" } },
      "Secret/second": { data: { password: "kept" } },
      "Pod/": { items: [{}, {}] },
    };
    await using builders = buildBeside(builtHere, {
      module: program,
      ...place,
      isDirectory: () => false,
      factsOf: () =>
        Promise.resolve({
          capabilities: () => Promise.resolve({ kubeVersion: "v1.31.7", apiVersions: ["v1"] }),
          lookup: ({ resourceKind, name }: LookupRequest) => {
            asked.push(`${resourceKind}/${name}`);
            return Promise.resolve(objects[`${resourceKind}/${name}`] ?? {});
          },
        }),
      doors: { clock: denoClock, random: denoRandom },
      log: silentLog,
    });
    const built = await builders.helmRelease(request, never);
    const data = built.resources[0]?.data as Record<string, string>;
    deepEqual([data.password, data.pods, data.revision, data.kube], ["kept", "2", "4", "v1.31.7"]);
    deepEqual(asked, ["ConfigMap/first", "Secret/second", "Pod/"]);
    equal(built.isRepeatable, false);
    equal(data.chance?.length, 12);
  });
});

Deno.test("buildBeside() asks the network from here, where that is allowed", async () => {
  const template = 'apiVersion: v1\nkind: A\nmetadata: {name: a}\nhost: "{{ getHostByName `db.example` }}"\n';
  const schema = JSON.stringify({ $ref: "https://schemas.example/values.json" });
  await withChart(template, async (place, request) => {
    const asked: unknown[] = [];
    const reaching = (outside: Outside) =>
      buildBeside(builtHere, {
        module: program,
        ...place,
        isDirectory: () => false,
        factsOf: () => undefined,
        outside,
        doors: { clock: denoClock, random: denoRandom },
        log: silentLog,
      });
    const resolveHost = ({ host }: HostRequest) => Promise.resolve(void asked.push(host)).then(() => "192.0.2.7");
    await using closed = reaching({ resolveHost });
    await rejects(closed.helmRelease(request, never), /remote schemas are not fetched/);
    await using open = reaching({
      resolveHost,
      readSchema: ({ url }) => Promise.resolve(void asked.push(url)).then(() => "{}"),
    });
    const built = await open.helmRelease(request, never);
    deepEqual(built.resources.map((resource) => resource.host), ["192.0.2.7"]);
    equal(built.isRepeatable, false);
    await using away = reaching({ readSchema: () => Promise.reject(new Error("the host is away")) });
    await rejects(away.helmRelease(request, never), /failing loading "https:.*: the host is away/);
    await using unnamed = reaching({ readSchema: () => Promise.resolve("{}") });
    deepEqual((await unnamed.helmRelease(request, never)).resources.map((resource) => resource.host), [""]);
    deepEqual(asked, ["https://schemas.example/values.json", "db.example"]);
  }, { "values.schema.json": schema });
});

Deno.test("buildBeside() sends a small chart away when it turns out to be much work", async () => {
  await withChart(
    "apiVersion: v1\nkind: A\nmetadata: {name: a}\na: {{ len (until 300000) }}\n",
    async (place, request) => {
      const small = { ...request, artifact: { ...request.artifact, sizeBytes: 10 } };
      const asked: unknown[] = [];
      await using builders = buildBeside({
        ...builtHere,
        helmRelease: (_request, _signal, limits) => {
          asked.push(limits?.steps);
          return Promise.reject(new RenderLimitError("too much for here"));
        },
      }, {
        module: program,
        ...place,
        isDirectory: () => true,
        factsOf: () => undefined,
        doors: { clock: denoClock, random: denoRandom },
        log: silentLog,
      });
      const built = await builders.helmRelease(small, never);
      deepEqual(built.resources.map((resource) => resource.a), [300_000]);
      deepEqual(asked, [2_000_000]);
    },
  );
});

Deno.test("buildBeside() tells what a look-up failed with, and gives a render up that never stops asking", async () => {
  const endless = `
{{- range $i := until 1000 }}{{ $_ := lookup "v1" "ConfigMap" "shop" (printf "map-%d" $i) }}{{ end }}
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
`;
  await withChart(endless, async (place, request) => {
    let count = 0;
    const open = (lookup: () => Promise<JsonObject>) =>
      buildBeside(builtHere, {
        module: program,
        ...place,
        isDirectory: () => false,
        factsOf: () => Promise.resolve({ lookup }),
        doors: { clock: denoClock, random: denoRandom },
        log: silentLog,
      });
    await using forbidden = open(() => Promise.reject(new Error("pods is forbidden")));
    await rejects(forbidden.helmRelease(request, never), /pods is forbidden/);
    await using builders = open(() => {
      count++;
      return Promise.resolve({});
    });
    await rejects(builders.helmRelease(request, never), /after 200 rounds a template still asks for more/);
    equal(count, 200);
  });
});
