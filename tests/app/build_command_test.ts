import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";

import { artifactCommands } from "../../src/app/artifacts.ts";
import { runBuild } from "../../src/app/build_command.ts";
import { splitReference } from "../../src/app/split_reference.ts";

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
