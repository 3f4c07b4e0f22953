/** A folder of this disk that is removed when it is disposed. */
export interface WrittenFolder extends AsyncDisposable {
  /** Absolute, links followed. */
  readonly path: string;
}

/** Writes files and links, by path, into a folder of their own. */
export async function writeFolder(
  files: Readonly<Record<string, string | Uint8Array>>,
  links: Readonly<Record<string, string>> = {},
): Promise<WrittenFolder> {
  const path = await Deno.realPath(await Deno.makeTempDir());
  const place = async (name: string) => {
    const full = `${path}/${name}`;
    await Deno.mkdir(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    return full;
  };
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(await place(name), bytes);
  }
  for (const [name, target] of Object.entries(links)) await Deno.symlink(target, await place(name));
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
