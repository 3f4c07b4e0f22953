import type { Condition } from "../../src/core/condition.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { ObjectStatus } from "../../src/core/status.ts";
import type { LabCluster } from "./lab.ts";
import type { Place } from "./program.ts";

/** Whether the lab has these controllers of Flux: it runs those that are installed. */
export function hasFlux(...controllers: readonly string[]): boolean {
  const home = Deno.env.get("LAB_HOME") ?? `${Deno.env.get("TMPDIR") ?? "/tmp"}/pilotfish-lab`;
  try {
    return controllers.every((name) => Deno.statSync(`${home}/bin/${name}-controller`).isFile);
  } catch {
    return false;
  }
}

/** Namespace of Flux's documents, and of ours: the same owner would be the same to both. */
export const sides = { flux: "flux-side", ours: "our-side" } as const;
/** One of the two. */
export type Side = keyof typeof sides;

/** A Namespace. */
export function namespaceOf(name: string): JsonObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

/** What Flux says of an object of its side. */
export async function fluxReady(lab: LabCluster, kind: string, name: string): Promise<Condition | undefined> {
  const text = await lab.kubectl(["-n", sides.flux, "get", kind, name, "-o", "json"]);
  const status = (JSON.parse(text) as { status?: { conditions?: readonly Condition[] } }).status;
  return status?.conditions?.find((condition) => condition.type === "Ready");
}

/** What we say of the same object of our side. */
export async function ourReady(place: Place, kind: string, name: string): Promise<Condition | undefined> {
  const { stdout } = await place.ask("get", kind, name, "-n", sides.ours, "-o", "json");
  if (!stdout.trimStart().startsWith("[") && !stdout.trimStart().startsWith("{")) return undefined;
  const found = JSON.parse(stdout) as ObjectStatus | readonly ObjectStatus[] | {
    readonly items: readonly ObjectStatus[];
  };
  const statuses = Array.isArray(found) ? found : "items" in found ? found.items : [found as ObjectStatus];
  return (statuses as readonly ObjectStatus[])[0]?.conditions.find((condition) => condition.type === "Ready");
}

/** Everything that a side made, by namespace without the side, and without what the server or the side itself decides. */
export async function objects(lab: LabCluster, side: Side): Promise<Readonly<Record<string, JsonObject>>> {
  const text = await lab.kubectl(["get", "deployments,services,configmaps", "-A", "-o", "json"]);
  const found: Record<string, JsonObject> = {};
  for (const item of (JSON.parse(text) as { items: readonly JsonObject[] }).items) {
    const metadata = item.metadata as JsonObject;
    const namespace = String(metadata.namespace);
    if (!namespace.startsWith(`${side}-`) || namespace === sides[side] || metadata.name === "kube-root-ca.crt") {
      continue;
    }
    const { clusterIP: _ip, clusterIPs: _ips, ...spec } = (item.spec ?? {}) as JsonObject;
    const annotations = { ...metadata.annotations as JsonObject };
    delete (annotations as Record<string, unknown>)["deployment.kubernetes.io/revision"];
    found[`${item.kind}/${namespace.slice(side.length + 1)}/${metadata.name}`] = {
      labels: sideless(side, (metadata.labels ?? {}) as JsonObject),
      annotations: sideless(side, annotations),
      spec,
      data: item.data ?? {},
    };
  }
  return found;
}

/** Texts without the name of the side in them. */
function sideless(side: Side, texts: JsonObject): JsonObject {
  return JSON.parse(
    JSON.stringify(texts).replaceAll(sides[side], "side").replaceAll(`"${side}-`, '"side-'),
  ) as JsonObject;
}
