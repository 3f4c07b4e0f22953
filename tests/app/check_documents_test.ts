import { deepEqual, equal, match } from "node:assert/strict";
import { checkPaths, readConfig } from "../../src/app/check_documents.ts";

async function folderOf(files: Record<string, string>): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${path}/${name}`, text);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

const source = `apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: src, namespace: default}
spec: {interval: 1m, url: "oci://example.org/a"}
`;
const settings = (spec: string) =>
  `apiVersion: pilotfish.dev/v1alpha1
kind: Settings
metadata: {name: pilotfish}
spec: ${spec}
`;
const options = { noCrossNamespaceRefs: false };

Deno.test("checkPaths() counts objects and names each problem with its place", async () => {
  await using folder = await folderOf({ "good.yaml": source, "bad.yaml": source.replace("url:", "urll:") });

  deepEqual(await checkPaths([`${folder.path}/good.yaml`], options), {
    problems: [],
    objects: 1,
    errors: 0,
    warnings: 0,
  });
  const report = await checkPaths([folder.path], options);
  equal(report.errors > 0, true);
  match(report.problems.map((problem) => problem.text).join("\n"), /bad\.yaml:4:\d+: .*urll/);
});

Deno.test("checkPaths() checks settings too, and says what is not there", async () => {
  await using folder = await folderOf({ "a.yaml": `${source}---\n${settings("{listen: nonsense}")}` });
  equal((await checkPaths([folder.path], options)).errors, 1);
  match(
    (await checkPaths([`${folder.path}/none`], options)).problems[0]?.text ?? "",
    /there is no such file or folder/,
  );
});

Deno.test("readConfig() takes flags over documents", async () => {
  await using folder = await folderOf({ "a.yaml": `${source}---\n${settings("{store: {path: ./one}}")}` });

  const plain = await readConfig([folder.path], {});
  const flagged = await readConfig([folder.path], { store: "/elsewhere" });

  equal(plain.kind === "read" && plain.settings.store.path, `${await Deno.realPath(folder.path)}/one`);
  equal(flagged.kind === "read" && flagged.settings.store.path, "/elsewhere");
});

Deno.test("readConfig() refuses wrong flags and documents of which none is good, and starts with the good ones", async () => {
  await using bad = await folderOf({ "a.yaml": "a: [" });
  await using mixed = await folderOf({ "a.yaml": "a: [", "b.yaml": source });

  const broken = await readConfig([bad.path], {});
  match(broken.kind === "refused" ? broken.message : "", /a\.yaml:\d+:\d+: /);
  const wrong = await readConfig([mixed.path], { target: "nowhere" });
  match(wrong.kind === "refused" ? wrong.message : "", /Cannot use --target "nowhere"/);
  const started = await readConfig([mixed.path], {});
  equal(started.kind === "read" && started.config.desired.objects.length, 1);
  equal(started.kind === "read" && started.config.desired.isComplete, false);
});

Deno.test("readConfig() refuses to write into the folder that documents are read from", async () => {
  await using folder = await folderOf({ "a.yaml": source });

  const mixed = await readConfig([folder.path], { target: `directory:${folder.path}/` });
  const beside = await readConfig([folder.path], { target: `directory:${folder.path}/out` });

  match(
    mixed.kind === "refused" ? mixed.message : "",
    /documents are read from there .*\n {4}hint: Name another folder/,
  );
  equal(beside.kind, "read");
});
