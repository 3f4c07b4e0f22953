import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { mediaTypes } from "../../src/core/descriptor.ts";
import type { DesiredObject } from "../../src/core/object.ts";
import type { HelmReleaseSpec, HelmRepositorySpec } from "../../src/core/specs.ts";
import { helmChartKind } from "../../src/source/kinds.ts";
import { FakeRepository } from "./fake_repository.ts";
import { archiveOf, configsOf, ociRepository, openBench, referencesOf } from "./source_fixture.ts";

function orderOf(version: string, chart = "app", url = "oci://ghcr.io/charts/") {
  const { key, ...rest } = ociRepository({});
  const spec: HelmRepositorySpec = {
    url,
    provider: "generic",
    secretRef: { name: "login" },
    intervalMs: 60_000,
    timeoutMs: 60_000,
    insecure: false,
    suspend: false,
  };
  const chartSource = {
    kind: "repository" as const,
    sourceRef: { kind: "HelmRepository", namespace: "default", name: "charts" },
    chart,
    version,
    valuesFiles: [],
    ignoreMissingValuesFiles: false,
  };
  return {
    repository: { ...rest, key: { ...key, kind: "HelmRepository" }, spec } as DesiredObject<HelmRepositorySpec>,
    release: {
      ...rest,
      key: { ...key, kind: "HelmRelease" },
      spec: { chart: chartSource } as unknown as HelmReleaseSpec,
    } as DesiredObject<HelmReleaseSpec>,
  };
}

Deno.test("a chart is the newest tag in its range, unpacked without ignore rules", async () => {
  const repository = new FakeRepository("ghcr.io/charts/app");
  for (const tag of ["1.0.0", "1.2.0_meta", "2.0.0"]) {
    const layer = repository.add(
      archiveOf({ "app/Chart.yaml": `version: ${tag}`, "app/logo.png": "x" }),
      mediaTypes.helmChart,
    );
    repository.push(tag, [repository.add("provenance", "application/vnd.cncf.helm.chart.provenance.v1.prov"), layer]);
  }
  const references = referencesOf({ "default/login": { username: "me", password: "secret" } });
  await using bench = await openBench(repository, { references });
  const pulled = async (version: string) => {
    repository.requests = [];
    const { artifact } = await helmChartKind.create(orderOf(version), bench.tools).pull(undefined, AbortSignal.any([]));
    return artifact;
  };
  const ranged = await pulled("1.x");
  ok(ranged.revision.startsWith("1.2.0_meta@"));
  equal(bench.opened[0]?.url, "oci://ghcr.io/charts/app");
  deepEqual(configsOf(bench.opened[0]?.logins ?? []), ['{"auths":{"ghcr.io":{"username":"me","password":"secret"}}}']);
  using tree = await bench.store.openTree(ranged);
  deepEqual([...tree.files()].map((file) => file.path), ["app/Chart.yaml", "app/logo.png"]);

  ok((await pulled("1.2.0+meta")).revision.startsWith("1.2.0_meta@"));
  equal(repository.requests.includes("TAGS"), false);
  ok((await pulled("")).revision.startsWith("2.0.0@"));
});

Deno.test("a chart's name and URL are checked before anything is asked", async () => {
  await using bench = await openBench(new FakeRepository());
  for (const chart of ["../other", "App", "a//b", ""]) {
    throws(() => helmChartKind.create(orderOf("1.x", chart), bench.tools), /chart name/);
  }
  throws(() => helmChartKind.create(orderOf("1.x", "a", "oci://ghcr.io/charts:1"), bench.tools), /must not name a tag/);
});
