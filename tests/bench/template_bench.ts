/**
 * Speed of the template engine on a chart of the shared corpus, and of Go's on the same machine where a Go program that
 * renders the same chart is named: `deno bench -A tests/bench/template_bench.ts`.
 *
 * - `PILOTFISH_BENCH_CHART`: folder of an unpacked chart; without it a chart is made up.
 */
import { loadChartFolder } from "../../src/build/helm/chart/load.ts";
import type { Chart } from "../../src/build/helm/chart/chart.ts";
import { treeOf } from "../../src/core/file_tree.ts";
import { fromBytes } from "../../src/build/helm/template/go_string.ts";
import { capabilitiesObject } from "../../src/build/helm/template/root/capabilities_object.ts";
import { chartObject } from "../../src/build/helm/template/root/chart_object.ts";
import { filesObject } from "../../src/build/helm/template/root/files_object.ts";
import { releaseObject } from "../../src/build/helm/template/root/release_object.ts";
import { valuesObject, valuesTypes } from "../../src/build/helm/template/root/values_object.ts";
import { executeTemplates, parseTemplates } from "../../src/build/helm/template/template_set.ts";
import type { TemplateScope, TemplateSource } from "../../src/build/helm/template/template_set.ts";
import { goDict, GoMap } from "../../src/build/helm/template/value.ts";
import { coalesceValues } from "../../src/build/helm/values/coalesce.ts";
import { nullRulesOf } from "../../src/build/helm/values/null_rules.ts";
import { isTable } from "../../src/build/helm/values/tables.ts";
import { callContext } from "../support/call_context.ts";

const dialect = "helm4.2.4";
const options = { dialect, notify: () => {}, rules: nullRulesOf(dialect) } as const;

/** A chart of a hundred like templates: named templates, tpl, ranges, dicts, toYaml with nindent. */
function madeUp(): Record<string, string> {
  const files: Record<string, string> = {
    "Chart.yaml": 'apiVersion: v2\nname: made-up\nversion: 1.2.3\nappVersion: "4.5"\n',
    "values.yaml": `image: {repository: registry.example.com/app, tag: ""}
labels: {team: edge, tier: backend}
resources: {limits: {cpu: 500m, memory: 256Mi}, requests: {cpu: 100m, memory: 128Mi}}
env: [{name: A, value: "1"}, {name: B, value: "{{ .Release.Name }}"}]
ports: [{name: http, port: 8080}, {name: metrics, port: 9090}]
`,
    "templates/_helpers.tpl":
      `{{- define "app.name" -}}{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}{{- end }}
{{- define "app.labels" -}}
app.kubernetes.io/name: {{ include "app.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}
`,
  };
  for (let index = 0; index < 100; index++) {
    files[`templates/deployment-${index}.yaml`] = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "app.name" . }}-${index}
  labels: {{- include "app.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas | default ${index % 5} }}
  template:
    metadata:
      labels: {{- include "app.labels" . | nindent 8 }}
      annotations:
        checksum: {{ toJson .Values.env | sha256sum }}
    spec:
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          env:
            {{- range .Values.env }}
            - name: {{ .name }}
              value: {{ tpl .value $ | quote }}
            {{- end }}
          ports:
            {{- range $i, $port := .Values.ports }}
            - {name: {{ $port.name }}, containerPort: {{ int $port.port }}, order: {{ add $i 1 }}}
            {{- end }}
          {{- if and .Values.resources (ne .Values.resources.limits nil) }}
          resources: {{- toYaml .Values.resources | nindent 12 }}
          {{- end }}
`;
  }
  return files;
}

function folderFiles(folder: string): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  const walk = (path: string) => {
    for (const entry of Deno.readDirSync(`${folder}${path}`)) {
      const inner = `${path}/${entry.name}`;
      if (entry.isDirectory) walk(inner);
      else files[inner.slice(1)] = Deno.readFileSync(`${folder}${inner}`);
    }
  };
  walk("");
  return files;
}

const named = Deno.env.get("PILOTFISH_BENCH_CHART");
const chart = loadChartFolder(treeOf(named === undefined ? madeUp() : folderFiles(named)), options);

/** Sources, and the scope of each chart for one render. */
function prepare(): { readonly sources: TemplateSource[]; readonly scopes: Map<string, TemplateScope> } {
  const sources: TemplateSource[] = [];
  const scopes = new Map<string, TemplateScope>();
  const shared = [
    ["Release", releaseObject({ name: "rel", namespace: "ns1", revision: 1, isInstall: true, isUpgrade: false })],
    [
      "Capabilities",
      capabilitiesObject(
        { kubeVersion: "v1.36.0", major: "1", minor: "36", apiVersions: ["v1", "apps/v1"], helmVersion: "v4.2.4" },
        dialect,
      ),
    ],
  ] as const;
  const collect = (part: Chart, path: string, values: GoMap, isRoot: boolean): void => {
    const scope = new GoMap(
      new Map([
        ...shared,
        ["Chart", chartObject(part.metadata, isRoot, dialect)],
        ["Files", filesObject(part.files.map((file) => [file.name, file.data] as const))],
        ["Values", valuesObject(values, dialect)],
        ["Subcharts", goDict()],
      ]),
      valuesTypes[dialect],
    );
    for (const child of part.dependencies) {
      const below = values.entries?.get(child.metadata.name);
      collect(child, `${path}/charts/${child.metadata.name}`, isTable(below) ? below : goDict(), false);
    }
    for (const file of part.templates) {
      const name = `${path}/${file.name}`;
      sources.push({ name, text: fromBytes(file.data) });
      scopes.set(name, { scope, basePath: `${path}/templates` });
    }
  };
  collect(chart, chart.metadata.name, coalesceValues(chart, undefined, options), true);
  return { sources, scopes };
}

const { sources } = prepare();
const set = parseTemplates(sources, dialect);
const { tools } = callContext();
const title = `${chart.metadata.name}, ${sources.length} templates, ${
  (sources.reduce((sum, source) => sum + source.text.length, 0) / 1000).toFixed(0)
} kB`;

Deno.bench(`parse ${title}`, () => {
  parseTemplates(sources, dialect);
});
Deno.bench(`prepare and execute ${title}, parsed before`, () => {
  const { scopes } = prepare();
  executeTemplates(set, (name) => scopes.get(name), { tools, isStrict: false });
});
Deno.bench(`parse, prepare and execute ${title}`, () => {
  const { scopes } = prepare();
  executeTemplates(parseTemplates(sources, dialect), (name) => scopes.get(name), { tools, isStrict: false });
});
