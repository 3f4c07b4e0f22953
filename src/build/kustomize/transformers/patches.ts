import type { MapNode } from "../../../format/yaml_node/node.ts";
import { copyNode, dropField, getField, isEmptyNode } from "../../../format/yaml_node/node.ts";
import { MissingModule } from "../../../core/lazy_module.ts";
import { messageOf, StageError } from "../../../core/stage_error.ts";
import { inlineResources, readResources } from "../documents.ts";
import { fault, wrapFault } from "../fault.ts";
import { apiVersionText } from "../api_version.ts";
import { nodeSize } from "../growth.ts";
import { idText } from "../identity.ts";
import type { PatchEntry, Selector } from "../kustomization_file.ts";
import type { Loader } from "../load.ts";
import { strategicMerge } from "../merge/strategic_merge.ts";
import type { NamedResource } from "../named_resource.ts";
import { mapAt, setMetadataTexts, setScalarField, textsOf } from "../node_edit.ts";
import type { ResourceSet } from "../resource_set.ts";
import type { TransformContext } from "./context.ts";
import type { JsonPatch } from "./json6902.ts";
import { applyJsonPatch, readJsonPatch } from "./json6902.ts";
import { selectResources } from "./select.ts";

/** Something that changes the resources of a set. */
export type Transform = (set: ResourceSet, context: TransformContext) => void;

interface Allowed {
  readonly name: boolean;
  readonly kind: boolean;
}

const nothingAllowed: Allowed = { name: false, kind: false };

/**
 * An entry of `patches`: strategic merge or JSON 6902, told apart by its text, which must be exactly one of them.
 *
 * @throws {StageError} BuildFailed for an entry that is neither
 */
export function preparePatch(entry: PatchEntry, loader: Loader): Transform {
  const inline = entry.patch.trim();
  if (inline === "" && entry.path === "") throw fault("A patch must have one of patch and path");
  if (inline !== "" && entry.path !== "") throw fault("A patch must have either patch or path, not both");
  const source = inline !== "" ? `patch "${shorten(inline)}"` : `patch file "${entry.path}"`;
  const text = inline !== "" ? inline : readPatchFile(entry.path, loader);
  const file = inline !== "" ? "patch" : entry.path;
  let merges: NamedResource[] | undefined;
  let operations: JsonPatch | undefined;
  let mergeError: unknown, operationError: unknown;
  try {
    merges = readResources(text, file, { growth: loader.growth });
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    mergeError = error;
  }
  if (text === "") operationError = fault("Empty JSON patch operations");
  else if (merges === undefined || merges.length === 0) {
    try {
      operations = readJsonPatch(text);
    } catch (error) {
      if (error instanceof MissingModule) throw error;
      operationError = error;
    }
  }
  if (mergeError !== undefined && operationError !== undefined) {
    throw fault(
      `Unable to parse SM or JSON patch from ${source}: as strategic merge: ${messageOf(mergeError)}; as JSON patch: ${
        messageOf(operationError)
      }`,
    );
  }
  const { target } = entry;
  if (merges !== undefined && merges.length === 0 && operations === undefined) return () => {};
  if (merges !== undefined && merges.length > 0) {
    const allowed: Allowed = {
      name: entry.options?.allowNameChange ?? false,
      kind: entry.options?.allowKindChange ?? false,
    };
    return mergeTransform(merges, target, allowed, source);
  }
  if (operations === undefined || (merges !== undefined && merges.length === 0 && operations.length === 0)) {
    return () => {};
  }
  const patch = operations;
  return (set, context) => {
    if (target === undefined) throw fault(`Must specify a target for JSON patch ${source}`);
    applyOperations(set, context, { target, patch, source, remember: true });
  };
}

function readPatchFile(path: string, loader: Loader): string {
  try {
    return loader.readText(path);
  } catch (error) {
    throw wrapFault(`Failed to get the patch file from path "${path}"`, error);
  }
}

function mergeTransform(
  patches: readonly NamedResource[],
  target: Selector | undefined,
  allowed: Allowed,
  source: string,
): Transform {
  return (set, context) => {
    if (target === undefined) {
      for (const patch of patches) {
        const resource = findTarget(set, patch);
        const node = copyNode(patch.node);
        if (allowed.name || allowed.kind) {
          const annotations = textsOf(getField(getField(node, "metadata"), "annotations"));
          if (annotations.size > 0) setMetadataTexts(node, "annotations", annotations);
        }
        if (mergeInto(resource, node, { allowed, context })) set.touch();
      }
      return;
    }
    if (patches.length > 1) {
      throw fault(`Multiple strategic merge patches in one patches entry cannot have a target: ${source}`);
    }
    const patch = patches[0] as NamedResource;
    let changed = false;
    for (const resource of selectResources(set, target)) {
      if (mergeInto(resource, adaptedPatch(patch, resource), { allowed, context })) changed = true;
    }
    set.dropEmpty();
    if (changed) {
      set.touch();
      set.checkUnique();
    }
  };
}

/** The one resource that has or had a patch's identity. @throws {StageError} BuildFailed for none and for several */
function findTarget(set: ResourceSet, patch: NamedResource): NamedResource {
  const id = patch.id();
  const matches = set.withId(id).filter((resource) => !resource.isGone);
  const resource = matches[0];
  if (resource === undefined || matches.length > 1) {
    const what = matches.length > 1 ? "multiple matches" : "no matches";
    throw fault(
      `No resource matches strategic merge patch "${idText(id)}": ${what} for Id ${idText(id)}; ` +
        `failed to find unique target for patch ${idText(id)}`,
    );
  }
  return resource;
}

/** A patch with a target matches whatever is selected: it takes that resource's apiVersion, and its own metadata as texts. */
function adaptedPatch(patch: NamedResource, resource: NamedResource): MapNode {
  const node = copyNode(patch.node);
  const id = patch.id();
  for (const field of ["labels", "annotations"]) {
    const texts = textsOf(getField(getField(node, "metadata"), field));
    setMetadataTexts(node, field, texts);
  }
  const metadata = mapAt(node, "metadata");
  setScalarField(metadata, "name", id.name, "");
  if (id.namespace === "") dropField(metadata, "namespace");
  setScalarField(node, "apiVersion", apiVersionText(resource.gvk()), "");
  return node;
}

interface Merge {
  readonly allowed: Allowed;
  readonly context: TransformContext;
}

/** Merges a patch into a resource. Says whether the resource, if it is still there, goes by other identities than before. */
function mergeInto(resource: NamedResource, patch: MapNode, { allowed, context }: Merge): boolean {
  const before = resource.key(context.scopes);
  const { name, namespace, kind } = resource.id();
  if (allowed.name || allowed.kind) resource.remember(context.scopes);
  const forgets = dropsAnnotations(patch);
  context.growth.spend(nodeSize(patch));
  let merged;
  try {
    merged = strategicMerge(resource.node, patch, { schema: context.schema, newItems: "first" });
  } catch (error) {
    throw wrapFault(`Cannot patch ${idText(resource.id())}`, error);
  }
  if (merged === undefined || merged.kind !== "map" || isEmptyNode(merged)) {
    resource.isGone = true;
    return false;
  }
  const forgot = forgets && resource.former.length > 0;
  if (forgets) resource.forget();
  // What a `$patch: replace` of the whole resource brings is lost in kustomize: the resource stays as it is.
  if (!allowed.kind) setScalarField(resource.node, "kind", kind, "");
  const metadata = mapAt(resource.node, "metadata");
  if (!allowed.name) setScalarField(metadata, "name", name, "");
  if (namespace === "") dropField(metadata, "namespace");
  else setScalarField(metadata, "namespace", namespace, "");
  return forgot || resource.key(context.scopes) !== before;
}

/**
 * Whether a patch takes all annotations away. kustomize keeps former names there, so it forgets them too, and names that
 * refer to the resource are no longer followed.
 */
function dropsAnnotations(patch: MapNode): boolean {
  const metadata = getField(patch, "metadata");
  const annotations = getField(metadata, "annotations");
  return [metadata, annotations].some((node) => {
    if (node === undefined) return false;
    const directive = getField(node, "$patch");
    return node.tag === "!!null" || (directive?.kind === "scalar" && directive.text !== "merge");
  });
}

/**
 * Entries of `patchesStrategicMerge`: each is the text of a patch, or the path of a file with patches.
 *
 * @throws {StageError} BuildFailed when there is no patch at all
 */
export function prepareMergePatches(entries: readonly string[], loader: Loader, inline = ""): Transform {
  const patches: NamedResource[] = [];
  for (const entry of entries) {
    const { growth } = loader;
    patches.push(
      ...inlineResources(entry, "patch", { growth }) ?? readResources(loader.readText(entry), entry, { growth }),
    );
  }
  if (inline !== "") patches.push(...readResources(inline, "patches", { growth: loader.growth }));
  if (patches.length === 0) throw fault(`Patch appears to be empty; files=[${entries.map(shorten).join(" ")}]`);
  return (set, context) => {
    for (const patch of patches) {
      const resource = findTarget(set, patch);
      if (mergeInto(resource, adaptedPatch(patch, resource), { allowed: nothingAllowed, context })) set.touch();
    }
    set.dropEmpty();
  };
}

/** An entry of `patchesJson6902`. @throws {StageError} BuildFailed for an entry without target or operations */
export function prepareJsonPatch(
  entry: { readonly target: Selector | undefined; readonly path: string; readonly patch: string },
  loader: Loader,
): Transform {
  const { target } = entry;
  if (target === undefined || target.name === "") throw fault("A JSON patch must specify the target name");
  if (entry.path === "" && entry.patch === "") throw fault("A JSON patch must have a path or operations");
  if (entry.path !== "" && entry.patch !== "") throw fault("A JSON patch must have a path or operations, not both");
  const text = entry.path === "" ? entry.patch : loader.readText(entry.path);
  if (text === "") throw fault(`Patch file "${entry.path}" seems to be empty`);
  const source = entry.path === "" ? `patch "${shorten(text)}"` : `patch file "${entry.path}"`;
  const patch = readJsonPatch(text);
  if (patch.length === 0) throw fault(`Patch appears to be empty: ${source}`);
  return (set, context) => applyOperations(set, context, { target, patch, source, remember: false });
}

interface Operations {
  readonly target: Selector;
  readonly patch: JsonPatch;
  readonly source: string;
  /** Whether the resource's name before the patch still counts afterwards. */
  readonly remember: boolean;
}

function applyOperations(set: ResourceSet, context: TransformContext, operations: Operations): void {
  let changed = false;
  for (const resource of selectResources(set, operations.target)) {
    if (operations.remember) resource.remember(context.scopes);
    const before = resource.key(set.scopes);
    try {
      applyJsonPatch(resource, operations.patch, context.growth);
    } catch (error) {
      throw wrapFault(`Cannot apply ${operations.source} to ${idText(resource.id())}`, error);
    }
    if (resource.key(set.scopes) !== before) changed = true;
  }
  if (changed) set.touch();
}

function shorten(text: string): string {
  const line = text.replaceAll("\n", "\\n");
  return line.length > 80 ? `${line.slice(0, 77)}...` : line;
}
