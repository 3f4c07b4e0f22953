/** The cluster target against a real control plane: kube-apiserver, etcd, controllers, fake nodes. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { subtract } from "../../src/core/inventory.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { KubeApi } from "../../src/core/kube_api.ts";
import { isKubeError, KubeError } from "../../src/core/kube_api.ts";
import type { ObjectKey } from "../../src/core/object.ts";
import { ownerLabels, withOwnerLabels } from "../../src/core/ownership.ts";
import type { Resource } from "../../src/core/resource.ts";
import { refOf } from "../../src/core/resource.ts";
import type { Target, TargetOptions, WatchedChange } from "../../src/core/target.ts";
import { denoClock } from "../../src/platform/deno_clock.ts";
import { denoRandom } from "../../src/platform/deno_random.ts";
import { openCluster, openForeignCluster } from "../../src/platform/kube/connect_cluster.ts";
import { clusterReferences } from "../../src/target/cluster/cluster_references.ts";
import type { ClusterTarget } from "../../src/target/cluster/cluster_target.ts";
import { clusterTarget } from "../../src/target/cluster/cluster_target.ts";
import { openLease } from "../../src/target/cluster/lease.ts";
import { FaultInjectingApi } from "../support/fault_injecting_api.ts";
import type { LabCluster } from "../support/lab.ts";
import { clusterTools, connectLab, labProgram, startCluster } from "../support/lab.ts";

const isHere = labProgram() !== undefined;
const { signal } = new AbortController();

/** What every case works with. */
interface Bench {
  readonly lab: LabCluster;
  readonly api: KubeApi;
  readonly target: ClusterTarget;
  readonly namespace: string;
  readonly owner: ObjectKey;
}

Deno.test({
  name: isHere ? "cluster target against a real control plane" : "cluster target (the lab is not here)",
  ignore: !isHere,
  // The runtime's HTTP client keeps its connections.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(test) {
    await using lab = await startCluster();
    using open = await connectLab(lab.kubeconfig);
    let number = 0;
    const step = async (name: string, work: (bench: Bench) => Promise<void>) => {
      await test.step(name, async () => {
        const namespace = `case-${++number}`;
        await lab.kubectl(["create", "namespace", namespace]);
        using target = clusterTarget({
          api: open.api,
          clock: denoClock,
          random: denoRandom,
          openCluster: (text) => openForeignCluster(text, clusterTools),
        });
        await work({
          lab,
          api: open.api,
          target,
          namespace,
          owner: { kind: "Kustomization", namespace, name: "apps" },
        });
      });
    };
    for (const [name, work] of Object.entries(cases)) {
      if (!name.includes(Deno.env.get("ONLY") ?? "")) continue;
      await step(name, work);
    }
  },
});

const cases: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  "applies a workload, waits for it and deletes it": async (bench) => {
    const resources = owned(bench, [
      configMap("settings", { key: "value" }),
      secret("token", "hunter22"),
      deployment("web"),
      service("web"),
      { apiVersion: "batch/v1", kind: "Job", metadata: { name: "once" }, spec: jobSpec() } as Resource,
    ]);
    const applied = await apply(bench, resources);

    deepEqual(applied.changes.map((change) => change.action), ["created", "created", "created", "created", "created"]);
    const health = await waitAll(bench, resources);
    deepEqual([...new Set(health.map((item) => item.status))], ["Current"]);

    const again = await apply(bench, resources);
    deepEqual([...new Set(again.changes.map((change) => change.action))], ["unchanged"]);
    equal(await bench.target.stands?.(bench.owner, "inputs", signal), true);

    const removed = await bench.target.remove(bench.owner, applied.inventory.entries, { isWholeRemoval: true }, signal);
    equal(removed.removed.length, 5);
    deepEqual(removed.kept, []);
    equal(await exists(bench, "deployments.apps/web"), false);
    equal(await bench.target.remembered(bench.owner), undefined);
  },

  "proves after a restart that nothing is to be done, without a write": async (bench) => {
    const resources = owned(bench, [configMap("one", { a: "1" }), deployment("web"), service("web")]);
    await apply(bench, resources);
    const counting = new FaultInjectingApi(bench.api);
    using restarted = clusterTarget({ api: counting, clock: denoClock, random: denoRandom });

    equal(await restarted.stands?.(bench.owner, "inputs", signal), true);
    const again = await restarted.apply(request(bench, resources), signal);

    deepEqual([...new Set(again.changes.map((change) => change.action))], ["unchanged"]);
    deepEqual(counting.log.filter((line) => !line.startsWith("GET")), []);
    equal(await restarted.stands?.(bench.owner, "other inputs", signal), false);
  },

  "sees drift within a second, names the fields and corrects it": async (bench) => {
    const resources = owned(bench, [configMap("drifting", { a: "1", b: "2" }), deployment("web")]);
    await apply(bench, resources);
    await waitAll(bench, resources);
    const changes = watching(bench);
    equal(await bench.target.stands?.(bench.owner, "inputs", signal), true);

    await kubectl(bench, ["patch", "configmap", "drifting", "--type=merge", "-p", '{"data":{"a":"changed"}}']);
    const drift = await changes.next();
    deepEqual(drift.kind === "drift" && [drift.ref.name, drift.fields], ["drifting", ["/data/a"]]);
    ok(changes.lastTookMs() < 1_000);
    equal(await bench.target.stands?.(bench.owner, "inputs", signal), false);

    const corrected = await apply(bench, resources);
    deepEqual(corrected.changes.filter((change) => change.action === "configured").map((change) => change.drifted), [[
      "/data/a",
    ]]);
    equal(await bench.target.stands?.(bench.owner, "inputs", signal), true);

    // Fields of others are no drift.
    await kubectl(bench, ["annotate", "configmap", "drifting", "somebody.else/note=hello", "--field-manager=somebody"]);
    await kubectl(bench, ["delete", "configmap", "drifting"]);
    const gone = await changes.next();
    deepEqual(gone.kind === "drift" && [gone.ref.name, gone.fields], ["drifting", []]);
    changes.end();
  },

  "leaves ignored fields to others": async (bench) => {
    const resources = owned(bench, [deployment("scaled")]);
    const options: TargetOptions = { ignore: [{ paths: ["/spec/replicas"], target: { kind: "Deployment" } }] };
    await apply(bench, resources, options);
    await kubectl(bench, ["scale", "deployment", "scaled", "--replicas=3"]);

    const again = await apply(bench, resources, options);

    equal(again.changes[0]?.action, "unchanged");
    equal(await kubectl(bench, ["get", "deployment", "scaled", "-o", "jsonpath={.spec.replicas}"]), "3");
    const changed = owned(bench, [deployment("scaled", { image: "example.com/web:2" })]);
    equal((await apply(bench, changed, options)).changes[0]?.action, "configured");
    equal(await kubectl(bench, ["get", "deployment", "scaled", "-o", "jsonpath={.spec.replicas}"]), "3");
  },

  "takes over from kubectl without touching a Pod": async (bench) => {
    const plain = [deployment("web"), configMap("conf", { old: "1", kept: "2" })];
    await kubectl(bench, ["apply", "-f", "-"], list(plain));
    await kubectl(bench, ["rollout", "status", "deployment/web", "--timeout=30s"]);
    const pods = await kubectl(bench, ["get", "pods", "-o", "jsonpath={.items[*].metadata.uid}"]);

    const resources = owned(bench, [deployment("web"), configMap("conf", { kept: "2" })]);
    const applied = await apply(bench, resources);

    deepEqual(applied.changes.map((change) => change.action), ["configured", "configured"]);
    equal(await kubectl(bench, ["get", "pods", "-o", "jsonpath={.items[*].metadata.uid}"]), pods);
    const live = await getJson(bench, "configmap", "conf");
    deepEqual(live.data, { kept: "2" }, "what kubectl applied and we do not must go");
    deepEqual(managers(live), ["kustomize-controller/Apply"]);
    equal("kubectl.kubernetes.io/last-applied-configuration" in (annotations(live)), false);
    equal((await apply(bench, resources)).changes.every((change) => change.action === "unchanged"), true);
  },

  "takes over from Helm without touching a Pod": async (bench) => {
    const chart = `${bench.lab.folder}/chart`;
    await Deno.mkdir(`${chart}/templates`, { recursive: true });
    await Deno.writeTextFile(`${chart}/Chart.yaml`, "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    const resources = [deployment("web"), configMap("conf", { a: "1", old: "2" })];
    for (const resource of resources) {
      await Deno.writeTextFile(`${chart}/templates/${resource.kind}.json`, JSON.stringify(resource));
    }
    for (const program of ["helm3", "helm4"]) {
      await bench.lab.run(program, ["install", "web", chart, "--namespace", bench.namespace]);
      await kubectl(bench, ["rollout", "status", "deployment/web", "--timeout=30s"]);
      const pods = await kubectl(bench, ["get", "pods", "-o", "jsonpath={.items[*].metadata.uid}"]);

      const ours = owned(bench, [deployment("web"), configMap("conf", { a: "1" })]);
      const applied = await apply(bench, ours);

      deepEqual(applied.changes.map((change) => change.action), ["configured", "configured"], program);
      equal(await kubectl(bench, ["get", "pods", "-o", "jsonpath={.items[*].metadata.uid}"]), pods, program);
      const live = await getJson(bench, "configmap", "conf");
      deepEqual([live.data, managers(live)], [{ a: "1" }, ["kustomize-controller/Apply"]], program);
      equal((await apply(bench, ours)).changes.every((change) => change.action === "unchanged"), true, program);
      await bench.lab.run(program, ["uninstall", "web", "--namespace", bench.namespace, "--wait"]);
    }
  },

  "adopts what Flux applied and prunes it, and hands it back": async (bench) => {
    const flux = owned(bench, [configMap("kept", { a: "1" }), configMap("stale", { a: "1" }), deployment("web")]);
    await kubectl(
      bench,
      ["apply", "--server-side", "--field-manager=kustomize-controller", "-f", "-"],
      list(flux),
    );
    await kubectl(bench, ["rollout", "status", "deployment/web", "--timeout=30s"]);
    const pods = await kubectl(bench, ["get", "pods", "-o", "jsonpath={.items[*].metadata.uid}"]);

    const previous = await bench.target.remembered(bench.owner);
    deepEqual(previous?.entries.map((entry) => entry.id), [
      `${bench.namespace}_kept__ConfigMap`,
      `${bench.namespace}_stale__ConfigMap`,
      `${bench.namespace}_web_apps_Deployment`,
    ]);
    const applied = await apply(bench, [flux[0] as Resource, flux[2] as Resource]);
    deepEqual(applied.changes.map((change) => change.action), ["unchanged", "unchanged"]);
    const stale = subtract(previous ?? { entries: [] }, applied.inventory);
    const removed = await bench.target.remove(bench.owner, stale, {}, signal);
    deepEqual(removed.removed.map((change) => change.ref.name), ["stale"]);
    equal(await kubectl(bench, ["get", "pods", "-o", "jsonpath={.items[*].metadata.uid}"]), pods);

    // Flux goes on: its apply changes nothing.
    const before = await resourceVersion(bench, "deployment", "web");
    await kubectl(
      bench,
      ["apply", "--server-side", "--field-manager=kustomize-controller", "-f", "-"],
      list([flux[0] as Resource, flux[2] as Resource]),
    );
    equal(await resourceVersion(bench, "deployment", "web"), before);
  },

  "switches between Flux's name and our own, both ways, without touching a Pod": async (bench) => {
    const plain = () => [deployment("web"), configMap("conf", { kept: "1", old: "1" }), service("web")];
    const uids = async () =>
      await kubectl(bench, ["get", "pods,deployments,services,configmaps", "-o", "jsonpath={.items[*].metadata.uid}"]);
    await apply(bench, owned(bench, plain()));
    await waitAll(bench, plain());
    const before = await uids();
    const endpoints = await kubectl(bench, ["get", "endpointslices", "-o", "name"]);
    for (const ownership of ["pilotfish", "flux", "pilotfish"] as const) {
      using target = clusterTarget({ api: bench.api, clock: denoClock, random: denoRandom, ownership });
      const ours = { ...bench, target };
      equal((await target.remembered(bench.owner))?.entries.length, 3);
      const planned = await target.plan(request(ours, owned(ours, plain())), signal);
      equal(planned.length, 3);
      for (const change of planned) {
        for (const other of ["flux", "pilotfish"] as const) {
          for (const label of Object.keys(ownerLabels(bench.owner, other) ?? {})) {
            equal(change.before?.includes(label), other !== ownership, `${label} before ${ownership}`);
            equal(change.after?.includes(label), other === ownership, `${label} after ${ownership}`);
          }
        }
      }
      const applied = await apply(ours, owned(ours, plain()));

      deepEqual(applied.changes.map(({ action }) => action), ["configured", "configured", "configured"], ownership);
      for (const [kind, name] of [["deployment", "web"], ["configmap", "conf"], ["service", "web"]] as const) {
        const live = await getJson(ours, kind, name);
        deepEqual((live.metadata as JsonObject).labels, ownerLabels(bench.owner, ownership), `${kind} ${ownership}`);
        deepEqual(managers(live).filter((row) => !row.startsWith("kube-controller-manager/")), [
          `${ownership === "flux" ? "kustomize-controller" : "pilotfish"}/Apply`,
        ]);
      }
      equal(await uids(), before, ownership);
      equal(await target.stands?.(bench.owner, "inputs", signal), true);
      const again = await apply(ours, owned(ours, plain()));
      deepEqual([...new Set(again.changes.map(({ action }) => action))], ["unchanged"]);

      // The watch goes by the new label, and what leaves the manifest leaves the object.
      const changes = watching(ours);
      await kubectl(bench, ["patch", "configmap", "conf", "--type=merge", "-p", '{"data":{"kept":"changed"}}']);
      const drift = await changes.next();
      deepEqual(drift.kind === "drift" && [drift.ref.name, drift.fields], ["conf", ["/data/kept"]]);
      changes.end();
      await apply(ours, owned(ours, [deployment("web"), configMap("conf", { kept: "1" }), service("web")]));
      deepEqual((await getJson(ours, "configmap", "conf")).data, { kept: "1" });
      await apply(ours, owned(ours, plain()));
    }

    // Lost inventory, and the other set of labels on everything: still ours, and nothing that controllers copied is.
    const inventory = `pilotfish.kustomization.${bench.namespace}.apps`;
    await bench.lab.kubectl(["delete", "configmap", "-n", "default", inventory]);
    using back = clusterTarget({ api: bench.api, clock: denoClock, random: denoRandom });
    const found = await back.remembered(bench.owner);
    equal(found?.entries.length, 3);
    equal(await kubectl(bench, ["get", "endpointslices", "-o", "name"]), endpoints);
    const removed = await back.remove(bench.owner, found?.entries ?? [], { isWholeRemoval: true }, signal);
    deepEqual([removed.removed.length, removed.kept, removed.released], [3, [], []]);
  },

  "finds its inventory again by labels when the ConfigMap is lost": async (bench) => {
    const resources = owned(bench, [configMap("one", {}), configMap("two", {}), service("svc")]);
    const applied = await apply(bench, resources);
    await bench.lab.kubectl([
      "delete",
      "configmap",
      "-n",
      "default",
      `pilotfish.kustomization.${bench.namespace}.apps`,
    ]);
    using fresh = clusterTarget({ api: bench.api, clock: denoClock, random: denoRandom });

    deepEqual(await fresh.remembered(bench.owner), applied.inventory);
  },

  "applies a CRD, its resource, a Namespace and its content in one go": async (bench) => {
    const group = `${bench.namespace}.example.com`;
    const resources = owned(bench, [
      { apiVersion: `${group}/v1`, kind: "Widget", metadata: { name: "first" }, spec: { size: 3 } } as Resource,
      { ...configMap("inside", { a: "1" }), metadata: { name: "inside", namespace: `${bench.namespace}-new` } },
      { apiVersion: "v1", kind: "Namespace", metadata: { name: `${bench.namespace}-new` } } as Resource,
      crd(group),
    ]);
    const planned = await bench.target.plan(request(bench, resources), signal);
    deepEqual([...new Set(planned.map((change) => change.action))], ["create"]);

    const applied = await apply(bench, resources);

    equal(applied.changes.length, 4);
    ok(applied.inventory.entries.some((entry) => entry.id === `${bench.namespace}_first_${group}_Widget`));
    const removed = await bench.target.remove(bench.owner, applied.inventory.entries, { isWholeRemoval: true }, signal);
    deepEqual(removed.kept.filter((kept) => kept.reason !== "terminating"), []);
  },

  "applies a Role with its RoleBinding for an account that has neither yet": async (bench) => {
    await bench.lab.kubectl(["create", "serviceaccount", "tenant", "-n", bench.namespace]);
    await kubectl(bench, [
      "create",
      "role",
      "tenant",
      "--verb=get,list,watch,create,patch,delete",
      "--resource=roles.rbac.authorization.k8s.io,rolebindings.rbac.authorization.k8s.io,configmaps",
    ]);
    await kubectl(bench, [
      "create",
      "rolebinding",
      "tenant",
      "--role=tenant",
      `--serviceaccount=${bench.namespace}:tenant`,
    ]);
    const resources = owned(bench, [
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata: { name: "reader" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
        subjects: [{ kind: "ServiceAccount", name: "default", namespace: bench.namespace }],
      } as Resource,
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        metadata: { name: "reader" },
        rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get"] }],
      } as Resource,
      configMap("one", { a: "1" }),
    ]);
    const options: TargetOptions = { serviceAccountName: "tenant" };

    const applied = await apply(bench, resources, options);

    equal(applied.changes.length, 3);
    equal(await bench.target.stands?.(bench.owner, "inputs", signal), true);
    // What it has no right to is refused, all of it together, and nothing is written.
    await rejects(
      apply(
        bench,
        [...resources, ...owned(bench, [service("a"), secret("b", "hunter22"), configMap("new", {})])],
        options,
      ),
      (error: Error) => {
        match(error.message, /Service\/\S+\/a dry-run failed \(Forbidden\)/);
        match(error.message, /Secret\/\S+\/b dry-run failed \(Forbidden\)/);
        ok(!error.message.includes("hunter22"));
        return true;
      },
    );
    equal(await exists(bench, "configmaps/new"), false);
    await rejects(apply(bench, resources, { serviceAccountName: "" }), /serviceAccountName is empty/);
  },

  "recreates what is immutable only when asked, and only when the new one is right": async (bench) => {
    await apply(
      bench,
      owned(bench, [deployment("web"), { ...configMap("fixed", { a: "1" }), immutable: true } as Resource]),
    );
    const uid = (await getJson(bench, "deployment", "web")).metadata as JsonObject;
    const changed = owned(bench, [deployment("web", { label: "other" })]);

    await rejects(apply(bench, changed), /Deployment\/\S+\/web dry-run failed \(Invalid\).*immutable/s);
    const broken = owned(bench, [deployment("web", { label: "other", image: "" })]);
    await rejects(apply(bench, broken, { force: true }), /Invalid/);
    equal(((await getJson(bench, "deployment", "web")).metadata as JsonObject).uid, uid.uid, "it must still be there");

    const recreated = await apply(bench, changed, { force: true });
    deepEqual(recreated.changes.map((change) => change.action), ["recreated"]);
    const marked = owned(bench, [{ ...configMap("fixed", { a: "2" }), immutable: true } as Resource]);
    (marked[0] as { metadata: JsonObject }).metadata = {
      ...marked[0]?.metadata,
      annotations: { "kustomize.toolkit.fluxcd.io/force": "Enabled" },
    };
    deepEqual((await apply(bench, marked)).changes.map((change) => change.action), ["recreated"]);
  },

  "does not force when the new body is wrong too": async (bench) => {
    await apply(bench, owned(bench, [deployment("web")]));
    const broken = owned(bench, [deployment("web", { image: "" })]);

    await rejects(apply(bench, broken, { force: true }), /image/);
    equal(await exists(bench, "deployments.apps/web"), true);
  },

  "obeys the marks on resources": async (bench) => {
    const mark = (resource: Resource, name: string, value: string): Resource => ({
      ...resource,
      metadata: { ...resource.metadata, annotations: { [`kustomize.toolkit.fluxcd.io/${name}`]: value } },
    });
    await apply(
      bench,
      owned(bench, [configMap("once", { a: "1" }), configMap("off", { a: "1" }), configMap("keep", {})]),
    );
    const resources = owned(bench, [
      mark(configMap("once", { a: "2" }), "ssa", "IfNotPresent"),
      mark(configMap("off", { a: "2" }), "reconcile", "Disabled"),
      mark(configMap("keep", {}), "prune", "disabled"),
      mark(configMap("never", {}), "ssa", "Ignore"),
    ]);

    const applied = await apply(bench, resources);

    deepEqual(applied.changes.map((change) => [change.ref.name, change.action]), [
      ["keep", "configured"],
      ["never", "skipped"],
      ["off", "skipped"],
      ["once", "skipped"],
    ]);
    equal(applied.inventory.entries.length, 4);
    const removed = await bench.target.remove(bench.owner, applied.inventory.entries, { isWholeRemoval: true }, signal);
    deepEqual(removed.released.map((item) => item.entry.id), [`${bench.namespace}_keep__ConfigMap`]);
  },

  "never deletes what belongs to others": async (bench) => {
    const applied = await apply(bench, owned(bench, [configMap("mine", {}), configMap("taken", {})]));
    await kubectl(bench, ["label", "configmap", "taken", "--overwrite", "kustomize.toolkit.fluxcd.io/name=another"]);

    const removed = await bench.target.remove(bench.owner, applied.inventory.entries, { isWholeRemoval: true }, signal);

    deepEqual(removed.removed.map((change) => change.ref.name), ["mine"]);
    match(removed.released[0]?.message ?? "", /does not belong to Kustomization/);
    equal(await exists(bench, "configmaps/taken"), true);
  },

  "guards a Namespace, a CRD, a bound claim and a large share": async (bench) => {
    const group = `${bench.namespace}.example.com`;
    const space = `${bench.namespace}-held`;
    const volume = `${bench.namespace}-volume`;
    await kubectl(
      bench,
      ["apply", "-f", "-"],
      JSON.stringify({
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: volume },
        spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/nowhere" } },
      }),
    );
    const resources = owned(bench, [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: space } } as Resource,
      crd(group),
      claim("data", volume),
      ...Array.from({ length: 12 }, (_, index) => configMap(`many-${index}`, {})),
    ]);
    const applied = await apply(bench, resources);
    await bench.lab.kubectl(["create", "configmap", "foreign", "-n", space]);
    await kubectl(
      bench,
      ["apply", "-f", "-"],
      JSON.stringify({
        apiVersion: `${group}/v1`,
        kind: "Widget",
        metadata: { name: "foreign" },
      }),
    );
    await kubectl(bench, ["wait", "pvc/data", "--for=jsonpath={.status.phase}=Bound", "--timeout=20s"]);
    const precious = applied.inventory.entries.filter((entry) => !entry.id.endsWith("_ConfigMap"));

    const guarded = await bench.target.remove(bench.owner, precious, {}, signal);
    deepEqual(guarded.removed, []);
    deepEqual([...new Set(guarded.kept.map((kept) => kept.reason))], ["guarded"]);
    const messages = guarded.kept.map((kept) => kept.message).join("\n");
    match(messages, /Namespace\/\S+-held is kept: .*ConfigMap\/\S+-held\/foreign.*pilotfish\.dev\/prune: confirmed/);
    match(messages, /CustomResourceDefinition\/\S+ is kept: .*Widget\/\S+\/foreign/);
    match(messages, /PersistentVolumeClaim\/\S+\/data is kept: .*volume/);

    const share = await bench.target.remove(bench.owner, applied.inventory.entries, {}, signal);
    equal(share.removed.length, 0);
    match(share.kept[0]?.message ?? "", /15 of 15 resources would be deleted/);

    const confirmed = await bench.target.remove(
      bench.owner,
      applied.inventory.entries,
      { pruneConfirmed: true },
      signal,
    );
    ok(confirmed.removed.length >= 12);
    equal(confirmed.kept.every((kept) => kept.reason === "terminating"), true);
  },

  "tells why a workload is not well": async (bench) => {
    const resources = owned(bench, [deployment("crashing", { behaviour: "crash" }), deployment("fine")]);
    await apply(bench, resources);

    await rejects(waitAll(bench, resources, 4_000), (error: Error & { reason?: string }) => {
      equal(error.reason, "HealthCheckFailed");
      match(error.message, /timeout waiting for: \[Deployment\/\S+\/crashing status: 'InProgress': /);
      match(
        error.message,
        /container main waits in CrashLoopBackOff.*ended with exit code 1 \(Error\): cannot open configuration/,
      );
      ok(!error.message.includes("/fine"));
      return true;
    });
    const job = owned(bench, [
      { apiVersion: "batch/v1", kind: "Job", metadata: { name: "failing" }, spec: jobSpec("fail") } as Resource,
    ]);
    await apply(bench, job);
    await rejects(
      waitAll(bench, job, 30_000),
      /failed early due to stalled resources: \[Job\/\S+\/failing status: 'Failed'/,
    );
  },

  "waits by expressions and can be cancelled": async (bench) => {
    const resources = owned(bench, [configMap("signal", { state: "starting" })]);
    await apply(bench, resources);
    const expressions = [{ apiVersion: "v1", kind: "ConfigMap", current: "data.state == 'done'" }];
    const wait = bench.target.wait(
      { owner: bench.owner, refs: resources.map(refOf), timeoutMs: 20_000, expressions },
      signal,
    );
    await kubectl(bench, ["patch", "configmap", "signal", "--type=merge", "-p", '{"data":{"state":"done"}}']);
    equal((await wait)[0]?.status, "Current");

    const stop = new AbortController();
    const cancelled = bench.target.wait({
      owner: bench.owner,
      refs: resources.map(refOf),
      timeoutMs: 20_000,
      expressions: [{ apiVersion: "v1", kind: "ConfigMap", current: "false" }],
    }, stop.signal);
    stop.abort(new Error("a newer revision"));
    await rejects(cancelled, (error: Error & { reason?: string }) => error.reason === "HealthCheckCanceled");
  },

  "reports a workload that breaks after it was Ready": async (bench) => {
    const resources = owned(bench, [deployment("web")]);
    await apply(bench, resources);
    await waitAll(bench, resources);
    const changes = watching(bench);
    equal(await bench.target.stands?.(bench.owner, "inputs", signal), true);
    await kubectl(bench, ["delete", "pods", "--all", "--wait=false"]);

    const broken = await changes.next();
    equal(broken.kind === "health" && broken.health.status, "InProgress");
    changes.end();
  },

  "ends in the same state wherever it is killed": async (bench) => {
    const first = owned(bench, [
      configMap("a", { v: "1" }),
      configMap("b", { v: "1" }),
      service("old"),
      deployment("web"),
    ]);
    const second = owned(bench, [
      configMap("a", { v: "2" }),
      configMap("c", { v: "1" }),
      deployment("web", { image: "x:2" }),
    ]);
    const pass = async (target: Target, resources: readonly Resource[]) => {
      const previous = await target.remembered(bench.owner) ?? { entries: [] };
      const applied = await target.apply({ ...request(bench, resources), previous }, signal);
      await target.remove(bench.owner, subtract(previous, applied.inventory), {}, signal);
    };
    const state = async () =>
      (await kubectl(bench, [
        "get",
        "configmaps,services,deployments",
        "-o",
        "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.data} {.spec.template.spec.containers[0].image}{'\\n'}{end}",
      ]))
        .split("\n").filter((line) => !line.includes("kube-root-ca")).sort().join("\n");
    await pass(bench.target, first);
    const counting = new FaultInjectingApi(bench.api);
    {
      using target = clusterTarget({ api: counting, clock: denoClock, random: denoRandom });
      await pass(target, second);
    }
    const wanted = await state();
    const writes = counting.log.flatMap((line, index) =>
      line.startsWith("GET") || line.endsWith("?dryRun") ? [] : [index + 1]
    );
    ok(writes.length >= 6, counting.log.join("\n"));

    for (const killAt of writes) {
      for (const isAfter of [false, true]) {
        {
          using back = clusterTarget({ api: bench.api, clock: denoClock, random: denoRandom });
          await pass(back, first);
        }
        {
          using killed = clusterTarget({
            api: new FaultInjectingApi(bench.api, { killAt, isAfter }),
            clock: denoClock,
            random: denoRandom,
          });
          // Requests run side by side, so that the dying one may be the last of all.
          await pass(killed, second).catch(() => {});
        }
        using next = clusterTarget({ api: bench.api, clock: denoClock, random: denoRandom });
        await pass(next, second);
        equal(await state(), wanted, `killed at call ${killAt}, after: ${isAfter}`);
      }
    }
  },

  "lets one writer work at a time": async (bench) => {
    const options = { namespace: bench.namespace, name: "writer", clock: denoClock, random: denoRandom, retryMs: 100 };
    const first = openLease(bench.api, { ...options, identity: "first" });
    await first.hold(signal);
    await using second = openLease(bench.api, { ...options, identity: "second" });
    using waiting = clusterTarget({ api: bench.api, clock: denoClock, random: denoRandom, lease: second });
    let isDone = false;
    const applied = waiting.apply(request(bench, owned(bench, [configMap("late", {})])), signal).then(() =>
      isDone = true
    );
    await denoClock.sleep(500);
    equal(isDone, false);
    await first[Symbol.asyncDispose]();
    await applied;
    equal(first.isHeld, false);
  },

  "reads references and tells when they change": async (bench) => {
    await kubectl(bench, ["create", "secret", "generic", "values", "--from-literal=key=one"]);
    const changed = Promise.withResolvers<string>();
    using references = clusterReferences(bench.api, {
      clock: denoClock,
      random: denoRandom,
      onChange: ({ kind, name }) => changed.resolve(`${kind}/${name}`),
    });
    const secretData = await references.secret(bench.namespace, "values");
    equal(new TextDecoder().decode(secretData?.data.get("key")), "one");
    equal(await references.configMap(bench.namespace, "none"), undefined);
    await denoClock.sleep(300);
    await kubectl(bench, ["create", "configmap", "none", "--from-literal=a=b"]);
    equal(await changed.promise, "ConfigMap/none");
    deepEqual(await references.imagePullSecrets(bench.namespace, "default"), []);
  },

  "logs in by token and reaches a server whose certificate is not checked": async ({ lab, api }) => {
    const version = { method: "GET", path: "/version" } as const;
    using byToken = await connectLab(lab.tokenKubeconfig);
    ok((await byToken.api.send(version)).gitVersion);
    const text = await Deno.readTextFile(lab.kubeconfig);
    const unchecked = text.replace(/certificate-authority-data: \S+?}/, "insecure-skip-tls-verify: true}");
    const named = text.replace(
      /certificate-authority-data:/,
      'tls-server-name: "kubernetes.default.svc", certificate-authority-data:',
    );
    for (const [index, config] of [unchecked, named].entries()) {
      const path = `${lab.folder}/variant-${index}`;
      await Deno.writeTextFile(path, config);
      using open = await openCluster({ kubeconfig: path }, clusterTools);
      ok((await open.api.send(version)).gitVersion);
      const list = await open.api.send({ method: "GET", path: "/api/v1/namespaces" });
      const stop = new AbortController();
      const resourceVersion = String((list.metadata as JsonObject).resourceVersion);
      const watch = open.api.watch({ path: "/api/v1/namespaces", resourceVersion }, stop.signal)
        [Symbol.asyncIterator]();
      const event = watch.next();
      await lab.kubectl(["create", "namespace", `seen-${index}`]);
      equal((await event).value.object.metadata.name, `seen-${index}`);
      stop.abort(new Error("seen"));
      await watch.return?.();
    }
    const program = `${lab.folder}/login`;
    const token = (await Deno.readTextFile(`${lab.folder}/token`)).trim();
    const credential = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token } };
    await Deno.writeTextFile(program, `#!/bin/sh\necho '${JSON.stringify(credential)}'\n`, { mode: 0o755 });
    const byProgram =
      `{exec: {apiVersion: client.authentication.k8s.io/v1, command: "${program}", interactiveMode: Never}}`;
    await Deno.writeTextFile(
      `${lab.folder}/program`,
      (await Deno.readTextFile(lab.tokenKubeconfig)).replace(/user: \{token: [^}]+}/, `user: ${byProgram}`),
    );
    using byPlugin = await connectLab(`${lab.folder}/program`);
    ok(await byPlugin.api.send({ method: "GET", path: "/api/v1/namespaces" }));
    await rejects(openForeignCluster("users: [", clusterTools), /it is not YAML/);
    await rejects(
      api.as("system:serviceaccount:default:nobody").send({ method: "GET", path: "/api/v1/secrets" }),
      (error: unknown) => isKubeError(error, 403),
    );
    try {
      api.as("");
      ok(false);
    } catch (error) {
      ok(error instanceof KubeError);
    }
  },

  "goes through a proxy, with and without a check of the certificate": async ({ lab }) => {
    await using proxy = await connectProxy("user:hunter22");
    const text = await Deno.readTextFile(lab.kubeconfig);
    const through = `proxy-url: "http://user:hunter22@${proxy.host}", `;
    const checked = text.replace("certificate-authority-data:", `${through}certificate-authority-data:`);
    const unchecked = text.replace(/certificate-authority-data: \S+?}/, `${through}insecure-skip-tls-verify: true}`);
    const named = text.replace(
      "certificate-authority-data:",
      `${through}tls-server-name: "kubernetes.default.svc", certificate-authority-data:`,
    );
    for (const [index, config] of [checked, unchecked, named].entries()) {
      const path = `${lab.folder}/proxied-${index}`;
      await Deno.writeTextFile(path, config);
      const before = proxy.tunnels;
      using open = await openCluster({ kubeconfig: path }, clusterTools);
      ok(await open.api.send({ method: "GET", path: "/api/v1/namespaces" }));
      ok(proxy.tunnels > before, `variant ${index} went past the proxy`);
    }
    const path = `${lab.folder}/proxied-wrong`;
    await Deno.writeTextFile(path, unchecked.replace("user:hunter22", "user:wrong"));
    using open = await openCluster({ kubeconfig: path }, clusterTools);
    await rejects(open.api.send({ method: "POST", path: "/api/v1/namespaces", body: {} }), (error: Error) => {
      match(error.message, /the proxy answered 407/);
      ok(!error.message.includes("wrong@"));
      return true;
    });
  },

  "takes up certificates that were renewed in their files": async ({ lab }) => {
    const text = await Deno.readTextFile(lab.kubeconfig);
    const part = (field: string) => atob(new RegExp(`${field}: "?([A-Za-z0-9+/=]+)`).exec(text)?.[1] ?? "");
    const write = async (cert: string, key: string) => {
      await Deno.writeTextFile(`${lab.folder}/renewed.crt`, cert);
      await Deno.writeTextFile(`${lab.folder}/renewed.key`, key);
    };
    const [cert, key] = [part("client-certificate-data"), part("client-key-data")];
    await write(cert, key);
    const path = `${lab.folder}/renewed`;
    await Deno.writeTextFile(
      path,
      text.replace(/client-certificate-data: "?[^",}]+"?/, "client-certificate: renewed.crt")
        .replace(/client-key-data: "?[^",}]+"?/, "client-key: renewed.key"),
    );
    let laterMs = 0;
    const clock = { ...denoClock, monotonic: () => denoClock.monotonic() + laterMs };
    using open = await openCluster({ kubeconfig: path }, { ...clusterTools, clock });
    const ask = () => open.api.send({ method: "GET", path: "/api/v1/namespaces" });
    ok(await ask());
    // Another account's certificate, which this cluster does not know.
    const { certificate, privateKey } = await strangersCertificate(lab.folder);
    await write(certificate, privateKey);
    ok(await ask(), "what was read lately is not read again");
    laterMs += 11_000;
    await rejects(ask());
    await Deno.remove(`${lab.folder}/renewed.key`);
    laterMs += 11_000;
    await rejects(ask());
    await write(cert, key);
    laterMs += 11_000;
    ok(await ask());
  },

  "applies to the cluster of a kubeconfig that comes with the request": async (bench) => {
    // Under another address it is another cluster.
    const kubeconfig = (await Deno.readTextFile(bench.lab.tokenKubeconfig)).replace("127.0.0.1", "localhost");
    const resources = owned(bench, [configMap("remote", {})]);

    const applied = await apply(bench, resources, { kubeconfig });

    deepEqual(applied.changes.map((change) => change.action), ["created"]);
    using restarted = clusterTarget({ api: bench.api, clock: denoClock, random: denoRandom });
    const { entries } = applied.inventory;
    const kept = (await restarted.remove(bench.owner, entries, { isWholeRemoval: true }, signal)).kept;
    match(kept[0]?.message ?? "", /its kubeConfig is not at hand/);
    equal((await bench.target.remove(bench.owner, entries, { isWholeRemoval: true }, signal)).removed.length, 1);
    const evil = kubeconfig.replace(/user: \{token: [^}]+}/, "user: {exec: {command: /bin/true}}");
    await rejects(apply(bench, resources, { kubeconfig: evil }), /exec is refused/);
  },

  "lives with admission: what it denies is told, what it changes is no drift, what does not answer is waited for":
    async (
      bench,
    ) => {
      const { namespace } = bench;
      const rules = [{
        apiGroups: [""],
        apiVersions: ["v1"],
        operations: ["CREATE", "UPDATE"],
        resources: ["configmaps"],
      }];
      const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": namespace } };
      const matchConstraints = { namespaceSelector, resourceRules: rules };
      const group = { apiVersion: "admissionregistration.k8s.io/v1" };
      const named = (name: string) => ({ metadata: { name: `${namespace}-${name}` } });
      const binding = (name: string) => ({ ...named(name), spec: { policyName: `${namespace}-${name}` } });
      const expression = "Object{data: {'image': 'mirror/web:1'}}";
      const mutations = [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }];
      await bench.lab.kubectl(
        ["apply", "-f", "-"],
        list([
          {
            ...group,
            kind: "ValidatingAdmissionPolicy",
            ...named("deny"),
            spec: {
              matchConstraints,
              validations: [{ expression: "!('bad' in object.?data.orValue({}))", message: "bad is not wanted here" }],
            },
          },
          {
            ...group,
            kind: "ValidatingAdmissionPolicyBinding",
            ...binding("deny"),
            spec: { ...binding("deny").spec, validationActions: ["Deny"] },
          },
          {
            ...group,
            kind: "MutatingAdmissionPolicy",
            ...named("change"),
            spec: {
              matchConstraints,
              matchConditions: [{ name: "has-image", expression: "'image' in object.?data.orValue({})" }],
              mutations,
              reinvocationPolicy: "Never",
            },
          },
          { ...group, kind: "MutatingAdmissionPolicyBinding", ...binding("change") },
        ] as unknown as Resource[]),
      );
      const changed = owned(bench, [configMap("changed", { image: "web:1" })]);
      // It takes the server a moment to heed a policy.
      for (let turn = 0; turn < 100; turn++) {
        await apply(bench, owned(bench, [configMap(`probe-${turn}`, { bad: "1" })])).then(
          () => denoClock.sleep(100),
          () => turn = 100,
        );
      }
      const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "probe" }, data: { image: "web:1" } };
      const query = { dryRun: "All" };
      for (let turn = 0; turn < 100; turn++) {
        const path = `/api/v1/namespaces/${namespace}/configmaps`;
        const { data } = await bench.api.send({ method: "POST", path, query, body }, signal);
        if ((data as JsonObject).image !== "web:1") break;
        await denoClock.sleep(100);
      }
      await rejects(
        apply(bench, owned(bench, [configMap("denied", { bad: "1" }), configMap("fine", {})])),
        (error: Error) => {
          match(error.message, /ConfigMap\/\S+\/denied (apply|dry-run) failed \(\w+\): .*bad is not wanted here/);
          return true;
        },
      );
      equal(await exists(bench, "configmaps/denied"), false);

      await apply(bench, changed);
      deepEqual((await getJson(bench, "configmap", "changed")).data, { image: "mirror/web:1" });
      const version = await resourceVersion(bench, "configmap", "changed");
      for (let pass = 0; pass < 3; pass++) {
        equal((await apply(bench, changed)).changes[0]?.action, "unchanged");
        equal(await bench.target.stands?.(bench.owner, "inputs", signal), true);
      }
      using fresh = clusterTarget({ api: bench.api, clock: denoClock, random: denoRandom, sweepMs: 0 });
      equal(
        (await fresh.apply(request(bench, changed), signal)).changes[0]?.action,
        "unchanged",
        "a full comparison too",
      );
      equal(await resourceVersion(bench, "configmap", "changed"), version);

      const webhook = {
        ...group,
        kind: "ValidatingWebhookConfiguration",
        ...named("silent"),
        webhooks: [{
          name: "silent.example.com",
          clientConfig: { url: "https://127.0.0.1:1/" },
          rules,
          namespaceSelector,
          admissionReviewVersions: ["v1"],
          sideEffects: "None",
          timeoutSeconds: 1,
        }],
      };
      await bench.lab.kubectl(["apply", "-f", "-"], JSON.stringify(webhook));
      const late = owned(bench, [configMap("late", {})]);
      let tries = 0;
      await untilRejected(
        () => apply(bench, owned(bench, [configMap(`try-${tries++}`, {})])),
        /failed calling webhook "silent\.example\.com"/,
      );
      await bench.lab.kubectl(["delete", "validatingwebhookconfiguration", `${namespace}-silent`]);
      await denoClock.sleep(1_000);
      equal((await apply(bench, late)).changes[0]?.action, "created");
    },

  "tells what is too large, and what a namespace on its way out refuses": async (bench) => {
    const large = configMap("large", { text: "x".repeat(1_100_000) });
    await rejects(apply(bench, owned(bench, [large])), /ConfigMap\/\S+\/large dry-run failed .*(too long|Too long)/s);
    const huge = configMap("huge", { text: "x".repeat(4_000_000) });
    await rejects(apply(bench, owned(bench, [huge])), /ConfigMap\/\S+\/huge dry-run failed .*(too large|limit|413)/s);

    await kubectl(
      bench,
      ["apply", "-f", "-"],
      list([{ ...configMap("held", {}), metadata: { name: "held", finalizers: ["example.com/hold"] } }]),
    );
    await bench.lab.kubectl(["delete", "namespace", bench.namespace, "--wait=false"]);
    await rejects(
      apply(bench, owned(bench, [configMap("late", {})])),
      /late (apply|dry-run) failed .*being terminated/s,
    );
    await kubectl(bench, ["patch", "configmap", "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}']);
  },

  "drops fields that a known kind does not have, with a note": async (bench) => {
    const odd = deployment("odd") as unknown as { spec: { template: { spec: { containers: JsonObject[] } } } };
    odd.spec.template.spec.containers[0] = { ...odd.spec.template.spec.containers[0], colour: "blue" };

    const applied = await apply(bench, owned(bench, [odd as unknown as Resource]));

    equal(applied.changes[0]?.action, "created");
    match(applied.changes[0]?.note ?? "", /colour/);
  },

  "goes on after the API server was away": async (bench) => {
    const resources = owned(bench, [configMap("steady", { a: "1" })]);
    await apply(bench, resources);
    const changes = watching(bench);
    equal(await bench.target.stands?.(bench.owner, "inputs", signal), true);
    await bench.lab.stop();
    await rejects(
      apply(bench, owned(bench, [configMap("steady", { a: "2" })])),
      (error: Error & { reason?: string }) => {
        equal(error.reason, "ReconciliationFailed");
        match(error.message, /Cannot reach API server/);
        return true;
      },
    );
    await bench.lab.start();
    await kubectl(bench, ["patch", "configmap", "steady", "--type=merge", "-p", '{"data":{"a":"3"}}']);

    const drift = await changes.next();
    deepEqual(drift.kind === "drift" && [drift.ref.name, drift.fields], ["steady", ["/data/a"]]);
    equal((await apply(bench, resources)).changes[0]?.action, "configured");
    changes.end();
  },

  "never shows a Secret's values in an error or a plan": async (bench) => {
    const wrong: Resource = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "wrong" },
      type: "kubernetes.io/dockerconfigjson",
      data: { ".dockerconfigjson": btoa("hunter22-hunter22"), number: 4711 },
    };
    await rejects(apply(bench, owned(bench, [wrong])), (error: Error) => {
      ok(!/hunter22|4711/.test(error.message) && !error.message.includes(btoa("hunter22-hunter22")), error.message);
      return true;
    });
    await apply(bench, owned(bench, [secret("right", "hunter22")]));
    const planned = await bench.target.plan(request(bench, owned(bench, [secret("right", "hunter23")])), signal);
    equal(planned[0]?.action, "update");
    match(planned[0]?.after ?? "", /\*\*\*/);
    ok(!JSON.stringify(planned).includes(btoa("hunter23")));
  },
};

/** Asks again until it is refused as it should be: policies count after a moment. */
async function untilRejected(ask: () => Promise<unknown>, pattern: RegExp): Promise<void> {
  for (let turn = 0; turn < 50; turn++) {
    try {
      await ask();
    } catch (error) {
      if (error instanceof Error && pattern.test(error.message)) return;
      throw error;
    }
    await denoClock.sleep(100);
  }
  throw new Error(`it was never refused with ${pattern}`);
}

/** A proxy on loopback that opens tunnels for whoever logs in. */
async function connectProxy(
  login: string,
): Promise<AsyncDisposable & { readonly host: string; readonly tunnels: number }> {
  let tunnels = 0;
  const sockets = new Set<{ destroy(): unknown }>();
  const server = createServer();
  server.on("connect", (request, socket) => {
    sockets.add(socket);
    const given = request.headers["proxy-authorization"] ?? "";
    if (given !== `Basic ${btoa(login)}`) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    tunnels++;
    const [host, port] = (request.url ?? "").split(":");
    const far = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      far.pipe(socket);
      socket.pipe(far);
    });
    far.on("error", () => socket.destroy());
    socket.on("error", () => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get tunnels() {
      return tunnels;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await Promise.resolve();
    },
  };
}

/** A certificate that nobody signed but itself, made by `openssl`. */
async function strangersCertificate(
  folder: string,
): Promise<{ readonly certificate: string; readonly privateKey: string }> {
  const [out, keyout] = [`${folder}/stranger.crt`, `${folder}/stranger.key`];
  const args = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-subj",
    "/CN=stranger",
  ];
  const { success } = await new Deno.Command("openssl", {
    args: [...args, "-out", out, "-keyout", keyout],
    stderr: "null",
  }).output();
  ok(success, "openssl could not make a certificate");
  return { certificate: await Deno.readTextFile(out), privateKey: await Deno.readTextFile(keyout) };
}

function owned(bench: Bench, resources: readonly Resource[]): Resource[] {
  return resources.map((resource) =>
    withOwnerLabels(
      ["Namespace", "CustomResourceDefinition"].includes(resource.kind) ? resource : {
        ...resource,
        metadata: { ...resource.metadata, namespace: resource.metadata.namespace ?? bench.namespace },
      },
      bench.owner,
      bench.target.ownership ?? "flux",
    )
  );
}

function request(bench: Bench, resources: readonly Resource[], options: TargetOptions = {}) {
  return { owner: bench.owner, resources, previous: { entries: [] }, revision: "r1", inputs: "inputs", options };
}

function apply(bench: Bench, resources: readonly Resource[], options: TargetOptions = {}) {
  return bench.target.apply(request(bench, resources, options), signal);
}

function waitAll(bench: Bench, resources: readonly Resource[], timeoutMs = 90_000) {
  return bench.target.wait({ owner: bench.owner, refs: resources.map(refOf), timeoutMs }, signal);
}

/** Collects what a watch tells. */
function watching(bench: Bench) {
  const seen: WatchedChange[] = [];
  let waiter: ((change: WatchedChange) => void) | undefined;
  const stop = new AbortController();
  let tookMs = Infinity;
  bench.target.watch?.(bench.owner, (change) => {
    if (waiter === undefined) seen.push(change);
    else {
      waiter(change);
      waiter = undefined;
    }
  }, stop.signal);
  return {
    async next(): Promise<WatchedChange> {
      const known = seen.shift();
      if (known !== undefined) {
        tookMs = 0;
        return known;
      }
      const startedAt = performance.now();
      const change = await new Promise<WatchedChange>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("nothing was told within 10 s")), 10_000);
        waiter = (told) => {
          clearTimeout(timer);
          resolve(told);
        };
      });
      tookMs = performance.now() - startedAt;
      return change;
    },
    lastTookMs: () => tookMs,
    end: () => stop.abort(new Error("seen enough")),
  };
}

function kubectl(bench: Bench, args: readonly string[], stdin?: string): Promise<string> {
  return bench.lab.kubectl(["-n", bench.namespace, ...args], stdin);
}

async function getJson(bench: Bench, kind: string, name: string): Promise<JsonObject> {
  return JSON.parse(await kubectl(bench, ["get", kind, name, "-o", "json", "--show-managed-fields"]));
}

async function exists(bench: Bench, what: string): Promise<boolean> {
  return (await kubectl(bench, ["get", what, "--ignore-not-found", "-o", "name"])).trim() !== "";
}

async function resourceVersion(bench: Bench, kind: string, name: string): Promise<unknown> {
  return ((await getJson(bench, kind, name)).metadata as JsonObject).resourceVersion;
}

function managers(object: JsonObject): string[] {
  const rows = (object.metadata as JsonObject).managedFields as readonly JsonObject[];
  return rows.filter((row) => row.subresource === undefined).map((row) => `${row.manager}/${row.operation}`);
}

function annotations(object: JsonObject): JsonObject {
  return ((object.metadata as JsonObject).annotations ?? {}) as JsonObject;
}

function list(resources: readonly Resource[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items: resources });
}

function configMap(name: string, data: Readonly<Record<string, string>>): Resource {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data };
}

function secret(name: string, value: string): Resource {
  return { apiVersion: "v1", kind: "Secret", metadata: { name }, stringData: { key: value } };
}

function service(name: string): Resource {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ name: "http", port: 80 }] },
  };
}

function claim(name: string, volumeName: string): Resource {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "",
      volumeName,
      resources: { requests: { storage: "1Gi" } },
    },
  };
}

function deployment(
  name: string,
  options: { readonly image?: string; readonly label?: string; readonly behaviour?: string } = {},
): Resource {
  const labels = { app: options.label ?? name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels,
          ...(options.behaviour === undefined ? {} : { annotations: { "lab/behaviour": options.behaviour } }),
        },
        spec: {
          containers: [{
            name: "main",
            image: options.image ?? "example.com/web:1",
            ports: [{ containerPort: 8080 }],
            resources: { limits: { cpu: "1000m", memory: "0.5Gi" } },
            env: [{ name: "EMPTY", value: "" }],
          }],
        },
      },
    },
  };
}

function jobSpec(behaviour?: string): JsonObject {
  return {
    backoffLimit: 0,
    template: {
      metadata: behaviour === undefined ? {} : { annotations: { "lab/behaviour": behaviour } },
      spec: { restartPolicy: "Never", containers: [{ name: "main", image: "example.com/job:1" }] },
    },
  };
}

function crd(group: string): Resource {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind: "Widget", plural: "widgets", singular: "widget" },
      versions: [{
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      }],
    },
  };
}
