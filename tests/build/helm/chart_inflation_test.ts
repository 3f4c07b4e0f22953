import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { gzipSync } from "node:zlib";

import { chartInflation, type InflationTools } from "../../../src/build/helm/chart_inflation.ts";
import { runBuild } from "../../../src/build/kustomize/build_command.ts";
import { build } from "../../../src/build/kustomize/kustomize.ts";
import { kustomizationBuilder } from "../../../src/build/kustomize/kustomization_builder.ts";
import { treeOf } from "../../../src/core/file_tree.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { ownVectors } from "../../support/paths.ts";
import { tarOf } from "../../support/tar_of.ts";

interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly expected?: string;
}

const tools: InflationTools = {
  clock: new FakeClock(),
  random: { next: () => 0.5, bytes: (length) => new Uint8Array(length) },
};

const { cases } = JSON.parse(Deno.readTextFileSync(`${ownVectors}/kustomize_helm/builds.json`)) as {
  readonly cases: readonly Case[];
};

/** Why a case is not met. */
const skips: Readonly<Record<string, string>> = {
  "inline with anchors of old booleans":
    "kustomize loses the key `y` (a boolean of YAML 1.1) where an alias repeats it; here it stays",
};

for (const one of cases) {
  const skip = skips[one.name];
  const title = `chartInflation() gives what kustomize and helm give: ${one.name}`;
  Deno.test({ name: skip === undefined ? title : `${title} (${skip})`, ignore: skip !== undefined }, async () => {
    const outcome = await runBuild(["overlay", "--enable-helm", ...one.args], {
      openFolder: (path) => Promise.resolve({ tree: treeOf(one.files), path }),
      isFolder: () => Promise.resolve(false),
      renderChart: (tree) => chartInflation(tree, tools),
    });

    if (one.expected === undefined) equal(outcome.exitCode, 1, outcome.stdout);
    else equal(outcome.stdout, one.expected, outcome.stderr);
  });
}

const packed = gzipSync(tarOf([
  { path: "app/Chart.yaml", content: "apiVersion: v2\nname: app\nversion: 1.0.0\n" },
  { path: "app/values.yaml", content: "a: 1\n" },
  {
    path: "app/templates/c.yaml",
    content:
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: '{{ .Values.a }}', r: '{{ randAlphaNum 8 }}'}\n",
  },
]));

async function dataOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  more: Partial<InflationTools> = {},
): Promise<unknown> {
  const tree = treeOf(files);
  const renderChart = chartInflation(tree, { ...tools, seed: "s", ...more });
  const built = await build(tree, "", { enableHelm: true, renderChart });
  return built.resources().map((resource) => (resource.data as { readonly a: string }).a);
}

Deno.test("chartInflation() takes a packed chart of the tree before anything is pulled", async () => {
  const kustomization = "helmCharts: [{name: app, repo: 'oci://r.io/charts', valuesInline: {a: 2}}]\n";
  deepEqual(await dataOf({ "kustomization.yaml": kustomization, "charts/app-1.0.0.tgz": packed }), ["2"]);
  deepEqual(await dataOf({ "kustomization.yaml": kustomization, "charts/app.tgz": packed }), ["2"]);
  const versioned = "helmCharts: [{name: app, version: 1.0.0}]\n";
  deepEqual(
    await dataOf({
      "kustomization.yaml": versioned,
      "charts/app-1.0.0.tgz": packed,
      "charts/app-2.0.0.tgz": "other",
      "charts/app-extra-1.0.0.tgz": "other",
    }),
    ["1"],
  );
  await rejects(
    dataOf({
      "kustomization.yaml": "helmCharts: [{name: app}]\n",
      "charts/app-1.0.0.tgz": packed,
      "charts/app-2.0.0.tgz": packed,
    }),
    /Cannot choose the chart "app": there are charts\/app-1\.0\.0\.tgz, charts\/app-2\.0\.0\.tgz/,
  );
  await rejects(
    dataOf({ "kustomization.yaml": versioned, "charts/app-1.0.0.tgz": "text" }),
    /Cannot unpack Helm chart "app"/,
  );
});

Deno.test("chartInflation() pulls from OCI registries, where it may", async () => {
  const asked: string[] = [];
  const pullChart: InflationTools["pullChart"] = ({ url, version }) => {
    asked.push(`${url} ${version}`);
    return Promise.resolve(packed);
  };
  const of = (fields: string) => ({ "kustomization.yaml": `helmCharts: [{name: app, ${fields}}]\n` });
  deepEqual(await dataOf(of("repo: 'oci://r.io/charts/', version: 1.0.0"), { pullChart }), ["1"]);
  deepEqual(await dataOf(of("repo: 'oci://r.io/charts', devel: true"), { pullChart }), ["1"]);
  deepEqual(asked, ["oci://r.io/charts/app 1.0.0", "oci://r.io/charts/app >0.0.0-0"]);
  await rejects(
    dataOf(of("repo: 'oci://r.io/charts'")),
    /charts are not pulled here; put the chart into "charts\/app"/,
  );
  await rejects(dataOf(of("repo: 'https://r.io'"), { pullChart }), /only oci:\/\/ is pulled/);
  const away = () => Promise.reject(new Error("registry is away"));
  await rejects(
    dataOf(of("repo: 'oci://r.io/c'"), { pullChart: away }),
    /Cannot pull Helm chart "app".*registry is away/,
  );
});

Deno.test("chartInflation() pulls a chart once for a build that begins again for what it misses", async () => {
  let pulls = 0;
  const pullChart: InflationTools["pullChart"] = () => {
    pulls++;
    return Promise.resolve(packed);
  };
  const tree = treeOf({
    "kustomization.yaml": "helmCharts: [{name: app, repo: 'oci://r.io/charts'}]\n" +
      "transformers: ['https://r.io/labels.yaml']\n",
  });
  const labels = "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: l}\nlabels: {a: b}\n" +
    "fieldSpecs: [{path: metadata/labels, create: true}]\n";
  const built = await build(tree, "", {
    enableHelm: true,
    renderChart: chartInflation(tree, { ...tools, pullChart }),
    fetchFile: () => Promise.resolve(new TextEncoder().encode(labels)),
  });

  match(built.text(), /a: b/);
  equal(pulls, 1);
});

Deno.test("chartInflation() gives the same text for the same seed", async () => {
  const tree = treeOf({ "kustomization.yaml": "helmCharts: [{name: app}]\n", "charts/app.tgz": packed });
  const text = async (seed: string) => {
    const built = await build(tree, "", { enableHelm: true, renderChart: chartInflation(tree, { ...tools, seed }) });
    return built.text();
  };
  equal(await text("a"), await text("a"));
});

Deno.test("kustomizationBuilder renders charts only when it is handed a renderer", async () => {
  const tree = treeOf({ "app/kustomization.yaml": "helmCharts: [{name: app}]\n", "app/charts/app.tgz": packed });
  const request = {
    owner: { namespace: "apps", name: "web" },
    spec: { path: "app", patches: [], images: [], components: [], ignoreMissingComponents: false },
    variables: {},
  };
  const built = await kustomizationBuilder.build(
    { ...request, renderChart: (given) => chartInflation(given, tools) },
    tree,
  );
  equal(built.resources[0]?.kind, "ConfigMap");
  match(JSON.stringify(built.resources[0]?.metadata.labels), /"kustomize\.toolkit\.fluxcd\.io\/name":"web"/);
  await rejects(kustomizationBuilder.build(request, tree), /must specify --enable-helm/);
  const sealed = treeOf({
    "app/kustomization.yaml": "helmCharts: [{name: app, valuesFile: v.yaml}]\n",
    "app/charts/app.tgz": packed,
    "app/v.yaml": "a: ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\nsops:\n  mac: x\n",
  });
  await rejects(
    kustomizationBuilder.build({ ...request, renderChart: (given) => chartInflation(given, tools) }, sealed),
    /values file "app\/v\.yaml" is SOPS encrypted/,
  );
});
