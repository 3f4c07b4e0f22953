import { isJsonObject } from "../../core/json.ts";
import type { Resource, ResourceRef } from "../../core/resource.ts";
import { refKey, refOf, refText } from "../../core/resource.ts";
import type { TargetRequest } from "../../core/target.ts";
import type { ServedKind } from "./discovery.ts";
import { ignoreRules } from "./ignore.ts";
import type { Item } from "./judge.ts";
import { markOf } from "./marks.ts";
import { isBuiltIn, normalise, refuseEncrypted } from "./normalise.ts";
import { compareApply, definesKind } from "./order.ts";
import { shortHash } from "./seen.ts";
import type { Access } from "./access.ts";

/** Resources of a request as they will be sent, and what is wrong with the rest. */
export interface Prepared {
  /** In the order of an apply. */
  readonly items: readonly Item[];
  /** Resources whose kind the server does not serve yet, or at all. */
  readonly unknown: readonly Resource[];
  readonly faults: readonly string[];
}

/**
 * Makes items of resources: finds their kinds, fills in namespaces, normalises.
 *
 * @throws {StageError} InvalidDocument for an ignore rule that cannot be read
 * @throws {KubeError} when the server cannot be asked
 */
export async function prepare(
  access: Access,
  request: TargetRequest,
  resources: readonly Resource[],
  signal: AbortSignal,
): Promise<Prepared> {
  const rules = ignoreRules(request.options.ignore);
  const items: Item[] = [];
  const unknown: Resource[] = [];
  const faults: string[] = [];
  const seen = new Set<string>();
  const coming = definedKinds(request.resources);
  for (const resource of resources) {
    const written = refOf(resource);
    // What a CRD of the same request defines is asked for once it is there.
    const kind = await access.discovery.kindOf(written, signal);
    if (kind === undefined || kind.version !== written.version && coming.has(`${written.group}/${written.kind}`)) {
      unknown.push(resource);
      continue;
    }
    if (kind.version !== written.version) {
      faults.push(
        `${refText(written)}: "${resource.apiVersion}" is not served; "${kind.group}/${kind.version}" is`,
      );
      continue;
    }
    const namespace = kind.isNamespaced ? namespaceOf(request, written) : "";
    const ref: ResourceRef = { ...written, namespace };
    const key = refKey(ref);
    if (seen.has(key)) {
      faults.push(`${refText(ref)} is there twice`);
      continue;
    }
    seen.add(key);
    try {
      refuseEncrypted(resource, markOf(resource, "decrypt"));
    } catch (error) {
      faults.push(error instanceof Error ? error.message : String(error));
      continue;
    }
    const body = normalise(resource, namespace);
    const ignored = rules(body);
    const force = request.options.force ?? false;
    const createOnly = request.options.createOnly ?? false;
    const desired = shortHash([body, ignored, force, createOnly], access.digestKey);
    items.push({ ref, kind, body, ignored, force, createOnly, desired });
  }
  return { items: items.sort((a, b) => compareApply(a.ref, b.ref)), unknown, faults };
}

function namespaceOf(request: TargetRequest, ref: ResourceRef): string {
  return ref.namespace || request.options.defaultNamespace || request.owner.namespace;
}

/** Refs of resources as they will stand, as far as that can be told before their kinds are served. */
export async function plannedRefs(
  access: Access,
  request: TargetRequest,
  signal: AbortSignal,
): Promise<readonly ResourceRef[]> {
  const coming = definedKinds(request.resources);
  const refs: ResourceRef[] = [];
  for (const resource of request.resources) {
    const written = refOf(resource);
    const kind: Pick<ServedKind, "isNamespaced"> | undefined = coming.get(`${written.group}/${written.kind}`) ??
      await access.discovery.kindOf(written, signal);
    const isNamespaced = kind?.isNamespaced ?? written.namespace !== "";
    refs.push({ ...written, namespace: isNamespaced ? namespaceOf(request, written) : "" });
  }
  return refs;
}

/** Kinds that CRDs among resources define, by `group/kind`. */
function definedKinds(resources: readonly Resource[]): ReadonlyMap<string, Pick<ServedKind, "isNamespaced">> {
  const kinds = new Map<string, Pick<ServedKind, "isNamespaced">>();
  for (const resource of resources) {
    if (!definesKind(resource) || !isJsonObject(resource.spec)) continue;
    const { group, names, scope } = resource.spec;
    if (isJsonObject(names)) kinds.set(`${String(group)}/${String(names.kind)}`, { isNamespaced: scope !== "Cluster" });
  }
  return kinds;
}

/** Whether a text `<plural or kind>/<name>` names one of the resources: what an error says is not there. */
export function namesOneOf(resources: readonly Resource[]): (text: string) => boolean {
  const names = new Set(resources.flatMap((resource) => {
    const kind = resource.kind.toLowerCase();
    const name = resource.metadata.name;
    const plurals = [`${kind}s`, `${kind}es`, kind.replace(/y$/, "ies"), kind];
    return plurals.map((plural) => `${plural}/${name}`);
  }));
  return (text) => names.has(text);
}

/** Message for a resource of a kind that is not served. */
export function unknownKindText(resource: Resource): string {
  const hint = isBuiltIn(refOf(resource).group) ? "" : ": is its CustomResourceDefinition installed?";
  return `${
    refText(refOf(resource))
  } cannot be applied: kind "${resource.kind}" of "${resource.apiVersion}" is not served${hint}`;
}
