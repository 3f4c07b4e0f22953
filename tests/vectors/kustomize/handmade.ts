/**
 * Overlays written by hand, for what the random ones do not reach.
 *
 * @module
 */

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: main
        image: nginx
        ports:
        - containerPort: 80
        - containerPort: 80
          protocol: UDP
        - containerPort: 443
          name: tls
      - name: side
        image: busybox
`;

const patchOf = (body: string, more = ""): Readonly<Record<string, string>> => ({
  "overlay/base.yaml": deployment,
  "overlay/kustomization.yaml": `resources: [base.yaml]\npatches:\n- path: patch.yaml\n${more}`,
  "overlay/patch.yaml": `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n${body}`,
});

const config = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n${data}`;

/** Files by path of each overlay; `overlay` is built. */
export const handmadeOverlays: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "ports without protocol are completed": patchOf(
    "spec: {template: {spec: {containers: [{name: main, ports: [{containerPort: 80, hostPort: 1}]}]}}}\n",
  ),
  "a list put in place of a number with a comment, in a text": {
    "overlay/base.yaml": `${config("  a: |\n    port: 80  # keep\n  e: |\n    flow: [80, 81]\n")}---\n${
      config("  b: c\n").replace("{name: c}", "{name: d}").replace("ConfigMap", "Widget")
    }spec: {list: [x]}\n`,
    "overlay/kustomization.yaml": `resources: [base.yaml]\nreplacements:\n- source: {kind: Widget, fieldPath: spec.list}\n` +
      "  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.a.port, data.e.flow.0]\n",
  },
  "a text of lines put in place of a number with a comment, in a text": {
    "overlay/base.yaml": `${config("  a: |\n    port: 80  # keep\n    x: 1\n  b: |\n    p\n    q\n")}`,
    "overlay/kustomization.yaml": `resources: [base.yaml]\nreplacements:\n- source: {kind: ConfigMap, fieldPath: data.b}\n` +
      "  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.a.port]\n",
  },
  "ports by both keys": patchOf(
    "spec: {template: {spec: {containers: [{name: main, ports: [{containerPort: 80, protocol: UDP, name: u}]}]}}}\n",
  ),
  "item without its key": patchOf("spec: {template: {spec: {containers: [{image: lost}]}}}\n"),
  "delete an item": patchOf("spec: {template: {spec: {containers: [{name: side, $patch: delete}]}}}\n"),
  "replace an item": patchOf("spec: {template: {spec: {containers: [{name: side, $patch: replace, image: x}]}}}\n"),
  "replace the list": patchOf(
    "spec: {template: {spec: {containers: [{$patch: replace}, {name: only, image: x}]}}}\n",
  ),
  "delete the list": patchOf("spec: {template: {spec: {containers: [{$patch: delete}]}}}\n"),
  "delete the whole": patchOf("$patch: delete\n"),
  "unknown directive": patchOf("spec: {$patch: remove}\n"),
  "wrong kind of node": patchOf("spec: {template: [1]}\n"),
  "init containers are added": patchOf(
    "spec: {template: {spec: {initContainers: [{name: i, image: x, env: [{name: A, value: null}]}]}}}\n",
  ),
  "name change allowed": patchOf(
    "metadata: {name: web2}\n",
    "  target: {name: web}\n  options: {allowNameChange: true}\n",
  ),
  "duplicate key in a patch": patchOf("spec: {replicas: 1}\nspec: {replicas: 2}\n"),
  "anchors and merge keys": {
    "overlay/kustomization.yaml": "resources: [a.yaml]\n",
    "overlay/a.yaml":
      "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\nspec:\n  one: &one {a: 1, b: 2}\n  two:\n    <<: *one\n    b: 3\n  three: [*one, *one]\n  four:\n    <<: [{a: 5}, *one]\n",
  },
  "odd scalars": {
    "overlay/kustomization.yaml": "resources: [a.yaml]\n",
    "overlay/a.yaml":
      `apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\nspec:\n  a: 0o17\n  b: 017\n  c: 1_000\n  d: 1e3\n  e: .5\n  f: 2001-12-14t21:59:43.10-05:00\n  g: 2001-1-2\n  h: "multi
    line"\n  i: 'it''s'\n  j: >+\n    folded\n    text\n\n    more\n\n  k: |2\n      indented\n    less\n  l: !!str 12\n  m: !!int "12"\n  n: !!binary aGVsbG8=\n  o: 18446744073709551615\n  p: 18446744073709551616\n  q: -0\n  r: 0x_1F\n  s: 1:30\n  t: "\\u263a \\U0001F600"\n  u: ~\n  v: "a\\tb"\n  w: 12e03\n  x: ''\n  y: Yes\n`,
  },
  "long texts fold": {
    "overlay/kustomization.yaml": "resources: [a.yaml]\n",
    "overlay/a.yaml": config(
      `  a: ${"word ".repeat(40)}end\n  b: "${"it's ".repeat(40)}: end"\n  c: "${'quote\\" tab\\t '.repeat(12)}"\n  ${
        "k".repeat(130)
      }: v\n`,
    ),
  },
  "lists of resources": {
    "overlay/kustomization.yaml": "resources: [a.yaml, b.yaml]\n",
    "overlay/a.yaml":
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {x: "1"}}\n',
    "overlay/b.yaml":
      "apiVersion: v1\nkind: ConfigMapList\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\n",
  },
  "generators with everything": {
    "overlay/kustomization.yaml":
      "configMapGenerator:\n- name: a\n  envs: [x.env]\n  files: [f.txt, k=f.txt]\n  literals: [\"q='one two'\", e=]\n- name: bin\n  files: [b.bin]\nsecretGenerator:\n- name: s\n  files: [f.txt]\n  literals: [p=" +
      "x".repeat(80) + "]\n",
    "overlay/x.env": '\ufeff# comment\nA=1\n  B = two \nC\nD="quoted"\r\n',
    "overlay/f.txt": "line\nline\n",
    "overlay/b.bin": "not\u0001binary",
  },
  "repeated key of a generator": {
    "overlay/kustomization.yaml": "configMapGenerator:\n- name: a\n  literals: [a=1, a=2]\n",
  },
  "values inside texts": {
    "overlay/kustomization.yaml":
      `resources: [a.yaml]\nreplacements:\n- sourceValue: new\n  targets:\n  - select: {name: c}\n    fieldPaths: [data.json.a.b, data.pretty.a, "data.yaml.list.[name=x].v", data.yaml.top]\n`,
    "overlay/a.yaml": config(
      `  json: '{"a":{"b":"old","c":1},"z":[1,2]}'\n  pretty: |-\n    {\n      "b": 1,\n      "a": "old <x>"\n    }\n  yaml: |\n    # head\n    top: old # line\n    list:\n    - name: x\n      v: 1\n    - name: y\n      v: 2\n`,
    ),
  },
  "origins of everything": {
    "overlay/kustomization.yaml":
      "resources: [a.yaml, ../base]\nnamePrefix: p-\nbuildMetadata: [originAnnotations, transformerAnnotations, managedByLabel]\nconfigMapGenerator:\n- name: g\n  literals: [a=1]\n",
    "overlay/a.yaml": config("  a: b\n"),
    "base/kustomization.yaml": "resources: [b.yaml]\ncommonAnnotations: {x: y}\n",
    "base/b.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n",
  },
  "plugins inline and in files": {
    "overlay/kustomization.yaml":
      "resources: [a.yaml]\ntransformers:\n- t.yaml\n- |-\n  apiVersion: builtin\n  kind: PrefixTransformer\n  metadata: {name: p}\n  prefix: inline-\n  fieldSpecs: [{path: metadata/name}]\n",
    "overlay/a.yaml": config("  a: b\n"),
    "overlay/t.yaml":
      "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: t}\nannotations: {n: 1, t: true}\nfieldSpecs: [{path: metadata/annotations, create: true}]\n",
  },
  "an external plugin": {
    "overlay/kustomization.yaml": "resources: [a.yaml]\ntransformers: [t.yaml]\n",
    "overlay/a.yaml": config("  a: b\n"),
    "overlay/t.yaml": "apiVersion: example.com/v1\nkind: Mine\nmetadata: {name: t}\n",
  },
  "components and references": {
    "overlay/kustomization.yaml": "resources: [a.yaml]\ncomponents: [../one, ../two]\nnameSuffix: -x\n",
    "overlay/a.yaml": deployment,
    "one/kustomization.yaml":
      "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nconfigMapGenerator:\n- name: g\n  literals: [a=1]\n",
    "two/kustomization.yaml":
      "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: add\n      path: /spec/template/spec/containers/0/envFrom\n      value: [{configMapRef: {name: g}}]\n",
  },
  "a base above": { "overlay/kustomization.yaml": "resources: [..]\n", "kustomization.yaml": "resources: [overlay]\n" },
  "a git base": { "overlay/kustomization.yaml": 'resources: ["https://127.0.0.1:1/x.git?ref=v1"]\n' },
  "unknown field": { "overlay/kustomization.yaml": "resource: [a.yaml]\n" },
  "empty file": { "overlay/kustomization.yaml": "kind: Kustomization\n" },
  "role bindings follow accounts": {
    "overlay/kustomization.yaml": "resources: [a.yaml]\nnamespace: n\nnamePrefix: p-\n",
    "overlay/a.yaml":
      "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa, namespace: old}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}\nsubjects:\n- {kind: ServiceAccount, name: sa, namespace: old}\n- {kind: ServiceAccount, name: default, namespace: old}\n- {kind: User, name: sa}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n",
  },
  "a number as a key that is made": {
    "overlay/kustomization.yaml": "configMapGenerator:\n- name: c\n  literals: ['1=x']\n",
  },
  "a boolean as a label that is made": {
    "overlay/kustomization.yaml": "resources: [a.yaml]\nlabels:\n- pairs: {'true': x}\n",
    "overlay/a.yaml": config("  a: b\n"),
  },
  "a word of YAML 1.1 as a label that is made": {
    "overlay/kustomization.yaml": "resources: [a.yaml]\nlabels:\n- pairs: {'n': x, 'yes': y, '1:30': z}\n",
    "overlay/a.yaml": config("  a: b\n"),
  },
  "a number as a key that stands there": {
    "overlay/kustomization.yaml": "resources: [a.yaml]\nnamePrefix: p-\n",
    "overlay/a.yaml": config("  '1': b\n  'true': c\n"),
  },
  "nothing in a flow mapping": {
    "overlay/kustomization.yaml": "resources: [a.yaml]\n",
    "overlay/a.yaml": `${config("  a: b\n")}spec:\n  a: {b: , c: [{d: }], e: ~, f}\n  g:\n`,
  },
  "a slash that is escaped": {
    "overlay/kustomization.yaml": "resources: [a.yaml]\n",
    "overlay/a.yaml": config('  a: "b\\/c"\n'),
  },
  "annotations where kustomize keeps its own": {
    "overlay/kustomization.yaml":
      "resources: [a.yaml]\nnamePrefix: p-\nconfigMapGenerator: [{name: g, literals: [a=b]}]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: AnnotationsTransformer\n  metadata: {name: t}\n  annotations: {a: b}\n  fieldSpecs: [{path: metadata/annotations}]\n",
    "overlay/a.yaml": config("  a: b\n"),
  },
  "a namespace as a value": {
    "overlay/kustomization.yaml":
      "resources: [a.yaml]\nnamespace: one\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: ValueAddTransformer\n  metadata: {name: t}\n  value: two\n  targets: [{fieldPath: metadata/namespace, filePathPosition: 1}]\n",
    "overlay/a.yaml":
      `${config("  a: b\n")}---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b}\nsubjects:\n- {kind: ServiceAccount, name: default}\n- {kind: ServiceAccount, name: other, namespace: x}\n`,
  },
  "a replacement selects by a former kind": {
    "overlay/kustomization.yaml":
      "resources: [a.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - {op: replace, path: /kind, value: Other}\nreplacements:\n- sourceValue: x\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: [metadata.labels.a]\n    options: {create: true}\n",
    "overlay/a.yaml": deployment,
  },
  "two become one": {
    "overlay/kustomization.yaml":
      "resources: [a.yaml]\npatches:\n- target: {kind: Deployment|StatefulSet}\n  patch: |-\n    - {op: replace, path: /kind, value: Other}\n",
    "overlay/a.yaml": `${deployment}---\n${deployment.replace("kind: Deployment", "kind: StatefulSet")}`,
  },
  "a label of many places is changed in one": {
    "overlay/kustomization.yaml":
      "resources: [../base]\npatches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata:\n      name: web\n      labels: {app: patched}\n",
    "base/kustomization.yaml": "resources: [a.yaml]\ncommonLabels: {app: based}\n",
    "base/a.yaml": deployment,
  },
  "a label of many places is set again": {
    "overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: p-\nlabels:\n- pairs: {app: again}\n",
    "base/kustomization.yaml": "resources: [a.yaml]\nlabels:\n- pairs: {app: based}\n  includeSelectors: true\n",
    "base/a.yaml": deployment,
  },
  "an annotation of many places is changed in one": {
    "overlay/kustomization.yaml":
      "resources: [../base]\nnamePrefix: p-\nbuildMetadata: [originAnnotations]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata:\n      name: any\n      annotations: {note: patched}\n",
    "base/kustomization.yaml": "resources: [a.yaml]\ncommonAnnotations: {note: based}\n",
    "base/a.yaml": deployment,
  },
  "a label of many places and a JSON patch": {
    "overlay/kustomization.yaml":
      "resources: [../base]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - {op: replace, path: /metadata/labels/app, value: patched}\n",
    "base/kustomization.yaml": "resources: [a.yaml]\ncommonLabels: {app: based}\n",
    "base/a.yaml": deployment,
  },
  "schemas in comments": {
    "overlay/kustomization.yaml":
      "resources: [a.yaml]\npatches:\n- patch: |-\n    apiVersion: example.com/v1\n    kind: W\n    metadata: {name: w}\n    spec:\n      items: [{name: b, v: 9}, {name: c}]\n      tags: [z]\n      plain: [z]\n",
    "overlay/a.yaml":
      'apiVersion: example.com/v1\nkind: W\nmetadata: {name: w}\nspec:\n  # above\n  items: # {"type": "array", "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"}\n  - name: a # a comment\n    v: 1\n  - {name: b, v: 2}\n  # {"type": "array", "x-kubernetes-patch-strategy": "merge"}\n  tags: [x]\n  plain: [x] # {"type": "array"}\n',
  },
  "a field twice in different case": {
    "overlay/kustomization.yaml": "namePrefix: low-\nNAMEPREFIX: up-\nresources: [a.yaml]\n",
    "overlay/a.yaml": config("  a: b\n"),
  },
  "an empty key cannot be merged over": {
    "overlay/kustomization.yaml":
      "resources: [a.yaml]\npatches:\n- patch: |-\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: c, labels: {a: b}}\n",
    "overlay/a.yaml": config("  '': b\n"),
  },
  "a schema that is a list counts when a patch is merged": {
    "overlay/kustomization.yaml":
      "resources: [a.yaml]\nopenapi: {path: schema.json}\npatches:\n- patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {b: c}}'\n",
    "overlay/schema.json": "[]",
    "overlay/a.yaml": config("  a: b\n"),
  },
  "a schema that is a list does not count elsewhere": {
    "overlay/kustomization.yaml": "resources: [a.yaml]\nopenapi: {path: schema.json}\nnamePrefix: p-\n",
    "overlay/schema.json": "[]",
    "overlay/a.yaml": config("  a: b\n"),
  },
  "a field of a wrong shape on the way to a reference": {
    "overlay/kustomization.yaml": "resources: [a.yaml]\n",
    "overlay/a.yaml":
      "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\nspec: {scaleTargetRef: x}\n",
  },
  "annotations taken away take the name that it had along": {
    "overlay/kustomization.yaml":
      "resources: [../base]\npatches:\n- patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: c, annotations: null}}'\n- patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {b: c}}'\n",
    "base/kustomization.yaml": "namePrefix: p-\nresources: [a.yaml]\n",
    "base/a.yaml": config("  a: b\n"),
  },
};

/** A folder of a disk with links. */
export interface LinkedFolder {
  readonly files: Readonly<Record<string, string>>;
  /** Where each link leads, by its path. */
  readonly links: Readonly<Record<string, string>>;
  /** Flags of the build of `base`. */
  readonly flags?: readonly string[];
}

const one = config("  a: b\n");
const unrestricted = ["--load-restrictor", "LoadRestrictionsNone"];

/** Builds in which links count. */
export const linkedFolders: Readonly<Record<string, LinkedFolder>> = {
  "a file within": { files: { "base/r.yaml": one, "base/kustomization.yaml": "resources: [l.yaml]\n" }, links: { "base/l.yaml": "r.yaml" } },
  "a file outside": { files: { "out/r.yaml": one, "base/kustomization.yaml": "resources: [l.yaml]\n" }, links: { "base/l.yaml": "../out/r.yaml" } },
  "a file outside that may be read": {
    files: { "out/r.yaml": one, "base/kustomization.yaml": "resources: [l.yaml]\n" },
    links: { "base/l.yaml": "../out/r.yaml" },
    flags: unrestricted,
  },
  "a kustomization within": { files: { "base/r.yaml": one, "base/sub/k.yaml": "resources: [r.yaml]\n" }, links: { "base/kustomization.yaml": "sub/k.yaml" } },
  "a kustomization outside": { files: { "base/r.yaml": one, "out/k.yaml": "resources: [r.yaml]\n" }, links: { "base/kustomization.yaml": "../out/k.yaml" } },
  "the folder itself": { files: { "real/r.yaml": one, "real/kustomization.yaml": "resources: [r.yaml]\n" }, links: { base: "real" } },
  "a folder as a resource, counted from where it stands": {
    files: {
      "deep/b/kustomization.yaml": "resources: [../c]\n",
      "deep/c/kustomization.yaml": "resources: [r.yaml]\n",
      "deep/c/r.yaml": one,
      "base/kustomization.yaml": "resources: [l]\n",
    },
    links: { "base/l": "../deep/b" },
  },
  "a file behind a folder within": { files: { "base/sub/r.yaml": one, "base/kustomization.yaml": "resources: [l/r.yaml]\n" }, links: { "base/l": "sub" } },
  "a file behind a folder outside": { files: { "out/r.yaml": one, "base/kustomization.yaml": "resources: [l/r.yaml]\n" }, links: { "base/l": "../out" } },
  "a component": {
    files: {
      "out/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: p-\n",
      "base/r.yaml": one,
      "base/kustomization.yaml": "resources: [r.yaml]\ncomponents: [l]\n",
    },
    links: { "base/l": "../out" },
  },
  "a generator's file outside": { files: { "out/f": "x", "base/kustomization.yaml": "configMapGenerator: [{name: g, files: [f]}]\n" }, links: { "base/f": "../out/f" } },
  "a circle of files": { files: { "base/kustomization.yaml": "resources: [a]\n" }, links: { "base/a": "b", "base/b": "a" } },
  "a circle of folders": { files: { "base/r.yaml": one, "base/kustomization.yaml": "resources: [r.yaml, up]\n" }, links: { "base/up": "." } },
  "one folder by two names": {
    files: { "base/sub/r.yaml": one, "base/sub/kustomization.yaml": "resources: [r.yaml]\n", "base/kustomization.yaml": "resources: [sub, l]\n" },
    links: { "base/l": "sub" },
  },
  "links that nobody asks for": { files: { "base/r.yaml": one, "base/kustomization.yaml": "resources: [r.yaml]\n" }, links: { "base/self": "self", "base/gone": "nowhere", "base/root": "/" } },
  "a mounted ConfigMap": {
    files: { "base/..2026/r.yaml": one, "base/..2026/kustomization.yaml": "resources: [r.yaml]\n" },
    links: { "base/..data": "..2026", "base/r.yaml": "..data/r.yaml", "base/kustomization.yaml": "..data/kustomization.yaml" },
  },
};
