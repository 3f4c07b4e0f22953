/**
 * Random overlays for comparisons with the real kustomize: a base with a handful of resources of the common kinds, an
 * overlay on it that uses most fields of a kustomization. The same seed gives the same files.
 *
 * @module
 */

/** Files by path; the overlay to be built stands in `overlay`. */
export type OverlayFiles = Readonly<Record<string, string>>;

/** Numbers from a seed (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Choices from a seed. */
export class Maker {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = numbers(seed);
  }

  /** Whether something that happens with a share happens. */
  chance(share: number): boolean {
    return this.#next() < share;
  }

  /** A whole number from 0 to `most`. */
  count(most: number): number {
    return Math.floor(this.#next() * (most + 1));
  }

  /** One of the items. */
  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#next() * items.length)] as Item;
  }

  /** Each item with a share. */
  some<Item>(items: readonly Item[], share = 0.5): Item[] {
    return items.filter(() => this.chance(share));
  }
}

const names = ["web", "api", "db", "cache"];
const values = [
  "plain",
  '"80"',
  "80",
  "yes",
  '"no"',
  "0644",
  "1e3",
  "1.50",
  "true",
  '"true"',
  "null",
  '""',
  "2024-01-01",
  "a: b".replace(": ", ":"),
  "'it''s'",
  '"tab\\there"',
  "ünï",
  "1_000",
  "0x1F",
  "~",
  "1:30",
  "x # y".replace(" # ", "#"),
  "a much longer text that goes well beyond the eighty columns at which the printer folds its lines here",
  "|\n      two\n      lines\n",
  ">-\n      folded\n      text\n",
  ">\n      folded\n        deeper\n      text\n\n      more\n",
  ">+\n      kept\n\n\n      text\n\n",
  "|+\n      kept\n\n",
  "12345678901234567890",
];
const images = [
  "nginx",
  "nginx:1.25",
  "registry.example.com:5000/team/app:v1",
  "busybox@sha256:abc123",
  "app:v1@sha256:0f",
];

function labelLines(make: Maker, indent: string): string {
  const pairs = [
    `app: ${make.pick(names)}`,
    ...make.some(["tier: front", "env: prod", 'rev: "1"', "team.example.com/name: a"], 0.3),
  ];
  return pairs.map((pair) => `${indent}${pair}\n`).join("");
}

function container(make: Maker, name: string, indent: string): string {
  let text = `${indent}- name: ${name}\n${indent}  image: ${make.pick(images)}\n`;
  if (make.chance(0.5)) text += `${indent}  args: ["--mode=${make.pick(names)}", $(VALUE), "x y"]\n`;
  if (make.chance(0.6)) {
    text += `${indent}  env:\n${indent}  - name: A\n${indent}    value: ${make.pick(['"1"', "text", '"$(VALUE)"'])}\n`;
    if (make.chance(0.5)) {
      text +=
        `${indent}  - name: B\n${indent}    valueFrom:\n${indent}      configMapKeyRef:\n${indent}        name: settings\n${indent}        key: a\n`;
    }
  }
  if (make.chance(0.4)) text += `${indent}  envFrom:\n${indent}  - secretRef:\n${indent}      name: keys\n`;
  if (make.chance(0.5)) {
    text += `${indent}  ports:\n${indent}  - containerPort: 80\n`;
    if (make.chance(0.5)) text += `${indent}    protocol: TCP\n`;
    if (make.chance(0.5)) text += `${indent}  - containerPort: 80\n${indent}    protocol: UDP\n`;
    if (make.chance(0.3)) text += `${indent}  - {containerPort: 9090, name: metrics}\n`;
  }
  if (make.chance(0.3)) text += `${indent}  volumeMounts:\n${indent}  - name: v\n${indent}    mountPath: /v\n`;
  return text;
}

function podSpec(make: Maker, indent: string): string {
  let text = "";
  if (make.chance(0.4)) text += `${indent}serviceAccountName: runner\n`;
  if (make.chance(0.3)) text += `${indent}imagePullSecrets:\n${indent}- name: keys\n`;
  text += `${indent}containers:\n${container(make, "main", indent)}`;
  if (make.chance(0.4)) text += container(make, "side", indent);
  if (make.chance(0.2)) text += `${indent}initContainers:\n${container(make, "init", indent)}`;
  if (make.chance(0.5)) {
    text += `${indent}volumes:\n${indent}- name: v\n${indent}  configMap:\n${indent}    name: settings\n`;
    if (make.chance(0.4)) text += `${indent}- name: s\n${indent}  secret:\n${indent}    secretName: keys\n`;
  }
  if (make.chance(0.2)) text += `${indent}tolerations:\n${indent}- key: a\n${indent}  operator: Exists\n`;
  return text;
}

function metadata(make: Maker, name: string): string {
  let text = `metadata:\n  name: ${name}\n`;
  if (make.chance(0.3)) text += `  namespace: ${make.pick(["one", "default"])}\n`;
  if (make.chance(0.6)) text += `  labels:\n${labelLines(make, "    ")}`;
  if (make.chance(0.4)) {
    text += `  annotations:\n    note: ${make.pick(["first", '"1"', "true", "x y"])}\n`;
    if (make.chance(0.3)) text += "    other.example.com/a: b\n";
  }
  if (make.chance(0.1)) text += "  finalizers:\n  - a.example.com/x\n";
  return text;
}

const kinds: Readonly<Record<string, (make: Maker, name: string) => string>> = {
  Deployment: (make, name) =>
    `apiVersion: apps/v1\nkind: Deployment\n${metadata(make, name)}spec:\n` +
    (make.chance(0.6) ? `  replicas: ${make.pick(["1", "3", '"2"'])}\n` : "") +
    `  selector:\n    matchLabels:\n      app: ${name}\n  template:\n    metadata:\n      labels:\n        app: ${name}\n    spec:\n` +
    podSpec(make, "      "),
  StatefulSet: (make, name) =>
    `apiVersion: apps/v1\nkind: StatefulSet\n${metadata(make, name)}spec:\n  serviceName: ${name}\n` +
    `  selector:\n    matchLabels:\n      app: ${name}\n  template:\n    spec:\n${podSpec(make, "      ")}` +
    (make.chance(0.4)
      ? "  volumeClaimTemplates:\n  - metadata:\n      name: data\n    spec:\n      storageClassName: fast\n"
      : ""),
  Job: (make, name) =>
    `apiVersion: batch/v1\nkind: Job\n${metadata(make, name)}spec:\n  template:\n    spec:\n${podSpec(make, "      ")}`,
  CronJob: (make, name) =>
    `apiVersion: batch/v1\nkind: CronJob\n${
      metadata(make, name)
    }spec:\n  schedule: "*/5 * * * *"\n  jobTemplate:\n    spec:\n      template:\n        spec:\n${
      podSpec(make, "          ")
    }`,
  Service: (make, name) =>
    `apiVersion: v1\nkind: Service\n${
      metadata(make, name)
    }spec:\n  selector:\n    app: ${name}\n  ports:\n  - port: 80\n    targetPort: ${make.pick(["80", "http"])}\n` +
    (make.chance(0.3) ? "  - port: 443\n    protocol: TCP\n" : ""),
  ConfigMap: (make, name) => {
    let text = `apiVersion: v1\nkind: ConfigMap\n${metadata(make, name)}data:\n  a: ${
      make.pick(["one", '"1"', "|\n    line\n    line\n", '"yes"'])
    }\n`;
    if (make.chance(0.4)) text += `  long: ${values[22]}\n`;
    return text;
  },
  Secret: (make, name) =>
    `apiVersion: v1\nkind: Secret\n${metadata(make, name)}type: Opaque\nstringData:\n  k: ${make.pick(["v", '"1"'])}\n`,
  ServiceAccount: (make, name) => `apiVersion: v1\nkind: ServiceAccount\n${metadata(make, name)}`,
  Namespace: (_make, name) => `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n`,
  ClusterRole: (make, name) =>
    `apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: ${name}\nrules:\n- apiGroups: [""]\n  resources: [${
      make.pick(["pods", "secrets"])
    }]\n  resourceNames: [keys, settings]\n  verbs: ["*"]\n`,
  RoleBinding: (make, name) =>
    `apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n${
      metadata(make, name)
    }roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: reader\nsubjects:\n- kind: ServiceAccount\n  name: ${
      make.pick(["runner", "default"])
    }\n` +
    (make.chance(0.5) ? `  namespace: ${make.pick(["one", "default"])}\n` : ""),
  Ingress: (make, name) =>
    `apiVersion: networking.k8s.io/v1\nkind: Ingress\n${
      metadata(make, name)
    }spec:\n  rules:\n  - host: x.example.com\n    http:\n      paths:\n      - path: /\n        pathType: Prefix\n        backend:\n          service:\n            name: web\n            port:\n              number: 80\n`,
  HorizontalPodAutoscaler: (make, name) =>
    `apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n${
      metadata(make, name)
    }spec:\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: web\n  maxReplicas: 3\n`,
  Widget: (make, name) =>
    `apiVersion: example.com/v1\nkind: Widget\n${metadata(make, name)}spec:\n  a: ${make.pick(values)}\n  b: ${
      make.pick(values)
    }\n  list:\n  - name: x\n    v: 1\n  - name: "y"\n  empty:\n  none: null\n  deep:\n    c: ${
      make.pick(["1", "text", '"1"'])
    }\n`,
};

interface Known {
  readonly kind: string;
  readonly name: string;
  readonly namespace: boolean;
}

function baseFiles(make: Maker, folder: string, known: Known[]): Record<string, string> {
  const files: Record<string, string> = {};
  const documents: string[] = [];
  for (const [kind, write] of Object.entries(kinds)) {
    const own = kind === "ServiceAccount"
      ? ["runner"]
      : kind === "ClusterRole"
      ? ["reader"]
      : kind === "ConfigMap"
      ? ["settings", "web"]
      : kind === "Secret"
      ? ["keys"]
      : make.some(names, 0.4);
    for (const name of own) {
      if (!make.chance(0.75)) continue;
      const text = write(make, name);
      documents.push(text);
      known.push({ kind, name, namespace: text.includes("\n  namespace: one") });
    }
  }
  if (documents.length === 0) {
    documents.push((kinds.ConfigMap as (make: Maker, name: string) => string)(make, "settings"));
  }
  const cut = make.count(documents.length);
  files[`${folder}/a.yaml`] = documents.slice(0, cut).join("---\n");
  files[`${folder}/b.yaml`] = documents.slice(cut).join("---\n");
  const lists = [["a.yaml", documents.slice(0, cut)], ["b.yaml", documents.slice(cut)]] as const;
  const resources = lists.filter(([, list]) => list.length > 0).map(([name]) => name);
  let text = `resources: [${resources.join(", ")}]\n`;
  if (make.chance(0.3)) text += "namePrefix: base-\n";
  if (make.chance(0.2)) text += "namespace: one\n";
  if (make.chance(0.3)) text += 'configMapGenerator:\n- name: made\n  literals: [a=1, "b=x y"]\n';
  files[`${folder}/kustomization.yaml`] = text;
  return files;
}

function mergePatch(make: Maker, known: readonly Known[]): string {
  const kinds = ["Deployment", "StatefulSet", "Widget", "Service", "ConfigMap"];
  const fitting = known.filter((one) => kinds.includes(one.kind));
  const one = fitting.length === 0 || make.chance(0.03)
    ? { kind: make.pick(kinds), name: make.pick(names), namespace: false }
    : make.pick(fitting);
  const { kind, name } = one;
  const head = (version: string) =>
    `apiVersion: ${version}\nkind: ${kind}\nmetadata:\n  name: ${name}\n${one.namespace ? "  namespace: one\n" : ""}`;
  const marks = make.pick([
    "",
    '  labels:\n    added: "1"\n',
    "  labels:\n    app: null\n",
    "  annotations:\n    note: patched\n",
    "  annotations: null\n",
  ]);
  if (kind === "Widget") {
    return `${head("example.com/v1")}${marks}spec:\n  a: ${make.pick(values).replaceAll("\n      ", "\n    ")}\n  b: ${
      make.pick(["null", "8080", '"8080"', "x"])
    }\n` +
      make.pick([
        "",
        "  list:\n  - name: z\n",
        "  deep: null\n",
        "  deep:\n    $patch: delete\n",
        "  deep:\n    $patch: replace\n    d: 2\n",
        "  added:\n    x: null\n    y: 1\n",
      ]);
  }
  if (kind === "Service") {
    return `${head("v1")}${marks}spec:\n  ports:\n  - port: ${make.pick(["80", "8080"])}\n    name: http\n` +
      make.pick(["", "  type: NodePort\n"]);
  }
  if (kind === "ConfigMap") {
    return `${head("v1")}${marks}data:\n  a: ${make.pick(["null", "two", '"2"', "2"])}\n  added: x\n`;
  }
  const item = make.pick([
    `      - name: main\n        image: other:${make.pick(["1", "2"])}\n`,
    "      - name: added\n        image: new\n",
    "      - name: side\n        $patch: delete\n",
    "      - name: main\n        env:\n        - name: A\n          value: patched\n        - name: Z\n          value: z\n",
    "      - name: main\n        ports:\n        - containerPort: 80\n          name: web\n",
    "      - name: main\n        $patch: replace\n        image: fresh\n",
    "      - $patch: replace\n      - name: only\n        image: one\n",
    "      - name: main\n        args: null\n        resources:\n          limits: {cpu: 1}\n",
  ]);
  return `${head("apps/v1")}${marks}spec:\n  template:\n    spec:\n      containers:\n${item}` +
    make.pick(["", "  replicas: 5\n", "  selector: null\n"]);
}

function jsonPatch(make: Maker): string {
  return make.pick([
    '- op: add\n  path: /metadata/annotations/x.y~1z\n  value: "1"\n',
    "- op: add\n  path: /metadata/labels/minus\n  value: x\n",
    "- op: add\n  path: /metadata/labels\n  value: {only: this}\n",
    '- op: replace\n  path: /metadata/annotations\n  value: {only: "this"}\n',
    '- op: add\n  path: /extra\n  value: {n: 1000000, f: 1.5, s: yes, t: "yes"}\n',
    '[{"op": "test", "path": "/metadata/name", "value": "web"}]',
    "- op: copy\n  from: /metadata/name\n  path: /metadata/annotations/copied\n",
  ]);
}

const targets = [
  "{kind: Deployment}",
  "{kind: Widget}",
  "{kind: Widget, name: web}",
  "{kind: Service, name: .*}",
  "{group: apps}",
  "{labelSelector: app=web}",
  '{labelSelector: "app in (web, api),!env"}',
  "{annotationSelector: note=first, kind: Widget}",
  "{name: w.b, kind: ConfigMap}",
  "{kind: Deployment|StatefulSet, namespace: default}",
];

function indented(text: string, indent: string): string {
  return text.split("\n").map((line) => (line === "" ? "" : indent + line)).join("\n");
}

/** Files of a random overlay. */
export function randomOverlay(seed: number): OverlayFiles {
  const make = new Maker(seed);
  const known: Known[] = [];
  const files: Record<string, string> = baseFiles(make, "base", known);
  const has = (kind: string, name: string) => known.some((one) => one.kind === kind && one.name === name);
  const lines: string[] = ["resources: [../base]\n"];
  if (make.chance(0.35)) lines.push(`namespace: ${make.pick(["one", "two", "default"])}\n`);
  if (make.chance(0.35)) lines.push(`namePrefix: ${make.pick(["dev-", "p."])}\n`);
  if (make.chance(0.25)) lines.push("nameSuffix: -v2\n");
  if (make.chance(0.2)) lines.push("commonLabels:\n  common: label\n  app: all\n");
  if (make.chance(0.25)) lines.push(`commonAnnotations:\n  common: "${make.pick(["note", "1", "yes"])}"\n`);
  if (make.chance(0.35)) {
    lines.push(
      `labels:\n- pairs:\n    extra: ${make.pick(['"1"', "text"])}\n${
        make.pick(["", "  includeSelectors: true\n", "  includeTemplates: true\n"])
      }`,
    );
  }
  if (make.chance(0.35)) {
    lines.push(
      `images:\n- name: ${make.pick(["nginx", "busybox", "app", "registry.example.com:5000/team/app"])}\n${
        make.pick([
          "  newTag: v9\n",
          "  newName: other.io/x\n",
          "  digest: sha256:feed\n",
          '  newName: yy\n  newTag: "2"\n',
          "  newTag: a\n  digest: sha256:b\n",
        ])
      }`,
    );
  }
  const scaled = known.filter((one) => one.kind === "Deployment" || one.kind === "StatefulSet");
  if (make.chance(0.25) && scaled.length > 0) {
    lines.push(`replicas:\n- name: ${make.pick(scaled).name}\n  count: ${make.count(9)}\n`);
  }
  if (make.chance(0.3)) {
    lines.push(
      `configMapGenerator:\n- name: ${
        has("ConfigMap", "settings") && make.chance(0.5)
          ? `settings\n${make.pick(["  behavior: merge\n", "  behavior: replace\n"])}`
          : `extra\n${make.pick(["", "  behavior: create\n"])}`
      }  literals:\n  - ${make.pick(["k=v", "a='quoted'", "n=1"])}\n${
        make.pick([
          "",
          "  options: {disableNameSuffixHash: true}\n",
          '  options: {labels: {x: "1"}, immutable: true}\n',
        ])
      }`,
    );
  }
  if (make.chance(0.2)) lines.push("secretGenerator:\n- name: keys2\n  literals: [p=w]\n  type: example.com/t\n");
  if (make.chance(0.1)) lines.push("generatorOptions:\n  labels: {gen: x}\n  annotations: {gen: why}\n");
  const patches: string[] = [];
  const patchCount = make.count(2);
  for (let at = 0; at < patchCount; at++) {
    const isMerge = make.chance(0.6);
    const patch = isMerge ? mergePatch(make, known) : jsonPatch(make);
    const withTarget = !isMerge || make.chance(0.4);
    patches.push(`- patch: |-\n${indented(patch, "    ")}\n${withTarget ? `  target: ${make.pick(targets)}\n` : ""}`);
  }
  if (patches.length > 0) lines.push(`patches:\n${patches.join("")}`);
  if (make.chance(0.25) && has("ConfigMap", "settings") && known.some((one) => one.kind === "Widget")) {
    lines.push(
      `replacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: ${
        make.pick(["data.a", "metadata.name"])
      }}\n  targets:\n  - select: {kind: ${make.pick(["Widget", "Widget", "Deployment"])}}\n    fieldPaths: [${
        make.pick(["spec.a", "spec.b", "spec.deep.c", "spec.list.[name=x].v", "spec.list.*.name", "spec.list.1.name"])
      }]\n${make.pick(["", "    options: {create: true}\n", "    options: {delimiter: '-', index: 1}\n"])}`,
    );
  }
  if (make.chance(0.15) && has("ConfigMap", "settings")) {
    lines.push(
      "vars:\n- name: VALUE\n  objref: {kind: ConfigMap, name: settings, apiVersion: v1}\n  fieldref: {fieldpath: data.a}\n",
    );
  }
  if (make.chance(0.1)) lines.push(`sortOptions: {order: ${make.pick(["legacy", "fifo"])}}\n`);
  if (make.chance(0.1)) {
    lines.push(
      `buildMetadata: [${
        make.pick([
          "originAnnotations",
          "transformerAnnotations",
          "managedByLabel",
          "originAnnotations, transformerAnnotations",
        ])
      }]\n`,
    );
  }
  if (make.chance(0.15)) {
    files["component/kustomization.yaml"] = `apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n${
      make.pick(["namePrefix: c-\n", "labels:\n- pairs: {comp: x}\n", "namespace: three\n"])
    }`;
    lines.push("components: [../component]\n");
  }
  files["overlay/kustomization.yaml"] = lines.join("");
  return files;
}
