import type { HookResource } from "../../../core/builder.ts";
import type { JsonValue } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import type { Resource } from "../../../core/resource.ts";
import { isResource } from "../../../core/resource.ts";
import { StageError } from "../../../core/stage_error.ts";
import { FormatError } from "../../../format/format_error.ts";
import { parseYamlDocuments } from "../../../format/yaml.ts";
import type { ChartCrd } from "../chart/chart.ts";
import { fromBytes } from "../template/go_string.ts";
import type { HookManifest, Manifest } from "./manifests.ts";
import { withMetadata } from "./post_render.ts";
import type { ReleaseIdentity } from "./scopes.ts";

/** Resources of a document: a List stands for its items. */
export function resourcesOf(manifest: Manifest): readonly Resource[] {
  return itemsOf(manifest.value).map((item) => {
    if (isResource(item)) return item;
    const what = isJsonObject(item) && typeof item.kind === "string" ? ` of kind "${item.kind}"` : "";
    throw new StageError(
      "BuildFailed",
      `Cannot use a document${what} of "${manifest.path}": it needs apiVersion, kind and metadata.name`,
    );
  });
}

function itemsOf(value: JsonValue): readonly JsonValue[] {
  if (value === null) return [];
  if (isJsonObject(value) && Object.keys(value).length === 0) return [];
  if (
    isJsonObject(value) && typeof value.kind === "string" && value.kind.endsWith("List") && Array.isArray(value.items)
  ) {
    return (value.items as readonly JsonValue[]).flatMap(itemsOf);
  }
  return [value];
}

/** Resources of a hook, with when and how it runs. */
export function hookResources(hook: HookManifest): readonly HookResource[] {
  return resourcesOf(hook).map((resource) => ({
    resource,
    events: hook.events,
    weight: hook.weight,
    deletePolicies: hook.deletePolicies,
    path: hook.path,
  }));
}

/** CRDs of `crds/` folders; what else stands there is left out with a warning, as helm-controller does. */
export function crdResources(crds: readonly ChartCrd[], warn: (text: string) => void): readonly Resource[] {
  return crds.flatMap((crd) => {
    let documents;
    try {
      documents = parseYamlDocuments(fromBytes(crd.data), { file: crd.path });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new StageError("BuildFailed", `Cannot read "${crd.path}": ${error.what}`, { cause: error });
    }
    return documents.flatMap(({ value }) => itemsOf(value)).flatMap((item) => {
      if (isResource(item) && item.kind === "CustomResourceDefinition") return [item];
      const kind = isJsonObject(item) && typeof item.kind === "string" ? item.kind : "something";
      warn(`"${crd.path}" holds ${kind}, which is no CustomResourceDefinition: it is left out`);
      return [];
    });
  });
}

/** A resource with Helm's marks of ownership (Helm 4.2.4, `pkg/action/validate.go`). */
export function ownedBy(resource: Resource, release: ReleaseIdentity): Resource {
  return withMetadata(resource, {
    labels: { "app.kubernetes.io/managed-by": "Helm" },
    annotations: {
      "meta.helm.sh/release-name": release.name,
      "meta.helm.sh/release-namespace": release.namespace,
    },
  }) as Resource;
}
