/** What stands behind a path of this disk once every link is followed. */
export interface LocatedPath {
  /** Absolute and without links. */
  readonly path: string;
  readonly kind: "file" | "folder";
}

/** Where a path leads; `undefined` when nothing is there, when its links go in a circle, and for pipes and devices. */
export function locatePath(path: string): LocatedPath | undefined {
  try {
    const info = Deno.statSync(path);
    if (!info.isFile && !info.isDirectory) return undefined;
    return { path: Deno.realPathSync(path), kind: info.isFile ? "file" : "folder" };
  } catch (error) {
    const code = (error as { readonly code?: string }).code ?? "";
    if (["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EACCES"].includes(code)) return undefined;
    throw error;
  }
}
