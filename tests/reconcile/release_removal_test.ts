import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { Resource } from "../../src/core/resource.ts";
import { StageError } from "../../src/core/stage_error.ts";
import { bench, hook, resource } from "../support/release_bench.ts";

const deleteHooks = [
  hook("Job", "late", { events: ["pre-delete"], weight: 5 }),
  hook("Job", "early", { events: ["pre-delete", "pre-upgrade"], weight: -5, deletePolicies: ["hook-succeeded"] }),
  hook("Job", "after", { events: ["post-delete"], deletePolicies: ["hook-failed"] }),
  hook("ConfigMap", "first", { events: ["pre-install"] }),
];

/** The calls without the names of the Secret that keeps the hooks. */
function short(calls: readonly string[]): readonly string[] {
  return calls.map((call) => call.replaceAll(/pilotfish-hooks-[0-9a-f]+-[0-9a-f]+/g, "HOOKS"));
}

Deno.test("a removal runs hooks before and after, in order and by policy, from what the record says alone", async () => {
  const release = bench({ hooks: deleteHooks });
  await release.run();
  deepEqual(short(release.told()).filter((call) => call.includes("HOOKS")), ["apply HOOKS"]);
  // All that is known after a restart is in the record's file.
  release.record = JSON.parse(JSON.stringify(release.record));
  await release.remove();

  deepEqual(short(release.told()), [
    "apply early",
    "wait early",
    "remove shop_late__Job",
    "apply late",
    "wait late",
    "remove shop_early__Job",
    "remove shop_app__ConfigMap,shop_task__Job",
    "apply after",
    "wait after",
    "remove shop_HOOKS__Secret",
  ]);
});

Deno.test("hooks are kept in a Secret beside the release, and no text of theirs in the record", async () => {
  const secretHook = hook("Secret", "login", { events: ["pre-delete"] });
  const withValue = { ...secretHook, resource: { ...secretHook.resource, stringData: { password: "hunter22" } } };
  const release = bench({ hooks: [withValue] });
  await release.run();

  const kept = [...release.target.held.values()].find((one) => one.metadata.name.startsWith("pilotfish-hooks-"));
  deepEqual([kept?.kind, kept?.metadata.namespace], ["Secret", "shop"]);
  ok(!JSON.stringify(release.record).includes("hunter22"));
  equal(release.record.removal?.hooks?.name, kept?.metadata.name);
});

/** Names of the Secrets with hooks that stand. */
function keptNames(release: ReturnType<typeof bench>): readonly string[] {
  return [...release.target.held.values()]
    .map((one) => one.metadata.name)
    .filter((name) => name.startsWith("pilotfish-hooks-"));
}

for (const end of ["the next run", "the removal"]) {
  Deno.test(`a crash between keeping new hooks and deleting the old ones leaves none behind after ${end}`, async () => {
    const release = bench({ hooks: deleteHooks });
    await release.run();
    const [first] = keptNames(release);
    const { apply, remove } = release.target;
    release.chart.hooks = [hook("Job", "second", { events: ["pre-delete"] })];
    release.change({ values: { change: 1 } });
    release.target.remove = () => Promise.reject(new Error("power cut"));
    await rejects(release.run("config"), /power cut/);
    equal(keptNames(release).length, 2);

    release.target.remove = remove;
    release.chart.hooks = [hook("Job", "third", { events: ["pre-delete"] })];
    release.change({ values: { change: 2 } });
    release.target.apply = async function (request) {
      const applied = await apply.call(this, request);
      if (request.owner.kind === "HelmReleaseHooks") throw new Error("power cut");
      return applied;
    };
    await rejects(release.run("config"), /power cut/);
    ok(keptNames(release).includes(first ?? ""));
    equal(keptNames(release).length, 3);

    release.target.apply = apply;
    release.record = JSON.parse(JSON.stringify(release.record));
    if (end === "the removal") await release.remove();
    else {
      release.chart.hooks = [hook("Job", "fourth", { events: ["pre-delete"] })];
      await release.run("retry");
      deepEqual(keptNames(release), [release.record.removal?.hooks?.name]);
      equal(release.record.removal?.spareHooks, undefined);
      return;
    }
    deepEqual(keptNames(release), []);
  });
}

Deno.test("a hook that fails keeps the release, and a later try starts with the hooks again", async () => {
  const release = bench({ hooks: deleteHooks });
  await release.run();
  release.told();
  release.target.failing = "late";
  await rejects(release.remove(), (error) => {
    match((error as Error).message, /Helm uninstall failed for HelmRelease\/default\/web: late failed/);
    return error instanceof StageError && error.reason === "UninstallFailed";
  });
  ok(!release.told().some((call) => call.includes("shop_app")), "nothing of the release is removed");

  release.target.failing = "after";
  await rejects(release.remove(), /after failed/);
  ok(release.told().includes("remove shop_app__ConfigMap,shop_task__Job"));
  release.target.failing = "";
  await release.remove();
  const calls = release.told();
  ok(!calls.includes("apply early"), "what ran before the deletion has run");
  ok(calls.includes("apply after"));
});

Deno.test("disableHooks of the removal keeps none, and a later document takes away what was kept", async () => {
  const never = bench({ hooks: deleteHooks, spec: { uninstall: { disableHooks: true } } });
  await never.run();
  ok(!short(never.told()).includes("apply HOOKS"));

  const later = bench({ hooks: deleteHooks });
  await later.run();
  later.change({ uninstall: { disableHooks: true } });
  later.told();
  await later.run("config");
  deepEqual(short(later.told()).filter((call) => call.includes("HOOKS")), ["remove shop_HOOKS__Secret"]);
  await later.remove();
  deepEqual(later.told(), ["remove shop_app__ConfigMap,shop_task__Job"]);
});

Deno.test("hooks of a new chart take the place of the old ones only once they are kept", async () => {
  const release = bench({ hooks: deleteHooks });
  await release.run();
  const first = release.record.removal?.hooks;
  release.chart.hooks = [hook("Job", "other", { events: ["pre-delete"] })];
  release.change({ values: { a: 1 } });
  release.told();
  await release.run();
  ok(release.record.removal?.hooks?.name !== first?.name);
  const calls = release.told();
  ok(
    calls.indexOf(`apply ${release.record.removal?.hooks?.name}`) < calls.indexOf(`remove shop_${first?.name}__Secret`),
  );
  await release.remove();
  deepEqual(short(release.told()).filter((call) => call.startsWith("apply")), ["apply other"]);
});

Deno.test("kept hooks that somebody changed are not run; without the Secret the release goes without them", async () => {
  const release = bench({ hooks: deleteHooks });
  await release.run();
  const [id, kept] = [...release.target.held].find(([name]) => name.includes("pilotfish-hooks-")) as [string, Resource];
  release.target.held.set(id, { ...kept, data: { hooks: btoa("[]") } });
  release.told();
  await rejects(release.remove(), /was changed by somebody else/);
  deepEqual(release.told(), []);

  release.target.held.delete(id);
  await release.remove();
  deepEqual(short(release.told()), ["remove shop_app__ConfigMap,shop_task__Job", "remove shop_HOOKS__Secret"]);
});

Deno.test("a directory keeps and runs no hooks at a removal", async () => {
  const release = bench({ hooks: deleteHooks, kind: "directory" });
  match((await release.run()).warnings.join(), /4 hooks of the chart were left out/);
  release.told();
  await release.remove();
  deepEqual(release.told(), ["remove shop_app__ConfigMap,shop_task__Job"]);
});

Deno.test("a removal uses the account, the namespace, the time and the propagation of the last document", async () => {
  const release = bench({
    hooks: [hook("Job", "before", { events: ["pre-delete"] })],
    spec: {
      serviceAccountName: "deployer",
      uninstall: { timeoutMs: 7_000, deletionPropagation: "orphan" },
    },
  });
  await release.run();
  release.target.options.length = 0;
  await release.remove();
  ok(release.target.options.length > 0);
  for (const options of release.target.options) {
    deepEqual(options, {
      isWholeRemoval: true,
      serviceAccountName: "deployer",
      defaultNamespace: "shop",
      timeoutMs: 7_000,
      deletionPropagation: "orphan",
      ...(options.isWholeRemoval === true ? {} : { isWholeRemoval: undefined }),
    });
  }
});

Deno.test("a release that gets another name or namespace is uninstalled with its hooks and installed anew", async () => {
  const release = bench({ hooks: deleteHooks });
  await release.run();
  release.change({ values: { a: 1 } });
  await release.run();
  equal(release.record.release?.revision, 2);
  release.told();
  release.change({ storageNamespace: "other" });
  release.chart.resources = [resource("ConfigMap", "app")];
  const result = await release.run();

  const calls = short(release.told());
  ok(calls.indexOf("apply early") < calls.indexOf("remove shop_app__ConfigMap,shop_task__Job"));
  ok(calls.indexOf("apply after") < calls.indexOf("apply first"));
  deepEqual([result.reason, release.record.release?.revision], ["InstallSucceeded", 1]);
});

Deno.test("a chart of another name takes the place of the old one by a new install, unless the document keeps it", async () => {
  for (const [strategy, expected] of [["Reinstall", "install"], ["InPlaceUpdate", "upgrade"]] as const) {
    const release = bench({ spec: { upgrade: { chartNameChangeStrategy: strategy } } });
    await release.run();
    release.chart.name = "shop";
    release.world.revision = "1.0.0@sha256:2";
    release.told();
    await release.run("revision");
    equal(release.builds.at(-1)?.action, expected);
    equal(release.told().some((call) => call.startsWith("remove")), expected === "install");
  }
});
