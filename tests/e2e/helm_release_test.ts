/** The real program with a real registry and a real control plane: a bundle of namespace, chart and release, and its hooks. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { JsonObject } from "../../src/core/json.ts";
import { yamlOf } from "../support/documents.ts";
import { labProgram, startCluster } from "../support/lab.ts";
import { type LabRegistry, startRegistry } from "../support/lab_registry.ts";
import { type Finished, Place } from "../support/program.ts";

const isHere = labProgram() !== undefined;

function job(name: string, events: string, more = ""): string {
  return `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-${name}
  annotations:
    helm.sh/hook: ${events}
${more}spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: main
          image: example.com/hook:${name}
          env: [{name: SAID, value: {{ .Values.said | quote }}}]
`;
}

/** A chart whose resources and hooks name no namespace. */
function chartFiles(version: string): Record<string, string> {
  return {
    "Chart.yaml": `apiVersion: v2\nname: web\nversion: ${version}\n`,
    "values.yaml": "said: preset\n",
    "templates/map.yaml": `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  release: "{{ .Release.Revision }} {{ .Release.IsInstall }} {{ .Release.IsUpgrade }}"
  said: {{ .Values.said | quote }}
  found: {{ dig "data" "said" "nobody" (lookup "v1" "ConfigMap" .Release.Namespace "neighbour") }}
`,
    "templates/before.yaml": job("before", "pre-install,pre-upgrade"),
    "templates/leaving.yaml": job("leaving", "pre-delete"),
    "templates/left.yaml": job("left", "post-delete"),
  };
}

const source = (name: string, repository: string, host: string): JsonObject => ({
  apiVersion: "source.toolkit.fluxcd.io/v1",
  kind: "OCIRepository",
  metadata: { name, namespace: name === "bundle" ? "default" : "shop" },
  spec: { interval: "1h", url: `oci://${host}/${repository}`, ref: { tag: "latest" }, insecure: true },
});

async function pushBundle(registry: LabRegistry, said: string): Promise<void> {
  const release: JsonObject = {
    apiVersion: "helm.toolkit.fluxcd.io/v2",
    kind: "HelmRelease",
    metadata: { name: "web", namespace: "shop" },
    spec: {
      interval: "1h",
      timeout: "1m",
      chartRef: { kind: "OCIRepository", name: "web" },
      valuesFrom: [{ kind: "Secret", name: "login", valuesKey: "said", targetPath: "said" }],
    },
  };
  const files = {
    "all.yaml": yamlOf(
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
      { apiVersion: "v1", kind: "Secret", metadata: { name: "login", namespace: "shop" }, stringData: { said } },
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "neighbour", namespace: "shop" },
        data: { said: "hello" },
      },
      source("web", "web", registry.host),
      release,
    ),
  };
  await registry.push("bundle:latest", { files });
}

function good({ code, stdout, stderr }: Finished): void {
  equal(code, 0, `${stdout}\n${stderr}`);
}

Deno.test({
  name: isHere ? "a bundle with a release on a real cluster" : "a bundle with a release (the lab is not here)",
  ignore: !isHere,
  async fn(test) {
    await using lab = await startCluster();
    await using registry = await startRegistry();
    await using place = await Place.make({ target: ["--target", "cluster", "--kubeconfig", lab.kubeconfig] });
    const kubectl = async (...args: readonly string[]) => (await lab.kubectl(["-n", "shop", ...args])).trim();
    const jobs = async () => {
      const text = await kubectl(
        "get",
        "jobs",
        "-o",
        "jsonpath={range .items[*]}{.metadata.name}={.status.succeeded} {end}",
      );
      return text.split(" ").sort();
    };
    const ks: JsonObject = {
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata: { name: "bundle", namespace: "default" },
      spec: { interval: "1h", prune: true, path: "./", sourceRef: { kind: "OCIRepository", name: "bundle" } },
    };
    const others = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "others", namespace: "default" } };
    await place.write("others.yaml", yamlOf(others));
    await place.write("bundle.yaml", yamlOf(source("bundle", "bundle", registry.host), ks));
    await registry.push("web:latest", { files: chartFiles("1.0.0") });
    await pushBundle(registry, "first-secret");

    await test.step("installs, with hooks and look-ups", async () => {
      good(await place.work("once"));
      deepEqual(JSON.parse(await kubectl("get", "configmap", "web", "-o", "jsonpath={.data}")), {
        release: "1 true false",
        said: "first-secret",
        found: "hello",
      });
      deepEqual(await jobs(), ["web-before=1"]);
    });
    await test.step("does nothing when nothing changed, over a restart", async () => {
      const before = await kubectl("get", "job,configmap", "-o", "jsonpath={..resourceVersion}");
      good(await place.work("once"));
      equal(await kubectl("get", "job,configmap", "-o", "jsonpath={..resourceVersion}"), before);
    });
    await test.step("corrects drift without hooks and without a revision", async () => {
      const uid = await kubectl("get", "job", "web-before", "-o", "jsonpath={.metadata.uid}");
      await kubectl("patch", "configmap", "web", "--type=merge", "-p", '{"data":{"said":"changed"}}');
      good(await place.work("once"));
      match(
        await kubectl("get", "configmap", "web", "-o", "jsonpath={.data}"),
        /"release":"1 true false".*first-secret/,
      );
      equal(await kubectl("get", "job", "web-before", "-o", "jsonpath={.metadata.uid}"), uid);
    });
    await test.step("upgrades when a Secret of the bundle changes, with hooks made anew", async () => {
      const uid = await kubectl("get", "job", "web-before", "-o", "jsonpath={.metadata.uid}");
      await pushBundle(registry, "second-secret");
      good(await place.work("once"));
      match(
        await kubectl("get", "configmap", "web", "-o", "jsonpath={.data}"),
        /"release":"2 false true".*second-secret/,
      );
      ok(await kubectl("get", "job", "web-before", "-o", "jsonpath={.metadata.uid}") !== uid);
    });
    await test.step("keeps no secret on the disk", async () => {
      const states = JSON.stringify(await place.files("var/state"));
      match(states, /pilotfish-hooks-/);
      ok(!/(first|second)-secret/.test(states));
    });
    await test.step("runs the hooks of the removal without document, registry and chart", async () => {
      await registry.stop();
      await Deno.remove(`${place.folder}/config/bundle.yaml`);
      const done = await place.work("once", "--timeout", "2m");
      good(done);
      deepEqual(await jobs(), ["web-before=1", "web-leaving=1", "web-left=1"]);
      const said = "jsonpath={.spec.template.spec.containers[0].env[0].value}";
      equal(await kubectl("get", "job", "web-left", "-o", said), "second-secret");
      const left = await kubectl("get", "configmap,secret", "-o", "name");
      equal(left, "configmap/kube-root-ca.crt");
    });
  },
});
