/**
 * Makes `builds.json` beside it by running the real kustomize (5.8.1 on PATH).
 *
 * @module
 */
import { randomBuild } from "../../support/random_build.ts";
import { randomOverlay } from "../../support/random_overlay.ts";
import { handmadeOverlays } from "./handmade.ts";

const encoder = new TextEncoder();
/** Builds of `randomBuild` that found a difference once, and a row of others. */
const buildSeeds = [10095, 10403, 11224, 10956, 11449, 11793, 12212, ...Array.from({ length: 90 }, (_, at) => at + 1)];

async function realBuild(files: Readonly<Record<string, string | Uint8Array>>): Promise<string | undefined> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [path, content] of Object.entries(files)) {
      await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeFile(`${folder}/${path}`, typeof content === "string" ? encoder.encode(content) : content);
    }
    const result = await new Deno.Command("kustomize", { args: ["build", `${folder}/overlay`] }).output();
    return result.success ? new TextDecoder().decode(result.stdout) : undefined;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const cases: unknown[] = [];
  for (const [name, files] of Object.entries(handmadeOverlays)) {
    const expected = await realBuild(files);
    cases.push(expected === undefined ? { name, files, fails: true } : { name, files, expected });
  }
  for (let seed = 1; seed <= 40; seed++) {
    const expected = await realBuild(randomOverlay(seed));
    cases.push(expected === undefined ? { seed, fails: true } : { seed, expected });
  }
  for (const build of buildSeeds) {
    const expected = await realBuild(randomBuild(build));
    cases.push(expected === undefined ? { build, fails: true } : { build, expected });
  }
  const note = "made by make.ts with kustomize 5.8.1, see README.md";
  await Deno.writeTextFile(new URL("builds.json", import.meta.url), `${JSON.stringify({ note, cases }, null, 1)}\n`);
}
