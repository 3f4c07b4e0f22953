/**
 * Makes `builds.json` and `links.json` beside it by running the real kustomize (5.8.1 on PATH).
 *
 * @module
 */
import { randomBuild } from "../../support/random_build.ts";
import { randomOverlay } from "../../support/random_overlay.ts";
import { handmadeOverlays, linkedFolders } from "./handmade.ts";
import { writeFolder } from "../../support/written_folder.ts";

/** Builds of `randomBuild` that found a difference once, and a row of others. */
const buildSeeds = [10095, 10403, 11224, 10956, 11449, 11793, 12212, ...Array.from({ length: 90 }, (_, at) => at + 1)];

async function realBuild(
  files: Readonly<Record<string, string | Uint8Array>>,
  { path = "overlay", links = {}, flags = [] }: {
    readonly path?: string;
    readonly links?: Readonly<Record<string, string>>;
    readonly flags?: readonly string[];
  } = {},
): Promise<{ readonly expected: string } | { readonly fails: true }> {
  await using folder = await writeFolder(files, links);
  const result = await new Deno.Command("kustomize", { args: ["build", ...flags, `${folder.path}/${path}`] }).output();
  return result.success ? { expected: new TextDecoder().decode(result.stdout) } : { fails: true };
}

async function write(name: string, cases: readonly unknown[]): Promise<void> {
  const note = "made by make.ts with kustomize 5.8.1, see README.md";
  await Deno.writeTextFile(new URL(name, import.meta.url), `${JSON.stringify({ note, cases }, null, 1)}\n`);
}

if (import.meta.main) {
  const cases: unknown[] = [];
  for (const [name, files] of Object.entries(handmadeOverlays)) {
    cases.push({ name, files, ...await realBuild(files) });
  }
  for (let seed = 1; seed <= 40; seed++) cases.push({ seed, ...await realBuild(randomOverlay(seed)) });
  for (const build of buildSeeds) cases.push({ build, ...await realBuild(randomBuild(build)) });
  await write("builds.json", cases);
  const linked: unknown[] = [];
  for (const [name, folder] of Object.entries(linkedFolders)) {
    linked.push({ name, ...folder, ...await realBuild(folder.files, { path: "base", ...folder }) });
  }
  await write("links.json", linked);
}
