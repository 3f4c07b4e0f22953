/**
 * Makes `builds.json` beside it by running the real kustomize (5.8.1) with helm (4.2.4), both on PATH.
 *
 * @module
 */
import { chartOverlays } from "./handmade.ts";

async function realBuild(
  files: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<string | undefined> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${folder}/${path}`, text);
    }
    const result = await new Deno.Command("kustomize", {
      args: ["build", "--enable-helm", ...args, `${folder}/overlay`],
    }).output();
    return result.success ? new TextDecoder().decode(result.stdout) : undefined;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const cases: unknown[] = [];
  for (const [name, { files, args = [] }] of Object.entries(chartOverlays)) {
    const expected = await realBuild(files, args);
    cases.push({ name, files, args, ...(expected === undefined ? { fails: true } : { expected }) });
  }
  const note = "made by make.ts with kustomize 5.8.1 and helm 4.2.4, see README.md";
  await Deno.writeTextFile(new URL("builds.json", import.meta.url), `${JSON.stringify({ note, cases }, null, 1)}\n`);
}
