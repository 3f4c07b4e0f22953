import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import type { CommonMetadata, ImageOverride, PatchSpec } from "../../../core/specs.ts";
import { StageError } from "../../../core/stage_error.ts";
import { printYaml } from "../../../format/yaml_print.ts";
import type { Dialect } from "../dialect.ts";
import type { Notify } from "../notice.ts";
import { sortManifests } from "./manifests.ts";
import type { Manifest, SortedManifests } from "./manifests.ts";

/** Which documents a post-renderer sees (Helm 4.2.4): all in one stream, hooks apart, or no hooks. */
export type PostRenderStrategy = "combined" | "separate" | "nohooks";

/** One kustomize post-renderer of a HelmRelease. */
export interface KustomizeChange {
  readonly patches: readonly PatchSpec[];
  readonly images: readonly ImageOverride[];
}

/** Applies patches and images to documents. Given by the kustomize engine; annotations must survive it. */
export type PostRender = (
  documents: readonly JsonObject[],
  change: KustomizeChange,
) => readonly JsonObject[] | Promise<readonly JsonObject[]>;

/** What happens to a release's documents after they are rendered, in Flux's order. */
export interface PostRenderPlan {
  /** User's renderers in their order. */
  readonly kustomize: readonly KustomizeChange[];
  /** Labels and annotations for everything. */
  readonly commonMetadata?: CommonMetadata;
  /** Puts the labels of the HelmRelease on a document: they win over all others. */
  readonly withOwner?: (document: JsonObject) => JsonObject;
  readonly strategy: PostRenderStrategy;
}

/** Annotation that keeps a document's file through a post-renderer (Helm 4.2.4). */
const fileAnnotation = "postrenderer.helm.sh/postrender-filename";

/**
 * Documents after all post-renderers, sorted again: kustomize changes in list order, then common metadata, then origin
 * labels (helm-controller 1.6, `internal/postrender/build.go`). Their texts are printed anew.
 *
 * @throws {StageError} BuildFailed when kustomize changes are asked for and `postRender` is absent, or a renderer fails
 */
export async function postRenderManifests(
  sorted: SortedManifests,
  plan: PostRenderPlan,
  tools: { readonly postRender?: PostRender; readonly dialect: Dialect; readonly notify: Notify },
): Promise<SortedManifests> {
  const changesAll = plan.commonMetadata !== undefined || plan.withOwner !== undefined;
  if (plan.kustomize.length === 0 && !changesAll) return sorted;
  const streams: readonly (readonly Manifest[])[] = plan.strategy === "combined"
    ? [byFile([...sorted.manifests, ...sorted.hooks])]
    : plan.strategy === "separate"
    ? [byFile(sorted.hooks), byFile(sorted.manifests)]
    : [byFile(sorted.manifests)];
  const files = new Map<string, string>();
  const add = (path: string, text: string) => {
    const before = files.get(path);
    files.set(path, before === undefined ? text : `${before}\n---\n${text}`);
  };
  if (plan.strategy === "nohooks") { for (const hook of sorted.hooks) add(hook.path, hook.text); }
  for (const stream of streams) {
    const documents = await applyPlan(stream, plan, tools.postRender);
    documents.forEach((document, index) => {
      const { path, value } = withoutFile(document, index);
      add(path, printYaml(value));
    });
  }
  return sortManifests(files, tools);
}

function byFile<T extends Manifest>(manifests: readonly T[]): readonly T[] {
  return [...manifests].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

async function applyPlan(
  manifests: readonly Manifest[],
  plan: PostRenderPlan,
  postRender: PostRender | undefined,
): Promise<readonly JsonObject[]> {
  let documents: readonly JsonObject[] = manifests.flatMap((manifest) => {
    if (manifest.value === null) return [];
    if (!isJsonObject(manifest.value)) {
      throw new StageError("BuildFailed", `Cannot change "${manifest.path}": a document is no map`);
    }
    return [withMetadata(manifest.value, { annotations: { [fileAnnotation]: manifest.path } })];
  });
  for (const change of plan.kustomize) {
    if (postRender === undefined) {
      throw new StageError("BuildFailed", "Cannot run post-renderers: no kustomize engine was handed to the build");
    }
    documents = await postRender(documents, change);
  }
  return documents.map((document) => {
    const common = plan.commonMetadata === undefined ? document : withMetadata(document, plan.commonMetadata);
    return plan.withOwner === undefined ? common : plan.withOwner(common);
  });
}

/** A document with labels and annotations added over its own. */
export function withMetadata(document: JsonObject, added: CommonMetadata): JsonObject {
  const metadata = isJsonObject(document.metadata) ? document.metadata : {};
  const joined = (key: "labels" | "annotations"): JsonObject => {
    const own = metadata[key];
    return added[key] === undefined ? {} : { [key]: { ...(isJsonObject(own) ? own : {}), ...added[key] } };
  };
  return { ...document, metadata: { ...metadata, ...joined("labels"), ...joined("annotations") } };
}

/** A document's file, and the document without the note of it. */
function withoutFile(document: JsonObject, index: number): { readonly path: string; readonly value: JsonValue } {
  const metadata = isJsonObject(document.metadata) ? document.metadata : {};
  const { [fileAnnotation]: path, ...annotations } = isJsonObject(metadata.annotations) ? metadata.annotations : {};
  const { annotations: _, ...rest } = metadata;
  const kept = Object.keys(annotations).length === 0 ? rest : { ...rest, annotations };
  return {
    path: typeof path === "string" ? path : `generated-by-postrender-${index}.yaml`,
    value: { ...document, metadata: kept },
  };
}
