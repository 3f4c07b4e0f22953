import type { ResourceId } from "../identity.ts";
import { fault } from "../fault.ts";
import { byCodePoint } from "../go_json.ts";
import type { SortOptions } from "../kustomization_file.ts";
import type { NamedResource } from "../named_resource.ts";
import type { ResourceSet } from "../resource_set.ts";
import { orderFirst, orderLast, rankOf } from "../tables/kind_order.ts";
import { sortText } from "../transformer_config.ts";

/**
 * Sorts resources as `sortOptions` says: `fifo` leaves them, `legacy` sorts by rank of kind, then group, version, kind,
 * namespace and name (kustomize `SortOrderTransformer`).
 *
 * @throws {StageError} BuildFailed for an unknown order, and for lists of kinds without `legacy`
 */
export function sortResources(set: ResourceSet, options: SortOptions): void {
  if (options.order !== "fifo" && options.order !== "legacy") {
    throw fault(`The field "sortOptions.order" must be one of [fifo, legacy], not "${options.order}"`);
  }
  if (options.order === "fifo") {
    if (options.legacySortOptions !== undefined) {
      throw fault(
        'The field "sortOptions.legacySortOptions" is set but the selected sort order is "fifo", not "legacy"',
      );
    }
    return;
  }
  const lists = options.legacySortOptions ?? { orderFirst, orderLast };
  const rank = rankOf(lists.orderFirst, lists.orderLast);
  const rows = set.list.map((resource) => row(resource, rank));
  rows.sort(compareRows);
  set.reset(rows.map((entry) => entry.resource));
  set.checkUnique();
}

interface Row {
  readonly resource: NamedResource;
  readonly rank: number;
  readonly gvkText: string;
  readonly idText: string;
  readonly isCoreNamespace: boolean;
}

function row(resource: NamedResource, rank: (kind: string) => number): Row {
  const id = resource.id();
  return {
    resource,
    rank: rank(id.kind),
    gvkText: sortText(id),
    idText: legacyText(id),
    isCoreNamespace: id.kind === "Namespace" && id.group === "",
  };
}

function legacyText(id: ResourceId): string {
  const gvk = `${id.kind || "[noKind]"}.${id.version || "[noVer]"}.${id.group || "[noGrp]"}`;
  return `${gvk}|${id.namespace || "~X"}|${id.name || "~N"}`;
}

function compareRows(a: Row, b: Row): number {
  if (a.gvkText !== b.gvkText) {
    if (a.rank !== b.rank) return a.rank - b.rank;
    const order = byCodePoint(a.gvkText, b.gvkText);
    // A Namespace of the core group comes before namespaces of other groups.
    const namespaces = a.resource.gvk().kind === "Namespace" && b.resource.gvk().kind === "Namespace" &&
      (a.isCoreNamespace || b.isCoreNamespace);
    return namespaces ? -order : order;
  }
  return byCodePoint(a.idText, b.idText);
}
