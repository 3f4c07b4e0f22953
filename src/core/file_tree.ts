/** One regular file of a tree. */
export interface TreeFile {
  /** Relative, `/`-separated, clean: no `.`, `..`, empty part, leading or trailing slash. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly isExecutable: boolean;
}

/** Where something of a tree stands once links are followed, and what it is. */
export interface TreePlace {
  /** Clean and relative, as {@linkcode TreeFile.path}; `""` is the root. */
  readonly path: string;
  readonly kind: "file" | "folder";
}

/**
 * Read-only files by clean relative path: what an artifact unpacks to, a folder on disk, or a test's literal.
 * Reading is synchronous, because builds are pure functions over it. Empty folders do not exist in it.
 */
export interface FileTree {
  /** Files in order of path (by UTF-16 code unit). */
  files(): Iterable<TreeFile>;
  /** Whether a file stands at `path`. */
  has(path: string): boolean;
  /** Content of a file; `undefined` when there is none. @throws {StageError} ReadOperationFailed when it cannot be read */
  read(path: string): Uint8Array | undefined;
  /**
   * Where a path leads; `undefined` when nothing is there. A tree without this has no links: what it holds stands where its
   * path says.
   */
  locate?(path: string): TreePlace | undefined;
}

/** A tree that holds something open (a file on disk) until it is disposed. */
export interface OpenFileTree extends FileTree, Disposable {}

/** What stands in a folder of a tree. */
export interface FolderListing {
  /** Names of files, sorted. */
  readonly files: readonly string[];
  /** Names of sub-folders, sorted. */
  readonly folders: readonly string[];
}

/** A tree of in-memory files, given by path. Texts are stored as UTF-8. */
export function treeOf(
  files: Readonly<Record<string, string | Uint8Array>> | ReadonlyMap<string, Uint8Array>,
): FileTree {
  const contents = new Map<string, Uint8Array>();
  const entries = files instanceof Map ? files.entries() : Object.entries(files as Record<string, string | Uint8Array>);
  for (const [path, content] of entries) {
    contents.set(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }
  const sorted = [...contents.keys()].sort();
  return {
    files: () => sorted.map((path) => ({ path, sizeBytes: contents.get(path)?.length ?? 0, isExecutable: false })),
    has: (path) => contents.has(path),
    read: (path) => contents.get(path),
  };
}

/** Names in folder `path` ("" is the root); `undefined` when no file stands below it. */
export function listFolder(tree: FileTree, path: string): FolderListing | undefined {
  const prefix = path === "" ? "" : `${path}/`;
  const files: string[] = [];
  const folders = new Set<string>();
  for (const file of tree.files()) {
    if (!file.path.startsWith(prefix)) continue;
    const rest = file.path.slice(prefix.length);
    const slash = rest.indexOf("/");
    if (slash < 0) files.push(rest);
    else folders.add(rest.slice(0, slash));
  }
  if (files.length === 0 && folders.size === 0 && path !== "") return undefined;
  return { files: files.sort(), folders: [...folders].sort() };
}

/** Text of a file, as UTF-8; `undefined` when there is none. */
export function readText(tree: FileTree, path: string): string | undefined {
  const bytes = tree.read(path);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

/**
 * Joins a base folder and a path written by a person, and cleans the result.
 * Returns `undefined` when the result would leave the root, or when `path` is absolute, has a NUL or a backslash.
 */
export function joinPath(base: string, path: string): string | undefined {
  if (path.startsWith("/") || path.includes("\0") || path.includes("\\")) return undefined;
  const parts = base === "" ? [] : base.split("/");
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (parts.length === 0) return undefined;
      parts.pop();
    } else parts.push(part);
  }
  return parts.join("/");
}

/** The files below folder `path` as a tree of their own, with paths relative to it. */
export function subTree(tree: FileTree, path: string): FileTree {
  if (path === "") return tree;
  const prefix = `${path}/`;
  return {
    *files() {
      for (const file of tree.files()) {
        if (file.path.startsWith(prefix)) yield { ...file, path: file.path.slice(prefix.length) };
      }
    },
    has: (inner) => tree.has(prefix + inner),
    read: (inner) => tree.read(prefix + inner),
  };
}
