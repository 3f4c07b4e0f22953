import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { StageError } from "../../src/core/stage_error.ts";
import { bench, hook, repository, resource } from "../support/release_bench.ts";

Deno.test("an install applies, waits and says what stands; the same again builds nothing", async () => {
  const { run, told, builds } = bench();

  const first = await run();
  deepEqual(told(), ["apply app,task", "wait app,task"]);
  equal(first.reason, "InstallSucceeded");
  equal(first.message, "Helm install succeeded for release shop/web.v1 with chart web@1.0.0+1");
  const second = await run();
  deepEqual([told(), builds.length, second.reason, second.events], [[], 1, "InstallSucceeded", []]);
  const third = await run("request");
  deepEqual([third.reason, builds[1]?.action, builds[1]?.revision], ["InstallSucceeded", "install", 1]);
  deepEqual(told(), ["apply app,task", "wait app,task"]);
});

Deno.test("hooks run by weight, then name; only Jobs and Pods are waited for; others' events are left out", async () => {
  const { run, told } = bench({
    hooks: [
      hook("Job", "late", { weight: 5 }),
      hook("Job", "b"),
      hook("ConfigMap", "a"),
      hook("Job", "early", { weight: -5 }),
      hook("Job", "after", { events: ["post-install"] }),
      hook("Job", "never", { events: ["pre-delete", "test"] }),
    ],
  });
  await run();

  deepEqual(told().filter((line) => !line.startsWith("remove") && !line.includes("pilotfish-hooks-")), [
    "apply early",
    "wait early",
    "apply a",
    "apply b",
    "wait b",
    "apply late",
    "wait late",
    "apply app,task",
    "wait app,task",
    "apply after",
    "wait after",
  ]);
});

Deno.test("what hook-succeeded deletes stays until all hooks of its event have run", async () => {
  const { run, told } = bench({
    hooks: [
      hook("ServiceAccount", "account", { weight: -1, deletePolicies: ["hook-succeeded"] }),
      hook("Job", "job", { deletePolicies: ["hook-succeeded", "before-hook-creation"] }),
      hook("CustomResourceDefinition", "crd", { weight: 1, deletePolicies: ["hook-succeeded"] }),
    ],
  });
  await run();

  deepEqual(told().slice(0, 7), [
    "apply account",
    "remove shop_job__Job",
    "apply job",
    "wait job",
    "apply crd",
    "remove shop_job__Job",
    "remove shop_account__ServiceAccount",
  ]);
});

Deno.test("a hook that fails stops the release, and its policy and that of earlier ones is kept", async () => {
  const { run, told, target } = bench({
    hooks: [
      hook("ConfigMap", "first", { weight: -1, deletePolicies: ["hook-succeeded"] }),
      hook("Job", "job", { deletePolicies: ["hook-failed"] }),
      hook("Job", "later", { weight: 1 }),
    ],
  });
  target.failing = "job";

  await rejects(run(), (error) => {
    match((error as Error).message, /Helm install failed for release shop\/web with chart web@1\.0\.0\+1: job failed/);
    return error instanceof StageError && error.reason === "InstallFailed";
  });
  deepEqual(told(), [
    "apply first",
    "apply job",
    "wait job",
    "remove shop_job__Job",
    "remove shop_first__ConfigMap",
  ]);
});

Deno.test("a hook without a policy is deleted before it is made again", async () => {
  const { run, told } = bench({ hooks: [hook("Job", "job")] });
  await run();

  deepEqual(told().slice(0, 2), ["remove shop_job__Job", "apply job"]);
});

Deno.test("hooks are left out where they are disabled, and said to be in a directory", async () => {
  const hooks = [hook("Job", "job")];
  const disabled = bench({ hooks, spec: { install: { disableHooks: true } } });
  await disabled.run();
  deepEqual(disabled.told(), ["apply app,task", "wait app,task"]);

  const directory = bench({ hooks, kind: "directory" });
  match((await directory.run()).warnings.join(), /1 hooks of the chart were left out/);
  ok(!directory.told().includes("apply job"));
});

for (
  const [name, settings, expected] of [
    ["by default", {}, ["apply crd (create only)"]],
    ["CreateReplace", { crds: "CreateReplace" }, ["apply crd"]],
    ["Skip", { crds: "Skip" }, []],
    ["skipCRDs", { skipCRDs: true }, []],
  ] as const
) {
  Deno.test(`CRDs of a chart, ${name}`, async () => {
    const { run, told } = bench({
      crds: [resource("CustomResourceDefinition", "crd")],
      spec: { install: settings },
    });
    await run();
    deepEqual(told(), [...expected, "apply app,task", "wait app,task"]);
  });
}

Deno.test("createNamespace makes the namespace with the install, once, and never replaces it", async () => {
  const { run, told } = bench({ spec: { install: { createNamespace: true } } });
  await run();
  deepEqual(told()[0], "apply shop (create only)");
  await run("request");
  ok(!told().some((line) => line.startsWith("apply shop")));
});

Deno.test("disableWait waits for nothing, disableWaitForJobs for all but Jobs", async () => {
  const none = bench({ spec: { install: { disableWait: true } } });
  await none.run();
  deepEqual(none.told(), ["apply app,task"]);
  const noJobs = bench({ spec: { install: { disableWaitForJobs: true } } });
  await noJobs.run();
  deepEqual(noJobs.told(), ["apply app,task", "wait app"]);
});

Deno.test("valuesFrom reads keys in order; what is missing is an error by name unless it is optional", async () => {
  const from = (
    kind: "Secret" | "ConfigMap",
    name: string,
    patch: { valuesKey?: string; optional?: boolean } = {},
  ) => ({
    kind,
    name,
    valuesKey: "values.yaml",
    optional: false,
    literal: false,
    ...patch,
  });
  const data = { "ConfigMap/default/base": { "values.yaml": "a: 1" }, "Secret/default/login": { password: "x" } };

  const good = bench({
    data,
    spec: {
      valuesFrom: [
        from("ConfigMap", "base"),
        from("Secret", "none", { optional: true }),
        from("Secret", "login", { valuesKey: "password" }),
      ],
    },
  });
  await good.run();
  deepEqual(good.builds[0]?.valuesFrom.map((one) => one.text), ["a: 1", "x"]);

  for (
    const [reference, message] of [
      [
        from("Secret", "none"),
        "could not resolve Secret chart values reference 'default/none' with key 'values.yaml': secrets \"none\" not found",
      ],
      [
        from("Secret", "login"),
        "could not resolve Secret chart values reference 'default/login' with key 'values.yaml': key not found",
      ],
    ] as const
  ) {
    await rejects(bench({ data, spec: { valuesFrom: [reference] } }).run(), (error) => {
      match((error as Error).message, new RegExp(message));
      return error instanceof StageError && error.reason === "ValuesError";
    });
  }
});

Deno.test("a changed value builds the release again", async () => {
  const data = { "ConfigMap/default/base": { "values.yaml": "a: 1" } };
  const valuesFrom = [{
    kind: "ConfigMap" as const,
    name: "base",
    valuesKey: "values.yaml",
    optional: false,
    literal: false,
  }];
  const { run, builds } = bench({ data, spec: { valuesFrom } });
  await run();
  await run();
  data["ConfigMap/default/base"]["values.yaml"] = "a: 2";
  await run();

  deepEqual(builds.map((build) => build.valuesFrom[0]?.text), ["a: 1", "a: 2"]);
});

Deno.test("offline, the stored chart is used and said to be; without one the release fails", async () => {
  const spec = {
    chart: {
      kind: "repository" as const,
      sourceRef: repository,
      chart: "web",
      version: "1.x",
      valuesFiles: [],
      ignoreMissingValuesFiles: false,
    },
  };
  const { run, world, builds } = bench({ spec });
  world.isOnline = false;
  await rejects(run(), /no route to host/);

  world.isOnline = true;
  deepEqual((await run()).warnings, ["old tag"]);
  deepEqual(world.pinned, ["1.0.0@sha256:1"]);
  world.isOnline = false;
  match((await run()).warnings.join(), /1\.0\.0@sha256:1 of the store is used: no route to host/);
  match((await run("request")).warnings.join(), /no route to host/);
  equal(builds.length, 2);

  world.stored.clear();
  await rejects(run(), /no route to host/);
});
