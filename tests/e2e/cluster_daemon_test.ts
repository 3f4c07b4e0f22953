/** The real program on a real API server: with the rights that the chart gives it, with what it tells, in two copies. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { condition } from "../../src/core/condition.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { ObjectStatus } from "../../src/core/status.ts";
import { configMap, kustomization, secret, yamlOf } from "../support/documents.ts";
import type { LabCluster } from "../support/lab.ts";
import { connectLab, labProgram, startCluster } from "../support/lab.ts";
import { fromFileUrl } from "../support/paths.ts";
import { Place, until } from "../support/program.ts";

const isHere = labProgram() !== undefined;
const chart = fromFileUrl(new URL("../../chart", import.meta.url));

/** How often the daemon is killed; `PILOTFISH_KILLS=200` for the long form. */
const kills = Number(Deno.env.get("PILOTFISH_KILLS") ?? "10");

/** What every case works with: a cluster, and an artifact in a layout. */
interface Bench {
  readonly lab: LabCluster;
  /** Namespace in which the daemon lives. */
  readonly home: string;
  /** Folder with an OCI layout. */
  readonly layout: string;
}

Deno.test({
  name: isHere ? "the program on a real API server" : "the program on a real API server (the lab is not here)",
  ignore: !isHere,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(test) {
    await using lab = await startCluster({ isBare: true, isAudited: true });
    let number = 0;
    for (const [name, work] of Object.entries(cases)) {
      if (!name.includes(Deno.env.get("ONLY") ?? "")) continue;
      await test.step(name, async () => {
        const home = `home-${++number}`;
        await lab.kubectl(["create", "namespace", home]);
        await work({ lab, home, layout: `${lab.folder}/layout-${number}` });
      });
    }
  },
});

const cases: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  "with a list of rules it does what they allow, and tells what they do not": async (bench) => {
    const { lab, home } = bench;
    const apps = `${home}-apps`;
    await lab.kubectl(["create", "namespace", apps]);
    const verbs = ["get", "list", "watch", "create", "patch", "delete"];
    await using place = await installed(bench, {
      rbac: { mode: "rules", namespaces: [apps], rules: [{ apiGroups: [""], resources: ["configmaps"], verbs }] },
    });
    await lab.kubectl(["create", "secret", "generic", "variables", "-n", home, "--from-literal=word=hello"]);
    await push(place, bench, {
      "allowed/map.yaml": yamlOf({ ...configMap(`${apps}/greeting`, { word: "${word}" }) }),
      "refused/account.yaml": yamlOf({
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: "evil", namespace: apps },
      }),
    });
    await place.write(
      "all.yaml",
      yamlOf(
        source(bench),
        kustomization(`${home}/allowed`, "site", {
          path: "./allowed",
          postBuild: { substituteFrom: [{ kind: "Secret", name: "variables" }] },
        }),
        kustomization(`${home}/refused`, "site", { path: "./refused" }),
      ),
    );
    place.start();
    await untilReady(place, "allowed");
    equal((await getJson(lab, apps, "configmap", "greeting")).data?.word, "hello");
    const refused = await untilReady(place, "refused", "False");
    match(messageOf(refused), /ServiceAccount\/\S+\/evil dry-run failed \(Forbidden\)/);

    // Drift is seen by the watch that the rules allow, and what leaves the documents leaves the cluster.
    await lab.kubectl(["patch", "configmap", "greeting", "-n", apps, "--type=merge", "-p", '{"data":{"word":"bye"}}']);
    await until(async () => (await getJson(lab, apps, "configmap", "greeting")).data?.word, (word) => word === "hello");
    await place.write("all.yaml", yamlOf(source(bench)));
    await until(
      () => lab.kubectl(["get", "configmap", "-n", apps, "-o", "name"]),
      (names) => !names.includes("greeting"),
    );
    await place.end();
    const inventories = await lab.kubectl([
      "get",
      "configmap",
      "-n",
      home,
      "-l",
      "pilotfish.dev/inventory",
      "-o",
      "name",
    ]);
    ok(!inventories.includes("allowed"), inventories);
    const denials = await denied(bench);
    const most = Math.max(...denials.map((one) => denials.filter((other) => other === one).length));
    ok(most <= 12, `what it may not do it does not try again and again: ${denials.join(", ")}`);
  },

  "with pilotfish.dev/drift: warn it tells what others changed, field by field, and writes nothing": async (bench) => {
    const { lab, home } = bench;
    await using place = await Place.make({ target: ["--target", "cluster", "--kubeconfig", lab.kubeconfig] });
    await push(place, bench, { "map.yaml": yamlOf(configMap(`${home}/told`, { a: "1", b: "1" })) });
    const document = kustomization(`${home}/warned`, "site");
    const annotations = { "pilotfish.dev/drift": "warn" };
    await place.write(
      "all.yaml",
      yamlOf(source(bench), { ...document, metadata: { ...document.metadata as JsonObject, annotations } }),
    );
    place.start();
    await untilReady(place, "warned");
    const patch = ["patch", "configmap", "told", "-n", home, "--type=merge", "-p"];
    await lab.kubectl([...patch, '{"data":{"a":"2","b":"2"}}']);
    const edited = (await getJson(lab, home, "configmap", "told")).metadata.resourceVersion;
    const drifted = async () => condition((await statusOf(place, "warned"))?.conditions ?? [], "Drifted");
    const told = await until(drifted, (found) => found?.status === "True", { what: "a condition Drifted" });
    match(told?.message ?? "", /ConfigMap\/\S+\/told changed: \/data\/a, \/data\/b$/);
    await place.ask("reconcile", "ks", "warned", "-n", home);
    const { stdout } = await place.ask("events", "--output", "json");
    equal(stdout.split('"DriftDetected"').length - 1, 1, "once");
    equal((await getJson(lab, home, "configmap", "told")).metadata.resourceVersion, edited, "nothing is written");
    await lab.kubectl([...patch, '{"data":{"a":"1"}}']);
    await until(drifted, (found) => found?.message.endsWith("changed: /data/b") === true, { what: "less drift" });
    await lab.kubectl([...patch, '{"data":{"b":"1","c":"1"}}']);
    await until(drifted, (found) => found?.message.endsWith("changed: /data/c") === true, { what: "other drift" });
    await lab.kubectl([...patch, '{"data":{"c":null}}']);
    await until(drifted, (found) => found?.status === "False", { what: "Drifted to be taken back" });
    await lab.kubectl([...patch, '{"data":{"b":"2"}}']);
    await until(drifted, (found) => found?.status === "True", { what: "drift anew" });

    await push(place, bench, { "map.yaml": yamlOf(configMap(`${home}/told`, { a: "3", b: "1" })) });
    await place.ask("reconcile", "ks", "warned", "-n", home, "--with-source");
    await until(async () => (await getJson(lab, home, "configmap", "told")).data, (data) => data?.a === "3");
    equal((await getJson(lab, home, "configmap", "told")).data?.b, "1");
    await until(drifted, (found) => found?.status === "False", { what: "Drifted to be taken back" });
    await place.end();
  },

  "with impersonation alone it acts as the accounts of the documents": async (bench) => {
    const { lab, home } = bench;
    const team = `${home}-team`;
    await lab.kubectl(["create", "namespace", team]);
    await lab.kubectl(["create", "serviceaccount", "tenant", "-n", team]);
    const verbs = "--verb=get,list,watch,create,patch,delete";
    await lab.kubectl(["create", "role", "tenant", "-n", team, verbs, "--resource=configmaps"]);
    const account = `--serviceaccount=${team}:tenant`;
    await lab.kubectl(["create", "rolebinding", "tenant", "-n", team, "--role=tenant", account]);
    await using place = await installed(bench, {
      rbac: { mode: "impersonate", namespaces: [team], references: [team] },
    });
    await push(place, bench, { "map.yaml": yamlOf(configMap(`${team}/greeting`, { word: "hello" })) });
    const sourceRef = { kind: "OCIRepository", name: "site", namespace: home };
    await place.write(
      "all.yaml",
      yamlOf(
        source(bench),
        kustomization(`${team}/tenant`, "site", { sourceRef, serviceAccountName: "tenant", wait: true }),
        kustomization(`${team}/nobody`, "site", { sourceRef, namePrefix: "other-" }),
      ),
    );
    place.start();
    await untilReady(place, "tenant", "True", team);
    match(messageOf(await untilReady(place, "nobody", "False", team)), /other-greeting dry-run failed \(Forbidden\)/);
    await place.end();

    // The same documents with a default account need no name.
    place.start("--default-service-account", "tenant");
    await untilReady(place, "nobody", "True", team);
    await place.write("all.yaml", yamlOf(source(bench)));
    await until(
      () => lab.kubectl(["get", "configmap", "-n", team, "-o", "name"]),
      (names) => !names.includes("greeting"),
    );
    await place.end();
  },

  "in its own namespace it does everything, and nothing outside": async (bench) => {
    const { lab, home } = bench;
    await using place = await installed(bench, { rbac: { mode: "namespace-admin" } });
    await push(place, bench, {
      "in/all.yaml": yamlOf(
        secret(`${home}/token`, { key: "value" }),
        { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "worker", namespace: home } },
      ),
      "out/all.yaml": yamlOf(configMap("default/outside", {})),
    });
    await place.write(
      "all.yaml",
      yamlOf(
        source(bench),
        kustomization(`${home}/in`, "site", { path: "./in", wait: true }),
        kustomization(`${home}/out`, "site", { path: "./out" }),
      ),
    );
    place.start();
    await untilReady(place, "in");
    match(messageOf(await untilReady(place, "out", "False")), /outside dry-run failed \(Forbidden\)/);
    equal(
      (await lab.kubectl(["get", "serviceaccount", "worker", "-n", home, "-o", "name"])).trim(),
      "serviceaccount/worker",
    );
    await place.end();
  },

  "as cluster admin it makes a Namespace with what is in it, and tells the cluster about it": async (bench) => {
    const { lab, home } = bench;
    const made = `${home}-made`;
    await using place = await installed(bench, { events: true, status: true }, ["--kube-events", "--kube-status"]);
    await push(place, bench, {
      "good/all.yaml": yamlOf(
        { apiVersion: "v1", kind: "Namespace", metadata: { name: made } },
        configMap(`${made}/inside`, { a: "1" }),
      ),
      "bad/all.yaml": yamlOf({ apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "none" } }),
    });
    const good = kustomization(`${home}/good`, "site", { path: "./good" });
    const bad = kustomization(`${home}/bad`, "site", { path: "./bad" });
    await place.write("all.yaml", yamlOf(source(bench), good, bad));
    place.start();
    await untilReady(place, "good");
    await untilReady(place, "bad", "False");

    const mapOf = (name: string) => `pilotfish-status.kustomization.${home}.${name}`;
    const standing = await until(
      () => getJson(lab, home, "configmap", mapOf("good")).catch(() => ({ data: undefined })),
      ({ data }) => data?.ready === "True",
      { what: "a status ConfigMap" },
    );
    deepEqual([standing.data?.object, standing.data?.reason], [
      `Kustomization/${home}/good`,
      "ReconciliationSucceeded",
    ]);
    const status = JSON.parse(standing.data?.status ?? "{}") as ObjectStatus;
    match(status.lastAppliedRevision ?? "", /^stable@sha256:/);
    const warning = await until(
      async () => (await eventsIn(bench)).find(({ type }) => type === "Warning"),
      (event) => event !== undefined,
      { what: "an Event" },
    );
    match(String(warning?.message), /Widget/);
    equal((warning?.related as JsonObject).name, "bad");
    equal((warning?.involvedObject as JsonObject).name, mapOf("bad"));
    match(
      await lab.kubectl(["describe", "configmap", "-n", home, mapOf("good")]),
      /ReconciliationSucceeded .*pilotfish/,
    );

    // What says nothing new is not written again, also by the next start; what went meanwhile is taken away by it.
    await place.end();
    const { metadata } = await getJson(lab, home, "configmap", mapOf("good"));
    await place.write("all.yaml", yamlOf(source(bench), good));
    place.start();
    await until(
      () => lab.kubectl(["get", "configmap", "-n", home, "-o", "name"]),
      (names) => !names.includes(mapOf("bad")),
    );
    equal((await getJson(lab, home, "configmap", mapOf("good"))).metadata.resourceVersion, metadata.resourceVersion);
    await place.write("all.yaml", yamlOf(source(bench)));
    await until(
      () => lab.kubectl(["get", "configmap", "-n", home, "-o", "name"]),
      (names) => !names.includes(mapOf("good")),
    );
    await place.end();
  },

  "what stands in another cluster goes with its document, also when that went while nobody looked": async (bench) => {
    const { lab, home } = bench;
    const verbs = "--verb=get,list,watch,create,patch,delete";
    await using place = await installed(bench, { rbac: { mode: "none" } });
    // The account that acts there, and the right to ask for its tokens.
    await lab.kubectl(["create", "serviceaccount", "remote", "-n", home]);
    await lab.kubectl(["create", "role", "remote", "-n", home, verbs, "--resource=configmaps"]);
    await lab.kubectl([
      "create",
      "rolebinding",
      "remote",
      "-n",
      home,
      "--role=remote",
      `--serviceaccount=${home}:remote`,
    ]);
    await lab.kubectl(["create", "role", "tokens", "-n", home, "--verb=create", "--resource=serviceaccounts/token"]);
    await lab.kubectl([
      "create",
      "rolebinding",
      "tokens",
      "-n",
      home,
      "--role=tokens",
      `--serviceaccount=${home}:pilotfish`,
    ]);
    // Under another address it is another cluster.
    const kubeconfig = (await Deno.readTextFile(lab.tokenKubeconfig)).replace("127.0.0.1", "localhost");
    const address = /server: "?(https:\/\/[^",}\s]+)/.exec(kubeconfig)?.[1] ?? "";
    const claims = JSON.parse(atob((await lab.kubectl(["create", "token", "remote", "-n", home])).split(".")[1] ?? ""));
    const ca = await Deno.readTextFile(`${lab.folder}/${home}.account/ca.crt`);
    const login = {
      provider: "generic",
      address,
      "ca.crt": ca,
      audiences: claims.aud[0],
      serviceAccountName: "remote",
    };
    await push(place, bench, { "map.yaml": yamlOf(configMap(`${home}/greeting`, {})) });
    const ways = {
      secret: { secretRef: { name: "other" } },
      account: { configMapRef: { name: "other" } },
      cloud: { configMapRef: { name: "cloud" } },
    };
    await place.write(
      "all.yaml",
      yamlOf(
        source(bench),
        secret(`${home}/other`, { value: kubeconfig }),
        configMap(`${home}/other`, login),
        configMap(`${home}/cloud`, { ...login, provider: "aws" }),
      ),
    );
    await place.write(
      "apps.yaml",
      yamlOf(
        ...Object.entries(ways).map(([name, kubeConfig]) =>
          kustomization(`${home}/${name}`, "site", { kubeConfig, namePrefix: `${name}-`, wait: true })
        ),
      ),
    );
    place.start();
    await untilReady(place, "secret");
    await untilReady(place, "account");
    match(messageOf(await untilReady(place, "cloud", "False")), /provider "aws" is not built yet/);
    const maps = () => lab.kubectl(["get", "configmap", "-n", home, "-o", "name"]);
    match(await maps(), /account-greeting[\s\S]*secret-greeting/);
    const state = await Deno.readTextFile(`${place.folder}/var/state/kustomization_${home}_secret.json`);
    ok(!state.includes((await Deno.readTextFile(`${lab.folder}/token`)).trim()), "a login is never kept");

    await place.end();
    await Deno.remove(`${place.folder}/config/apps.yaml`);
    place.start();
    await until(maps, (names) => !names.includes("greeting"), { what: "the removal" });
    await place.end();
    equal(await lab.kubectl(["get", "configmap", "-n", home, "-l", "pilotfish.dev/inventory", "-o", "name"]), "");
  },

  "after an outage it goes on within seconds, and what a guard keeps goes by an order": async (bench) => {
    const { lab, home } = bench;
    const names = Array.from({ length: 12 }, (_, index) => `map-${index}`);
    const made = async () => (await lab.kubectl(["get", "configmap", "-n", home, "-o", "name"])).match(/map-/g)?.length;
    const site = (list: readonly string[]) => ({
      "all.yaml": yamlOf(...list.map((name) => configMap(`${home}/${name}`, { name }))),
    });
    await using place = await installed(bench, { rbac: { mode: "namespace-admin" } });
    await push(place, bench, site(names));
    await place.write("all.yaml", yamlOf(source(bench), kustomization(`${home}/app`, "site", { interval: "1h" })));
    place.start();
    await untilReady(place, "app");
    equal(await made(), 12);

    await lab.stop();
    await push(place, bench, site(names.slice(0, 1)));
    await place.ask("reconcile", "OCIRepository", "site", "--namespace", home, "--no-wait");
    const away = await until(() => statusOf(place, "app"), (status) => (status?.failures ?? 0) >= 4, {
      withinMs: 90_000,
      what: "four failures",
    });
    ok(away);
    match(messageOf(away), /Cannot reach API server/);
    await lab.start();
    const startedAt = performance.now();
    const back = await untilReady(place, "app");
    ok(performance.now() - startedAt < 8_000, `${performance.now() - startedAt} ms`);

    match(back.warnings.join(), /11 of 12 resources would be deleted/);
    equal(await made(), 12);
    const { code, stderr } = await place.ask("reconcile", "ks", "app", "--namespace", home, "--confirm-prune");
    equal(code, 0, stderr);
    equal(await made(), 1);
  },

  "of two copies one works, and the other takes over when it is killed": async (bench) => {
    const { lab, home } = bench;
    await using first = await installed(bench, { rbac: { mode: "namespace-admin" } });
    await using second = await Place.make(first.options);
    await push(first, bench, { "map.yaml": yamlOf(configMap(`${home}/greeting`, { word: "hello" })) });
    const documents = yamlOf(source(bench), kustomization(`${home}/apps`, "site"));
    for (const place of [first, second]) await place.write("all.yaml", documents);
    first.start();
    await untilReady(first, "apps");
    const holder = async () => (await getJson(lab, home, "lease", "pilotfish")).spec?.holderIdentity;
    const firstHolder = await holder();
    second.start();
    const waiting = await until(
      () => statusOf(second, "apps", home),
      (status) => status !== undefined && condition(status.conditions, "Reconciling") !== undefined,
      { what: "the second one waits" },
    );
    ok(condition(waiting?.conditions ?? [], "Ready")?.status !== "True");
    equal(await holder(), firstHolder);

    await first.end("SIGKILL");
    const killedAt = performance.now();
    await untilReady(second, "apps");
    const tookMs = performance.now() - killedAt;
    ok(tookMs < 20_000, `it took ${tookMs} ms`);
    const secondHolder = await holder();
    ok(secondHolder !== firstHolder);
    await lab.kubectl(["delete", "configmap", "greeting", "-n", home]);
    await until(
      () => lab.kubectl(["get", "configmap", "-n", home, "-o", "name"]),
      (names) => names.includes("greeting"),
    );

    // Given back in order, it passes at once.
    first.start();
    await until(() => statusOf(first, "apps", home), (status) => status !== undefined);
    await second.end();
    const endedAt = performance.now();
    await until(holder, (name) => name !== secondHolder && name !== "", { what: "the lease passes" });
    ok(performance.now() - endedAt < 5_000);
    await first.end();
  },

  [`killed ${kills} times at random instants, it loses track of nothing and ends where it would have ended`]: async (
    bench,
  ) => {
    const { lab, home } = bench;
    // A Lease outlives its holder by fifteen seconds: without one the next start goes on at once.
    await using place = await installed(bench, { rbac: { mode: "namespace-admin" } }, ["--no-lease"]);
    using open = await connectLab(lab.kubeconfig);
    const versions = ["old", "new"] as const;
    for (const version of versions) {
      const maps = Array.from({ length: 20 }, (_, index) => [
        configMap(`${home}/${version}-${index}`, { version, filler: "x".repeat(2_000) }),
        configMap(`${home}/both-${index}`, { version }),
      ]);
      await push(place, bench, { "all.yaml": yamlOf(...maps.flat()) }, version);
    }
    const point = async (version: string) => {
      const { code, stderr } = await place.run("tag", `oci-layout://${bench.layout}:${version}`, "stable");
      equal(code, 0, stderr);
    };
    const standing = async () => {
      const list = await open.api.send({
        method: "GET",
        path: `/api/v1/namespaces/${home}/configmaps`,
        query: { labelSelector: "kustomize.toolkit.fluxcd.io/name=apps" },
      });
      return Object.fromEntries((list.items as unknown as readonly Live[]).map(({ metadata, data }) => [
        String(metadata.name),
        data?.version ?? "",
      ]));
    };
    const remembered = async () => {
      const name = `pilotfish.kustomization.${home}.apps`;
      const path = `/api/v1/namespaces/${home}/configmaps/${name}`;
      const { data } = await open.api.send({ method: "GET", path }) as Live;
      return new Set((data?.entries ?? "").split("\n").map((line) => line.split("_")[1] ?? ""));
    };
    await place.write("all.yaml", yamlOf(source(bench), kustomization(`${home}/apps`, "site")));
    const pictures: Record<string, unknown> = {};
    let longestMs = 0;
    for (const version of versions) {
      await point(version);
      const startedAt = performance.now();
      const { code, stderr } = await place.work("once");
      equal(code, 0, stderr);
      longestMs = Math.max(longestMs, performance.now() - startedAt);
      pictures[version] = await standing();
      equal(Object.keys(await standing()).length, 40);
    }

    let cutShort = 0;
    for (let count = 0; count < kills; count++) {
      const version = versions[count % 2] ?? "old";
      await point(version);
      // The start of the runtime itself writes nothing: instants before it ends teach little.
      const instantMs = Math.round(longestMs * (0.3 + 0.8 * Math.random()));
      place.start();
      await new Promise((resolve) => setTimeout(resolve, instantMs));
      await place.end("SIGKILL");
      const [live, known] = [await standing(), await remembered()];
      const lost = Object.keys(live).filter((name) => !known.has(name));
      deepEqual(lost, [], `not in the inventory after kill ${count} at ${instantMs} ms`);
      const isDone = JSON.stringify(live) === JSON.stringify(pictures[version]);
      const isBefore = JSON.stringify(live) === JSON.stringify(pictures[versions[(count + 1) % 2] ?? "new"]);
      if (!isDone && !isBefore) cutShort++;
    }
    console.log(`${cutShort} of ${kills} kills fell into an apply or prune`);
    for (const version of versions) {
      await point(version);
      const { code, stderr } = await place.work("once");
      equal(code, 0, stderr);
      deepEqual(await standing(), pictures[version]);
    }
  },
};

/** The chart's access rules in the cluster, and a place whose program has the account that they are for, as in a Pod. */
async function installed(bench: Bench, values: JsonObject, flags: readonly string[] = []): Promise<Place> {
  const { lab, home } = bench;
  const file = `${lab.folder}/${home}.values.json`;
  await Deno.writeTextFile(file, JSON.stringify(values));
  const rendered = await lab.run("helm", [
    ...["template", "pilotfish", chart, "--namespace", home, "--values", file, "--show-only", "templates/access.yaml"],
  ]);
  await lab.kubectl(["apply", "-f", "-"], rendered);
  const folder = `${lab.folder}/${home}.account`;
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/token`, await lab.kubectl(["create", "token", "pilotfish", "-n", home]));
  await Deno.writeTextFile(`${folder}/namespace`, home);
  const kubeconfig = await Deno.readTextFile(lab.kubeconfig);
  await Deno.writeTextFile(
    `${folder}/ca.crt`,
    atob(/certificate-authority-data: "?([A-Za-z0-9+/=]+)/.exec(kubeconfig)?.[1] ?? ""),
  );
  const [, host = "", port = ""] = /server: "?https:\/\/([^:]+):(\d+)/.exec(kubeconfig) ?? [];
  return await Place.make({
    target: ["--target", "cluster", ...flags],
    env: { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, PILOTFISH_POD_ACCOUNT: folder },
  });
}

function source(bench: Bench): JsonObject {
  return {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "OCIRepository",
    metadata: { name: "site", namespace: bench.home },
    spec: { interval: "10m", url: `oci-layout://${bench.layout}`, ref: { tag: "stable" } },
  };
}

async function push(
  place: Place,
  bench: Bench,
  files: Readonly<Record<string, string>>,
  tag = "stable",
): Promise<void> {
  const folder = `${place.folder}/artifact-${tag}`;
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(`${folder}/${path.slice(0, Math.max(0, path.lastIndexOf("/")))}`, { recursive: true });
    await Deno.writeTextFile(`${folder}/${path}`, text);
  }
  const { code, stderr } = await place.run("push", folder, `oci-layout://${bench.layout}:${tag}`);
  equal(code, 0, stderr);
}

async function statusOf(place: Place, name: string, namespace?: string): Promise<ObjectStatus | undefined> {
  const { stdout, code } = await place.ask("get", "ks", "--output", "json");
  if (code !== 0) return undefined;
  const found = JSON.parse(stdout) as readonly ObjectStatus[];
  return found.find((status) =>
    status.key.name === name && (namespace ?? status.key.namespace) === status.key.namespace
  );
}

async function untilReady(place: Place, name: string, wanted = "True", namespace?: string): Promise<ObjectStatus> {
  const found = await until(
    () => statusOf(place, name, namespace),
    (status) => condition(status?.conditions ?? [], "Ready")?.status === wanted,
    { what: `${name} with Ready ${wanted}` },
  );
  ok(found);
  return found;
}

function messageOf(status: ObjectStatus): string {
  return condition(status.conditions, "Ready")?.message ?? "";
}

interface Live extends JsonObject {
  readonly metadata: JsonObject;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: JsonObject;
}

async function getJson(lab: LabCluster, namespace: string, kind: string, name: string): Promise<Live> {
  return JSON.parse(await lab.kubectl(["get", kind, name, "-n", namespace, "-o", "json"]));
}

async function eventsIn({ lab, home }: Bench): Promise<readonly JsonObject[]> {
  return (JSON.parse(await lab.kubectl(["get", "events", "-n", home, "-o", "json"])) as { items: JsonObject[] }).items;
}

/** What the account tried and was refused: `verb resource`. */
async function denied({ lab, home }: Bench): Promise<readonly string[]> {
  const lines = (await Deno.readTextFile(`${lab.folder}/audit.log`)).split("\n").filter((line) => line !== "");
  return lines.flatMap((line) => {
    const event = JSON.parse(line);
    const isOurs = event.user?.username === `system:serviceaccount:${home}:pilotfish` &&
      event.responseStatus?.code === 403;
    return isOurs ? [`${event.verb} ${event.objectRef?.namespace ?? ""}/${event.objectRef?.resource}`] : [];
  });
}
