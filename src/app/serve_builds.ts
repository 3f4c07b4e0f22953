import { ChartCache } from "../build/helm/loaded_chart.ts";
import { type InputRequest, MissingInput } from "../build/helm/render_tools.ts";
import { silentLog } from "../core/log.ts";
import { messageOf, StageError } from "../core/stage_error.ts";
import { giveUp, serveCalls } from "../platform/build_server.ts";
import { openStore } from "../source/store/open_store.ts";
import type { BuildAnswer, BuildOrder, RenderWorld } from "./build_order.ts";
import { partsOf } from "./build_order.ts";
import { openBuilders } from "./builders.ts";
import { type Doors, hostDoors } from "./doors.ts";
import type { Outside } from "./outside.ts";
import type { ReleaseFacts } from "./release_facts.ts";

/**
 * Builds what another process of this program asks for, until that one ends: what the program does when it is started by
 * itself. Charts are kept for the rounds of a render.
 */
export async function serveBuilds(): Promise<void> {
  const charts = new ChartCache(2);
  await serveCalls(async (value) => {
    const order = value as BuildOrder;
    if (!order.allowHttp) giveUp("net");
    return partsOf(await build(order, charts));
  });
}

async function build(order: BuildOrder, charts: ChartCache): Promise<BuildAnswer> {
  const never = new AbortController().signal;
  try {
    await using store = await openStore(order.storeFolder, {
      fileSystem: hostDoors.fileSystem,
      clock: hostDoors.clock,
      log: silentLog,
      maxSizeBytes: Number.MAX_SAFE_INTEGER,
      history: 1,
      access: "read",
    }).then((opened) => ({ opened, [Symbol.asyncDispose]: () => opened.close() }));
    const world = order.kind === "helmRelease" ? order.world : undefined;
    const builders = openBuilders({
      store: store.opened,
      doors: doorsOf(world),
      charts,
      isDirectory: () => order.isDirectory,
      allowHttp: order.allowHttp,
      factsOf: () => world?.asks.includes("lookup") === true ? factsOf(world) : undefined,
      ...(world === undefined ? {} : { outside: outsideOf(world), known: world.known }),
    });
    const result = order.kind === "kustomization"
      ? await builders.kustomization(order.request, never)
      : await builders.helmRelease(order.request, never);
    return { kind: "built", result };
  } catch (error) {
    if (error instanceof MissingInput) return { kind: "missing", request: error.request };
    return error instanceof StageError
      ? { kind: "failed", reason: error.reason, message: messageOf(error), hint: error.hint }
      : { kind: "failed", reason: "BuildFailed", message: messageOf(error), hint: "" };
  }
}

/** The doors of this machine, with the moment and the chance that the order names. */
function doorsOf(world: RenderWorld | undefined): Doors {
  if (world === undefined) return hostDoors;
  const { clock, random } = hostDoors;
  return {
    ...hostDoors,
    clock: {
      now: () => world.nowMs,
      monotonic: () => clock.monotonic(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
      after: (ms, action) => clock.after(ms, action),
    },
    random: { next: () => random.next(), bytes: () => world.seed },
  };
}

/** What a cluster says here: what was sent. */
function factsOf({ capabilities }: RenderWorld): Promise<ReleaseFacts> {
  return Promise.resolve({
    ...(capabilities === undefined ? {} : { capabilities: () => Promise.resolve(capabilities) }),
    lookup: missing,
  });
}

/** The network, as far as the sender asks it for us. */
function outsideOf({ asks }: RenderWorld): Outside {
  return {
    ...(asks.includes("host") ? { resolveHost: missing } : {}),
    ...(asks.includes("schema") ? { readSchema: missing } : {}),
  };
}

function missing(request: InputRequest): Promise<never> {
  return Promise.reject(new MissingInput(request));
}
