/** The page as text: filters, tree, escaping, and no secret in any answer. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { silentLog } from "../../src/core/log.ts";
import type { ObjectKey } from "../../src/core/object.ts";
import type { ObjectStatus } from "../../src/core/status.ts";
import { controlApp, openApp } from "../../src/report/http.ts";
import { Metrics } from "../../src/report/metrics.ts";
import { StatusBoard } from "../../src/report/status_board.ts";

const source: ObjectKey = { kind: "OCIRepository", namespace: "default", name: "files" };
const apps: ObjectKey = { kind: "Kustomization", namespace: "default", name: "apps" };
const child: ObjectKey = { kind: "HelmRelease", namespace: "default", name: "shop" };

function status(
  key: ObjectKey,
  ready: "True" | "False",
  message: string,
  more: Partial<ObjectStatus> = {},
): ObjectStatus {
  return {
    key,
    apiVersion: "v1",
    isSuspended: false,
    generation: 1,
    observedGeneration: 1,
    conditions: [{
      type: "Ready",
      status: ready,
      reason: "Reason",
      message,
      lastTransitionTime: "2026-01-01T00:00:00Z",
      observedGeneration: 1,
    }],
    history: [],
    warnings: [],
    failures: 0,
    ...more,
  };
}

function setUp() {
  const board: StatusBoard = new StatusBoard({
    log: silentLog,
    meter: { count: (change) => metrics.count(change), forget: (key) => metrics.forget(key) },
  });
  const metrics = new Metrics(
    () => board.statuses(),
    () => ({ residentBytes: 1, version: "1.2.3", isConfigGood: true }),
  );
  const never = () => false;
  const stopping = new AbortController();
  const tools = {
    board,
    metrics,
    version: "1.2.3",
    liveness: [],
    readiness: [],
    startup: [],
    now: () => Date.UTC(2026, 0, 1, 1),
    stopping: stopping.signal,
    engine: {
      reconcile: never,
      suspend: () => Promise.resolve(false),
      resume: () => Promise.resolve(false),
      firstPassDone: true,
      isAlive: true,
    },
  };
  board.record({ status: status(source, "True", "stored artifact"), events: [] });
  board.record({ status: status(apps, "True", "Applied revision", { source }), events: [] });
  board.record({ status: status(child, "False", "Upgrade failed", { parent: apps, hint: "Look at it" }), events: [] });
  return { board, stopping, open: openApp(tools), control: controlApp(tools) };
}

/** Names of objects in the table of objects, in order. */
const listed = (html: string) =>
  [...html.matchAll(/<td class="name"><a href="[^"]*">([^<]*)<\/a>/g)].map((one) => one[1]);

Deno.test("the page filters by state and kind with links only, and says so when nothing is left", async () => {
  const { open } = setUp();
  const page = async (path: string) => await (await open.request(path)).text();

  deepEqual(listed(await page("/")), ["files", "apps", "shop"]);
  deepEqual(listed(await page("/?state=failing")), ["shop"]);
  deepEqual(listed(await page("/?kind=Kustomization")), ["apps"]);
  match(await page("/?state=suspended"), /No object is like this/);
  equal(listed(await page("/?state=nonsense")).length, 3);
  ok(!(await page('/?kind="><script>x</script>')).includes("<script>x"));
});

Deno.test("the page draws consumers below their source and children below their parent", async () => {
  const { open } = setUp();
  const html = await (await open.request("/")).text();
  const tree = html.slice(html.indexOf('<ul class="tree">'));

  match(tree, /files<\/a>.*<ul class="tree">.*apps<\/a>.*<ul class="tree">.*shop<\/a>/s);
});

Deno.test("an object's page names its source, who uses it, what it brought, and what to do", async () => {
  const { open } = setUp();
  const page = async (key: ObjectKey) => await (await open.request(`/objects/${key.kind}/default/${key.name}`)).text();

  match(await page(source), /Used by/);
  match(await page(apps), /Objects of its artifact/);
  match(await page(child), /Look at it/);
  match(await page(child), /href="\/objects\/Kustomization\/default\/apps"/);
});

Deno.test("lines of a file in a message keep their columns, and nothing else is taken for them", async () => {
  const { board, open } = setUp();
  const page = async (message: string) => {
    board.record({ status: status(apps, "False", message), events: [] });
    return await (await open.request("/objects/Kustomization/default/apps")).text();
  };

  const html = await page('Cannot read "a.yaml":14:8: bad\n  14 | name: <x>\n     |       ^\nand more');
  ok(html.includes("bad\n<code>  14 | name: &lt;x&gt;\n     |       ^\n</code>and more"), html);
  ok(!(await page("ConfigMap/a created\n  b | c\n12 things")).includes("<code>"));
  ok(!(await page(" ".repeat(200_000))).includes("<code>"), "in no time");
});

Deno.test("the page works without a script and under a policy that allows nothing foreign", async () => {
  const { open } = setUp();
  const response = await open.request("/");
  const html = await response.text();

  match(html, /<noscript><meta http-equiv="refresh" content="15"\/?><\/noscript>/);
  match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  ok(!/ style="| on[a-z]+="|<style|<script>/.test(html), "nothing that the policy would block");
  for (const asset of ["page.css", "page.js", "icon.svg"]) {
    equal((await open.request(`/assets/${asset}`)).status, 200);
  }
});

Deno.test("no answer of any route holds a secret", async () => {
  const { board, stopping, open, control } = setUp();
  board.hide(["canary-password-1"]);
  const dirty = "login with canary-password-1 at https://me:canary-two@host failed";
  board.record({
    status: status(apps, "False", dirty, { warnings: [dirty], hint: dirty }),
    events: [{
      object: apps,
      severity: "error",
      timestamp: "2026-01-01T00:00:00Z",
      reason: "Reason",
      message: dirty,
      metadata: { revision: dirty },
    }],
  });
  const paths = ["/", "/objects/Kustomization/default/apps", "/metrics", "/api/v1/objects", "/api/v1/events"];
  const texts = [];
  for (const path of [...paths, "/api/v1/objects/Kustomization/default/apps"]) {
    texts.push(await (await open.request(path)).text(), await (await control.request(path)).text());
  }
  const stream = await open.request("/api/v1/events?since=1", { headers: { accept: "text/event-stream" } });
  stopping.abort();
  texts.push(await stream.text());

  ok(texts.some((text) => text.includes("login with ***")));
  for (const text of texts) ok(!text.includes("canary"), text.slice(0, 500));
});
