/** The real program and a real registry: documents in, files out, through restarts, cuts and kills. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import type { ObjectStatus } from "../../src/core/status.ts";
import { condition } from "../../src/core/condition.ts";
import { configMap, kustomization, ociRepository, secret, yamlOf } from "../support/documents.ts";
import { labProgram } from "../support/lab.ts";
import type { LabRegistry } from "../support/lab_registry.ts";
import { startRegistry } from "../support/lab_registry.ts";
import { Place, until } from "../support/program.ts";

const isHere = labProgram() !== undefined;

/** A test that needs the lab's registry. */
function labTest(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name: isHere ? name : `${name} (skipped: the lab is not here)`, ignore: !isHere, fn });
}

function files(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`${name}.yaml`, yamlOf(configMap(name, { name }))]));
}

function repository(registry: LabRegistry, name: string, path: string, spec: Record<string, unknown> = {}) {
  return ociRepository(name, path, { url: `oci://${registry.host}/${path}`, interval: "1s", ...spec });
}

function names(found: Readonly<Record<string, string>>): readonly string[] {
  return Object.values(found).map((text) => /^metadata:\n(?: {2,}.*\n)*? {2}name: (\S+)/m.exec(text)?.[1] ?? text)
    .sort();
}

async function statusOf(place: Place, kind: string, name: string): Promise<ObjectStatus> {
  const { stdout, stderr } = await place.ask("get", kind, name, "--output", "json");
  const [status] = JSON.parse(stdout) as readonly ObjectStatus[];
  ok(status, stderr);
  return status;
}

function readiness(status: ObjectStatus): string {
  return condition(status.conditions, "Ready")?.status ?? "Unknown";
}

async function untilReady(place: Place, kind: string, name: string, wanted = "True"): Promise<ObjectStatus> {
  const what = `${kind} ${name} with Ready ${wanted}`;
  await until(() => place.ask("get"), (answer) => answer.code === 0, { what: "an answer of the daemon" });
  return await until(() => statusOf(place, kind, name), (status) => readiness(status) === wanted, { what });
}

labTest("the daemon follows a registry, answers over its socket, and outlives the registry and itself", async (t) => {
  await using registry = await startRegistry();
  await using place = await Place.make();
  await registry.push("org/app:latest", { files: files("one", "two") });
  await place.write("app.yaml", yamlOf(repository(registry, "app", "org/app"), kustomization("app", "app")));
  const standing = async (...wanted: readonly string[]) => {
    await until(() => place.files(), (found) => names(found).join() === wanted.join(), { what: wanted.join() });
  };

  await t.step("it applies what is there", async () => {
    place.start();
    await standing("one", "two");
    await untilReady(place, "ks", "app");
  });

  await t.step("get, describe and events tell of it", async () => {
    const list = await place.ask("get");
    match(list.stdout, /OCIRepository\s+default\s+app\s+latest@sha256:[0-9a-f]{8}\s+False\s+True/);
    const text = (await place.ask("describe", "kustomization", "app")).stdout;
    match(text, /Applied revision:\s+latest@sha256/);
    match(text, /ConfigMap\/default\/one/);
    const events = await place.ask("events", "--output", "json");
    ok(JSON.parse(events.stdout).some((event: { readonly reason: string }) => event.reason === "NewArtifact"));
    const missing = await place.ask("get", "ks", "nothing");
    notEqual(missing.code, 0);
    match(missing.stderr, /nothing/);
  });

  await t.step("a moved tag arrives by itself, and what is gone is pruned", async () => {
    await registry.push("org/app:latest", { files: files("three", "two") });
    await standing("three", "two");
  });

  await t.step("suspend lets it rest, resume goes on, reconcile waits for the outcome", async () => {
    equal((await place.ask("suspend", "ks", "app")).code, 0);
    const digest = await registry.push("org/app:latest", { files: files("four") });
    await until(
      () => statusOf(place, "source", "app").catch(() => statusOf(place, "oci", "app")),
      (status) => status.artifact?.digest === digest,
    );
    deepEqual(names(await place.files()), ["three", "two"]);
    equal((await place.ask("resume", "ks", "app")).code, 0);
    await standing("four");
    const ordered = await place.ask("reconcile", "ks", "app", "--with-source");
    equal(ordered.code, 0, ordered.stderr);
    match(ordered.stdout, /Applied revision: latest@sha256/);
  });

  await t.step("SIGHUP reads new documents; a broken one changes nothing", async () => {
    await registry.push("org/more:latest", { files: files("more") });
    await place.write("more.yaml", yamlOf(repository(registry, "more", "org/more"), kustomization("more", "more")));
    place.signal("SIGHUP");
    await standing("four", "more");
    await place.write("more.yaml", "}{");
    place.signal("SIGHUP");
    equal((await place.ask("reconcile", "ks", "app")).code, 0);
    await standing("four", "more");
    await Deno.remove(`${place.folder}/config/more.yaml`);
    place.signal("SIGHUP");
    await standing("four");
  });

  await t.step("without the registry what stands stays, and the status says why", async () => {
    await registry.stop();
    const status = await untilReady(place, "oci", "app", "False");
    match(condition(status.conditions, "Ready")?.message ?? "", /cannot reach/i);
    await untilReady(place, "ks", "app");
    deepEqual(names(await place.files()), ["four"]);
  });

  await t.step("SIGTERM ends it with 0, and it starts again without the registry", async () => {
    const { code, log } = await place.end();
    equal(code, 0, log);
    await Deno.remove(`${place.folder}/out`, { recursive: true });
    place.start();
    await standing("four");
    equal((await place.work("render")).code === 2, false);
  });

  await t.step("the registry comes back, and so does everything", async () => {
    await registry.restart();
    await registry.push("org/app:latest", { files: files("five") });
    await standing("five");
    await untilReady(place, "oci", "app");
    equal((await place.end("SIGINT")).code, 0);
    deepEqual(await place.unfinished(), []);
  });
});

labTest("a login and a certificate authority come from Secrets, and stay secret", async (t) => {
  const password = "canary-Pa55word%&";
  await using registry = await startRegistry({ tls: true, login: { name: "ann", password } });
  await registry.push("org/app:latest", { files: files("one") });
  const login = (given: string) =>
    secret("login", {
      ".dockerconfigjson": JSON.stringify({ auths: { [registry.host]: { username: "ann", password: given } } }),
    }, "kubernetes.io/dockerconfigjson");
  const documents = (given: string, spec: Record<string, unknown> = {}) =>
    yamlOf(
      login(given),
      secret("ca", { "ca.crt": registry.caCert }),
      repository(registry, "app", "org/app", {
        secretRef: { name: "login" },
        certSecretRef: { name: "ca" },
        ...spec,
      }),
      kustomization("app", "app"),
    );
  const told: string[] = [];
  const once = async (text: string) => {
    await using place = await Place.make();
    await place.write("app.yaml", text);
    const result = await place.work("once", "--timeout", "30s", "--log-level", "debug");
    told.push(result.stdout, result.stderr);
    return { ...result, standing: names(await place.files()) };
  };

  await t.step("with both it works", async () => {
    const { code, standing, stderr } = await once(documents(password));
    equal(code, 0, stderr);
    deepEqual(standing, ["one"]);
  });
  await t.step("a wrong password is said", async () => {
    const { code, stdout, standing } = await once(documents("wrong-Pa55word"));
    equal(code, 1);
    match(stdout, /401/);
    deepEqual(standing, []);
  });
  await t.step("without the authority the certificate is refused, with a hint", async () => {
    const text = documents(password, { certSecretRef: undefined });
    const { code, stderr } = await once(text);
    equal(code, 1);
    match(stderr, /certSecretRef/);
  });
  await t.step("nothing that was printed holds a password", () => {
    for (const form of [password, "wrong-Pa55word", btoa(`ann:${password}`)]) {
      ok(!told.join("\n").includes(form), `"${form}" was told`);
    }
  });
});

labTest("tags, ranges, digests and layers are chosen as written", async () => {
  await using registry = await startRegistry();
  await using place = await Place.make();
  const first = await registry.push("org/app:1.0.0", { files: files("v100") });
  await registry.push("org/app:1.2.0", { files: files("v120") });
  await registry.push("org/app:2.0.0-rc.1", { files: files("v200rc") });
  await registry.push(
    "org/two:latest",
    { mediaType: "application/vnd.example.docs.tar+gzip", files: files("docs") },
    { mediaType: "application/vnd.example.config.tar+gzip", files: files("config") },
  );
  await registry.crane("tag", `${registry.host}/org/app:1.0.0`, "stable");
  const of = (name: string, path: string, spec: Record<string, unknown>) => [
    repository(registry, name, path, spec),
    kustomization(name, name, { namePrefix: `${name}-` }),
  ];
  await place.write(
    "all.yaml",
    yamlOf(
      ...of("tag", "org/app", { ref: { tag: "stable" } }),
      ...of("range", "org/app", { ref: { semver: "1.x" } }),
      ...of("pre", "org/app", { ref: { semver: ">=1.0.0-0" } }),
      ...of("digest", "org/app", { ref: { tag: "1.2.0", digest: first } }),
      ...of("layer", "org/two", { layerSelector: { mediaType: "application/vnd.example.config.tar+gzip" } }),
    ),
  );
  const { code, stderr } = await place.work("once");
  equal(code, 0, stderr);
  deepEqual(names(await place.files()), [
    "digest-v100",
    "layer-config",
    "pre-v200rc",
    "range-v120",
    "tag-v100",
  ]);
});

labTest("check, render, diff and once say by their exit code how it went", async () => {
  await using registry = await startRegistry();
  await using place = await Place.make();
  await registry.push("org/app:latest", { files: files("one", "two") });
  await place.write("app.yaml", yamlOf(repository(registry, "app", "org/app"), kustomization("app", "app")));
  const config = ["--config", `${place.folder}/config`];

  equal((await place.run("check", ...config)).code, 0);
  const rendered = await place.work("render");
  equal(rendered.code, 0, rendered.stderr);
  match(rendered.stdout, /name: one\n[\s\S]*name: two\n/);
  deepEqual(await place.files(), {}, "render writes nothing");
  const before = await place.work("diff");
  equal(before.code, 3, before.stderr);
  match(before.stdout, /create ConfigMap\/default\/one/);
  deepEqual(await place.files(), {}, "diff writes nothing");
  equal((await place.work("once")).code, 0);
  equal((await place.work("diff")).code, 0);
  const [name = ""] = Object.keys(await place.files());
  await Deno.writeTextFile(`${place.folder}/out/${name}`, "changed: by hand\n");
  equal((await place.work("diff")).code, 3);
  await registry.push("org/app:latest", { files: files("one") });
  match((await place.work("diff")).stdout, /delete ConfigMap\/default\/two/);

  await registry.stop();
  equal((await place.work("render")).code, 1, "the source could not be asked");
  match((await place.work("render")).stdout, /name: one/, "the store has it");

  await place.write("bad.yaml", yamlOf(kustomization("bad", "app", { intervall: "1m" })));
  const check = await place.run("check", ...config);
  equal(check.code, 2);
  match(check.stderr, /bad\.yaml:\d+:\d+: .*intervall.*interval/);
  await Deno.remove(`${place.folder}/config/app.yaml`);
  equal((await place.work("once")).code, 2);
  equal((await place.run("once", "--no-such-flag")).code, 2);
  equal((await place.run("run", "--config", `${place.folder}/nowhere`)).code, 2);
});

/** How often the daemon is killed; `PILOTFISH_KILLS=200` for the long form. */
const kills = Number(Deno.env.get("PILOTFISH_KILLS") ?? "50");

labTest(`killed ${kills} times at random instants, the daemon ends where it would have ended`, async () => {
  await using registry = await startRegistry();
  await using place = await Place.make();
  const versions = ["old", "new"] as const;
  for (const version of versions) {
    const own = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [
        `${version}-${index}.yaml`,
        yamlOf(
          configMap(`${version}-${index}`, { version, filler: "x".repeat(2_000) }),
          configMap(`both-${index}`, { version }),
        ),
      ]),
    );
    await registry.push(`org/app:${version}`, { files: own });
    await registry.push(`org/site:${version}`, { files: { "index.html": version, [`${version}.css`]: version } });
  }
  const point = async (version: string) => {
    await registry.crane("tag", `${registry.host}/org/app:${version}`, "latest");
    await registry.crane("tag", `${registry.host}/org/site:${version}`, "latest");
  };
  const site = {
    apiVersion: "pilotfish.dev/v1alpha1",
    kind: "Checkout",
    metadata: { name: "site", namespace: "default" },
    spec: { sourceRef: { kind: "OCIRepository", name: "site" }, path: `${place.folder}/site` },
  };
  await place.write(
    "all.yaml",
    yamlOf(
      repository(registry, "app", "org/app"),
      kustomization("app", "app"),
      repository(registry, "site", "org/site"),
      site,
    ),
  );
  const pictures: Record<string, unknown> = {};
  const pictureOf = async () => ({ out: await place.files("out"), site: await place.files("site") });
  let longestMs = 0;
  for (const version of versions) {
    await point(version);
    const startedMs = Date.now();
    const { code, stderr } = await place.work("once");
    equal(code, 0, stderr);
    longestMs = Math.max(longestMs, Date.now() - startedMs);
    pictures[version] = await pictureOf();
  }
  notEqual(JSON.stringify(pictures.old), JSON.stringify(pictures.new));

  for (let count = 0; count < kills; count++) {
    await point(versions[count % 2] ?? "old");
    // The start of the runtime itself writes nothing: instants before it ends teach little.
    const instantMs = Math.round(longestMs * (0.25 + 0.95 * Math.random()));
    place.start();
    await new Promise((resolve) => setTimeout(resolve, instantMs));
    await place.end("SIGKILL");
    const seen = await pictureOf();
    const page = seen.site["index.html"];
    deepEqual(seen.site, { "index.html": page, [`${page}.css`]: page }, `after kill ${count} at ${instantMs} ms`);
    for (const [name, text] of Object.entries(seen.out)) {
      match(
        text,
        /\n {2}name: \S+\n {2}namespace: default\n$/,
        `"${name}" is cut after kill ${count} at ${instantMs} ms`,
      );
    }
  }
  for (const version of versions) {
    await point(version);
    const { code, stderr } = await place.work("once");
    equal(code, 0, stderr);
    deepEqual(await pictureOf(), pictures[version]);
    deepEqual(await place.unfinished(), []);
  }
});
