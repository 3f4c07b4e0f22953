/** Archives unpacked by fluxcd/pkg/tar and by us: same files, same bits, or refused by both. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { packWriter } from "../../src/source/store/tree_pack.ts";
import { unpackLayer } from "../../src/source/unpack.ts";
import { ownVectors } from "../support/paths.ts";
import { untarDifferences } from "./unpack_skip.ts";

interface Case {
  readonly name: string;
  readonly layer: string;
  readonly error?: string;
  readonly files?: readonly { readonly path: string; readonly sha256: string; readonly executable: boolean }[];
}

const { cases } = JSON.parse(await Deno.readTextFile(`${ownVectors}/untar/cases.json`)) as {
  readonly cases: readonly Case[];
};
const known = cases.filter((one) => one.name in untarDifferences).length;

async function outcomeOf(one: Case): Promise<Pick<Case, "files"> | "refused"> {
  const bytes = Uint8Array.from(atob(one.layer), (character) => character.charCodeAt(0));
  const chunks = (async function* () {
    yield bytes;
  })();
  try {
    const { files } = await unpackLayer(chunks, packWriter({ write: () => {} }), { ignore: { kind: "none" } });
    return {
      files: files.map(({ path, hash, isExecutable }) => ({ path, sha256: hash, executable: isExecutable }))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
    };
  } catch {
    return "refused";
  }
}

function wantedOf(one: Case): Pick<Case, "files"> | "refused" {
  if (one.error !== undefined) return "refused";
  return { files: [...one.files ?? []].sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

Deno.test(`unpackLayer() gives what Flux gives: ${cases.length - known} archives, ${known} known differences`, async () => {
  for (const one of cases) {
    const outcome = await outcomeOf(one);
    if (one.name in untarDifferences) {
      ok(
        JSON.stringify(outcome) !== JSON.stringify(wantedOf(one)),
        `${one.name} is the same now: take it off the list`,
      );
    } else deepEqual(outcome, wantedOf(one), one.name);
  }
  equal(Object.keys(untarDifferences).filter((name) => !cases.some((one) => one.name === name)).length, 0);
});
