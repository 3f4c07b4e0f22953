/** The same releases, given to Flux's helm-controller and to the program, on one real cluster. */
import { deepEqual } from "node:assert/strict";
import type { Condition } from "../../src/core/condition.ts";
import { mediaTypes } from "../../src/core/descriptor.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { yamlOf } from "../support/documents.ts";
import type { Side } from "../support/flux_sides.ts";
import { fluxReady, hasFlux, namespaceOf, objects, ourReady, sides } from "../support/flux_sides.ts";
import { labProgram, startCluster } from "../support/lab.ts";
import type { LabRegistry } from "../support/lab_registry.ts";
import { startRegistry } from "../support/lab_registry.ts";
import { Place, until } from "../support/program.ts";

const isHere = labProgram() !== undefined && hasFlux("source", "helm");

const web = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      {{- with .Values.behaviour }}
      annotations: {lab/behaviour: {{ . }}}
      {{- end }}
    spec: {containers: [{name: main, image: "nginx:{{ .Values.tag }}"}]}
`;
const map = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-map
data:
  said: {{ required "said is needed" .Values.said | quote }}
  revision: "{{ .Release.Revision }}"
  chart: {{ .Chart.Name }}
`;
const job = `apiVersion: batch/v1
kind: Job
metadata:
  name: before
  annotations: {helm.sh/hook: "pre-install,pre-upgrade"}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: main, image: "job:1"}]}
`;

/** Files of the chart of all releases. */
const files = {
  "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
  "web/values.yaml": 'said: preset\nbehaviour: ""\ntag: "1"\n',
  "web/values.schema.json": '{"type": "object", "properties": {"tag": {"type": "string"}}}',
  "web/templates/web.yaml": web,
  "web/templates/map.yaml": map,
  "web/templates/job.yaml": job,
};

/** Specs of the releases of a comparison, beside what all have. */
const cases: Readonly<Record<string, JsonObject>> = {
  plain: {},
  valued: {
    values: { said: "inline" },
    valuesFrom: [{ kind: "ConfigMap", name: "vars", targetPath: "tag", valuesKey: "tag" }],
  },
  labelled: {
    commonMetadata: { labels: { team: "one" } },
    postRenderers: [{
      kustomize: {
        patches: [{ patch: '[{"op":"add","path":"/spec/replicas","value":2}]', target: { kind: "Deployment" } }],
      },
    }],
  },
  "missing-values": { valuesFrom: [{ kind: "Secret", name: "none" }] },
  "missing-chart": { chartRef: { kind: "OCIRepository", name: "none" } },
  "missing-dependency": { dependsOn: [{ name: "none" }] },
  refused: { values: { said: "" } },
  "wrong-type": { values: { tag: 1 } },
  failing: { values: { behaviour: "crash" }, timeout: "15s" },
};

Deno.test({
  name: isHere
    ? "side by side with Flux's helm-controller"
    : "side by side with Flux's helm-controller (the lab has no such controller)",
  ignore: !isHere,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    await using lab = await startCluster();
    await using registry = await startRegistry();
    await using place = await Place.make();
    await lab.flux();
    await registry.push("web:1.0.0", { mediaType: mediaTypes.helmChart, files });
    for (const side of Object.keys(sides) as Side[]) {
      const names = [sides[side], ...Object.keys(cases).map((name) => `${side}-${name}`)];
      await lab.kubectl(["apply", "-f", "-"], yamlOf(...names.map(namespaceOf)));
    }
    await lab.kubectl(["apply", "-f", "-"], yamlOf(...documents("flux", registry)));
    await place.write("all.yaml", yamlOf(...documents("ours", registry)));
    place.start("--target", "cluster", "--kubeconfig", lab.kubeconfig);

    await t.step("both come to the same conditions", async () => {
      const wrong: string[] = [];
      for (const name of Object.keys(cases)) {
        const isDecided = (ready: Condition | undefined) =>
          ready !== undefined && ready.status !== "Unknown" &&
          (name === "missing-chart" || ready.reason !== "SourceNotReady");
        const theirs = await until(() => fluxReady(lab, "helmrelease", name), isDecided, {
          withinMs: 120_000,
          what: `Flux: ${name}`,
        });
        const ours = await until(() => ourReady(place, "hr", name), isDecided, {
          withinMs: 60_000,
          what: `ours: ${name}`,
        });
        if (ours?.status !== theirs?.status || ours?.reason !== theirs?.reason) {
          wrong.push(`${name}: Flux ${JSON.stringify(theirs)}, ours ${JSON.stringify(ours)}`);
        }
      }
      deepEqual(wrong, []);
    });

    await t.step("both make the same objects", async () => {
      const [ours, theirs] = [await objects(lab, "ours"), await objects(lab, "flux")];
      deepEqual(Object.keys(ours).sort(), Object.keys(theirs).sort());
      for (const [name, object] of Object.entries(theirs)) deepEqual(ours[name], object, name);
    });
  },
});

/** The documents of a side: the chart's source, values and releases, each into a namespace of its own. */
function documents(side: Side, registry: LabRegistry): readonly JsonObject[] {
  const namespace = sides[side];
  const named = (apiVersion: string, kind: string, name: string, rest: JsonObject): JsonObject => ({
    apiVersion,
    kind,
    metadata: { name, namespace },
    ...rest,
  });
  return [
    named("v1", "ConfigMap", "vars", { data: { tag: '"2"' } }),
    named("source.toolkit.fluxcd.io/v1", "OCIRepository", "web", {
      spec: {
        interval: "10m",
        url: `oci://${registry.host}/web`,
        ref: { tag: "1.0.0" },
        insecure: true,
        layerSelector: { mediaType: mediaTypes.helmChart, operation: "copy" },
      },
    }),
    ...Object.entries(cases).map(([name, spec]) =>
      named("helm.toolkit.fluxcd.io/v2", "HelmRelease", name, {
        spec: {
          interval: "10m",
          timeout: "1m",
          releaseName: "web",
          targetNamespace: `${side}-${name}`,
          storageNamespace: `${side}-${name}`,
          chartRef: { kind: "OCIRepository", name: "web" },
          ...spec,
        },
      })
    ),
  ];
}
