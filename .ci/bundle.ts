/**
 * Bundles the program: `deno run -A .ci/bundle.ts FOLDER` writes `main.js`, and a chunk for each part that is loaded when it
 * is asked for.
 */
const project = new URL("..", import.meta.url);

/** Bundles into a folder; what an earlier bundle left there goes. `folder` is absolute. @returns the path of the first file */
export async function bundleProgram(folder: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  for await (const { name } of Deno.readDir(folder)) if (name.endsWith(".js")) await Deno.remove(`${folder}/${name}`);
  const args = ["bundle", "--quiet", "--minify", "--code-splitting", "--outdir", folder, "main.ts"];
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: project, stderr: "inherit" }).output();
  if (!success) throw new Error("Cannot bundle: deno bundle failed");
  for await (const { name } of Deno.readDir(folder)) await hideLazyImports(`${folder}/${name}`);
  return `${folder}/main.js`;
}

/**
 * Deno reads every chunk that it can see behind an `import()` before the program starts, needed or not: 2 MB and 6 ms. What
 * is not written as a plain text is read when it is imported.
 */
async function hideLazyImports(path: string): Promise<void> {
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace(/\bimport\("(\.\/[\w.-]+\.js)"\)/g, 'import(["$1"][0])'));
}

if (import.meta.main) {
  const [folder] = Deno.args;
  if (folder === undefined) throw new Error("Cannot bundle: name a folder");
  await bundleProgram(folder.startsWith("/") ? folder : `${Deno.cwd()}/${folder}`);
}
