/**
 * Random kustomizations of the rarer kind, for comparisons with the real kustomize: each is a small base and an overlay
 * with one to four themes (replacements, vars, generators, components, patches in files, custom schemas, plugins in files,
 * old fields, odd YAML, faults). The same seed gives the same files.
 *
 * @module
 */
import { Maker } from "./random_overlay.ts";

/** Files by path; the kustomization to be built stands in `overlay`. */
export type BuildFiles = Record<string, string | Uint8Array>;

/** A build that is being put together. */
interface Draft {
  readonly files: BuildFiles;
  /** Lines of the overlay's kustomization by field; entries of one field are joined. */
  readonly fields: Map<string, string[]>;
}

function put(draft: Draft, field: string, ...entries: string[]): void {
  const list = draft.fields.get(field);
  if (list === undefined) draft.fields.set(field, [...entries]);
  else list.push(...entries);
}

/** A scalar field: the first one who sets it wins. */
function set(draft: Draft, field: string, text: string): void {
  if (!draft.fields.has(field)) draft.fields.set(field, [text]);
}

function indent(text: string, by: string): string {
  return text.split("\n").map((line) => (line === "" ? "" : by + line)).join("\n");
}

function item(text: string): string {
  return `- ${indent(text, "  ").slice(2)}`;
}

/** One of the usual items, seldom one that makes the build fail. */
function usual<Item>(make: Maker, good: readonly Item[], bad: readonly Item[], share = 0.04): Item {
  return make.pick(make.chance(share) ? bad : good);
}

const oddScalars = [
  "0x1F",
  "0o17",
  "012",
  "0b11",
  "1e3",
  "1E+2",
  ".5",
  "5.",
  "+7",
  "-0",
  "1_000",
  "0.10",
  "12345678901234567890123",
  "18446744073709551615",
  "9007199254740993",
  "1.7976931348623157e308",
  "yes",
  "No",
  "on",
  "OFF",
  "y",
  "n",
  "True",
  "FALSE",
  "~",
  "null",
  "Null",
  '""',
  "''",
  "2001-01-01",
  "2001-12-14t21:59:43.10-05:00",
  "2001-12-14 21:59:43",
  "1:30",
  "190:20:30",
  "=",
  "<<",
  "'<<'",
  "!!str 12",
  '!!int "12"',
  "!!binary aGVsbG8=",
  "!!float 1",
  "!custom x",
  "a#b",
  "a #b",
  '"a \\u00e9 \\x41 \\n b"',
  '"\\U0001F600"',
  "😀",
  "é",
  "a\tb",
  '"tab\\t"',
  "'it''s'",
  '"quo\\"te"',
  "- x",
  "'- x'",
  "a: b",
  "'a: b'",
  '"a: b"',
  "http://x.example.com:80/a?b=c#d",
  "@at",
  '"@at"',
  "`tick",
  "%p",
  "*alias",
  "&anchor value",
  "[a, b, [c, {d: e}]]",
  "{a: 1, b: [x, y], c: }",
  "[]",
  "{}",
  '"long text with  double  blanks and many words so that it is folded somewhere behind the eightieth column \\" quote"',
  "'long text with ''quotes'' and many words so that it is folded somewhere behind the eightieth column of a line'",
  "long/path/without/any/blank/that/cannot/be/folded/anywhere/at/all/even/though/it/is/longer/than/eighty",
  "plain text\n    that goes on\n    over lines\n",
  "|\n    literal\n      deeper\n    back\n",
  "|-\n    no end",
  "|+\n    kept\n\n\n",
  ">\n    folded\n    text\n\n    para\n      indented\n    back\n",
  ">-\n    folded\n    strip",
  "|2\n      two deeper\n    x\n",
  '"a\n    b\n\n    c"',
  "| # comment\n    x\n",
  "x   # comment",
  '"\\/"',
  "trailing ",
  "a,b",
  "[a",
  "null # c",
  ".inf",
  "-.INF",
  ".nan",
  "0.0",
  "1.",
  "1e400",
  "0777",
  "08",
  "0o8",
  "00",
  "١",
];

const widget = (name: string, body: string) =>
  `apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: ${name}\n${body}`;

function deployment(make: Maker, name: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
${make.chance(0.08) ? "  namespace: one\n" : ""}${make.chance(0.6) ? `  labels: {app: ${name}, tier: "1"}\n` : ""}${
    make.chance(0.4) ? '  annotations: {note: first, num: "1"}\n' : ""
  }spec:
${make.chance(0.6) ? `  replicas: ${make.pick(["1", '"2"'])}\n` : ""}  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
${make.chance(0.4) ? "      serviceAccountName: runner\n" : ""}      containers:
      - name: main
        image: ${make.pick(["nginx:1.25", "reg.example.com:5000/a/b:v1@sha256:0f", "nginx", "app@sha256:12"])}
        command: [run, $(VALUE), "$(OTHER)-x", $$(VALUE)]
        env:
        - name: A
          value: ${make.pick(['"1"', "$(VALUE)", "text"])}
        - name: B
          valueFrom: {configMapKeyRef: {name: settings, key: a}}
${
    make.chance(0.5)
      ? "        ports:\n        - containerPort: 80\n          protocol: TCP\n        - containerPort: 80\n          protocol: UDP\n"
      : ""
  }${
    make.chance(0.4)
      ? `      - name: side
        image: nginx:1.0
        envFrom:
        - secretRef: {name: keys}
`
      : ""
  }${
    make.chance(0.5)
      ? `      volumes:
      - name: v
        configMap: {name: settings}
      - name: s
        secret: {secretName: keys}
${make.chance(0.3) ? "      - name: i\n        image: {reference: nginx:1.25}\n" : ""}`
      : ""
  }`;
}

function configMap(make: Maker, name: string): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
${make.chance(0.3) ? '  labels: {app: web, "on": "off"}\n' : ""}data:
  a: ${make.pick(["one", '"1"', "a:b:c", "x.y.z"])}
  list: "a,b,c"
  json: '{"k": {"deep": 1}, "l": [1, 2]}'
  yaml: |
    k:
      deep: x
    l: [1, 2]
${make.chance(0.5) ? "  empty: ''\n" : ""}`;
}

const service = (make: Maker, name: string) =>
  `apiVersion: v1
kind: Service
metadata:
  name: ${name}
${make.chance(0.4) ? `  annotations: {host: ${name}.example.com, port: "80"}\n` : ""}spec:
  selector: {app: ${name}}
  ports:
  - {name: http, port: 80}
${make.chance(0.5) ? '  - {name: https, port: 443, targetPort: "8443"}\n' : ""}`;

const schemaComment =
  ' # {"type": "array", "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"}';

function baseDocuments(make: Maker): string[] {
  const documents = [deployment(make, "web"), configMap(make, "settings"), service(make, "web")];
  if (make.chance(0.5)) documents.push(deployment(make, "api"));
  if (make.chance(0.4)) {
    documents.push("apiVersion: v1\nkind: Secret\nmetadata:\n  name: keys\nstringData:\n  k: v\n");
  }
  if (make.chance(0.4)) documents.push("apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: runner\n");
  if (make.chance(0.4)) {
    documents.push(
      `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: bind
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ${make.pick(["Role", "ClusterRole"])}, name: reader}
subjects:
- {kind: ServiceAccount, name: ${make.pick(["runner", "default"])}${make.pick(["", ", namespace: one"])}}
- {kind: User, name: runner}
`,
      "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: reader\nrules:\n- apiGroups: ['']\n  resources: [secrets]\n  resourceNames: [keys, settings]\n  verbs: [get]\n",
    );
  }
  if (make.chance(0.6)) {
    documents.push(
      widget(
        "w",
        `spec:
  image: nginx:1.0
  replicas: 2
  ref: {name: settings}
  refs: [settings, web]
  a: ${make.pick(["text", "80", '"80"', "a-b-c", "$(VALUE)", "true"])}
  items:${make.chance(0.2) ? schemaComment : ""}
  - {name: x, v: 1}
  - {name: y, v: "2"}
  - {name: "z.z", v: [1, 2]}
  tags: [p, q, r]
  deep: {c: 1, "k.d": 2, sub: {e: f}}
`,
      ),
    );
  }
  if (make.chance(0.2)) documents.push("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: one\n");
  if (make.chance(0.2)) {
    documents.push(
      "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: tick\nspec:\n  schedule: '* * * * *'\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers:\n          - {name: main, image: 'nginx:1.25', args: [\"$(VALUE)\"]}\n",
    );
  }
  return documents;
}

/** Whether a base file says something. */
function has(draft: Draft, text: string): boolean {
  return Object.entries(draft.files).some(([path, content]) =>
    path.startsWith("base/") && typeof content === "string" && content.includes(text)
  );
}

// The themes. Each adds files and entries to the overlay.

type Theme = (make: Maker, draft: Draft) => void;

const selects = [
  "{kind: Widget}",
  "{kind: Deployment}",
  "{name: web}",
  "{kind: Deployment, name: web}",
  "{kind: Service, name: w.*}",
  "{group: apps, version: v1}",
  "{labelSelector: app=web}",
  "{annotationSelector: note=first}",
  "{namespace: one}",
  "{kind: Deployment|Service}",
  "{}",
];
const targetPaths = [
  "spec.a",
  "spec.deep.c",
  "spec.deep.[k.d]",
  "spec.deep.k\\.d",
  "spec.items.[name=x].v",
  "spec.items.*.v",
  "spec.items.[name=z.z].v",
  "spec.items.0.name",
  "spec.items.-.name",
  "spec.tags.[=q]",
  "spec.tags.1",
  "spec.tags.*",
  "spec.ref",
  "spec.new.field",
  "spec.new.[name=n].v",
  "spec.new.0",
  "metadata.labels.made",
  "metadata.annotations.[example.com/a]",
  "metadata.annotations.example\\.com/a",
  "metadata.name",
  "spec.template.spec.containers.[name=main].image",
  "spec.template.spec.containers.*.image",
  "spec.template.spec.containers.[name=main].env.[name=A].value",
  "spec.template.spec.containers.[name=none].image",
  "spec.template.metadata.labels.app",
  "spec.replicas",
  "data.json.k.deep",
  "data.yaml.k.deep",
  "data.json.l.0",
  "data.yaml.l",
  "data.list",
  "spec.ports.[name=http].port",
  "spec.selector.app",
];
const sources = [
  "{kind: ConfigMap, name: settings, fieldPath: data.a}",
  "{kind: ConfigMap, name: settings}",
  "{kind: Service, name: web, fieldPath: metadata.name}",
  "{kind: Widget, name: w, fieldPath: spec.deep}",
  "{kind: Widget, fieldPath: spec.tags}",
  "{kind: Widget, fieldPath: spec.items.0.v}",
  "{kind: Widget, fieldPath: 'spec.items.[name=y].v'}",
  "{kind: ConfigMap, name: settings, fieldPath: data.list, options: {delimiter: ',', index: 1}}",
  "{kind: ConfigMap, name: settings, fieldPath: data.a, options: {delimiter: ':', index: 9}}",
  "{kind: ConfigMap, name: settings, fieldPath: data.none}",
  "{kind: Deployment, fieldPath: spec.replicas}",
  "{kind: Deployment, name: web, fieldPath: spec.template.spec.containers.0.image, options: {delimiter: ':', index: 0}}",
  "{kind: Service, version: v1, fieldPath: 'spec.ports.[name=http].port'}",
  "{kind: Gone, name: x}",
];

function replacement(make: Maker): string {
  let text = make.chance(0.1)
    ? `sourceValue: ${make.pick(["v", '"1"', "a b"])}\n`
    : `source: ${
      usual(make, sources.filter((one) => !/Widget|none|Gone|index: 9|Deployment/.test(one)), sources, 0.15)
    }\n`;
  text += "targets:\n";
  for (let at = make.count(1); at >= 0; at--) {
    const kind = make.pick(["Widget", "Deployment", "Deployment", "ConfigMap", "Service"]);
    const isFree = make.chance(0.12);
    const own: Readonly<Record<string, RegExp>> = {
      Widget: /spec\.(a|deep|items|tags|ref|new)|metadata/,
      Deployment: /template|spec\.(new|replicas)|metadata/,
      ConfigMap: /^data|metadata/,
      Service: /ports|selector|metadata|spec\.new/,
    };
    const paths = isFree ? targetPaths : targetPaths.filter((path) => own[kind]?.test(path) && !path.includes("none"));
    let target = `select: ${
      isFree
        ? make.pick(selects)
        : `{kind: ${kind}${make.pick(["", "", ", version: v1", ", name: w.*", ", labelSelector: '!gone'"])}}`
    }\n`;
    if (make.chance(0.3)) {
      target += `reject:\n- ${
        make.pick(["{name: api}", "{kind: Service}", "{labelSelector: app=api}", "{name: web, kind: Widget}"])
      }\n`;
    }
    if (make.chance(0.9)) {
      target += `fieldPaths:\n${make.some(paths, 0.015).concat(make.pick(paths)).map((p) => `- '${p}'\n`).join("")}`;
    }
    if (make.chance(0.92)) {
      target += `options: ${
        make.pick([
          ...Array(14).fill("{create: true}"),
          "{delimiter: '-', index: 1}",
          "{delimiter: ':', index: -1}",
          "{delimiter: ':', index: 7}",
          "{delimiter: '.', index: 0, create: true}",
          "{delimiter: '/'}",
          "{encoding: base64}",
          "{create: false}",
        ])
      }\n`;
    }
    text += `${item(target)}`;
  }
  return text;
}

const replacements: Theme = (make, draft) => {
  for (let at = make.count(1); at >= 0; at--) {
    const text = replacement(make);
    if (make.chance(0.2)) {
      const name = `replacement${draft.files["overlay/replacement0.yaml"] === undefined ? 0 : 1}.yaml`;
      draft.files[`overlay/${name}`] = make.chance(0.5) ? text : item(text);
      put(draft, "replacements", `- path: ${name}\n`);
    } else put(draft, "replacements", item(text));
  }
  if (make.chance(0.3)) {
    put(draft, "configMapGenerator", "- name: made\n  literals: [host=example.com]\n");
    put(
      draft,
      "replacements",
      item(
        `source: {kind: ConfigMap, name: made, fieldPath: ${
          make.pick(["data.host", "metadata.name"])
        }}\ntargets:\n- select: {kind: Deployment, name: web}\n  fieldPaths: [metadata.annotations.host]\n  options: {create: true}\n`,
      ),
    );
  }
};

const vars: Theme = (make, draft) => {
  put(
    draft,
    "vars",
    `- name: VALUE\n  objref: ${
      make.pick([
        "{apiVersion: v1, kind: ConfigMap, name: settings}",
        "{kind: Service, name: web, version: v1}",
        "{apiVersion: apps/v1, kind: Deployment, name: web}",
        "{apiVersion: v1, kind: Gone, name: x}",
        "{apiVersion: v1, kind: ConfigMap, name: settings, namespace: one}",
      ])
    }\n${
      make.pick([
        "",
        "  fieldref: {fieldPath: data.a}\n",
        "  fieldref: {fieldpath: metadata.name}\n",
        "  fieldref: {fieldpath: spec.replicas}\n",
        "  fieldref: {fieldpath: 'spec.ports[0].port'}\n",
        "  fieldref: {fieldpath: data.none}\n",
        "  fieldref: {fieldpath: spec.selector}\n",
        "  fieldref: {fieldpath: 'metadata.annotations[host]'}\n",
      ])
    }`,
  );
  if (make.chance(0.4)) put(draft, "vars", "- name: OTHER\n  objref: {apiVersion: v1, kind: Service, name: web}\n");
  if (make.chance(0.05)) put(draft, "vars", "- name: VALUE\n  objref: {apiVersion: v1, kind: Service, name: web}\n");
  if (make.chance(0.4)) {
    draft.files["overlay/varref.yaml"] =
      "varReference:\n- path: spec/a\n  kind: Widget\n- {path: spec/tags, kind: Widget}\n- path: metadata/annotations\n";
    put(draft, "configurations", "- varref.yaml\n");
  }
};

const envTexts = [
  'A=1\nB=two words\n# comment\n\n  C=lead\nD\nE="quoted"\nF=a=b\n',
  "\ufeffA=bom\nB=x\r\nC=y\r\n",
  "A=\n",
  "",
];
const badEnvTexts = ["=nokey\n", "A = 1\n", "export A=1\n", "A='x'\nA=y\n", "é=ü\n"];
const literals = [
  "k=v",
  "'quoted=\"x y\"'",
  `"single='a b'"`,
  '"nl=a\\nb"',
  '"trail=a\\n"',
  "empty=",
  "'eq=a=b'",
  "num=1",
  "b=true",
  "'sp= x '",
  "'q=\"'",
  "'json={\"a\": 1}'",
  "'u=ünï 😀'",
  "'dollar=$(VALUE)'",
  '"tab=a\\tb"',
  '"cr=a\\r\\nb"',
];

function generatorEntry(make: Maker, draft: Draft, name: string): string {
  let text = `name: ${name}\n`;
  const isThere = name === "settings" || name === "keys" && has(draft, "kind: Secret") ||
    name === "base-made" && has(draft, "name: base-made");
  if (make.chance(isThere ? 0.03 : 0.2)) text += `namespace: ${make.pick(["one", "two", "default"])}\n`;
  if (isThere) text += `behavior: ${usual(make, ["merge", "replace"], ["create", "wrong", '""'])}\n`;
  else if (make.chance(0.3)) text += `behavior: ${usual(make, ["create", "wrong", '""'], ["merge", "replace"])}\n`;
  if (make.chance(0.7)) {
    text += `literals:\n${
      [...new Set([...make.some(literals, 0.12), usual(make, literals, ["nokey", "'=v'", "'bad key=v'", "'1=v'"])])]
        .map((l) => `- ${l}\n`).join("")
    }`;
  }
  if (make.chance(0.35)) {
    draft.files["overlay/f1.txt"] = make.pick([
      "text\n",
      "no end",
      "a\r\nb\r\n",
      "",
      "  lead\n",
      "x: y\n- z\n",
      "tab\there \n",
      "\n\n",
      "trail  \nx\n",
    ]);
    draft.files["overlay/bin.dat"] = new Uint8Array([0, 255, 254, 1, 2, 3, ...Array(make.count(90)).fill(200)]);
    draft.files["overlay/sub/f2.json"] = '{"a": 1}\n';
    text += `files:\n${
      [
        ...new Set([
          ...make.some(["f1.txt", "key=f1.txt", "bin.dat", "k.2=sub/f2.json"], 0.35),
          usual(make, ["sub/f2.json", "./sub/f2.json"], [
            "none.txt",
            "a=b=c",
            "=f1.txt",
            "x=",
            "../outside.txt",
            "sub",
          ]),
        ]),
      ].map((l) => `- ${l}\n`).join("")
    }`;
  }
  if (make.chance(0.25)) {
    draft.files["overlay/e.env"] = usual(make, envTexts, badEnvTexts);
    text += make.chance(0.7) ? "envs: [e.env]\n" : "env: e.env\n";
  }
  if (make.chance(0.4)) {
    text += `options:\n${
      make.pick([
        "  disableNameSuffixHash: true\n",
        "  immutable: true\n",
        '  labels: {l: x, m: "1"}\n',
        "  annotations: {a: 'y', z: \"true\"}\n",
        "  labels: {b: x}\n  annotations: {c: d}\n  disableNameSuffixHash: true\n  immutable: true\n",
        "  disableNameSuffixHash: false\n",
      ])
    }`;
  }
  return text;
}

const generators: Theme = (make, draft) => {
  const config = make.pick(["made", "settings", "settings", "base-made"]) +
    (draft.fields.has("configMapGenerator") ? "2" : "");
  put(draft, "configMapGenerator", item(generatorEntry(make, draft, config)));
  if (make.chance(0.5)) {
    const secret = generatorEntry(
      make,
      draft,
      make.pick(["keys", "sec"]) + (draft.fields.has("secretGenerator") ? "2" : ""),
    );
    put(draft, "secretGenerator", item(secret + make.pick(["", "type: kubernetes.io/tls\n", "type: Opaque\n"])));
  }
  if (make.chance(0.3)) {
    set(
      draft,
      "generatorOptions",
      make.pick([
        "{disableNameSuffixHash: true}",
        '{labels: {g: o, l: z}, annotations: {a: "n"}}',
        "{immutable: true}",
        "{disableNameSuffixHash: false, immutable: false}",
      ]),
    );
  }
};

const components: Theme = (make, draft) => {
  const parts = [
    "namePrefix: c-\n",
    "nameSuffix: -c\n",
    "namespace: comp\n",
    "labels:\n- pairs: {comp: x}\n  includeSelectors: true\n",
    "commonAnnotations: {comp: why}\n",
    "configMapGenerator:\n- name: settings\n  behavior: merge\n  literals: [comp=1]\n",
    "configMapGenerator:\n- name: comp-made\n  literals: [comp=1]\n",
    "patches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: add\n      path: /metadata/annotations\n      value: {comp: z}\n",
    "images: [{name: nginx, newTag: comp}]\n",
    "replicas: [{name: web, count: 7}]\n",
    "resources: [res.yaml]\n",
    "replacements:\n- source: {kind: Service, name: web}\n  targets:\n  - select: {kind: Deployment, name: web}\n    fieldPaths: [metadata.labels.svc]\n    options: {create: true}\n",
  ];
  const write = (folder: string, extra: string) => {
    const chosen = make.some(parts, 0.25);
    if (chosen.filter((part) => part.startsWith("configMapGenerator")).length > 1) {
      chosen.splice(chosen.indexOf(parts[6] as string), 1);
    }
    draft.files[`${folder}/kustomization.yaml`] = `${
      make.pick(["apiVersion: kustomize.config.k8s.io/v1alpha1\n", ""])
    }kind: ${make.chance(0.95) ? "Component" : "Kustomization"}\n${chosen.join("")}${extra}`;
    draft.files[`${folder}/res.yaml`] = widget(`${folder}-w`, "spec: {a: 1}\n");
  };
  const nested = make.chance(0.4);
  write("comp1", nested ? "components: [../comp2]\n" : "");
  put(draft, "components", "- ../comp1\n");
  if (nested) write("comp2", "");
  else if (make.chance(0.3)) {
    write("comp2", "");
    put(draft, "components", "- ../comp2\n");
  }
};

const patchTargets = [
  "{kind: Deployment}",
  "{kind: Deployment, name: web}",
  "{kind: Widget}",
  "{name: w|web}",
  "{name: w}",
  "{labelSelector: app=web}",
  '{labelSelector: "app in (web,api), tier"}',
  '{labelSelector: "app notin (web)", kind: Service}',
  '{labelSelector: "!tier"}',
  "{annotationSelector: note!=first, kind: Service}",
  "{namespace: one}",
  "{namespace: default, kind: Deployment}",
  "{group: apps}",
  "{version: v1, kind: ConfigMap}",
  "{kind: .*Map}",
  "{kind: 'Dep(loyment)?'}",
  "{name: '^web$'}",
  "{name: 'w['}",
  "{labelSelector: 'a=='}",
  "{kind: Gone}",
  "{annotationSelector: 'num=1'}",
];

const operations = [
  "- {op: add, path: /metadata/labels/x, value: y}\n",
  "- {op: add, path: /metadata/labels, value: {only: y}}\n",
  "- {op: replace, path: /spec/replicas, value: 5}\n",
  "- {op: remove, path: /spec/replicas}\n",
  "- {op: add, path: /spec/template/spec/containers/-, value: {name: new, image: i}}\n",
  "- {op: add, path: /spec/template/spec/containers/0, value: {name: first, image: i}}\n",
  "- {op: add, path: /spec/template/spec/containers/9, value: {name: far}}\n",
  "- {op: remove, path: /spec/template/spec/containers/-1}\n",
  "- {op: replace, path: /spec/template/spec/containers/0/image, value: 'other:1'}\n",
  "- {op: copy, from: /metadata/name, path: /metadata/annotations/copy}\n",
  "- {op: copy, from: /spec, path: /copied}\n",
  "- {op: move, from: /spec/selector, path: /moved}\n",
  "- {op: move, from: /none, path: /moved}\n",
  "- {op: test, path: /metadata/name, value: web}\n",
  "- {op: test, path: /kind, value: Deployment}\n- {op: remove, path: /spec}\n",
  "- {op: test, path: /spec/replicas, value: 1}\n",
  "- {op: add, path: /metadata/annotations/a~1b, value: '1'}\n",
  "- {op: add, path: /metadata/annotations/a~0b, value: '1'}\n",
  "- {op: add, path: '', value: {}}\n",
  "- {op: wrong, path: /a, value: b}\n",
  "- {op: add, path: /a/b/c, value: b}\n",
  "- {op: add, path: /a}\n",
  "- {op: replace, path: /metadata/name, value: renamed}\n",
  "- {op: replace, path: /kind, value: Other}\n",
  "- {op: add, path: /metadata/namespace, value: moved}\n",
  "- {op: add, path: /spec/n, value: 1e3}\n- {op: add, path: /spec/t, value: 2001-01-01}\n- {op: add, path: /spec/h, value: 0x1F}\n",
  "- {op: add, path: /metadata/labels/app, value: jsoned}\n",
  '[{"op": "add", "path": "/spec/j", "value": {"a": [1, 2.50, "3", null, true]}}]\n',
  "- op: add\n  path: /spec/text\n  value: |\n    lines\n    of text\n",
  "- {op: remove, path: /metadata/labels/app}\n- {op: remove, path: /metadata/labels/tier}\n",
];

/** Whether an operation can be done on any Deployment. */
function isQuiet(operation: string): boolean {
  return !/far|none|wrong|\/a\/b|path: \/a\}|annotations\/|labels\/|test|path: ''|^\[|replicas\}|path: \/spec\/replicas, value: 5/
    .test(operation);
}

const merges = [
  "spec:\n  replicas: 9\n",
  "spec:\n  replicas: null\n",
  "spec: null\n",
  "$patch: delete\n",
  "$patch: replace\nspec: {x: 1}\n",
  "spec:\n  $patch: replace\n  x: 1\n",
  "spec:\n  $patch: delete\n",
  "spec:\n  $patch: merge\n  x: 1\n",
  "spec:\n  $patch: wrong\n  x: 1\n",
  "spec:\n  template:\n    spec:\n      containers:\n      - name: main\n        $patch: delete\n",
  "spec:\n  template:\n    spec:\n      containers:\n      - name: side\n        $patch: replace\n        image: r\n      - name: third\n        image: t\n",
  "spec:\n  template:\n    spec:\n      containers:\n      - $patch: replace\n      - name: only\n        image: o\n",
  "spec:\n  template:\n    spec:\n      containers:\n      - $patch: delete\n",
  "spec:\n  template:\n    spec:\n      containers:\n      - name: main\n        env:\n        - {name: A, value: null}\n        - {name: N, value: n}\n        - {name: B, $patch: delete}\n",
  "spec:\n  template:\n    spec:\n      $setElementOrder/containers:\n      - name: side\n      - name: main\n      containers:\n      - name: main\n        image: x\n",
  "metadata:\n  $deleteFromPrimitiveList/finalizers: [a]\n  finalizers: [b]\n",
  "spec:\n  strategy:\n    $retainKeys: [type]\n    type: Recreate\n",
  "spec:\n  template:\n    spec:\n      containers:\n      - name: main\n        ports:\n        - {containerPort: 80, protocol: UDP, name: u}\n        - {containerPort: 81}\n",
  "spec:\n  template:\n    spec:\n      containers:\n      - name: main\n        ports: [{containerPort: 80}]\n        command: [other]\n",
  "spec:\n  template:\n    spec:\n      volumes:\n      - name: v\n        emptyDir: {}\n        configMap: null\n      - name: s\n        $patch: delete\n",
  "spec:\n  template:\n    spec:\n      volumes: []\n",
  "spec:\n  template:\n    spec:\n      containers: null\n",
  "spec:\n  items:\n  - {name: x, v: 5}\n  deep: {c: null, new: {}}\n",
  "spec:\n  tags: null\n  deep: {}\n",
  "spec:\n  a: '80'\n  image: other\n",
  'metadata:\n  labels: {app: null, new: "1"}\n  annotations: {}\n',
  "metadata:\n  labels: null\n",
  'metadata:\n  labels: {app: patched, tier: "9", base: other}\n  annotations: {note: patched}\n',
  "spec:\n  template:\n    metadata:\n      labels: {app: patched}\n      annotations: {note: patched}\n",
  "data: {a: 2, json: null, new: |\n  x\n  y\n}\n",
  "data:\n  new: |\n    x\n    y\n  a: yes\n",
  "spec:\n  ports:\n  - {port: 80, name: web}\n",
  "spec:\n  ports:\n  - {port: 80, protocol: UDP}\n",
  "spec:\n  selector: {app: other}\n",
  "spec:\n",
  "",
  "spec: {}\n",
  "spec: [a]\n",
  "spec: text\n",
];

const heads = [
  "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n",
  "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n",
  "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n",
  "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n",
  "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: w\n",
  "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: none\n",
  "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata:\n  name: web\n",
  "apiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  name: renamed\n",
  "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: one\n",
];

function mergePatch(make: Maker): string {
  const head = usual(make, heads.slice(0, 4), heads.slice(4), 0.12);
  const kind = /kind: (\w+)/.exec(head)?.[1];
  const fitting = merges.filter((body) =>
    /template:|replicas|strategy/.test(body) ? kind === "Deployment" : /^data/.test(body) ? kind === "ConfigMap" : true
  );
  const body = make.pick(fitting);
  // A body with metadata of its own goes on below the head's.
  return body.startsWith("metadata:\n") ? head + body.slice("metadata:\n".length) : head + body;
}

const patches: Theme = (make, draft) => {
  for (let at = make.count(1); at >= 0; at--) {
    const isJson = make.chance(0.4);
    let text = isJson
      ? make.some(operations.filter(isQuiet), 0.05).concat(
        make.pick(operations.filter(isQuiet)),
        make.chance(0.1) ? make.pick(operations) : [],
      ).join("")
      : mergePatch(make);
    const isDouble = !isJson && make.chance(0.2);
    if (isDouble) text += `---\n${mergePatch(make)}`;
    if (make.chance(0.03)) text = make.pick(["", "# nothing\n", "text", "[]", "{}", "- a\n", "a: [\n", "---\n"]);
    let entry: string;
    if (make.chance(0.4)) {
      const name = `patch${Object.keys(draft.files).filter((key) => /\/patch\d/.test(key)).length}.${
        make.pick(["yaml", "json", "txt"])
      }`;
      draft.files[`overlay/${name}`] = text;
      entry = `path: ${name}\n`;
    } else entry = `patch: |-\n${indent(text, "  ")}\n`;
    if (isJson ? make.chance(0.97) : make.chance(isDouble ? 0.03 : 0.45)) {
      const quiet = [
        "{kind: Deployment}",
        "{kind: Deployment, name: web}",
        "{kind: 'Dep(loyment)?'}",
        "{kind: Deployment, labelSelector: '!tier'}",
        "{group: apps}",
        "{kind: Deployment, name: '^web$', namespace: default}",
      ];
      entry += `target: ${
        isJson && make.chance(0.85) ? make.pick(quiet) : usual(
          make,
          patchTargets.filter((one) => !/\[|==/.test(one)),
          ["{name: 'w['}", "{labelSelector: 'a=='}"],
          0.02,
        )
      }\n`;
    }
    if (make.chance(0.2)) {
      entry += `options: {${
        make.pick([
          "allowNameChange: true",
          "allowKindChange: true",
          "allowNameChange: true, allowKindChange: true",
          "allowNameChange: false",
        ])
      }}\n`;
    }
    put(draft, "patches", item(entry));
  }
};

const oldFields: Theme = (make, draft) => {
  if (make.chance(0.4)) {
    draft.files["overlay/merge.yaml"] = mergePatch(make) + (make.chance(0.3) ? `---\n${mergePatch(make)}` : "");
    put(draft, "patchesStrategicMerge", "- merge.yaml\n");
  }
  if (make.chance(0.3)) put(draft, "patchesStrategicMerge", `- |-\n${indent(mergePatch(make), "  ")}\n`);
  if (make.chance(0.4)) {
    draft.files["overlay/ops.yaml"] = make.pick(operations);
    put(
      draft,
      "patchesJson6902",
      `- path: ops.yaml\n  target: ${
        make.pick([
          "{group: apps, version: v1, kind: Deployment, name: web}",
          "{version: v1, kind: Service, name: web}",
          "{kind: Deployment, name: web}",
          "{version: v1, kind: Gone, name: web}",
          "{kind: Deployment}",
          "{kind: Deployment, name: .*}",
        ])
      }\n`,
    );
  }
  if (make.chance(0.4)) {
    set(draft, "commonLabels", make.pick(["{app: common}", '{team: "1", z: why}', '{team: "1", z: why}', "{a: 1}"]));
  }
  if (make.chance(0.4)) {
    set(
      draft,
      "commonAnnotations",
      make.pick(["{note: common}", '{m: "1", t: "true"}', "{note: common}", '{"1": x}', "{a: true}"]),
    );
  }
  if (make.chance(0.3)) put(draft, "imageTags", "- {name: nginx, newTag: old}\n");
  if (make.chance(0.3)) {
    draft.files["old/kustomization.yaml"] = "resources: [r.yaml]\n";
    draft.files["old/r.yaml"] = widget("old", "");
    put(draft, "bases", "- ../old\n");
  }
};

const schema: Theme = (make, draft) => {
  if (make.chance(0.6)) {
    draft.files["overlay/openapi.json"] = JSON.stringify({
      definitions: {
        "com.example.v1.Widget": {
          properties: {
            spec: {
              type: "object",
              properties: {
                items: {
                  type: "array",
                  items: { type: "object", properties: {} },
                  "x-kubernetes-patch-merge-key": "name",
                  "x-kubernetes-patch-strategy": make.pick(["merge", "merge,retainKeys", "replace"]),
                },
                tags: { type: "array", items: { type: "string" }, "x-kubernetes-patch-strategy": "merge" },
              },
            },
          },
          "x-kubernetes-group-version-kind": [{ group: "example.com", kind: "Widget", version: "v1" }],
        },
      },
      ...(make.chance(0.4)
        ? {
          paths: {
            "/apis/example.com/v1/widgets": {
              get: { "x-kubernetes-group-version-kind": { group: "example.com", kind: "Widget", version: "v1" } },
            },
          },
        }
        : {}),
    });
    set(
      draft,
      "openapi",
      make.chance(0.9) ? "{path: openapi.json}" : make.pick([
        "{version: v1.21.2}",
        "{version: v9}",
        "{path: none.json}",
        "{path: openapi.json, version: v1.21.2}",
      ]),
    );
    put(
      draft,
      "patches",
      item(
        `target: {kind: Widget}\npatch: |-\n${
          indent(`${heads[4]}spec:\n  items:\n  - {name: ${make.pick(["x", "new"])}, v: 9}\n  tags: [q, s]\n`, "  ")
        }\n`,
      ),
    );
  }
  if (make.chance(0.4)) {
    draft.files["overlay/crd.json"] = JSON.stringify({
      "github.com/example/v1.Widget": {
        Schema: {
          properties: {
            apiVersion: { type: "string" },
            kind: { type: "string" },
            metadata: { type: "object" },
            spec: { $ref: "github.com/example/v1.WidgetSpec" },
          },
        },
      },
      "github.com/example/v1.WidgetSpec": {
        Schema: {
          properties: {
            ref: {
              type: "object",
              "x-kubernetes-object-ref-api-version": "v1",
              "x-kubernetes-object-ref-kind": "ConfigMap",
              properties: { name: { type: "string" } },
            },
            deep: { type: "object", "x-kubernetes-label-selector": true },
            notes: { type: "object", "x-kubernetes-annotation": true },
            ident: { type: "string", "x-kubernetes-identity": true },
          },
        },
      },
    });
    put(draft, "crds", "- crd.json\n");
    set(draft, "namePrefix", "crd-");
    set(draft, "commonLabels", "{crd: label}");
  }
};

const configurations: Theme = (make, draft) => {
  const parts = [
    "nameReference:\n- kind: ConfigMap\n  version: v1\n  fieldSpecs:\n  - {path: spec/ref/name, kind: Widget}\n  - {path: spec/refs, kind: Widget}\n",
    "nameReference:\n- kind: Service\n  fieldSpecs:\n  - {path: spec/refs, kind: Widget, group: example.com}\n  - {path: metadata/annotations/host}\n",
    "nameReference:\n- kind: Widget\n  fieldSpecs:\n  - {path: spec/ref, kind: Widget}\n",
    "commonLabels:\n- {path: spec/labels, create: true, kind: Widget}\n",
    "labels:\n- {path: spec/lab, create: true, kind: Widget}\n",
    "templateLabels:\n- {path: spec/tl, create: true, kind: Widget}\n",
    "commonAnnotations:\n- {path: spec/notes, create: true, kind: Widget}\n",
    "namePrefix:\n- {path: spec/a, kind: Widget}\n",
    "nameSuffix:\n- {path: spec/a, kind: Widget}\n",
    "namespace:\n- {path: spec/ns, create: true, kind: Widget}\n",
    "namespace:\n- {path: spec/deep/c, kind: Widget}\n",
    "images:\n- {path: spec/image, kind: Widget}\n",
    "replicas:\n- {path: spec/replicas, kind: Widget}\n",
    "replicas:\n- {path: spec/scale/count, create: true, kind: Widget}\n",
    "varReference:\n- {path: spec/a, kind: Widget}\n",
    "unknown:\n- {path: a}\n",
    "namePrefix:\n- {path: spec/items, kind: Widget}\n",
  ];
  const chosen = new Map<string, string>();
  for (const part of make.some(parts.slice(0, 15), 0.25).concat(make.pick(parts))) {
    chosen.set(part.split(":")[0] as string, part);
  }
  draft.files["overlay/config.yaml"] = [...chosen.values()].join("");
  put(draft, "configurations", "- config.yaml\n");
  if (make.chance(0.6)) set(draft, "namePrefix", make.pick(["p-", "x."]));
  if (make.chance(0.3)) set(draft, "nameSuffix", "-s");
  if (make.chance(0.3)) set(draft, "namespace", "conf");
  if (make.chance(0.4)) {
    put(
      draft,
      "labels",
      `- pairs: {conf: l}\n${
        make.pick([
          "",
          "  includeTemplates: true\n",
          "  includeSelectors: true\n",
          "  fields:\n  - {path: spec/own, create: true, kind: Widget}\n",
        ])
      }`,
    );
  }
  if (make.chance(0.3)) set(draft, "commonLabels", "{cl: x}");
  if (make.chance(0.3)) set(draft, "commonAnnotations", "{ca: why}");
  if (make.chance(0.3)) put(draft, "images", "- {name: nginx, newTag: conf}\n");
  if (make.chance(0.3)) put(draft, "replicas", `- {name: ${make.pick(["w", "web"])}, count: 4}\n`);
  if (make.chance(0.3)) put(draft, "configMapGenerator", "- name: settings\n  behavior: merge\n  literals: [a=conf]\n");
};

function pluginFile(make: Maker): string {
  const head = (kind: string, extra = "") => `apiVersion: builtin\nkind: ${kind}\nmetadata:\n  name: t\n${extra}`;
  return make.pick([
    () =>
      head("NamespaceTransformer", `  namespace: ${make.pick(["plug", "one", '""'])}\n`) +
      make.pick(["", "unsetOnly: true\n", "unsetOnly: false\n"]) +
      make.pick([
        "",
        "setRoleBindingSubjects: allServiceAccounts\n",
        "setRoleBindingSubjects: none\n",
        "setRoleBindingSubjects: defaultOnly\n",
        "setRoleBindingSubjects: wrong\n",
      ]) +
      make.pick([
        "",
        "fieldSpecs:\n- {path: metadata/namespace, create: true}\n",
        "fieldSpecs:\n- {path: metadata/name, kind: Namespace, create: true}\n- {path: subjects, kind: RoleBinding}\n",
        "fieldSpecs:\n- {path: spec/ns, create: true, kind: Widget}\n",
      ]),
    () =>
      head("PrefixSuffixTransformer") +
      make.pick(["prefix: pre-\n", "suffix: -suf\n", "prefix: pre-\nsuffix: -suf\n", ""]) +
      make.pick(["fieldSpecs: [{path: metadata/name}]\n", "fieldSpecs:\n- {path: spec/a, kind: Widget}\n", ""]),
    () =>
      head("PrefixTransformer") + "prefix: pre-\n" +
      make.pick(["fieldSpecs: [{path: metadata/name}]\n", "fieldSpecs: []\n"]),
    () =>
      head("SuffixTransformer") + "suffix: -suf\n" +
      make.pick(["fieldSpecs: [{path: metadata/name, kind: Deployment}]\n", ""]),
    () =>
      head("LabelTransformer") + "labels: {plug: x, n: 1}\n" +
      make.pick([
        "fieldSpecs:\n- {path: metadata/labels, create: true}\n",
        "fieldSpecs:\n- {path: spec/selector, kind: Service, create: true}\n- {path: spec/template/metadata/labels, kind: Deployment}\n",
        "",
      ]),
    () =>
      head("AnnotationsTransformer") + "annotations: {plug: y, t: true}\n" +
      make.pick([
        "fieldSpecs:\n- {path: metadata/annotations, create: true}\n",
        "fieldSpecs:\n- {path: metadata/annotations}\n",
      ]),
    () =>
      head("ImageTagTransformer") +
      `imageTag: ${
        make.pick([
          "{name: nginx, newTag: plug}",
          "{name: nginx, newName: other, digest: 'sha256:1'}",
          "{name: nginx, tagSuffix: -x}",
        ])
      }\n` +
      make.pick(["", "fieldSpecs:\n- {path: spec/image, kind: Widget}\n"]),
    () =>
      head("ReplicaCountTransformer") + "replica: {name: web, count: 6}\n" +
      make.pick([
        "fieldSpecs:\n- {path: spec/replicas, kind: Deployment, create: true}\n",
        "fieldSpecs:\n- {path: spec/replicas, kind: Widget}\n",
        "",
      ]),
    () =>
      head("PatchTransformer") +
      `patch: |-\n${indent(make.pick(operations), "  ")}target: ${make.pick(patchTargets)}\n`,
    () =>
      head("PatchTransformer") +
      `patch: '${
        make.pick([
          '{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 8}}',
          '[{"op": "add", "path": "/x", "value": 1}]',
        ])
      }'\n${make.pick(["", "target: {kind: Deployment}\n"])}`,
    () => head("PatchStrategicMergeTransformer") + `patches: |-\n${indent(mergePatch(make), "  ")}\n`,
    () =>
      head("PatchJson6902Transformer") +
      `target: {group: apps, version: v1, kind: Deployment, name: web}\njsonOp: |-\n${
        indent(make.pick(operations), "  ")
      }\n`,
    () => head("ReplacementTransformer") + `replacements:\n${item(replacement(make))}`,
    () =>
      head("ValueAddTransformer") +
      `value: ${make.pick(["v", "a/b"])}\ntargets:\n- fieldPath: ${
        make.pick(["metadata/labels/va", "metadata/namespace", "spec/path"])
      }\n${make.pick(["", "  selector: {kind: Deployment}\n"])}${
        make.pick(["", "  filePathPosition: 1\n", "  filePathPosition: 3\n"])
      }`,
    () => head("HashTransformer"),
    () => head("Unknown"),
    () => "apiVersion: example.com/v1\nkind: External\nmetadata:\n  name: t\n",
  ])();
}

function generatorFile(make: Maker): string {
  const head = (kind: string, extra = "") => `apiVersion: builtin\nkind: ${kind}\nmetadata:\n  name: g\n${extra}`;
  return make.pick([
    () =>
      head("ConfigMapGenerator", make.pick(["", "  namespace: one\n"])) +
      make.pick([
        "literals: [a=b, n=1]\n",
        "name: own\nliterals: ['x=y']\n",
        "literals: [a=b]\nbehavior: merge\n",
        "literals: [a=b]\noptions: {disableNameSuffixHash: true, labels: {q: r}}\n",
      ]),
    () => head("SecretGenerator") + "literals: [p=w]\ntype: t\n",
    () =>
      head("IAMPolicyGenerator") +
      `cloud: ${make.pick(["gke", "aws"])}\nkubernetesService: {name: ksa${
        make.pick(["", ", namespace: one"])
      }}\nserviceAccount: {name: gsa, projectId: proj}\n`,
    () => head("LabelTransformer") + "labels: {a: b}\n",
  ])();
}

const plugins: Theme = (make, draft) => {
  for (let at = make.count(1); at >= 0; at--) {
    const text = pluginFile(make);
    if (make.chance(0.7)) {
      const name = `t${Object.keys(draft.files).filter((key) => /\/t\d\.yaml/.test(key)).length}.yaml`;
      draft.files[`overlay/${name}`] = text +
        (make.chance(0.15) ? `---\n${pluginFile(make)}`.replace("name: t\n", "name: t2\n") : "");
      put(draft, "transformers", `- ${name}\n`);
    } else put(draft, "transformers", `- |-\n${indent(text, "  ")}\n`);
  }
  if (make.chance(0.3)) {
    draft.files["overlay/g.yaml"] = generatorFile(make);
    put(draft, "generators", "- g.yaml\n");
  }
  if (make.chance(0.15)) {
    draft.files["overlay/v.yaml"] = pluginFile(make);
    put(draft, "validators", "- v.yaml\n");
  }
  if (make.chance(0.1)) {
    draft.files["plugs/kustomization.yaml"] = "resources: [t.yaml]\nnamePrefix: x-\n";
    draft.files["plugs/t.yaml"] = pluginFile(make);
    put(draft, "transformers", "- ../plugs\n");
  }
};

const order: Theme = (make, draft) => {
  set(
    draft,
    "sortOptions",
    make.pick([
      "{order: legacy}",
      "{order: fifo}",
      "{order: legacy, legacySortOptions: {orderFirst: [Service, Widget], orderLast: [Deployment]}}",
      "{order: legacy, legacySortOptions: {orderFirst: [ConfigMap]}}",
      "{order: legacy, legacySortOptions: {orderLast: [ConfigMap, ServiceAccount]}}",
      "{order: fifo, legacySortOptions: {orderFirst: [Service]}}",
      "{order: wrong}",
      "{}",
    ]),
  );
};

const metadata: Theme = (make, draft) => {
  set(
    draft,
    "buildMetadata",
    make.pick([
      "[originAnnotations]",
      "[transformerAnnotations]",
      "[managedByLabel]",
      "[originAnnotations, transformerAnnotations, managedByLabel]",
      "[wrong]",
    ]),
  );
};

const common: Theme = (make, draft) => {
  if (make.chance(0.5)) set(draft, "namespace", make.pick(["one", "over", "default"]));
  if (make.chance(0.4)) set(draft, "namePrefix", make.pick(["o-", '"1"', "O_"]));
  if (make.chance(0.3)) set(draft, "nameSuffix", "-o");
  if (make.chance(0.4)) {
    put(
      draft,
      "labels",
      `- pairs: {lab: ${make.pick(["x", '"1"', '"true"', '""'])}}\n${
        make.pick([
          "",
          "  includeSelectors: true\n",
          "  includeTemplates: true\n",
          "  includeSelectors: true\n  includeTemplates: true\n",
          "  fields:\n  - {path: spec/selector/matchLabels, kind: Deployment}\n",
          "  fields:\n  - {path: metadata/labels, create: false}\n",
        ])
      }`,
    );
  }
  if (make.chance(0.4)) {
    put(
      draft,
      "images",
      `- ${
        make.pick([
          "{name: nginx, newTag: '2'}",
          "{name: nginx, newName: other/n, newTag: v1}",
          "{name: reg.example.com:5000/a/b, digest: 'sha256:ff'}",
          "{name: nginx, tagSuffix: -a}",
          "{name: 'ngin.*', newTag: re}",
          "{name: app, newName: b}",
          "{name: nginx, newTag: a, tagSuffix: b}",
          "{newTag: x}",
          "{name: nginx}",
        ])
      }\n`,
    );
  }
  if (make.chance(0.3)) {
    put(
      draft,
      "replicas",
      `- {name: ${make.pick(["web", "api", "none"])}, count: ${make.pick(["3", "0", '"3"', "-1"])}}\n`,
    );
  }
};

/** Text of a resource file with something odd in it. */
const oddYaml: Theme = (make, draft) => {
  const scalars = Array.from({ length: 1 + make.count(3) }, (_, at) => `  k${at}: ${make.pick(oddScalars)}\n`).map((
    line,
  ) => line.endsWith("\n\n") ? line.slice(0, -1) : line);
  let text = widget("odd", `spec:\n${scalars.join("")}`);
  text = make.pick([
    (t: string) => t,
    (t: string) => t,
    (t: string) => t,
    (t: string) => (t.includes("|+") ? t : `# head\n${t}# foot\n`),
    (t: string) => t.replaceAll("\n", "\r\n"),
    (t: string) => `\ufeff${t}`,
    (t: string) => `---\n${t}---\n`,
    (t: string) => `--- # comment\n${t}---\n# only comment\n---\n${widget("odd2", "")}`,
    (t: string) => `---\n${t}...\n---\n${widget("odd2", "")}`,
    (t: string) => `${t}--- text\n${widget("odd2", "")}`,
    (t: string) => `%YAML 1.1\n---\n${t}`,
    (t: string) => `${t}  dup: 1\n  dup: 2\n`,
    (t: string) => `${t}\tx: 1\n`,
    (t: string) => `${t}  t:\t1\n`,
    (t: string) => `${t}  m: &m {a: 1, b: 2}\n  n:\n    <<: *m\n    b: 3\n  o: *m\n`,
    (t: string) => `${t}  n:\n    <<: [{a: 1}, {a: 2, c: 3}]\n    b: 3\n`,
    (t: string) => `${t}  list:\n  - a\n  -   b\n  -\n    c\n  - - d\n    - e\n  - {f: g}\n  - k: v\n    w: x\n  -\n`,
    (t: string) => `${t}  ? complex\n  : value\n`,
    (t: string) => `${t}  1: number key\n`,
    (t: string) => `${t}  true: bool key\n`,
    (t: string) => `${t}  "true": text key\n  "1": one\n`,
    (t: string) => `${t}  ~: null key\n`,
    (t: string) => `${t}  yes: y\n  1.5: f\n`,
    (t: string) => `${t}  '': empty key\n`,
    (t: string) => `${t}  a.b/c-d_e: x\n  "key with blank": y\n  key with more: z\n  "k:c": 1\n  "#h": 2\n`,
    (t: string) => `apiVersion: v1\nkind: List\nitems:\n${item(t)}${item(widget("odd2", "spec: {}\n"))}`,
    (t: string) => `apiVersion: v1\nkind: ConfigMapList\nmetadata: {name: l}\nitems:\n${item(t)}`,
    (t: string) => `apiVersion: v1\nkind: List\nitems: []\n---\n${t}`,
    () => "apiVersion: v1\nkind: WidgetList\nmetadata: {name: l}\n",
    () => "apiVersion: v1\nkind: List\nitems: null\n",
    () => "",
    () => "# only a comment\n",
    () => "---\n---\n",
    () => "null\n",
    () => "text\n",
    () => "[]\n",
    () => "{}\n",
    () =>
      '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "odd"}, "data": {"a": "x\\u00e9\\ny", "b": "\\/"}}\n',
    () =>
      '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "odd"}, "data": {"n": "1"}}]}\n',
    () => "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n",
    () => "apiVersion: v1\nmetadata: {name: x}\n",
    () => "kind: ConfigMap\nmetadata: {name: x}\n",
    () => "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 12}\n",
    () => "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yes, namespace: 1}\ndata: {a: 1, b: true}\n",
    () =>
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  labels: {a: 1, b: true, c: null}\n  annotations: {a: 1}\n",
    () =>
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: {config.kubernetes.io/local-config: 'true'}}\n",
    () =>
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: {config.kubernetes.io/local-config: 'false', internal.config.kubernetes.io/index: '1'}}\n",
    () =>
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: {kustomize.config.k8s.io/needs-hash: 'true'}}\ndata: {a: b}\n",
    () =>
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, annotations: {kustomize.config.k8s.io/behavior: merge}}\ndata: {a: b}\n",
    () =>
      "apiVersion: v1\nkind: Secret\nmetadata: {name: x, annotations: {kustomize.config.k8s.io/needs-hash: 'true'}}\nstringData: {a: b}\n",
  ])(text);
  draft.files["overlay/odd.yaml"] = text;
  put(draft, "resources", "- odd.yaml\n");
};

/** A fault of the kustomization itself. */
const fault: Theme = (make, draft) => {
  make.pick([
    () => put(draft, "resources", "- none.yaml\n"),
    () => put(draft, "resources", "- ../base\n"),
    () => put(draft, "resources", "- ../overlay\n"),
    () => put(draft, "resources", "- .\n"),
    () => put(draft, "resources", "- ..\n"),
    () => put(draft, "resources", "- ../../../nowhere\n"),
    () => put(draft, "resources", "- /etc/hostname\n"),
    () => put(draft, "resources", "- ''\n"),
    () => {
      draft.files["overlay/sub/r.yaml"] = widget("sub", "");
      put(draft, "resources", "- sub\n");
    },
    () => {
      draft.files["other/r.yaml"] = widget("out", "");
      put(draft, "resources", "- ../other/r.yaml\n");
    },
    () => {
      draft.files["overlay/dup.yaml"] = deployment(make, "web").replace("  namespace: one\n", "");
      put(draft, "resources", "- dup.yaml\n");
    },
    () => {
      draft.files["cyc/kustomization.yaml"] = "resources: [../overlay]\n";
      put(draft, "resources", "- ../cyc\n");
    },
    () => {
      draft.files["empty/kustomization.yaml"] = make.pick([
        "",
        "# x\n",
        "kind: Kustomization\n",
        "resources: []\n",
        "{}\n",
        "namePrefix: x-\n",
        "null\n",
      ]);
      put(draft, "resources", "- ../empty\n");
    },
    () => {
      draft.files["overlay/kustomization.yml"] = "resources: []\n";
    },
    () => put(draft, "components", "- ../base\n"),
    () => {
      draft.files["c/kustomization.yaml"] = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n";
      put(draft, "resources", "- ../c\n");
    },
    () => set(draft, "unknownField", "x"),
    () => set(draft, "apiVersion", make.pick(["kustomize.config.k8s.io/v1beta1", "kustomize.config.k8s.io/v1", "v1"])),
    () => set(draft, "kind", make.pick(["Kustomization", "Kustomisation", "Component"])),
    () => set(draft, "namePrefix", make.pick(["[a]", "1", "true", "null", "{a: b}"])),
    () => set(draft, "NAMEPREFIX", "upper-"),
    () =>
      set(draft, "metadata", make.pick(["{name: x, labels: {a: b}}", "{name: x, foo: y}", "{annotations: {a: b}}"])),
    () => put(draft, "configurations", "- none.yaml\n"),
    () => put(draft, "crds", "- none.json\n"),
    () => put(draft, "patches", "- {}\n"),
    () => put(draft, "patches", "- path: none.yaml\n"),
    () => put(draft, "replacements", "- path: none.yaml\n"),
    () => put(draft, "replacements", "- {source: {kind: Service}}\n"),
    () => put(draft, "replacements", "- {targets: [{select: {kind: Service}}]}\n"),
    () => put(draft, "configMapGenerator", "- literals: [a=b]\n"),
    () => put(draft, "labels", "- pairs: {a: b}\n- pairs: {a: c}\n"),
    () => put(draft, "labels", "- {}\n"),
    () => put(draft, "labels", "- pairs: {'bad key': 'bad value!'}\n"),
    () => set(draft, "resources", "x"),
  ])();
};

const themes: readonly Theme[] = [
  replacements,
  replacements,
  vars,
  generators,
  generators,
  components,
  patches,
  patches,
  oldFields,
  schema,
  configurations,
  configurations,
  plugins,
  plugins,
  order,
  metadata,
  common,
  common,
  oddYaml,
  oddYaml,
  fault,
];

/** Names of the themes, for those who want to see one alone. */
const themeNames: Readonly<Record<string, Theme>> = {
  replacements,
  vars,
  generators,
  components,
  patches,
  oldFields,
  schema,
  configurations,
  plugins,
  order,
  metadata,
  common,
  oddYaml,
  fault,
};

const isScalarField =
  /^(?:nameP|nameS|NAMEP|namespace$|generatorOptions|sortOptions|buildMetadata|openapi|commonL|commonA|apiV|kind|metadata|unknown)/;

/** Files of a random build; with `only`, every theme is that one. */
export function randomBuild(seed: number, only?: string): BuildFiles {
  const make = new Maker(seed ^ 0x5bd1e995);
  const draft: Draft = { files: {}, fields: new Map() };
  const documents = baseDocuments(make);
  draft.files["base/all.yaml"] = documents.join("---\n");
  let base = "resources: [all.yaml]\n";
  if (make.chance(0.25)) base += `namePrefix: ${make.pick(["base-", "b."])}\n`;
  if (make.chance(0.15)) base += "namespace: one\n";
  if (make.chance(0.3)) {
    base += `configMapGenerator:\n- name: base-made\n  literals: [x=1, y=2]\n${
      make.pick(["", "  options: {labels: {from: base}}\n"])
    }`;
  }
  if (make.chance(0.15)) base += "labels: [{pairs: {base: l}, includeSelectors: true}]\n";
  if (make.chance(0.15)) base += "commonLabels: {app: based, tier: low}\n";
  if (make.chance(0.15)) base += "commonAnnotations: {note: based}\n";
  draft.files["base/kustomization.yaml"] = base;
  put(draft, "resources", "- ../base\n");
  const count = 1 + make.count(make.chance(0.2) ? 3 : 1);
  for (let at = 0; at < count; at++) {
    const theme = only === undefined ? make.pick(themes) : themeNames[only] as Theme;
    theme(make, draft);
  }
  let text = "";
  for (const [field, entries] of draft.fields) {
    text += isScalarField.test(field) ? `${field}: ${entries[0]}\n` : `${field}:\n${entries.join("")}`;
  }
  draft.files["overlay/kustomization.yaml"] = text;
  return draft.files;
}
