/**
 * The checkout: an artifact's files in a folder, switched all at once.
 * In: a tree or one blob, and where it goes. Out: a relative link that points at a complete folder (or one whole file).
 * May fail: something foreign at the path, the disk, what is run after a change. Called by the Checkout's pipeline.
 *
 * @module
 */
import type { FileSystem } from "../../core/file_system.ts";
import { temporaryPrefix } from "../../core/file_system.ts";
import type { FileTree } from "../../core/file_tree.ts";
import { subTree } from "../../core/file_tree.ts";
import { inParallel } from "../../core/in_parallel.ts";
import type { CheckoutSpec } from "../../core/specs.ts";
import { asStageError, StageError } from "../../core/stage_error.ts";

/** What is checked out: files, or one file byte for byte. */
export type CheckoutContent =
  | { readonly kind: "tree"; readonly tree: FileTree }
  | { readonly kind: "blob"; readonly bytes: Uint8Array };

/** Where and how; the parts of a {@linkcode CheckoutSpec} that decide the files. */
export type CheckoutPlace = Pick<CheckoutSpec, "path" | "subPath" | "mode">;

/** What {@linkcode checkOut} is told beside content and place. */
export interface CheckoutRequest {
  readonly content: CheckoutContent;
  readonly place: CheckoutPlace;
  /** Digest of content and place: names the folder that the link points at. Hex digits only. */
  readonly version: string;
  /** Whether the file at the path is known to be ours (blobs only: a link tells by itself). */
  readonly isOurs: boolean;
}

/** Files that are written at the same time: a disk makes many durable with one write of its journal. */
const filesAtOnce = 32;

/** What takes the place of the path next, in the folder of versions. */
const nextName = "next";

/** Folder beside the path that holds the versions and what is unfinished: `/srv/site` has `/srv/.site.pilotfish`. */
function versionsFolder(path: string): { readonly parent: string; readonly name: string } {
  const slash = path.lastIndexOf("/");
  return { parent: slash <= 0 ? "/" : path.slice(0, slash), name: `.${path.slice(slash + 1)}.pilotfish` };
}

/** Whether the path shows a version already: nothing to write. */
export async function isCheckedOut(
  request: Pick<CheckoutRequest, "place" | "version"> & { readonly kind: CheckoutContent["kind"] },
  fileSystem: FileSystem,
): Promise<boolean> {
  const { path } = request.place;
  const info = await fileSystem.stat(path);
  if (request.kind === "blob") return info?.kind === "file";
  const { parent, name } = versionsFolder(path);
  return info?.kind === "link" && await fileSystem.readLink(path) === `${name}/${request.version}` &&
    (await fileSystem.stat(`${parent}/${name}/${request.version}`))?.kind === "folder";
}

/**
 * Puts content at a path. A tree is written to a folder of its own, completed by a rename, and then shown by switching
 * the link: readers see the old files or the new ones, never a mixture, and a reader that holds the old folder open
 * keeps it until the next change. A blob replaces its file by a rename.
 *
 * @throws {StageError} ArtifactFailed when `subPath` is not in the tree; ReconciliationFailed when something foreign
 *   stands at the path or the disk refuses
 */
export async function checkOut(
  request: CheckoutRequest,
  fileSystem: FileSystem,
  signal: AbortSignal,
): Promise<{ readonly changed: boolean; readonly fileCount: number }> {
  const { content, place } = request;
  try {
    return content.kind === "tree"
      ? await showTree(contentOf(content.tree, place.subPath), request, fileSystem, signal)
      : await writeBlob(content.bytes, request, fileSystem);
  } catch (error) {
    if (signal.aborted) throw error;
    throw asStageError(error, "ReconciliationFailed", `Cannot check out to "${place.path}"`);
  }
}

/** Takes away what {@linkcode checkOut} made: the link or file, then the versions. A path that is not ours stays. */
export async function removeCheckout(
  path: string,
  kind: CheckoutContent["kind"],
  fileSystem: FileSystem,
): Promise<void> {
  const { parent, name } = versionsFolder(path);
  const info = await fileSystem.stat(path);
  const isOurs = kind === "blob"
    ? info?.kind === "file"
    : info?.kind === "link" && (await fileSystem.readLink(path))?.startsWith(`${name}/`) === true;
  if (isOurs) {
    await fileSystem.remove(path);
    await fileSystem.syncFolder(parent);
  }
  await removeOthers(`${parent}/${name}`, [], fileSystem);
  await fileSystem.remove(`${parent}/${name}`, { recursive: true });
}

function contentOf(tree: FileTree, subPath: string): FileTree {
  const part = subTree(tree, subPath);
  const { done } = part.files()[Symbol.iterator]().next();
  if (done === true && subPath !== "") {
    throw new StageError("ArtifactFailed", `Cannot check out "${subPath}": the artifact has no such folder`, {
      hint: "Correct spec.subPath",
    });
  }
  return part;
}

async function showTree(
  tree: FileTree,
  request: CheckoutRequest,
  fileSystem: FileSystem,
  signal: AbortSignal,
): Promise<{ readonly changed: boolean; readonly fileCount: number }> {
  const { place, version } = request;
  const { parent, name } = versionsFolder(place.path);
  const versions = `${parent}/${name}`;
  const shown = await currentVersion(place.path, name, fileSystem);
  const fileCount = [...tree.files()].length;
  const isComplete = (await fileSystem.stat(`${versions}/${version}`))?.kind === "folder";
  if (!isComplete) await writeVersion(tree, { place, versions, version }, fileSystem, signal);
  if (shown !== version) {
    // Made in our own folder, so that nothing half done ever lies beside the path.
    await fileSystem.link(`${name}/${version}`, `${versions}/${nextName}`);
    await fileSystem.rename(`${versions}/${nextName}`, place.path);
    await fileSystem.syncFolder(parent);
  }
  await removeOthers(versions, [version, ...(shown === undefined ? [] : [shown])], fileSystem);
  return { changed: shown !== version || !isComplete, fileCount };
}

/** Version that the link shows now. @throws {StageError} when something foreign stands there */
async function currentVersion(path: string, name: string, fileSystem: FileSystem): Promise<string | undefined> {
  const info = await fileSystem.stat(path);
  if (info === undefined) return undefined;
  const target = info.kind === "link" ? await fileSystem.readLink(path) : undefined;
  if (target?.startsWith(`${name}/`) === true) return target.slice(name.length + 1);
  const what = info.kind === "link" ? `a link to "${target}"` : info.kind === "folder" ? "a folder" : "a file";
  throw new StageError("ReconciliationFailed", `Cannot check out to "${path}": ${what} is there already`, {
    hint: "Move it away, or choose another spec.path: what Pilotfish did not make is never replaced",
  });
}

/** Writes a version under an unfinished name. Nobody looks at it before it is renamed, and everything in it is durable by then. */
async function writeVersion(
  tree: FileTree,
  where: { readonly place: CheckoutPlace; readonly versions: string; readonly version: string },
  fileSystem: FileSystem,
  signal: AbortSignal,
): Promise<void> {
  const { mode } = where.place;
  const unfinished = `${where.versions}/${temporaryPrefix}${where.version}`;
  await removeVersion(unfinished, fileSystem);
  const folders = foldersOf(tree);
  for (const path of folders) await fileSystem.makeFolder(`${unfinished}${path}`);
  const owner = mode.owner === undefined ? {} : { owner: mode.owner };
  await inParallel(tree.files(), filesAtOnce, async (file) => {
    signal.throwIfAborted();
    // A file that may be read may be run, where its owner marked it so.
    const executable = file.isExecutable ? (mode.files & 0o444) >> 2 : 0;
    const bytes = tree.read(file.path) ?? new Uint8Array();
    await fileSystem.writeNew(`${unfinished}/${file.path}`, bytes, { mode: mode.files | executable, ...owner });
  });
  // From the deepest up, so that a mode without write permission does not lock us out of the rest.
  for (const path of folders.toReversed()) {
    const full = `${unfinished}${path}`;
    if (mode.owner !== undefined) await fileSystem.setOwner(full, mode.owner);
    await fileSystem.setMode(full, mode.folders);
    await fileSystem.syncFolder(full);
  }
  await fileSystem.rename(unfinished, `${where.versions}/${where.version}`);
  await fileSystem.syncFolder(where.versions);
}

/** Folders of a tree, each after the one that holds it: "" and then `/css`, `/css/deep`. */
function foldersOf(tree: FileTree): readonly string[] {
  const folders = new Set<string>([""]);
  for (const { path } of tree.files()) {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      folders.add(`/${path.slice(0, slash)}`);
    }
  }
  return [...folders].sort((a, b) => a.length - b.length);
}

async function removeOthers(versions: string, kept: readonly string[], fileSystem: FileSystem): Promise<void> {
  for (const entry of await fileSystem.list(versions) ?? []) {
    if (!kept.includes(entry.name)) await removeVersion(`${versions}/${entry.name}`, fileSystem);
  }
}

/** Removes a version, also one whose folders nobody may write to (`mode.folders: "0555"`). */
async function removeVersion(path: string, fileSystem: FileSystem): Promise<void> {
  await openFolders(path, fileSystem);
  await fileSystem.remove(path, { recursive: true });
}

async function openFolders(path: string, fileSystem: FileSystem): Promise<void> {
  const info = await fileSystem.stat(path);
  if (info?.kind !== "folder") return;
  if ((info.mode & 0o300) !== 0o300) await fileSystem.setMode(path, info.mode | 0o700);
  for (const entry of await fileSystem.list(path) ?? []) {
    if (entry.kind === "folder") await openFolders(`${path}/${entry.name}`, fileSystem);
  }
}

async function writeBlob(
  bytes: Uint8Array,
  request: CheckoutRequest,
  fileSystem: FileSystem,
): Promise<{ readonly changed: boolean; readonly fileCount: number }> {
  const { path, mode } = request.place;
  const info = await fileSystem.stat(path);
  const present = info?.kind === "file" ? await fileSystem.read(path) : undefined;
  const isSame = present !== undefined && present.length === bytes.length &&
    present.every((byte, index) => byte === bytes[index]);
  if (info !== undefined && !isSame && (info.kind !== "file" || !request.isOurs)) {
    throw new StageError("ReconciliationFailed", `Cannot check out to "${path}": a ${info.kind} is there already`, {
      hint: "Move it away, or choose another spec.path: what Pilotfish did not make is never replaced",
    });
  }
  if (isSame) return { changed: false, fileCount: 1 };
  const { parent, name } = versionsFolder(path);
  const versions = `${parent}/${name}`;
  await fileSystem.makeFolder(versions);
  await fileSystem.writeAtomic(`${versions}/${nextName}`, bytes, {
    mode: mode.files,
    ...(mode.owner === undefined ? {} : { owner: mode.owner }),
  });
  await fileSystem.rename(`${versions}/${nextName}`, path);
  await fileSystem.syncFolder(parent);
  await fileSystem.remove(versions, { recursive: true });
  return { changed: true, fileCount: 1 };
}
