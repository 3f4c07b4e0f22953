import type { FileTree, TreePlace } from "../../core/file_tree.ts";
import { fault } from "./fault.ts";
import { decodeText } from "./documents.ts";
import { Growth } from "./growth.ts";
import { cleanJoin } from "./origin.ts";

/** Which files a kustomization may read. */
export type LoadRestriction =
  /** Only those in or below its own folder (kustomize's default). */
  | "root-only"
  /** Any file of the tree. */
  | "none";

/** Reads one http(s) file, bounded in size and time. */
export type FetchFile = (url: string, signal?: AbortSignal) => Promise<Uint8Array>;

/**
 * Files of http(s) addresses that a build has. Reading is synchronous: an address that is asked for and not there is put
 * into `wanted`, and the build is done again when it was fetched.
 */
export interface RemoteFiles {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly wanted: Set<string>;
}

/** Files as the kustomization of one folder sees them. */
export interface Loader {
  /** Folder of the kustomization in the tree, links followed; `""` is the root. */
  readonly folder: string;
  /** One for all loaders of a build: what is made of what they read counts here. */
  readonly growth: Growth;
  /** Bytes of a file. @throws {StageError} BuildFailed when it is not there or may not be read */
  read(path: string): Uint8Array;
  /** Text of a file. @throws {StageError} BuildFailed as `read`, and when it is no UTF-8 */
  readText(path: string): string;
  /** Whether a path names a file in the tree (restrictions do not count). */
  hasFile(path: string): boolean;
  /** Whether a path names a file that may be read. */
  mayRead(path: string): boolean;
  /** How messages name a path of this folder. */
  shown(path: string): string;
  /** Loader of another folder. @throws {StageError} BuildFailed for what is no folder, a cycle or remote */
  enter(path: string): Loader;
}

const gitLike =
  /^(?:git@|ssh:\/\/|git:|git::|file:\/\/|gh:|github\.com[/:]|bitbucket\.org\/|[\w.-]+@[\w.-]+:)|\.git(?:[/?]|$)|[?&]ref=|_git\//;

/** Whether an entry names something outside the tree: a URL or a git repository. */
export function isRemote(path: string): boolean {
  return /^https?:\/\//.test(path) || gitLike.test(path);
}

/** Whether an entry is an http(s) URL. */
export function isHttp(path: string): boolean {
  return /^https?:\/\//.test(path);
}

/** Folders of trees, as long as the trees are in use: every step of a build asks for them. */
const knownFolders = new WeakMap<FileTree, ReadonlySet<string>>();

/** Folders of a tree that hold at least one file, themselves or further in. */
export function foldersOf(tree: FileTree): ReadonlySet<string> {
  const known = knownFolders.get(tree);
  if (known !== undefined) return known;
  const folders = new Set<string>([""]);
  for (const { path } of tree.files()) {
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const folder = path.slice(0, slash);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  // Only now: a tree that fails on the way must not be known by half.
  knownFolders.set(tree, folders);
  return folders;
}

/** How a loader reads. */
export interface LoaderOptions {
  readonly restriction: LoadRestriction;
  /** Without them, http(s) addresses are refused. */
  readonly remote?: RemoteFiles | undefined;
  /** Folder of the tree from which messages count paths. Default: its root. */
  readonly shownFrom?: string | undefined;
  /** Default: {@linkcode Growth}'s. */
  readonly maxGrowth?: number | undefined;
}

/**
 * Loader of a folder of a tree. Paths stay inside the tree, absolute ones count from its root, and what counts of a file or
 * folder behind links is where it really stands (kustomize 5.8.1 `filesys.CleanedAbs`).
 *
 * @throws {StageError} BuildFailed when the folder is not there
 */
export function openLoader(tree: FileTree, path: string, options: LoaderOptions): Loader {
  const { restriction, remote, shownFrom = "" } = options;
  const locate = placesOf(tree);
  const place = locate(cleanJoin("", path.replace(/^\/+/, "")));
  if (place?.kind !== "folder") {
    throw fault(
      place === undefined ? `Cannot find folder "${path}"` : `Path "${path}" must be a folder, not a file`,
    );
  }
  const growth = new Growth(options.maxGrowth);
  return loaderAt({ tree, locate, growth, restriction, remote, shownFrom }, place.path, []);
}

type Locate = (path: string) => TreePlace | undefined;

/** Where the paths of a tree lead. */
function placesOf(tree: FileTree): Locate {
  if (tree.locate === undefined) {
    const folders = foldersOf(tree);
    return (path) => tree.has(path) ? { path, kind: "file" } : folders.has(path) ? { path, kind: "folder" } : undefined;
  }
  const known = new Map<string, TreePlace | undefined>();
  return (path) => {
    // Above the root of a disk is its root.
    const clean = path.replace(/^(?:\.\.(?:\/|$))+/, "");
    if (!known.has(clean)) known.set(clean, tree.locate?.(clean));
    return known.get(clean);
  };
}

interface Ground {
  readonly tree: FileTree;
  readonly locate: Locate;
  readonly growth: Growth;
  readonly restriction: LoadRestriction;
  readonly remote: RemoteFiles | undefined;
  readonly shownFrom: string;
}

function loaderAt(ground: Ground, folder: string, visited: readonly string[]): Loader {
  const { tree, locate } = ground;
  const own = shownPath(ground.shownFrom, folder);
  /** What a path of the kustomization leads to; outside of the tree there is nothing. */
  const find = (path: string): TreePlace | undefined =>
    isHttp(path) || path.includes("\0") ? undefined : locate(joinIn(folder, path));
  const refuseOutside = (path: string): void => {
    if (tree.locate === undefined && joinIn(folder, path).startsWith("..")) {
      throw fault(`Security: path "${path}" in "${own}" leads out of the tree`);
    }
  };
  const read = (path: string): Uint8Array => {
    if (isHttp(path)) return readRemote(path, ground.remote);
    if (path.includes("\0")) throw fault(`Cannot read path ${JSON.stringify(path)}: it has a NUL`);
    refuseOutside(path);
    const named = joinIn(folder, path);
    const place = locate(named) ?? { path: named, kind: undefined };
    if (ground.restriction === "root-only" && !isWithin(place.path, folder)) {
      const leads = place.path === named ? "" : ` leads to "${shownPath(ground.shownFrom, place.path)}", which`;
      throw fault(`Security: file "${path}"${leads} is not in or below "${own}"`);
    }
    const bytes = place.kind === "file" ? tree.read(place.path) : undefined;
    if (bytes !== undefined) return bytes;
    if (isRemote(path)) throw remoteFault(path);
    throw fault(
      place.kind === "folder"
        ? `"${path}" in "${own}" must be a file, not a folder`
        : `Cannot find file "${path}" in "${own}"`,
    );
  };
  return {
    folder,
    growth: ground.growth,
    read,
    readText: (path) => decodeText(path, read(path)),
    hasFile: (path) => find(path)?.kind === "file",
    mayRead: (path) => {
      const place = find(path);
      return place?.kind === "file" && (ground.restriction === "none" || isWithin(place.path, folder));
    },
    shown: (path) => shownPath(ground.shownFrom, joinIn(folder, path)),
    enter: (path) => {
      if (path === "") throw fault("New root cannot be empty");
      if (isHttp(path)) throw remoteFault(path);
      if (path.startsWith("/")) throw fault(`New root "${path}" cannot be absolute`);
      refuseOutside(path);
      const place = find(path);
      if (place?.kind !== "folder") {
        if (isRemote(path)) throw remoteFault(path);
        throw fault(
          place === undefined ? `Cannot find "${path}" in "${own}"` : `New root "${path}" must be a folder, not a file`,
        );
      }
      for (const root of [folder, ...visited]) {
        if (isWithin(root, place.path)) {
          const [candidate, above] = [place.path, root].map((one) => shownPath(ground.shownFrom, one));
          throw fault(`Cycle detected: candidate root "${candidate}" contains visited root "${above}"`);
        }
      }
      return loaderAt(ground, place.path, [folder, ...visited]);
    },
  };
}

/** Path in the tree of a path that a kustomization of `folder` names; it starts with `..` when it leads out. */
function joinIn(folder: string, path: string): string {
  return path.startsWith("/") ? cleanJoin("", path.slice(1)) : cleanJoin(folder, path);
}

/** A path of the tree as it is written in folder `from`; `.` for that folder itself. */
function shownPath(from: string, path: string): string {
  if (from === "") return path || ".";
  const [start, end] = [from.split("/"), path.split("/").filter((part) => part !== "")];
  let same = 0;
  while (same < start.length && start[same] === end[same]) same++;
  return [...Array<string>(start.length - same).fill(".."), ...end.slice(same)].join("/") || ".";
}

function readRemote(url: string, remote: RemoteFiles | undefined): Uint8Array {
  if (remote === undefined) throw remoteFault(url);
  const bytes = remote.files.get(url);
  if (bytes !== undefined) return bytes;
  remote.wanted.add(url);
  throw fault(`Cannot read "${url}": it was not fetched`);
}

function isWithin(path: string, folder: string): boolean {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}

/** The refusal of a remote base. */
function remoteFault(path: string): Error {
  return isHttp(path)
    ? fault(
      `Refusing to read "${path}": http(s) resources are not allowed here (--allow-http allows them); put a copy into the tree`,
    )
    : fault(`Refusing remote base "${path}": git repositories are not supported; put a copy into the tree`);
}
