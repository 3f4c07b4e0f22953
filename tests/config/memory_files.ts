import { loadConfig, type LoadedConfig } from "../../src/config/load.ts";
import type { FileInfo, FileSystem } from "../../src/core/file_system.ts";

/** What reading documents needs of a disk, over a table: texts are files, `link:PATH` a link. Change `files` at will. */
export class MemoryFiles {
  files: Record<string, string>;
  /** Callbacks of watches. */
  watchers: (() => void)[] = [];

  constructor(files: Record<string, string>) {
    this.files = files;
  }

  get fileSystem(): FileSystem {
    return {
      list: (path: string) => Promise.resolve(this.#list(path)),
      read: (path: string) => Promise.resolve(this.#read(path)),
      readLink: (path: string) => Promise.resolve(/^link:(.*)$/s.exec(this.files[path] ?? "")?.[1]),
      watch: (_paths: readonly string[], onChange: () => void) => void this.watchers.push(onChange),
    } as unknown as FileSystem;
  }

  #resolve(path: string): string {
    const parts = path.split("/");
    for (let length = 1; length <= parts.length; length++) {
      const target = this.files[parts.slice(0, length).join("/")];
      if (target?.startsWith("link:")) {
        const base = parts.slice(0, length - 1).join("/");
        return this.#resolve([base, target.slice(5), ...parts.slice(length)].filter((part) => part !== "").join("/"));
      }
    }
    return path;
  }

  #read(path: string): Uint8Array | undefined {
    const text = this.files[this.#resolve(path)];
    return text === undefined ? undefined : new TextEncoder().encode(text);
  }

  #list(path: string): { name: string; kind: FileInfo["kind"] }[] | undefined {
    const prefix = `${this.#resolve(path.replace(/\/+$/, ""))}/`;
    const found = new Map<string, FileInfo["kind"]>();
    for (const [name, text] of Object.entries(this.files)) {
      if (!name.startsWith(prefix)) continue;
      const [first = "", ...rest] = name.slice(prefix.length).split("/");
      found.set(first, rest.length > 0 ? "folder" : text.startsWith("link:") ? "link" : "file");
    }
    if (found.size === 0) return undefined;
    return [...found].map(([name, kind]) => ({ name, kind })).sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/** What the documents of a text give, as if they stood in `file` in folder `/etc/pilotfish`. */
export async function check(
  text: string,
  options: { readonly noCrossNamespaceRefs?: boolean; readonly file?: string } = {},
): Promise<LoadedConfig> {
  const file = options.file ?? "app.yaml";
  const { fileSystem } = new MemoryFiles({ [file]: text });
  return await loadConfig([file], { fileSystem, baseFolderOf: () => "/etc/pilotfish", ...options });
}
