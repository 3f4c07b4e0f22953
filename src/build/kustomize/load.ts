import type { FileTree } from "../../core/file_tree.ts";
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
  /** Folder of the kustomization in the tree; `""` is the root. */
  readonly folder: string;
  /** One for all loaders of a build: what is made of what they read counts here. */
  readonly growth: Growth;
  /** Bytes of a file. @throws {StageError} BuildFailed when it is not there or may not be read */
  read(path: string): Uint8Array;
  /** Text of a file. @throws {StageError} BuildFailed as `read`, and when it is no UTF-8 */
  readText(path: string): string;
  /** Whether a path names a file in the tree (restrictions do not count). */
  hasFile(path: string): boolean;
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
  /** Where the tree's root stands on a disk, from which absolute paths of files count. Default `/`. */
  readonly rootPath?: string | undefined;
  /** Default: {@linkcode Growth}'s. */
  readonly maxGrowth?: number | undefined;
}

/**
 * Loader of a folder of a tree. Paths stay inside the tree; the tree has no links.
 *
 * @throws {StageError} BuildFailed when the folder is not there
 */
export function openLoader(tree: FileTree, path: string, options: LoaderOptions): Loader {
  const folders = foldersOf(tree);
  const folder = cleanJoin("", path.replace(/^\/+/, ""));
  if (folder.startsWith("..") || !folders.has(folder)) {
    throw fault(
      tree.has(folder) ? `Path "${path}" must be a folder, not a file` : `Cannot find folder "${path}"`,
    );
  }
  return loaderAt({ tree, folders, growth: new Growth(options.maxGrowth), ...options }, folder, []);
}

interface Ground {
  readonly tree: FileTree;
  readonly growth: Growth;
  readonly folders: ReadonlySet<string>;
  readonly restriction: LoadRestriction;
  readonly remote?: RemoteFiles | undefined;
  readonly rootPath?: string | undefined;
}

function loaderAt(ground: Ground, folder: string, visited: readonly string[]): Loader {
  const resolve = (path: string): string => {
    const joined = joinIn(ground, folder, path);
    if (joined.startsWith("..")) {
      throw fault(`Security: path "${path}" in "${folder || "."}" leads out of the tree`);
    }
    return joined;
  };
  const read = (path: string): Uint8Array => {
    if (isHttp(path)) return readRemote(path, ground.remote);
    if (path.includes("\0")) throw fault(`Cannot read path ${JSON.stringify(path)}: it has a NUL`);
    const joined = resolve(path);
    if (ground.restriction === "root-only" && !isWithin(joined, folder)) {
      throw fault(`Security: file "${path}" is not in or below "${folder || "."}"`);
    }
    const bytes = ground.tree.read(joined);
    if (bytes === undefined) {
      if (isRemote(path)) throw remoteFault(path);
      throw fault(
        ground.folders.has(joined)
          ? `"${path}" in "${folder || "."}" must be a file, not a folder`
          : `Cannot find file "${path}" in "${folder || "."}"`,
      );
    }
    return bytes;
  };
  return {
    folder,
    growth: ground.growth,
    read,
    readText: (path) => decodeText(path, read(path)),
    hasFile: (path) => {
      if (isHttp(path) || path.includes("\0")) return false;
      return ground.tree.has(joinIn(ground, folder, path));
    },
    enter: (path) => {
      if (path === "") throw fault("New root cannot be empty");
      if (isHttp(path)) throw remoteFault(path);
      if (path.startsWith("/")) throw fault(`New root "${path}" cannot be absolute`);
      const next = resolve(path);
      if (!ground.folders.has(next)) {
        if (isRemote(path)) throw remoteFault(path);
        throw fault(
          ground.tree.has(next)
            ? `New root "${path}" must be a folder, not a file`
            : `Cannot find "${path}" in "${folder || "."}"`,
        );
      }
      for (const root of [folder, ...visited]) {
        if (isWithin(root, next)) {
          throw fault(`Cycle detected: candidate root "${next || "."}" contains visited root "${root || "."}"`);
        }
      }
      return loaderAt(ground, next, [folder, ...visited]);
    },
  };
}

/** Path in the tree of a path that a kustomization of `folder` names; it starts with `..` when it leads out. */
function joinIn({ rootPath = "/" }: Ground, folder: string, path: string): string {
  if (!path.startsWith("/")) return cleanJoin(folder, path);
  const clean = `/${cleanJoin("", path.slice(1))}`;
  const root = rootPath === "/" ? "" : rootPath;
  return clean.startsWith(`${root}/`) ? clean.slice(root.length + 1) : `..${clean}`;
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
export function remoteFault(path: string): Error {
  return isHttp(path)
    ? fault(
      `Refusing to read "${path}": http(s) resources are not allowed here (--allow-http allows them); put a copy into the tree`,
    )
    : fault(`Refusing remote base "${path}": git repositories are not supported; put a copy into the tree`);
}
