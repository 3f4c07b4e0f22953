import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { type App, createApp } from "../../src/app.ts";
import { copy, ls, push, tag } from "../../src/cli/artifacts.ts";
import { check } from "../../src/cli/check.ts";
import { type Command, UsageError } from "../../src/cli/command.ts";
import { runCommandLine } from "../../src/cli/command_line.ts";
import { commands } from "../../src/cli/commands.ts";
import { describe, describeText } from "../../src/cli/describe.ts";
import { diff } from "../../src/cli/diff.ts";
import { events } from "../../src/cli/events.ts";
import { get } from "../../src/cli/get.ts";
import { once } from "../../src/cli/once.ts";
import { reconcile, resume, suspend } from "../../src/cli/orders.ts";
import { reference } from "../../src/cli/reference.ts";
import { render } from "../../src/cli/render.ts";
import { StageError } from "../../src/core/stage_error.ts";
import { failingStatus, fakeDaemon, runFake, statusOf } from "../support/fake_app.ts";

type Preview = Exclude<Awaited<ReturnType<App["preview"]>>, { kind: "refused" }>;

const apps = statusOf("Kustomization", "apps", {
  lastAppliedRevision: `v1@sha256:${"a".repeat(64)}`,
  source: { kind: "OCIRepository", namespace: "default", name: "src" },
});
const broken = failingStatus("Kustomization", "broken", "no such file\nsecond line", "Build it locally");
const key = apps.key;

function preview(patch: Partial<Preview> = {}): Pick<App, "preview"> {
  const outcome: Preview = {
    kind: "done",
    statuses: [],
    failing: [],
    rendered: [],
    planned: [],
    explained: [],
    isCutShort: false,
    ...patch,
  };
  return { preview: () => Promise.resolve(outcome) };
}

async function usage(command: Command, args: readonly string[], message: RegExp, app: Partial<App> = {}) {
  await rejects(runFake(command, args, app), (error) => {
    match((error as Error).message, message);
    return error instanceof UsageError;
  });
}

Deno.test("check: 0 with counts, 2 with every problem", async () => {
  const good = { problems: [], objects: 1, errors: 0, warnings: 0 };
  deepEqual(await runFake(check, ["a"], { check: () => Promise.resolve(good) }), {
    code: 0,
    out: "✔ 1 object, 0 errors, 0 warnings\n",
    err: "",
  });
  const bad = {
    problems: [{ severity: "error", text: "a.yaml:1:1: wrong" }],
    objects: 2,
    errors: 1,
    warnings: 0,
  } as const;
  deepEqual(await runFake(check, ["a"], { check: () => Promise.resolve(bad) }), {
    code: 2,
    out: "",
    err: "a.yaml:1:1: wrong\n✗ 2 objects, 1 error, 0 warnings\n",
  });
});

Deno.test("check prints problems in parts as JSON, with the same exit codes", async () => {
  const place = { file: "a.yaml", line: 2, column: 3 };
  const problems = [{
    severity: "error",
    text: "a.yaml:2:3: wrong",
    place,
    message: "wrong",
    hint: "Right it",
  }] as const;
  const report = { problems, objects: 0, errors: 1, warnings: 0 };
  const { code, out, err } = await runFake(check, ["a", "-o", "json"], { check: () => Promise.resolve(report) });
  deepEqual([code, err], [2, ""]);
  deepEqual(JSON.parse(out), {
    problems: [{ ...place, message: "wrong", severity: "error", hint: "Right it" }],
    objects: 0,
    errors: 1,
    warnings: 0,
  });
});

Deno.test("once: 0 when all is ready, 1 with hints when not, or when the time ran out", async () => {
  const pass = (patch: object): Pick<App, "once"> => ({
    once: () => Promise.resolve({ kind: "done", statuses: [], failing: [], isCutShort: false, ...patch }),
  });
  equal((await runFake(once, [], pass({ statuses: [apps] }))).code, 0);
  const failed = await runFake(once, [], pass({ statuses: [apps, broken], failing: [broken] }));
  equal(failed.code, 1);
  match(failed.out, /Kustomization +default +broken +False +False +no such file\n/);
  equal(failed.err, "hint: Kustomization/broken: Build it locally\n");
  const cut = await runFake(once, ["--timeout", "2s"], pass({ isCutShort: true }));
  equal(cut.code, 1);
  match(cut.err, /the time limit of 2s is over/);
  await usage(once, ["--timeout", "soon"], /Cannot use --timeout "soon"/);
  await usage(once, [], /no documents/, { once: () => Promise.resolve({ kind: "refused", message: "no documents" }) });
});

Deno.test("get: tables, one object, kinds, what fails, JSON and YAML", async () => {
  const { client } = fakeDaemon([apps, broken, statusOf("OCIRepository", "src")]);
  const app = { control: () => Promise.resolve(client) };

  equal((await runFake(get, [], app)).out.split("\n").length, 5);
  match((await runFake(get, ["ks", "apps"], app)).out, /v1@sha256:aaaaaaaa +False +True +all is well\n$/);
  equal((await runFake(get, ["ks/apps"], app)).out.split("\n").length, 3);
  match((await runFake(get, ["--failing"], app)).out, /^KIND[^\n]*\nKustomization +default +broken[^\n]*\n$/);
  deepEqual(JSON.parse((await runFake(get, ["oci", "-o", "json"], app)).out)[0].key.name, "src");
  match((await runFake(get, ["oci", "-o", "yaml"], app)).out, /^- apiVersion: v1\n/);
  equal((await runFake(get, ["hr"], app)).err, "No objects found\n");
  await usage(get, ["ks", "aps"], /did you mean "apps"/, app);
});

Deno.test("words and forms are checked before the daemon is asked", async () => {
  const app = { control: () => Promise.reject(new Error("asked")) };
  await usage(get, ["kz"], /did you mean "ks"/, app);
  await usage(get, ["-o", "xml"], /--output is table, json or yaml/, app);
  await usage(describe, ["ks"], /write KIND NAME/, app);
  await usage(events, ["kz"], /did you mean "ks"/, app);
  await usage(reconcile, ["kz", "a"], /did you mean "ks"/, app);
  await usage(suspend, ["ks", "a", "--server", "h:1"], /the open port is for reading/, app);
});

Deno.test("describe prints what is known and nothing that is not", async () => {
  const child = statusOf("OCIRepository", "child", { parent: key });
  const { client } = fakeDaemon([apps, child], [
    { object: key, timestamp: "t1", severity: "info", reason: "Succeeded", message: "a\nb", metadata: {} },
    { object: child.key, timestamp: "t2", severity: "info", reason: "Succeeded", message: "other", metadata: {} },
  ]);
  const { out } = await runFake(describe, ["ks", "apps"], { control: () => Promise.resolve(client) });
  match(out, /Children:\n {2}OCIRepository\/default\/child\n/);
  match(out, /Events:\n {2}t1 {2}info {2}Succeeded: a\n {4}b\n$/);

  const text = describeText({ ...broken, failures: 3, warnings: ["old form"], nextRunAt: "soon" }, []);
  match(text, /^Kind: +Kustomization$/m);
  match(text, /^Failures in a row: +3$/m);
  match(text, /^Hint: +Build it locally$/m);
  match(text, /^Next run: +soon$/m);
  match(text, /Conditions:\n {2}Ready False {2}BuildFailed {2}since .*\n {4}no such file\n {4}second line\n/);
  match(text, /Warnings:\n {2}old form/);
  ok(!/Inventory|History|Children|Artifact|Parent/.test(text));
});

Deno.test("events filters, prints forms, and follows", async () => {
  const event = { timestamp: "t1", severity: "info", reason: "Succeeded", message: "a\nb", metadata: {} } as const;
  const { client } = fakeDaemon([], [{ ...event, object: key }, { ...event, object: broken.key }]);
  const app = { control: () => Promise.resolve(client) };

  const line = "t1 +info +Kustomization/default/apps +Succeeded +a; b\n";
  match((await runFake(events, ["ks", "apps"], app)).out, new RegExp(`^TIME[^\n]*\n${line}$`));
  equal(JSON.parse((await runFake(events, ["-o", "json"], app)).out).length, 2);
  match((await runFake(events, ["ks", "apps", "-f"], app)).out, new RegExp(`${line}${line}$`));
  equal(JSON.parse((await runFake(events, ["-n", "other", "-o", "json"], app)).out).length, 0);
});

Deno.test("reconcile waits for the outcome; suspend and resume say what was done", async () => {
  const { client, orders } = fakeDaemon([apps, broken]);
  const app = { control: () => Promise.resolve(client) };

  deepEqual(await runFake(reconcile, ["ks", "apps", "--with-source"], app), {
    code: 0,
    out: "✔ all is well\n",
    err: "► Kustomization/default/apps reconciliation requested\n",
  });
  const failed = await runFake(reconcile, ["ks/broken"], app);
  equal(failed.code, 1);
  match(failed.err, /hint: Build it locally\n$/);
  equal((await runFake(reconcile, ["ks/broken", "--no-wait"], app)).code, 0);
  equal((await runFake(suspend, ["ks/apps"], app)).out, "✔ Kustomization/default/apps suspended\n");
  equal((await runFake(resume, ["ks/apps"], app)).out, "✔ Kustomization/default/apps resumed\n");
  deepEqual(orders, [
    "reconcile Kustomization/default/apps with source",
    "reconcile Kustomization/default/broken",
    "reconcile Kustomization/default/broken",
    "suspend Kustomization/default/apps",
    "resume Kustomization/default/apps",
  ]);
});

const secret = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "login" },
  data: { password: "czNjcmV0" },
  stringData: { token: "s3cret" },
};

Deno.test("render masks Secrets, filters, and fails with what could not be built", async () => {
  const app = preview({ rendered: [{ owner: key, resources: [secret] }], failing: [broken] });

  const all = await runFake(render, [], app);
  equal(all.code, 1);
  ok(!/czNjcmV0|s3cret/.test(all.out) && all.out.includes("password: '***'"), all.out);
  match(all.err, /✗ Kustomization\/default\/broken: no such file[^]*hint: Build it locally/);
  const one = await runFake(render, ["ks", "apps", "--show-secrets", "-o", "json"], app);
  equal(one.code, 0);
  deepEqual(JSON.parse(one.out), [secret]);
  equal((await runFake(render, ["hr"], app)).out, "");
  await usage(render, ["--explain", "all"], /only values can be explained/, app);
  await usage(render, ["ks", "nobody", "-n", "web"], /Cannot find ks "nobody" in namespace "web"/, app);
});

Deno.test("render and diff say which documents are left out, with exit code 2", async () => {
  const app = preview({ rendered: [{ owner: key, resources: [secret] }], problems: ["a.yaml:3:1: wrong"] });
  const rendered = await runFake(render, ["ks", "other"], app);
  deepEqual([rendered.code, rendered.err], [2, "a.yaml:3:1: wrong\n"]);
  const differing = await runFake(diff, [], app);
  deepEqual([differing.code, differing.err], [2, "a.yaml:3:1: wrong\n"]);
});

Deno.test("render shows why a source has nothing for the object that was asked for", async () => {
  const source = failingStatus("OCIRepository", "src", "no such tag", "Look");
  const waiting = { ...failingStatus("Kustomization", "waits", "no artifact yet", "Look"), source: source.key };
  const other = failingStatus("Kustomization", "other", "something else", "Look");
  const { err } = await runFake(
    render,
    ["ks", "waits"],
    preview({
      statuses: [source, waiting, other],
      failing: [source, waiting, other],
    }),
  );
  deepEqual(err.match(/✗ .*/g), [
    "✗ OCIRepository/default/src: no such tag",
    "✗ Kustomization/default/waits: no artifact yet",
  ]);
});

Deno.test("diff: 0 nothing, 3 something, 1 when something could not be asked", async () => {
  const ref = { group: "", version: "v1", kind: "ConfigMap", namespace: "web", name: "page" };
  const planned = [{
    owner: key,
    target: "directory out",
    changes: [
      { action: "update" as const, ref, before: "a: 1\n", after: "a: 2\n" },
      { action: "unchanged" as const, ref },
      { action: "skip" as const, ref, note: "not ours" },
    ],
  }];

  deepEqual(await runFake(diff, [], preview()), { code: 0, out: "", err: "" });
  const changed = await runFake(diff, [], preview({ planned }));
  equal(changed.code, 3);
  match(changed.out, /► update ConfigMap\/web\/page, by Kustomization\/default\/apps\n[^]*-a: 1\n\+a: 2\n/);
  equal(changed.err, "► skipped ConfigMap/web/page: not ours\n");
  equal((await runFake(diff, [], preview({ planned, failing: [broken] }))).code, 1);
  equal((await runFake(diff, [], preview({ isCutShort: true }))).code, 1);
});

Deno.test("tags, ranges and patterns of artifact commands are checked before a registry is asked", async () => {
  await usage(tag, ["oci://a.test/b:v1", "good", "bad tag"], /Cannot use tag "bad tag": it must be letters/);
  await usage(push, [".", "oci://a.test/b:v1", "--tag", "a/b"], /Cannot use tag "a\/b"/);
  const noArtifacts = { artifacts: () => Promise.resolve({} as Awaited<ReturnType<App["artifacts"]>>) };
  await usage(ls, ["oci://a.test/b", "--semver", ">>1"], /Cannot use --semver: .*range of versions/, noArtifacts);
  await usage(ls, ["oci://a.test/b", "--regex", "("], /Cannot use --regex: .*missing closing/, noArtifacts);
});

Deno.test("copy fails by name when referrers did not come along", async () => {
  const descriptor = { mediaType: "m", digest: `sha256:${"a".repeat(64)}`, size: 1 } as const;
  const copying = (leftOut: readonly (typeof descriptor)[]) => ({
    artifacts: () =>
      Promise.resolve(
        { copy: () => Promise.resolve({ descriptor, referrers: [descriptor], leftOut }) } as unknown as Awaited<
          ReturnType<App["artifacts"]>
        >,
      ),
  });
  const whole = await runFake(copy, ["a.test/b:v1", "a.test/c"], copying([]));
  deepEqual([whole.code, whole.err], [0, ""]);
  match(whole.out, /and 1 referrer\n$/);
  const partly = await runFake(copy, ["a.test/b:v1", "a.test/c"], copying([descriptor]));
  equal(partly.code, 1);
  match(partly.err, /too deep to follow are sha256:a+\n {2}hint: /);
});

Deno.test("what is not built says so", async () => {
  const verify = await commands.verify?.() as Command;
  await rejects(runFake(verify, ["x"], {}), (error) => error instanceof StageError && error.reason === "NotBuiltYet");
});

Deno.test("runCommandLine() gives 2 for words that it does not know", async () => {
  equal(await runCommandLine(["help", "chek"]), 2);
  equal(await runCommandLine(["chek"]), 2);
  equal(await runCommandLine(["get", "--nope"]), 2);
});

Deno.test("reference prints the page of every kind and setting", async () => {
  const { code, out } = await runFake(reference, [], createApp());
  equal(code, 0);
  match(out, /^## Kustomization$/m);
  match(out, /`--listen/);
});
