import type { FileTree } from "../../core/file_tree.ts";
import { joinPath } from "../../core/file_tree.ts";
import { StageError } from "../../core/stage_error.ts";
import type { ImageOverride, KustomizationSpec } from "../../core/specs.ts";
import { decodeText, readResources } from "./documents.ts";
import { fault, wrapFault } from "./fault.ts";
import { Growth } from "./growth.ts";
import type { ImageEntry, Kustomization } from "./kustomization_file.ts";
import { checkKustomization, kustomizationFileNames } from "./kustomization_file.ts";
import { foldersOf, isRemote } from "./load.ts";

/** Parts of a Flux Kustomization that change what is built (fluxcd/pkg `kustomize/kustomize_generator.go`). */
export type OverlaySpec = Pick<
  KustomizationSpec,
  | "targetNamespace"
  | "namePrefix"
  | "nameSuffix"
  | "patches"
  | "images"
  | "components"
  | "ignoreMissingComponents"
  | "buildMetadata"
>;

/** Namespace of a generated kustomization that has nothing to build, so that it is not empty. */
const placeholder = "_placeholder";

/**
 * Whether a kustomization stands in a folder.
 */
export function hasKustomization(tree: FileTree, folder: string): boolean {
  return kustomizationFileNames.some((name) => tree.has(inFolder(folder, name)));
}

/**
 * Kustomization of a folder that has none: every `.yaml` and `.yml` file below it in lexical order; a sub-folder with a
 * kustomization of its own is one resource and is not gone into. Each file must hold Kubernetes objects.
 *
 * @throws {StageError} BuildFailed naming the file that holds something else
 */
export function generateKustomization(tree: FileTree, folder: string): Kustomization {
  const resources: string[] = [];
  walk(folderOf(tree, folder), "", (path, isFolder) => {
    if (!isFolder) checkManifest(tree, inFolder(folder, path));
    resources.push(path);
  });
  const content = resources.length > 0 ? { resources } : { namespace: placeholder };
  return checkKustomization(content, inFolder(folder, "kustomization.yaml")).kustomization;
}

/**
 * The kustomization with what the Flux object adds: namespace, prefix and suffix replace; patches and components are
 * appended; images are merged by name; `buildMetadata` replaces. One without resources tracks origins, so that a root of
 * nothing but components is built.
 *
 * @throws {StageError} BuildFailed for a component that is not local
 */
export function applyOverlay(
  kustomization: Kustomization,
  spec: OverlaySpec,
  place: { readonly tree: FileTree; readonly folder: string },
): Kustomization {
  const buildMetadata = spec.buildMetadata ??
    (kustomization.resources.length === 0 ? ["originAnnotations"] : kustomization.buildMetadata);
  return {
    ...kustomization,
    namespace: spec.targetNamespace ?? kustomization.namespace,
    namePrefix: spec.namePrefix ?? kustomization.namePrefix,
    nameSuffix: spec.nameSuffix ?? kustomization.nameSuffix,
    patches: [
      ...kustomization.patches,
      ...spec.patches.map((patch) => ({
        path: "",
        patch: patch.patch,
        target: patch.target === undefined ? undefined : {
          group: "",
          version: "",
          kind: "",
          name: "",
          namespace: "",
          annotationSelector: "",
          labelSelector: "",
          ...patch.target,
        },
        options: undefined,
      })),
    ],
    components: [...kustomization.components, ...localComponents(spec, place)],
    images: mergeImages(kustomization.images, spec.images),
    buildMetadata: [...buildMetadata],
  };
}

function localComponents(
  spec: OverlaySpec,
  { tree, folder }: { readonly tree: FileTree; readonly folder: string },
): readonly string[] {
  const folders = spec.components.length > 0 && spec.ignoreMissingComponents ? foldersOf(tree) : undefined;
  return spec.components.filter((path) => {
    if (path.startsWith("/") || isRemote(path) || path.includes("\0")) {
      throw fault(`Component path "${path}" must be local and relative`);
    }
    if (folders === undefined) return true;
    const joined = joinPath(folder, path);
    return joined !== undefined && folders.has(joined);
  });
}

function mergeImages(images: readonly ImageEntry[], overrides: readonly ImageOverride[]): ImageEntry[] {
  const merged = [...images];
  for (const override of overrides) {
    const at = merged.findIndex((image) => image.name === override.name);
    const old = merged[at] ?? { name: override.name, newName: "", tagSuffix: "", newTag: "", digest: "" };
    const hasTag = (override.newTag ?? "") !== "" || (override.digest ?? "") !== "";
    const image: ImageEntry = {
      ...old,
      newName: override.newName || old.newName,
      // Tag and digest are one statement: a new tag does away with an old digest.
      newTag: hasTag ? override.newTag ?? "" : old.newTag,
      digest: hasTag ? override.digest ?? "" : old.digest,
    };
    if (at < 0) merged.push(image);
    else merged[at] = image;
  }
  return merged;
}

interface Folder {
  readonly files: Set<string>;
  readonly folders: Map<string, Folder>;
}

/** What stands below a folder. */
function folderOf(tree: FileTree, path: string): Folder {
  const root: Folder = { files: new Set(), folders: new Map() };
  const prefix = path === "" ? "" : `${path}/`;
  for (const file of tree.files()) {
    if (!file.path.startsWith(prefix)) continue;
    const parts = file.path.slice(prefix.length).split("/");
    const name = parts.pop() as string;
    let folder = root;
    for (const part of parts) {
      let next = folder.folders.get(part);
      if (next === undefined) folder.folders.set(part, next = { files: new Set(), folders: new Map() });
      folder = next;
    }
    folder.files.add(name);
  }
  return root;
}

function walk(folder: Folder, path: string, take: (path: string, isFolder: boolean) => void): void {
  const names = [...folder.files, ...folder.folders.keys()].sort();
  for (const name of names) {
    const inner = folder.folders.get(name);
    const here = path === "" ? name : `${path}/${name}`;
    if (inner === undefined) {
      if (name.endsWith(".yaml") || name.endsWith(".yml")) take(here, false);
    } else if (kustomizationFileNames.some((known) => inner.files.has(known))) take(here, true);
    else walk(inner, here, take);
  }
}

function checkManifest(tree: FileTree, path: string): void {
  try {
    readResources(decodeText(path, tree.read(path) ?? new Uint8Array()), path, { growth: new Growth() });
  } catch (error) {
    throw wrapFault(`Failed to decode Kubernetes YAML from "${path}"`, error);
  }
}

function inFolder(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** @throws {StageError} ArtifactFailed when nothing stands at the path; it is clean and relative to the tree's root */
export function checkPath(tree: FileTree, path: string): void {
  if (path === "" || foldersOf(tree).has(path)) return;
  throw new StageError("ArtifactFailed", `Cannot find path "${path}" in the artifact`);
}
