/**
 * Bundles the program: `deno run -A .ci/bundle.ts FOLDER` writes `main.js`, and a chunk for each part that is loaded when it
 * is asked for.
 */
import { compileEarly } from "./eager.ts";

/** Commands that a script starts once for each chart or overlay. */
const oftenStarted = [["template", "web", "chart"], ["build", "examples/site/overlays/edge"]];

const project = new URL("..", import.meta.url);

/** Bundles into a folder; what an earlier bundle left there goes. `folder` is absolute. @returns the path of the first file */
export async function bundleProgram(folder: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  for await (const { name } of Deno.readDir(folder)) if (name.endsWith(".js")) await Deno.remove(`${folder}/${name}`);
  await bundle(["--code-splitting", "--outdir", folder, "main.ts"]);
  await rewriteFiles(folder, hideLazyImports);
  await joinChunks(folder);
  await compileEarly(folder, oftenStarted);
  return `${folder}/main.js`;
}

async function bundle(args: readonly string[]): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--minify", ...args],
    cwd: project,
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("Cannot bundle: deno bundle failed");
}

/** Texts of a folder's files by name. */
async function readFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) texts.set(name, await Deno.readTextFile(`${folder}/${name}`));
  return texts;
}

async function rewriteFiles(folder: string, change: (text: string) => string): Promise<void> {
  for (const [name, text] of await readFiles(folder)) await Deno.writeTextFile(`${folder}/${name}`, change(text));
}

/**
 * Deno reads every chunk that it can see behind an `import()` before the program starts, needed or not: 2 MB and 6 ms. What
 * is not written as a plain text is read when it is imported.
 */
function hideLazyImports(text: string): string {
  return text.replace(/\bimport\("(\.\/[\w.-]+\.js)"\)/g, 'import(["$1"][0])');
}

/** First files of what is started often, or stays: they decide which chunks are joined. */
const firstFile = /^(?:main|(?:template_command|build_command|daemon|serve_builds)-\w+)\.js$/;

/** An import of another file, as the bundler writes it: names if any, then the file. */
const importStatement = /\bimport(?:\{([^{}]*)\}from)?"\.\/([\w.-]+\.js)"/g;

/**
 * Joins chunks that are loaded together. The bundler makes one for each set of lazy parts that share code, and most of
 * those parts are rare: `template` would read 31 files, and each costs 0.1 ms. What `main.js` needs becomes one file, and so
 * does what the same ones of the commands above need: none of them reads more than before.
 */
async function joinChunks(folder: string): Promise<void> {
  const texts = await readFiles(folder);
  const ways = [...texts.keys()].filter((name) => firstFile.test(name)).sort()
    .map((name) => ({ name, files: filesOf(name, texts) }));
  const groups = Map.groupBy([...texts.keys()].filter((name) => name.startsWith("chunk-")).sort(), (chunk) => {
    const users = ways.filter(({ files }) => files.has(chunk)).map(({ name }) => name);
    return users.includes("main.js") ? "main.js" : users.join(" ") || chunk;
  });
  const placeOf = new Map<string, string>();
  for (const chunks of groups.values()) {
    if (chunks.length === 1) continue;
    const place = `joined-${new Set(placeOf.values()).size + 1}.js`;
    const exports = chunks.map((chunk) => `export{${exportsOf(chunk, texts)}}from"./${chunk}";`);
    await Deno.writeTextFile(`${folder}/join.js`, exports.join("\n"));
    const others = [...texts.keys()].filter((name) => !chunks.includes(name)).map((name) => `--external=./${name}`);
    await bundle([...others, "--output", `${folder}/${place}`, `${folder}/join.js`]);
    for (const chunk of chunks) placeOf.set(chunk, place);
  }
  for (const file of ["join.js", ...placeOf.keys()]) await Deno.remove(`${folder}/${file}`);
  await rewriteFiles(folder, (text) => importFromJoined(hideLazyImports(text), placeOf));
}

/** A file and all that is loaded with it. */
function filesOf(file: string, texts: ReadonlyMap<string, string>, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, , next = ""] of (texts.get(file) ?? "").matchAll(importStatement)) filesOf(next, texts, found);
  return found;
}

/** What a chunk exports, each with its name in the file that it is joined into. */
function exportsOf(chunk: string, texts: ReadonlyMap<string, string>): string {
  const names = [...(texts.get(chunk) ?? "").matchAll(/\bexport\{([^{}]*)\}/g)].at(-1)?.[1];
  if (names === undefined) throw new Error(`Cannot join chunks: "${chunk}" exports nothing`);
  return names.split(",").map((name) => name.replace(/.* as /, "")).map((name) => `${name} as ${nameIn(chunk, name)}`)
    .join(",");
}

function importFromJoined(text: string, placeOf: ReadonlyMap<string, string>): string {
  return text.replace(importStatement, (whole, names: string | undefined, chunk: string) => {
    const place = placeOf.get(chunk);
    if (place === undefined) return whole;
    if (names === undefined) return `import"./${place}"`;
    const renamed = names.split(",").map((one) => {
      const [name = "", local = name] = one.split(" as ");
      return `${nameIn(chunk, name)} as ${local}`;
    });
    return `import{${renamed.join(",")}}from"./${place}"`;
  });
}

/** `chunk-ABC.js` exports `a`: in the joined file it is `a_ABC`. */
function nameIn(chunk: string, name: string): string {
  return `${name}_${chunk.slice("chunk-".length, -".js".length)}`;
}

if (import.meta.main) {
  const [folder] = Deno.args;
  if (folder === undefined) throw new Error("Cannot bundle: name a folder");
  await bundleProgram(folder.startsWith("/") ? folder : `${Deno.cwd()}/${folder}`);
}
