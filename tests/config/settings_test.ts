/** Settings: four layers, one table. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { readSettings, type SettingsSources } from "../../src/config/settings.ts";
import { settingsTable } from "../../src/config/settings_table.ts";

function read(sources: Partial<Omit<SettingsSources, "env">> & { env?: Record<string, string> }) {
  const { env = {}, flags = {}, ...rest } = sources;
  return readSettings({ flags, env: (name) => env[name], ...rest });
}

Deno.test("readSettings() has a default for everything", () => {
  deepEqual(read({}), {
    problems: [],
    settings: {
      store: { path: "/var/lib/pilotfish", maxSizeBytes: 2 ** 31, history: 3 },
      target: { kind: "cluster" },
      listen: "127.0.0.1:9292",
      mirrors: [],
      concurrency: 8,
      control: { socket: "/var/lib/pilotfish/control.sock" },
      log: { format: "json", level: "info" },
      noCrossNamespaceRefs: false,
    },
  });
});

Deno.test("readSettings() takes flag over variable over document", () => {
  const { settings, problems } = read({
    document: { store: { path: "/doc", history: 7 }, listen: "off", concurrency: 2 },
    env: { PILOTFISH_STORE: "/env", PILOTFISH_LISTEN: ":8080" },
    flags: { store: "/flag", mirror: ["ghcr.io=http://a:1,ghcr.io=http://b:2", "docker.io=https://c"] },
  });

  deepEqual(problems, []);
  deepEqual(settings.store, { path: "/flag", maxSizeBytes: 2 ** 31, history: 7 });
  equal(settings.listen, "0.0.0.0:8080");
  equal(settings.concurrency, 2);
  deepEqual(settings.mirrors, [
    { registry: "ghcr.io", endpoints: ["http://a:1", "http://b:2"] },
    { registry: "docker.io", endpoints: ["https://c"] },
  ]);
});

Deno.test("readSettings() replaces a target whole and keeps what belongs to it", () => {
  const document = { target: { directory: { path: "/doc", layout: "k3s" } } } as const;

  deepEqual(read({ document }).settings.target, { kind: "directory", path: "/doc", layout: "k3s" });
  deepEqual(read({ document, flags: { target: "directory:out", "target-layout": "static-pods" } }).settings.target, {
    kind: "directory",
    path: "out",
    layout: "static-pods",
  });
  deepEqual(
    read({ document, flags: { target: "cluster", kubeconfig: "~/.kube/config" }, env: { HOME: "/root" } }).settings
      .target,
    { kind: "cluster", kubeconfig: "/root/.kube/config" },
  );
  const wrong = read({ document, flags: { context: "edge" } });
  equal(wrong.problems[0]?.message, "Cannot use --context: the target is no cluster");
  equal(wrong.settings.target.kind, "directory");
});

Deno.test("readSettings() tells the flag or variable that is wrong, and goes on without it", () => {
  const { settings, problems } = read({
    flags: { target: "s3:bucket", "store-max-size": "two", concurrency: "0", "no-cross-namespace-refs": true },
    env: { PILOTFISH_LISTEN: "localhost", PILOTFISH_MIRRORS: "ghcr.io", PILOTFISH_LOG_LEVEL: "loud" },
  });

  deepEqual(problems.map((problem) => problem.path).sort(), [
    "--concurrency",
    "--store-max-size",
    "--target",
    "PILOTFISH_LISTEN",
    "PILOTFISH_LOG_LEVEL",
    "PILOTFISH_MIRRORS",
  ]);
  ok(problems.every((problem) => problem.message.includes(problem.path)));
  equal(settings.noCrossNamespaceRefs, true);
  equal(settings.target.kind, "cluster");
});

Deno.test("readSettings() shows how a wrong target or mirror is written", () => {
  const hintOf = (flags: Record<string, string>) => read({ flags }).problems.map((problem) => problem.hint);

  deepEqual(hintOf({ target: "/srv/out" }), ['Write "directory:/srv/out"']);
  deepEqual(hintOf({ target: "./out" }), ['Write "directory:./out"']);
  deepEqual(hintOf({ target: "kluster" }), [
    'Write "cluster", or "directory:PATH" with the folder that gets the files',
  ]);
  deepEqual(hintOf({ mirror: "ghcr.io" }), ['Write REGISTRY=URL, for example "ghcr.io=http://127.0.0.1:5000"']);
  deepEqual(hintOf({ "no-cross-namespace-refs": "perhaps" }), ["Write true or false"]);
});

Deno.test("readSettings() allows http(s) addresses by flag, variable or document, and not by itself", () => {
  equal(read({}).settings.allowHttp, undefined);
  equal(read({ flags: { "allow-http": true } }).settings.allowHttp, true);
  equal(read({ env: { PILOTFISH_ALLOW_HTTP: "yes" } }).settings.allowHttp, true);
  equal(read({ document: { allowHttp: true } }).settings.allowHttp, true);
  equal(read({ document: { allowHttp: true }, flags: { "allow-http": false } }).settings.allowHttp, undefined);
});

Deno.test("readSettings() allows charts to look host names up when asked", () => {
  equal(read({}).settings.allowDns, undefined);
  equal(read({ flags: { "allow-dns": true } }).settings.allowDns, true);
  equal(read({ document: { allowDns: true } }).settings.allowDns, true);
});

Deno.test("the table of settings names each flag, variable and field once", () => {
  for (const key of ["flag", "env"] as const) {
    equal(new Set(settingsTable.map((row) => row[key])).size, settingsTable.length);
  }
  for (const row of settingsTable) {
    ok(row.env.startsWith("PILOTFISH_"));
    ok(row.doc.length > 10);
  }
});
