import { deepEqual, equal, rejects } from "node:assert/strict";
import type { Artifact } from "../../src/core/artifact.ts";
import { checkChartVersion } from "../../src/reconcile/release_step.ts";
import { bench, hook, specOf } from "../support/release_bench.ts";

/** What the chart was told at each render. */
function seen(release: ReturnType<typeof bench>) {
  return release.builds.map(({ action, revision }) => `${action} ${revision}`);
}

Deno.test("each successful change is a revision; what is applied again is none", async () => {
  const release = bench();
  await release.run();
  await release.run("request");
  release.change({ values: { a: 1 } });
  await release.run("config");
  release.target.hasDrifted = true;
  await release.run("drift");
  release.target.hasDrifted = false;
  release.change({ intervalMs: 1_000, timeoutMs: 9_000 });
  await release.run("config");
  release.world.revision = "1.0.0@sha256:2";
  await release.run("revision");

  deepEqual(seen(release), ["install 1", "install 1", "upgrade 2", "upgrade 2", "upgrade 2", "upgrade 3"]);
  deepEqual(release.record.release, {
    name: "web",
    namespace: "shop",
    storageNamespace: "shop",
    chart: "web",
    revision: 3,
    action: "upgrade",
    attempted: release.record.release?.applied,
    applied: release.record.release?.attempted,
    source: "1.0.0@sha256:2",
  });
  deepEqual([release.record.lastAppliedRevision, release.record.lastAttemptedRevision], ["1.0.0+2", "1.0.0+2"]);
});

Deno.test("hooks run with a change, not when drift is corrected or somebody asks for a run", async () => {
  const release = bench({ hooks: [hook("Job", "migrate")] });
  await release.run();
  release.told();
  release.target.hasDrifted = true;
  await release.run("drift");
  await release.run("request");
  equal(release.told().some((call) => call.includes("migrate")), false);
  release.change({ values: { a: 1 } });
  await release.run("config");
  equal(release.told().includes("apply migrate"), true);
});

Deno.test("a change that failed makes no revision, and the way back from it is one", async () => {
  const release = bench({ hooks: [hook("Job", "migrate")] });
  release.target.failing = "app";
  await rejects(release.run());
  await rejects(release.run("retry"));
  release.target.failing = "";
  await release.run("retry");
  release.change({ values: { a: 1 } });
  release.target.failing = "app";
  await rejects(release.run("config"));
  release.target.failing = "";
  release.change({ values: {} });
  await release.run("config");

  deepEqual(seen(release), ["install 1", "install 1", "install 1", "upgrade 2", "upgrade 2"]);
});

Deno.test("a release that the target remembers and our state does not is upgraded, not installed", async () => {
  const release = bench();
  release.target.remembered = () => Promise.resolve({ entries: [{ id: "shop_app__ConfigMap", v: "v1" }] } as never);
  await release.run();
  deepEqual(seen(release), ["upgrade 2"]);
});

Deno.test("checkChartVersion() wants the tag's version and the range of an old document", () => {
  const check = (revision: string, version: string, range?: string) => {
    const sourceRef = { kind: "OCIRepository", namespace: "default", name: "src" };
    const chart = { kind: "ref" as const, sourceRef, ...(range === undefined ? {} : { version: range }) };
    checkChartVersion(specOf({ chart }), { revision } as Artifact, { name: "web", version });
  };
  const refused = (revision: string, version: string, range?: string) => {
    try {
      check(revision, version, range);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  for (
    const [revision, version] of [
      ["1.2.3@sha256:1", "1.2.3"],
      ["v1.2.3@sha256:1", "1.2.3"],
      ["1.2.3_build.1@sha256:1", "1.2.3+build.1"],
      ["latest@sha256:1", "1.2.3"],
      ["1@sha256:1", "1.2.3"],
      ["sha256:1", "1.2.3"],
    ] as const
  ) check(revision, version);
  equal(refused("1.2.3@sha256:1", "1.2.4"), "artifact revision 1.2.3 does not match chart version 1.2.4");
  check("latest@sha256:1", "1.2.3", "1.x");
  equal(refused("latest@sha256:1", "2.0.0", "1.x"), 'chart web@2.0.0 is not in the range "1.x"');
});
