import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import type { DependsOn } from "../core/specs.ts";
import type { Path } from "./finding.ts";

/** What one object refers to, and where. */
export interface Link {
  /** `source` and `dependency` must be there; `data` may be in the cluster; `provider` is an Alert's. */
  readonly role: "source" | "dependency" | "data" | "provider" | "pattern";
  readonly to: ObjectKey;
  readonly path: Path;
  readonly isOptional: boolean;
  /** Whether the document names the namespace itself. */
  readonly namesNamespace: boolean;
}

/** Fields that hold somebody else's text: nothing in them is a reference of ours. */
const opaque = new Set(["values", "substitute", "patches", "commonMetadata", "postRenderers"]);

/** Everything that an object's document refers to, in its order. */
export function linksOf(object: DesiredObject): readonly Link[] {
  const links: Link[] = [];
  const { namespace } = object.key;
  const add = (role: Link["role"], kind: string, entry: JsonObject, path: Path) => {
    if (typeof entry.name !== "string") return;
    links.push({
      role,
      to: { kind, namespace: typeof entry.namespace === "string" ? entry.namespace : namespace, name: entry.name },
      path: [...path, "name"],
      isOptional: entry.optional === true,
      namesNamespace: typeof entry.namespace === "string",
    });
  };
  const kindIn = (entry: JsonObject) => typeof entry.kind === "string" ? entry.kind : "";
  const visit = (value: JsonValue, path: Path) => {
    if (!isJsonObject(value)) return;
    for (const [name, member] of Object.entries(value)) {
      const at = [...path, name];
      if (opaque.has(name) || name === "dependsOn") continue;
      if (isJsonObject(member)) {
        if (name === "sourceRef" || name === "chartRef") add("source", kindIn(member), member, at);
        else if (name === "providerRef") add("provider", "Provider", member, at);
        else if (name === "configMapRef") add("data", "ConfigMap", member, at);
        else if (/[sS]ecretRef$/.test(name)) add("data", "Secret", member, at);
        else visit(member, at);
      } else if (Array.isArray(member)) {
        (member as readonly JsonValue[]).forEach((entry, index) => {
          if (!isJsonObject(entry)) return;
          if (name === "valuesFrom" || name === "substituteFrom") add("data", kindIn(entry), entry, [...at, index]);
          else if (name === "eventSources" || name === "resources") {
            add("pattern", kindIn(entry), entry, [...at, index]);
          } else visit(entry, [...at, index]);
        });
      }
    }
  };
  visit(object.document.spec ?? null, ["spec"]);
  return [...links, ...dependencyLinks(object)];
}

function dependencyLinks(object: DesiredObject): readonly Link[] {
  const { dependsOn = [] } = object.spec as { readonly dependsOn?: readonly DependsOn[] };
  return dependsOn.map((dependency, index) => ({
    role: "dependency",
    to: { kind: dependency.kind, namespace: dependency.namespace, name: dependency.name },
    path: ["spec", "dependsOn", index, "name"],
    isOptional: false,
    namesNamespace: dependency.namespace !== object.key.namespace,
  }));
}

/**
 * Cycles among dependencies, each as its members in the order in which they wait: the first waits for the second, the
 * last for the first. Every cycle has at least one member in the answer. Linear; without recursion.
 */
export function cyclesOf(edges: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const state = new Map<string, "open" | "done">();
  const inCycle = new Set<string>();
  for (const start of edges.keys()) {
    if (state.has(start)) continue;
    const trail: { readonly node: string; next: number }[] = [{ node: start, next: 0 }];
    const position = new Map([[start, 0]]);
    state.set(start, "open");
    while (trail.length > 0) {
      const top = trail[trail.length - 1] as { readonly node: string; next: number };
      const to = edges.get(top.node)?.[top.next++];
      if (to === undefined) {
        state.set(top.node, "done");
        position.delete(top.node);
        trail.pop();
      } else if (!edges.has(to)) continue;
      else if (state.get(to) === "open") {
        if (inCycle.has(to) && inCycle.has(top.node)) continue;
        const members = trail.slice(position.get(to)).map((entry) => entry.node);
        members.forEach((member) => inCycle.add(member));
        cycles.push(members);
      } else if (!state.has(to)) {
        state.set(to, "open");
        position.set(to, trail.length);
        trail.push({ node: to, next: 0 });
      }
    }
  }
  return cycles;
}
