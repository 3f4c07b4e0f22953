import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";

import { artifactCommands } from "../../src/app/artifacts.ts";
import { runBuild } from "../../src/app/build_command.ts";
import { splitReference } from "../../src/app/split_reference.ts";
import { ownVectors } from "../support/paths.ts";
import { writeFolder } from "../support/written_folder.ts";
import type { LinkedFolder } from "../vectors/kustomize/handmade.ts";

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n";

async function withLayout(run: (layout: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const files: Readonly<Record<string, string>> = {
      "app/kustomization.yaml": "resources: [../base]\nnamePrefix: p-\n",
      "base/kustomization.yaml": "resources: [c.yaml]\n",
      "base/c.yaml": configMap,
      "kustomization.yaml": "resources: [base]\nhelmCharts: [{name: site, releaseName: r}]\n",
      "charts/site/Chart.yaml": "apiVersion: v2\nname: site\nversion: 1.0.0\n",
      "charts/site/values.yaml": "{}\n",
      "charts/site/templates/c.yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}\n",
      ".sourceignore": "left-out\n",
      "left-out/kustomization.yaml": "resources: [../base]\n",
    };
    for (const [path, text] of Object.entries(files)) {
      const full = `${folder}/tree/${path}`;
      await Deno.mkdir(full.slice(0, full.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(full, text);
    }
    const layout = `oci-layout://${folder}/layout`;
    const commands = artifactCommands({ login: { insecure: false }, signal: new AbortController().signal });
    await commands.push(`${folder}/tree`, `${layout}:v1`, {});
    await run(layout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("splitReference() reads a folder behind a reference", () => {
  deepEqual(splitReference("oci://r.io/a/b:v1//x/./y"), { reference: "oci://r.io/a/b:v1", path: "x/y" });
  deepEqual(splitReference("oci://r.io/a"), { reference: "oci://r.io/a", path: "" });
  deepEqual(splitReference("oci-layout:///srv/l:v1//x"), { reference: "oci-layout:///srv/l:v1", path: "x" });
  deepEqual(splitReference("oci-layout://./l//"), { reference: "oci-layout://./l", path: "" });
  equal(splitReference("./folder//x"), undefined);
  throws(() => splitReference("oci://r.io/a//../x"), /leads out of the artifact/);
});

Deno.test("runBuild() builds an artifact of a layout", () =>
  withLayout(async (layout) => {
    const app = await runBuild([`${layout}:v1//app`]);
    equal(app.stdout, configMap.replace("name: c", "name: p-c"), app.stderr);
    const refused = await runBuild([`${layout}:v1`]);
    match(refused.stderr, /must specify --enable-helm/);
    const root = await runBuild([`${layout}:v1`, "--enable-helm"]);
    equal(root.stdout, `${configMap}---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: r\n`, root.stderr);
  }));

Deno.test("runBuild() says what an artifact has not", () =>
  withLayout(async (layout) => {
    for (const path of ["nowhere", "left-out"]) {
      const outcome = await runBuild([`${layout}:v1//${path}`]);
      equal(outcome.exitCode, 1);
      match(outcome.stderr, /must build at directory/);
    }
    await rejects(runBuild([`${layout}:v2`]), /v2/);
  }));

interface LinkedCase extends LinkedFolder {
  readonly name: string;
  readonly expected?: string;
  readonly fails?: boolean;
}

Deno.test("runBuild() follows links of a disk as kustomize does", async (test) => {
  const { cases } = JSON.parse(await Deno.readTextFile(`${ownVectors}/kustomize/links.json`));
  for (const { name, files, links, flags = [], expected, fails } of cases as readonly LinkedCase[]) {
    await test.step(name, async () => {
      await using folder = await writeFolder(files, links);
      const { stdout, stderr, exitCode } = await runBuild([...flags, `${folder.path}/base`]);
      equal(exitCode, fails === true ? 1 : 0, stderr);
      equal(stdout, expected ?? "");
    });
  }
});

Deno.test("runBuild() says where a link leads that it may not follow, and names files from the folder that is built", async () => {
  await using folder = await writeFolder(
    {
      "out/r.yaml": configMap,
      "base/kustomization.yaml": "resources: [l.yaml]\n",
      "up/kustomization.yaml": "resources: [../bad]\n",
      "bad/kustomization.yaml": "resources: [r.yaml]\n",
      "bad/r.yaml": "a: [",
    },
    { "base/l.yaml": "../out/r.yaml" },
  );
  match(
    (await runBuild([`${folder.path}/base`])).stderr,
    /"l\.yaml" leads to "\.\.\/out\/r\.yaml", which is not in or below "\."/,
  );
  match((await runBuild([`${folder.path}/up`])).stderr, /\.\.\/bad\/r\.yaml:1:/);
});

Deno.test("runBuild() finds charts of a disk, through links", async () => {
  await using folder = await writeFolder(
    {
      "k/kustomization.yaml": "helmCharts: [{name: site, releaseName: r}]\n",
      "k/all/site/Chart.yaml": "apiVersion: v2\nname: site\nversion: 1.0.0\n",
      "k/all/site/values.yaml": "{}\n",
      "k/all/site/templates/c.yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}\n",
    },
    { "k/charts": "all" },
  );
  const outcome = await runBuild(["--enable-helm", `${folder.path}/k`]);
  equal(outcome.stdout, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: r\n", outcome.stderr);
});
