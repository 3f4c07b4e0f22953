/** A tree whose folder `overlay` is built. */
interface ChartOverlay {
  readonly files: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** Templates that show everything that a chart can see of how it was asked for. */
const chart = {
  "Chart.yaml": "apiVersion: v2\nname: site\nversion: 1.2.3\nappVersion: v9\ndescription: d\n",
  "values.yaml": [
    "# defaults",
    "title: plain",
    "count: 3",
    "big: 12345678901234567890",
    "float: 1.0",
    "yes: 'on'",
    "nested:",
    "  a: 1",
    "  b: [x, y]",
    "  gone: soon",
    "empty:",
    "written: null",
    "list:",
    "- name: one",
    "  value: 1",
    "- name: two",
    "  value: 2",
    "",
  ].join("\n"),
  "templates/config.yaml": [
    "apiVersion: v1",
    "kind: ConfigMap",
    "metadata:",
    "  name: {{ .Release.Name }}-config",
    "  namespace: {{ .Release.Namespace }}",
    "  labels:",
    '    chart: "{{ .Chart.Name }}-{{ .Chart.Version }}"',
    "data:",
    "  values: |",
    "{{ .Values | toYaml | indent 4 }}",
    "  kube: {{ .Capabilities.KubeVersion.Version | quote }}",
    '  has: "{{ .Capabilities.APIVersions.Has "x.io/v1" }} {{ .Capabilities.APIVersions.Has "y.io/v1" }}"',
    '  install: "{{ .Release.IsInstall }} {{ .Release.Revision }} {{ .Release.Service }}"',
    "",
  ].join("\n"),
  "templates/service.yaml":
    'apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  ports:\n  - port: {{ .Values.port | default 80 }}\n  selector: {app: "{{ .Values.title }}"}\n',
  "templates/hook.yaml":
    'apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ .Release.Name }}-hook\n  annotations:\n    "helm.sh/hook": pre-install\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}\n',
  "templates/tests/check.yaml":
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}-test\n  annotations: {"helm.sh/hook": test}\nspec: {containers: [{name: c, image: busybox}]}\n',
  "templates/NOTES.txt": "Thanks for {{ .Release.Name }}\n",
  "crds/thing.yaml":
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.x.io}\nspec: {group: x.io, names: {kind: Thing, plural: things}, scope: Namespaced, versions: []}\n",
  ".helmignore": "templates/ignored.yaml\n",
  "templates/ignored.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: ignored}\n",
};

function below(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]));
}

function site(kustomization: string, more: Readonly<Record<string, string>> = {}): ChartOverlay {
  return {
    files: { "overlay/kustomization.yaml": kustomization, ...below("overlay/charts/site", chart), ...more },
  };
}

const inline = "{title: inline, nested: {b: [z], gone: null, c: {d: 5}}, added: 1.50, list: [{name: one, value: 9}]}";

function inlined(mode: string): ChartOverlay {
  return site(`helmCharts:\n- name: site\n  releaseName: r\n  valuesMerge: ${mode}\n  valuesInline: ${inline}\n`);
}

const broken = { "overlay/charts/site/templates/config.yaml": '{{ fail "no way" }}\n' };
const named = "helmCharts: [{name: site, releaseName: r}]\n";

/** Kustomizations with charts, by name. */
export const chartOverlays: Readonly<Record<string, ChartOverlay>> = {
  "plain": site("helmCharts: [{name: site}]\n"),
  "release name": site(named),
  "namespace of the chart": site("helmCharts: [{name: site, releaseName: r, namespace: web}]\n"),
  "namespace of the kustomization": site(`namespace: top\n${named}`),
  "both namespaces": site("namespace: top\nhelmCharts: [{name: site, releaseName: r, namespace: web}]\n"),
  "name template": site('helmCharts: [{name: site, nameTemplate: "{{ print `a` | upper | lower }}-b"}]\n'),
  "name template beside a name": site("helmCharts: [{name: site, releaseName: r, nameTemplate: x}]\n"),
  "bad release name": site("helmCharts: [{name: site, releaseName: No_Good}]\n"),
  "crds": site("helmCharts: [{name: site, releaseName: r, includeCRDs: true}]\n"),
  "no hooks": site("helmCharts: [{name: site, releaseName: r, skipHooks: true}]\n"),
  "no tests": site("helmCharts: [{name: site, releaseName: r, skipTests: true}]\n"),
  "versions of the chart": site(
    "helmCharts: [{name: site, releaseName: r, kubeVersion: v1.27.3, apiVersions: [x.io/v1, y.io/v1]}]\n",
  ),
  "versions of the command": {
    ...site(named),
    args: ["--helm-kube-version", "1.31", "--helm-api-versions", "x.io/v1"],
  },
  "versions of both": {
    ...site("helmCharts: [{name: site, releaseName: r, kubeVersion: 1.29.0, apiVersions: [y.io/v1]}]\n"),
    args: ["--helm-kube-version", "1.31", "--helm-api-versions", "x.io/v1"],
  },
  "bad kube version": site("helmCharts: [{name: site, releaseName: r, kubeVersion: latest}]\n"),
  "values file": site("helmCharts: [{name: site, releaseName: r, valuesFile: my.yaml}]\n", {
    "overlay/my.yaml": "title: mine\nnested: {a: null, b: []}\nempty: {x: 1}\n",
  }),
  "values file that is not there": site("helmCharts: [{name: site, valuesFile: my.yaml}]\n"),
  "values file outside": site("helmCharts: [{name: site, valuesFile: ../my.yaml}]\n", { "my.yaml": "title: x\n" }),
  "values file outside, allowed": {
    ...site("helmCharts: [{name: site, releaseName: r, valuesFile: ../my.yaml}]\n", { "my.yaml": "title: x\n" }),
    args: ["--load-restrictor", "LoadRestrictionsNone"],
  },
  "additional values": site(
    "helmCharts: [{name: site, releaseName: r, valuesFile: a.yaml, additionalValuesFiles: [b.yaml, c.yaml]}]\n",
    {
      "overlay/a.yaml": "title: a\nnested: {a: 2}\n",
      "overlay/b.yaml": "title: b\nnested: {b: [b]}\n",
      "overlay/c.yaml": "nested: {gone: null}\n",
    },
  ),
  "additional values beside the chart's own": site(
    "helmCharts: [{name: site, releaseName: r, additionalValuesFiles: [b.yaml]}]\n",
    { "overlay/b.yaml": "title: b\n" },
  ),
  "additional values that are not there": site("helmCharts: [{name: site, additionalValuesFiles: [b.yaml]}]\n"),
  "inline over additional values": site(
    "helmCharts: [{name: site, releaseName: r, additionalValuesFiles: [b.yaml], valuesInline: {title: inline, x: 1}}]\n",
    { "overlay/b.yaml": "title: b\nx: {y: 2}\n" },
  ),
  "inline": site(`helmCharts:\n- name: site\n  releaseName: r\n  valuesInline: ${inline}\n`),
  "inline override": inlined("override"),
  "inline merge": inlined("merge"),
  "inline replace": inlined("replace"),
  "inline unknown": inlined("sideways"),
  "inline empty": site("helmCharts: [{name: site, releaseName: r, valuesInline: {}}]\n"),
  "inline numbers": site(
    "helmCharts:\n- name: site\n  releaseName: r\n  valuesMerge: replace\n" +
      "  valuesInline: {big: 9007199254740993, huge: 12345678901234567890123, f: 1.0, e: 1e3, t: '007', o: 0o17, n: null}\n",
  ),
  "inline texts": site(
    'helmCharts:\n- name: site\n  releaseName: r\n  valuesInline: {a: "yes", b: "1", c: "x: y", d: "l1\\nl2\\n", e: "ü\\u0007", f: ""}\n',
  ),
  "inline kinds differ": site("helmCharts: [{name: site, releaseName: r, valuesInline: {nested: text}}]\n"),
  "inline list over map": site("helmCharts: [{name: site, releaseName: r, valuesInline: {list: {a: 1}}}]\n"),
  "inline looks like a resource": site(
    "helmCharts:\n- name: site\n  releaseName: r\n  valuesInline: {apiVersion: v1, kind: Pod, spec: {containers: [{name: a, image: i}]}}\n",
    {
      "overlay/charts/site/values.yaml":
        "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, command: [x]}, {name: b}]}\n",
    },
  ),
  "values that are commented out": site(`${named}`, { "overlay/charts/site/values.yaml": "# nothing\n" }),
  "inline with values that are commented out": site(
    "helmCharts: [{name: site, releaseName: r, valuesInline: {a: 1}}]\n",
    { "overlay/charts/site/values.yaml": "# nothing\n" },
  ),
  "inline with empty values": site("helmCharts: [{name: site, releaseName: r, valuesInline: {a: 1}}]\n", {
    "overlay/charts/site/values.yaml": "",
  }),
  "inline with null values": site("helmCharts: [{name: site, releaseName: r, valuesInline: {a: 1}}]\n", {
    "overlay/charts/site/values.yaml": "null\n",
  }),
  "inline with an empty map": site("helmCharts: [{name: site, releaseName: r, valuesInline: {a: 1}}]\n", {
    "overlay/charts/site/values.yaml": "{}\n",
  }),
  "inline with a list for values": site("helmCharts: [{name: site, releaseName: r, valuesInline: {a: 1}}]\n", {
    "overlay/charts/site/values.yaml": "[1]\n",
  }),
  "inline with anchors": site("helmCharts: [{name: site, releaseName: r, valuesInline: {a: {x: 5}}}]\n", {
    "overlay/charts/site/values.yaml": "a: &a {x: 1, w: 2}\nb: *a\nc: {<<: *a, z: 3}\n",
  }),
  "inline with anchors of old booleans": site(
    "helmCharts: [{name: site, releaseName: r, valuesInline: {a: {x: 5}}}]\n",
    {
      "overlay/charts/site/values.yaml": "a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, z: 3}\n",
    },
  ),
  "empty values": site(named, { "overlay/charts/site/values.yaml": "" }),
  "values that are no map": site(named, { "overlay/charts/site/values.yaml": "text\n" }),
  "no values": {
    files: {
      "overlay/kustomization.yaml": named,
      ...below("overlay/charts/site", {
        "Chart.yaml": chart["Chart.yaml"],
        "templates/service.yaml": chart["templates/service.yaml"],
      }),
    },
  },
  "inline alone without values": {
    files: {
      "overlay/kustomization.yaml":
        "helmCharts: [{name: site, releaseName: r, valuesMerge: replace, valuesInline: {port: 1}}]\n",
      ...below("overlay/charts/site", {
        "Chart.yaml": chart["Chart.yaml"],
        "templates/service.yaml": chart["templates/service.yaml"],
      }),
    },
  },
  "no chart": { files: { "overlay/kustomization.yaml": named } },
  "no name": site("helmCharts: [{releaseName: r}]\n"),
  "chart home": {
    files: {
      "overlay/kustomization.yaml":
        "helmGlobals: {chartHome: ./my/charts}\nhelmCharts: [{name: site, releaseName: r}]\n",
      ...below("overlay/my/charts/site", chart),
    },
  },
  "chart home is the folder": {
    files: {
      "overlay/kustomization.yaml": "helmGlobals: {chartHome: .}\nhelmCharts: [{name: site, releaseName: r}]\n",
      ...below("overlay/site", chart),
    },
  },
  "chart home outside": {
    files: {
      "overlay/kustomization.yaml": "helmGlobals: {chartHome: ../charts}\nhelmCharts: [{name: site, releaseName: r}]\n",
      ...below("charts/site", chart),
    },
  },
  "chart home outside, values inside": {
    files: {
      "overlay/kustomization.yaml":
        "helmGlobals: {chartHome: ../charts}\nhelmCharts: [{name: site, releaseName: r, valuesFile: v.yaml}]\n",
      "overlay/v.yaml": "title: v\n",
      ...below("charts/site", chart),
    },
  },
  "version of a chart that is there": site("helmCharts: [{name: site, releaseName: r, version: 9.9.9}]\n"),
  "folder with version": {
    files: {
      "overlay/kustomization.yaml":
        "helmCharts: [{name: site, releaseName: r, version: 1.2.3, repo: 'https://example.invalid'}]\n",
      ...below("overlay/charts/site-1.2.3/site", chart),
    },
  },
  "repo without version": site("helmCharts: [{name: site, releaseName: r, repo: 'https://example.invalid'}]\n"),
  "nested kustomization": {
    files: {
      "overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: p-\nlabels: [{pairs: {a: b}}]\n",
      "base/kustomization.yaml": "namespace: inner\nhelmCharts: [{name: site, releaseName: r}]\n",
      ...below("base/charts/site", chart),
    },
  },
  "component": {
    files: {
      "overlay/kustomization.yaml": "components: [../part]\nnamespace: top\n",
      "part/kustomization.yaml":
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nhelmCharts: [{name: site, releaseName: r}]\n",
      ...below("part/charts/site", chart),
    },
  },
  "changed afterwards": site(
    "commonAnnotations: {x: z}\nimages: [{name: busybox, newTag: '1.36'}]\nnamespace: ns\nnameSuffix: -s\n" +
      "patches: [{target: {kind: Service}, patch: '[{op: replace, path: /spec/ports/0/port, value: 81}]'}]\n" + named,
  ),
  "two charts": site("helmCharts:\n- {name: site, releaseName: a}\n- {name: site, releaseName: b, namespace: other}\n"),
  "the same chart twice": site("helmCharts:\n- {name: site, releaseName: a}\n- {name: site, releaseName: a}\n"),
  "generator": site("generators: [chart.yaml]\n", {
    "overlay/chart.yaml":
      "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: g}\nname: site\nreleaseName: r\n" +
      "namespace: gen\nvaluesInline: {title: gen}\nincludeCRDs: true\n",
  }),
  "generator with a chart home": {
    files: {
      "overlay/kustomization.yaml": "generators: [chart.yaml]\n",
      "overlay/chart.yaml":
        "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: g}\nname: site\nchartHome: x\nreleaseName: r\n",
      ...below("overlay/x/site", chart),
    },
  },
  "old field": site("helmChartInflationGenerator: [{chartName: site, releaseName: r, valuesLocal: {title: old}}]\n"),
  "origin": site(
    `buildMetadata: [originAnnotations, transformerAnnotations, managedByLabel]\nnamePrefix: p-\n${named}`,
  ),
  "fails": site(named, broken),
  "no YAML": site(named, { "overlay/charts/site/templates/config.yaml": "a: b: c\n" }),
  "no resource": site(named, { "overlay/charts/site/templates/config.yaml": "just: data\n" }),
  "nothing": {
    files: {
      "overlay/kustomization.yaml": named,
      ...below("overlay/charts/site", { "Chart.yaml": chart["Chart.yaml"], "values.yaml": "{}\n" }),
    },
  },
  "schema": site(named, {
    "overlay/charts/site/values.schema.json": '{"properties": {"title": {"type": "integer"}}}\n',
  }),
  "library": site(named, {
    "overlay/charts/site/Chart.yaml": "apiVersion: v2\nname: site\nversion: 1.2.3\ntype: library\n",
  }),
  "missing dependency": site(named, {
    "overlay/charts/site/Chart.yaml":
      "apiVersion: v2\nname: site\nversion: 1.2.3\ndependencies: [{name: db, version: 1.0.0, repository: 'oci://example.invalid/x'}]\n",
  }),
  "dependency": site(named, {
    "overlay/charts/site/Chart.yaml":
      "apiVersion: v2\nname: site\nversion: 1.2.3\ndependencies: [{name: db, version: 1.0.0, repository: 'file://../db', condition: db.on}]\n",
    "overlay/charts/site/charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
    "overlay/charts/site/charts/db/values.yaml": "size: 1Gi\n",
    "overlay/charts/site/charts/db/templates/c.yaml":
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-db'}\ndata: {size: {{ .Values.size | quote }}}\n",
  }),
  "list": site(named, {
    "overlay/charts/site/templates/config.yaml":
      "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: one}\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: two}\n",
  }),
};
