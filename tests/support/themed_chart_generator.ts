import { tarOf } from "./tar_of.ts";

/** What a random chart is about. */
export const chartThemes = [
  "files",
  "mutation",
  "dependencies",
  "nulls",
  "schema",
  "layout",
  "names",
  "metadata",
] as const;

export type ChartTheme = (typeof chartThemes)[number];

/** A chart of random parts around one theme, and arguments to render it with. */
export interface ThemedChart {
  readonly theme: ChartTheme;
  /** Text or bytes by path below the chart's folder. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Folders that are empty. */
  readonly folders: readonly string[];
  /** Text of the file that stands for VALUES in the arguments. */
  readonly values: string;
  /** All arguments: CHART, OUT and VALUES stand for paths. */
  readonly args: readonly string[];
}

type Files = Record<string, string | Uint8Array>;

interface Part {
  /** "" or ending in a slash. */
  readonly folder: string;
  readonly name: string;
  readonly depth: number;
}

const names = ["db", "web", "cache"] as const;
const odd = [null, "", 0, 1, -1.5, true, false, "x", "true", [], {}, [null], ["a", 1], { a: null }, { a: { b: 1 } }];
const words = ["a", "b", "on", "text", "inner", "list"] as const;

const fileNames = [
  "a.txt",
  "b.txt",
  "f/a.txt",
  "f/b.yaml",
  "f/g/c.txt",
  "f/.hidden",
  ".dot",
  "f/é.txt",
  "f/x y.txt",
  "f/[z].txt",
  "f/{q}.txt",
  "f/a*b",
  "f/back\\slash",
  "F/A.TXT",
  "README.md",
  "LICENSE",
  "values-prod.yaml",
  "charts/README.md",
  "charts/_x/a.txt",
  "charts/.y/Chart.yaml",
  "crds/README.txt",
  "crds/deep/c.yaml",
  "crds/c.json",
  "templates/_x.txt",
  "templates/f/x.txt",
  "templates/.hidden.yaml",
  "templatesx/a.txt",
  "Chart.lock",
  "ci/values.yaml",
  "f/a.txt~",
  "f/#x#",
  "tpl.gotmpl",
];

const fileBytes: readonly (string | Uint8Array)[] = [
  "",
  "one",
  "one\n",
  "one\ntwo\n\n",
  "\n",
  "\n\n",
  "a\r\nb\r\n",
  "\ufeffmark\n",
  "  lead\n",
  "tab\there\n",
  "trail \n",
  "é 日本 😀\n",
  "{{ .Values.a }}\n",
  "key: value\nother: [1]\n",
  "# note\n",
  "- a\n- b\n",
  "a: 'b'\n---\nc: d\n",
  "true",
  "123",
  "null",
  "no end\n  \n",
  "x".repeat(200),
  "word ".repeat(40),
  "a\u0000b",
  "a\u0007b\u001b\n",
  "\u0085next\u2028line\n",
  Uint8Array.from([0xff, 0xfe, 0x00, 0x41]),
  Uint8Array.from([0xc3, 0x28, 0x0a]),
  Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
  Uint8Array.from([0x80]),
];

const patterns = [
  "*",
  "**",
  "f/*",
  "f/**",
  "**/*",
  "**.txt",
  "*.txt",
  "f/?.txt",
  "f/[ab].txt",
  "f/[!a].txt",
  "f/[^a].txt",
  "f/[a-c].txt",
  "{a,b}.txt",
  "{f/,}a.txt",
  "f/{a,g/c}.txt",
  "f/*/c.txt",
  "f/**/c.txt",
  "f/\\[z\\].txt",
  "f/\\{q\\}.txt",
  "f/a\\*b",
  "f/[",
  "f/]",
  "f/{",
  "f/{a",
  "f/[]a].txt",
  "f/[a",
  "f/[b-a].txt",
  "{}",
  "{,}",
  "f/{a,{b,x y}}.*",
  "",
  "./a.txt",
  "/a.txt",
  "../*",
  "a.txt",
  "f",
  "f/",
  ".*",
  "**/.*",
  "?",
  "????????",
  "[!]",
  "[]",
  "[!f]*",
  "***",
  "**/**",
  "f/é.*",
  "f/?.*",
  "\\",
  "f/\\",
  "a,b",
  "{a.txt}",
  "[a-]*",
  "[a\\-z]*",
  "F/*",
  "charts/**",
  "templates/**",
  "crds/*",
];

const ignoreRules = [
  "*.txt",
  "f/",
  "f",
  "/f/a.txt",
  "f/a.txt",
  "a.txt",
  "/a.txt",
  "!a.txt",
  "!f",
  "!*.yaml",
  "!*",
  "*",
  "/*",
  "f/*",
  "f/*/c.txt",
  "g",
  "g/",
  "/g/",
  "f/g/",
  "[ab].txt",
  "[^a].txt",
  "[!a].txt",
  "[",
  "a\\.txt",
  "\\#x#",
  "#x#",
  "  b.txt  ",
  "\tb.txt",
  "b.txt\r",
  "x y.txt",
  "?.txt",
  "**/a.txt",
  "f/**",
  ".*",
  ".dot",
  ".helmignore",
  "templates/",
  "templates/f/",
  "templates/a.yaml",
  "templates/*.yaml",
  "charts",
  "charts/",
  "charts/db",
  "charts/*",
  "Chart.yaml",
  "values.yaml",
  "values.schema.json",
  "crds/",
  "!/",
  "/",
  "//a.txt",
  "./a.txt",
  "a.txt/",
  "!f/",
  "é.txt",
  "f/[z].txt",
  "f/\\[z\\].txt",
  "",
  "# only",
  "\ufeff# c",
  "~",
  "*~",
];

const kinds = [
  "PriorityClass Namespace NetworkPolicy ResourceQuota LimitRange PodSecurityPolicy PodDisruptionBudget ServiceAccount Secret",
  "SecretList ConfigMap StorageClass PersistentVolume PersistentVolumeClaim CustomResourceDefinition ClusterRole ClusterRoleList",
  "ClusterRoleBinding ClusterRoleBindingList Role RoleList RoleBinding RoleBindingList Service DaemonSet Pod ReplicationController",
  "ReplicaSet Deployment HorizontalPodAutoscaler StatefulSet Job CronJob IngressClass Ingress APIService Thing Another List",
  "MutatingWebhookConfiguration ValidatingWebhookConfiguration ConfigMapList",
].join(" ").split(" ");

const hooks = [
  "pre-install",
  "post-install",
  "pre-upgrade,post-upgrade",
  "test",
  "test-success",
  "test-failure",
  "crd-install",
  "pre-delete, post-delete",
  "pre-rollback",
  "nothing",
  "pre-install,nothing",
  "",
  " post-install ",
  "PRE-INSTALL",
];

const documents = [
  "# only a note\n",
  "---\n",
  "\n\n",
  "--- # note\nkind: A\n",
  "---\nkind: A\n---\n---\nkind: B\n",
  "kind: A\n...\nkind: B\n",
  "---kind: A\n",
  " ---\nkind: A\n",
  "kind: A\r\n---\r\nkind: B\r\n",
  "text: |\n  ---\n  inner\nkind: A\n",
  "- kind: A\n",
  "word\n",
  "kind: A\nkind: B\n",
  "kind: [A]\n",
  "kind: A\nmetadata: x\n",
  "kind: A\nmetadata:\n  name: 5\n",
  "kind: A\nmetadata:\n  annotations: {a: 1}\n",
  "kind: A\nmetadata:\n  annotations: null\n",
  "{kind: A}\n",
  '{"kind": "A"}\n',
  "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n---  \napiVersion: v1\nkind: Secret\n",
  "\ufeffkind: A\n",
  "kind: A # é\n",
  "a: b: c\n",
  "\tkind: A\n",
  "kind: A\n---\n# end\n",
  "# begin\n---\nkind: A\n",
  "kind: A\n---",
  "kind: A\n\n\n\n",
  "   \nkind: A",
];

const chartLines = [
  "type: library",
  "type: application",
  "type: ''",
  "type: Library",
  "type: 5",
  "unknown: 1",
  "UNKNOWN: {a: b}",
  "Name: other",
  "NAME: other",
  "kubeVersion: '>=1.20.0-0'",
  "kubeVersion: '>=1.99'",
  "kubeVersion: 'no version'",
  "kubeVersion: 1.30",
  "kubeVersion: '>= 1.20 < 1.50 || ^2'",
  "kubeVersion: ''",
  "deprecated: true",
  "deprecated: yes",
  "deprecated: 'true'",
  "deprecated: null",
  "deprecated: 1",
  "appVersion: 1.20",
  "appVersion: '1.20'",
  "appVersion: 1e3",
  "appVersion: true",
  "appVersion: 2020-01-01",
  'appVersion: "a\\nb\\u0007"',
  "appVersion: [1]",
  "keywords: [a, b]",
  "keywords: [1]",
  "keywords: a",
  "keywords: [null, '']",
  "keywords: {a: b}",
  "sources: [https://e.x]",
  "sources: [null]",
  "sources: x",
  "maintainers: [{name: a, email: b, url: c}]",
  "maintainers: [{name: ''}]",
  'maintainers: [{name: "a\\tb"}]',
  "maintainers: [null]",
  "maintainers: [x]",
  "maintainers: {name: x}",
  "maintainers: []",
  "maintainers: [{name: a, unknown: b}, {Name: c}]",
  "annotations: {a: b}",
  "annotations: {a: 1}",
  "annotations: {a: null}",
  "annotations: {a: [b]}",
  "annotations: [a]",
  'annotations: {category: \'x\', "licenses": "y\\n"}',
  'description: "tab\\there \\u0001 end\\n"',
  "description: 5",
  "description: null",
  "description: |\n  many\n  lines",
  "icon: 5",
  "icon: https://e.x/i.png",
  "home: [x]",
  "home: null",
  "engine: gotpl",
  "tags: a,b",
  "tags: [a]",
  "condition: a.b",
  "condition: 5",
  "tillerVersion: '>=2'",
  "version: 2.0.0",
  "version: v1.2.3",
  "version: 1.2",
  "version: 1",
  "version: 1.2.3.4",
  "version: 1.0.0-01",
  "version: 01.0.0",
  "version: ''",
  "version: null",
  "version: x",
  "version: 1.0.0+a.b",
  "version: 1.0.0+a_b",
  "version: 1.0.0-rc.1+é",
  "version: [1]",
  "version: ' 1.0.0 '",
  "name: other",
  "name: 'a b'",
  "name: A.b_C",
  "name: é",
  "name: ..",
  "name: .",
  "name: a/b",
  "name: 'a\\b'",
  "name: ''",
  "name: null",
  "name: 5",
  "name: [x]",
  'name: "a\\nb"',
  "apiVersion: v1",
  "apiVersion: v3",
  "apiVersion: V2",
  "apiVersion: ''",
  "apiVersion: null",
  "apiVersion: 2",
  "apiVersion: v2beta1",
  "dependencies: []",
  "dependencies: null",
  "dependencies: {}",
  "dependencies: x",
  "dependencies: [null]",
  "dependencies: [x]",
  "dependencies: [{}]",
  "dependencies: [{name: ''}]",
  "dependencies: [{name: db}]",
  "dependencies: [{name: db, version: 1}]",
  "dependencies: [{name: db, version: '*', alias: 5}]",
  "dependencies: [{name: db, version: '*', alias: 'a/b'}]",
  "dependencies: [{name: db, version: '*', tags: x}]",
  "dependencies: [{name: db, version: '*', enabled: false}]",
  "dependencies: [{name: db, version: '*', enabled: 'x'}]",
  "dependencies: [{name: db, version: '*', import-values: x}]",
  "dependencies: [{name: db, version: '*', import-values: [5, null, [a], {child: 1, parent: x}, {child: a}]}]",
  "dependencies: [{name: db, version: '*'}, {name: db, version: '*'}]",
  "dependencies: [{name: db, version: '*'}, {name: web, version: '*', alias: db}]",
  "dependencies: [{name: gone, version: '*'}]",
  "dependencies: [{name: gone, version: '*', condition: a}]",
  "dependencies: [{name: db, version: '*', unknown: x}]",
  "dependencies: [{Name: db, VERSION: '*'}]",
  "a: b: c",
  "<<: {type: library}",
  "? [x]\n: y",
  "!!binary aGk=: x",
  "---\nname: second",
  "...",
  "&x anchor: *x",
];

const tellChart = [
  "toJson .Chart",
  "toYaml .Chart",
  "printf `%v` .Chart.Metadata",
  "printf `%#v` .Chart.Keywords",
  ".Chart.Name",
  ".Chart.Version",
  ".Chart.AppVersion",
  ".Chart.Annotations.a",
  "toJson .Chart.Annotations",
  ".Chart.Unknown",
  ".Chart.unknown",
  ".Chart.IsRoot",
  ".Chart.Type",
  ".Chart.APIVersion",
  ".Chart.KubeVersion",
  ".Chart.Deprecated",
  ".Chart.Description",
  "toJson .Chart.Maintainers",
  "range .Chart.Maintainers }}{{ .Name }}{{ end }}{{ print 1",
  "toJson .Chart.Dependencies",
  "range .Chart.Dependencies }}{{ .Name }}:{{ .Enabled }}:{{ .Alias }}:{{ .ImportValues }},{{ end }}{{ print 1",
  "kindOf .Chart",
  "typeOf .Chart",
  "index .Chart.Annotations `a`",
  "hasKey .Chart `Name`",
  "get .Chart `Name`",
  ".Chart.Metadata.Name",
  ".Chart.Validate",
  "replace `+` `_` .Chart.Version | trunc 63",
];

const changes = [
  "set .Values `mark` MARK",
  "set .Values `a` (list MARK)",
  "unset .Values `a`",
  "unset .Values `global`",
  "set .Values `global` (dict `new` MARK)",
  "set .Values.global `mark` MARK",
  "unset .Values.global `a`",
  "set (default (dict) .Values.global) MARK 1",
  "merge .Values (dict `merged` MARK)",
  "mergeOverwrite .Values (dict `a` MARK)",
  "mergeOverwrite .Values.global (dict `deep` (dict `x` MARK))",
  "mustMerge .Values.inner (dict `m` MARK)",
  "set .Values.inner `m` .Values.global",
  "set .Values `db` (dict `from` MARK)",
  "set .Values.db `from` MARK",
  "set .Values.db.global `viaDb` MARK",
  "set .Values.web `from` MARK",
  "unset .Values `db`",
  "set .Subcharts.db.Values `viaSub` MARK",
  "set .Subcharts.db.Values.global `viaSubGlobal` MARK",
  "set .Subcharts.db `Extra` MARK",
  "set .Subcharts `new` MARK",
  "unset .Subcharts `db`",
  "set . `Extra` MARK",
  "set . `Values` (dict `fresh` MARK)",
  "set $ `Release` (dict `Name` MARK)",
  "set .Release `Mark` MARK",
  "set .Release `Name` MARK",
  "set .Capabilities `x` MARK",
  "set .Template `Name` MARK",
  "set .Chart `Name` MARK",
  "set .Files `x` MARK",
  "set (deepCopy .Values) `deep` MARK",
  "set (index .Values `list` 0) `x` MARK",
  "set (dict) `a` .Values",
  'tpl `{{ $_ := set .Values "tpl" 1 }}` .',
  'tpl `{{ $_ := set .Values.global "tplg" 1 }}` .',
  'include "change" .',
  'include "change" (dict `Values` .Values)',
  "pick .Values `a`",
  "omit .Values `a`",
];

const tellValues = [
  "toJson .Values",
  "toJson .Values",
  "toJson .Values.global",
  "toJson .Subcharts",
  "toJson .Values.db",
  "keys . | sortAlpha | join `,`",
  "toJson .Release",
  "toJson .Template",
  ".Extra",
  "printf `%v` .Values",
];

const pick = {
  showOnly: [
    "templates/a.yaml",
    "templates/*.yaml",
    "templates/**",
    "templates/*/*.yaml",
    "charts/db/templates/a.yaml",
    "charts/*/templates/*.yaml",
    "charts/*/templates/a.yaml",
    "charts/db/*",
    "charts/*/*",
    "*",
    "*/*",
    "charts/db/charts/web/templates/a.yaml",
    "charts/*/charts/*/templates/*",
    "charts/db2/templates/a.yaml",
    "templates/NOTES.txt",
    "templates/_parts.tpl",
    "crds/crd.yaml",
    "charts/db/crds/crd.yaml",
    "templates/[ab].yaml",
    "templates/[",
    "templates/a.y?ml",
    "templates\\a.yaml",
    "./templates/a.yaml",
    "templates//a.yaml",
    "templates/../templates/a.yaml",
    "app/templates/a.yaml",
    "templates/t.yaml",
    "templates/nope.yaml",
    "",
  ],
  sets: [
    "a=1",
    "a=null",
    "inner=null",
    "inner.a=null",
    "db=null",
    "db.a=null",
    "db.inner=null",
    "db.inner.a=null",
    "db.inner.b.c=1",
    "db.web.a=null",
    "db.global=null",
    "global=null",
    "global.a=null",
    "global.inner.a=5",
    "global.on=true",
    "db.enabled=true",
    "db.enabled=false",
    "db.enabled=null",
    "db.enabled=yes",
    "web.enabled=false",
    "db2.enabled=true",
    "db2.a=9",
    "tags.front=true",
    "tags.front=false",
    "tags.back=true",
    "tags=null",
    "tags.db=false",
    "db.tags.front=false",
    "on=false",
    "inner=5",
    "db=5",
    "global=5",
    "list[0]=x",
    "list[2].a=x",
    "exports.data.a=7",
    "db.exports.data.a=7",
    "db.exports=null",
  ],
} as const;

/**
 * Puts charts together at random, each about one theme that real charts touch seldom: odd files and `.helmignore`s, values that
 * templates change, dependencies and what they import, nulls, schemas, the layout of output, names that collide, odd metadata.
 * The same seed gives the same charts.
 */
export class ThemedChartGenerator {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 2654435761) >>> 0;
  }

  /** The next chart, of one theme or of a random one. */
  async chart(theme: ChartTheme = this.#one(chartThemes)): Promise<ThemedChart> {
    const files: Files = {};
    this.#part(files, { folder: "", name: "app", depth: 0 }, theme);
    const folders = theme === "files" ? this.#some(["e", "f/empty", "templates/none", "charts/none"], 0.2) : [];
    if (theme !== "files" || this.#chance(0.3)) await this.#packSome(files);
    if (this.#chance(0.02)) delete files["Chart.yaml"];
    return { theme, files, folders, values: this.#yaml(this.#values(names, theme)), args: this.#arguments(theme) };
  }

  #random(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state / 2 ** 32;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #one<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T;
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #some<T>(items: readonly T[], share: number): T[] {
    return items.filter(() => this.#chance(share));
  }

  #many<T>(most: number, make: (index: number) => T): T[] {
    return Array.from({ length: 1 + this.#below(most) }, (_, index) => make(index));
  }

  #yaml(value: unknown): string {
    return this.#chance(0.02)
      ? this.#one(["", "null\n", "# none\n", "{}\n", "{}\n", "[]\n", "x\n"])
      : JSON.stringify(value);
  }

  #table(depth: number): Record<string, unknown> {
    return Object.fromEntries(this.#some(words, 0.4).map((word) => [word, this.#value(depth)]));
  }

  #value(depth: number): unknown {
    if (depth > 0 && this.#chance(0.5)) return this.#table(depth - 1);
    return this.#chance(0.25) ? null : this.#one(odd);
  }

  #values(children: readonly string[], theme: ChartTheme, depth = 2): Record<string, unknown> {
    const values: Record<string, unknown> = this.#table(2);
    if (theme === "mutation" && this.#chance(0.7)) values.inner = { a: 1 };
    for (const child of children) {
      if (this.#chance(0.3)) continue;
      values[child] = this.#chance(0.06) ? this.#one(odd) : {
        ...depth > 0 ? this.#values(this.#some(names, 0.3), theme, depth - 1) : this.#table(2),
        ...(this.#chance(0.5) ? { enabled: this.#one([true, false, "true", null, 1, {}]) } : {}),
      };
    }
    if (this.#chance(theme === "mutation" ? 0.8 : 0.4)) {
      values.global = this.#chance(0.05) ? this.#one(odd) : this.#table(2);
    }
    if (this.#chance(0.3)) {
      values.tags = this.#chance(0.1) ? this.#one(odd) : Object.fromEntries(
        this.#some(["front", "back", "db"], 0.6).map((tag) => [tag, this.#one([true, false, true, false, "x", null])]),
      );
    }
    if (this.#chance(0.4)) {
      values.exports = this.#chance(0.1)
        ? this.#one(odd)
        : { data: this.#table(2), deep: { more: this.#table(1) }, ...this.#table(1) };
    }
    return values;
  }

  #dependency(name: string): Record<string, unknown> {
    const imports = this.#some<unknown>([
      "data",
      "deep",
      "deep.more",
      "missing",
      { child: "inner", parent: "inner" },
      { child: "inner", parent: "imported.deep" },
      { child: "text", parent: "." },
      { child: "exports.data", parent: "a" },
      { child: "missing", parent: "a" },
      { child: "inner.inner", parent: "global" },
      { child: ".", parent: "all" },
      { child: "global", parent: "fromGlobal" },
      { child: "web.inner", parent: "b.c.d" },
      { child: "web", parent: "." },
      { child: "inner", parent: "web" },
    ], this.#chance(0.5) ? 0.2 : 0);
    if (this.#chance(0.03)) {
      imports.push(
        this.#one<unknown>([5, null, ["x"], {}, { child: "a" }, { parent: "a" }, "", { child: 1, parent: 2 }]),
      );
    }
    const condition = this.#one([
      `${name}.enabled`,
      `global.on,${name}.enabled`,
      `missing,${name}.enabled`,
      "on",
      "inner.on",
      "on, inner.on",
      "text,list,on",
      "a.b.c",
      "global",
      "",
      " on ",
      ",on",
      "tags.front",
      "on;inner.on",
    ]);
    return {
      name,
      version: this.#chance(0.03) ? this.#one(["2.x", "", "x", "^1", "1.0.0 - 2.0.0", ">1", "=1.0.0"]) : "*",
      ...(this.#chance(0.3)
        ? { repository: this.#one(["", "https://e.x", "file://../x", "oci://e.x", "@e", 5, null]) }
        : {}),
      ...(this.#chance(0.5) ? { condition } : {}),
      ...(this.#chance(0.3) ? { tags: this.#some(["front", "back", "none", "db"], 0.5) } : {}),
      ...(this.#chance(0.25)
        ? { alias: this.#chance(0.9) ? `${name}2` : this.#one(["web", "global", "a-b", "A.b", "", "x y"]) }
        : {}),
      ...(imports.length > 0 ? { "import-values": imports } : {}),
      ...(this.#chance(0.05) ? { enabled: this.#chance(0.5) } : {}),
    };
  }

  #part(files: Files, part: Part, theme: ChartTheme): void {
    const { folder, name, depth } = part;
    const share = {
      dependencies: 0.7,
      mutation: 0.6,
      nulls: 0.5,
      layout: 0.45,
      names: 0.6,
      schema: 0.4,
      metadata: 0.4,
      files: 0.2,
    }[theme];
    const children = depth < 2 ? this.#some(names, share - depth * 0.15) : [];
    const declared = children.filter(() => this.#chance(0.8)).flatMap((child) =>
      this.#chance(0.12)
        ? [this.#dependency(child), {
          ...this.#dependency(child),
          ...(this.#chance(0.9) ? { alias: `${child}3` } : {}),
        }]
        : [this.#dependency(child)]
    );
    if (this.#chance(0.02)) declared.push(this.#dependency("gone"));
    this.#head(files, part, theme, declared);
    const known = [...children, ...declared.flatMap(({ alias }) => typeof alias === "string" ? [alias] : [])];
    if (this.#chance(0.9)) files[`${folder}values.yaml`] = this.#yaml(this.#values(known, theme));
    if (theme === "schema" && this.#chance(0.6)) files[`${folder}values.schema.json`] = this.#schemaText();
    files[`${folder}templates/a.yaml`] = this.#template(part, theme);
    if (this.#chance(0.5)) files[`${folder}templates/b.yaml`] = this.#template(part, theme);
    if (theme === "names" || theme === "mutation") {
      for (const file of this.#some(["_parts.tpl", "_z.tpl", "z/_a.yaml", "c.tpl", "A.yaml"], 0.5)) {
        files[`${folder}templates/${file}`] = this.#named(name, file);
      }
    }
    if (theme === "layout") this.#layout(files, part);
    if (theme === "files") this.#oddFiles(files, part);
    if (this.#chance(theme === "layout" ? 0.4 : 0.1)) {
      files[`${folder}templates/NOTES.txt`] = this.#one([
        "Notes of {{ .Chart.Name }} {{ .Template.Name }}\n",
        "{{ if .Values.a }}{{ fail `in the notes` }}{{ end }}",
        "\n\n{{ toJson .Values }}\n\n",
        "{{ define `shared` }}notes{{ end }}",
        "",
      ]);
    }
    for (const child of children) {
      const at = this.#chance(0.06) ? this.#one(["other", "_" + child, "." + child, "a b"]) : child;
      this.#part(files, { folder: `${folder}charts/${at}/`, name: child, depth: depth + 1 }, theme);
    }
  }

  #head(files: Files, { folder, name, depth }: Part, theme: ChartTheme, declared: readonly unknown[]): void {
    const isOld = declared.length > 0 && this.#chance(0.15);
    const head: Record<string, unknown> = {
      apiVersion: isOld || this.#chance(0.1) ? "v1" : "v2",
      name,
      version: "1.0.0",
      ...(depth > 0 && this.#chance(0.15) ? { type: "library" } : {}),
      ...(declared.length > 0 && !isOld ? { dependencies: declared } : {}),
    };
    if (isOld) {
      files[`${folder}requirements.yaml`] = this.#chance(0.1)
        ? this.#one(["", "x\n", "dependencies: x\n", "a: b: c\n"])
        : JSON.stringify({ dependencies: declared });
    } else if (this.#chance(0.03)) files[`${folder}requirements.yaml`] = "dependencies:\n- {name: web, version: '*'}\n";
    let text = Object.entries(head).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`).join("");
    if (theme === "metadata" && this.#chance(depth === 0 ? 0.9 : 0.4)) {
      for (const line of this.#many(2, () => this.#one(chartLines))) {
        const key = /^(\w+):/.exec(line)?.[1];
        const old = new RegExp(`^${key}: .*\n`, "m");
        text = key !== undefined && old.test(text) && this.#chance(0.97)
          ? text.replace(old, `${line}\n`)
          : `${text}${line}\n`;
      }
      if (this.#chance(0.05)) text = text.replace(/^(apiVersion|name|version): .*\n/m, "");
    }
    files[`${folder}Chart.yaml`] = text;
  }

  #template(part: Part, theme: ChartTheme): string {
    const lines = this.#many(4, (index) => {
      const { before, told } = this.#told(part, theme);
      return `${before}  v${index}: {{ ${told} | ${this.#one(["quote", "toString | quote", "toJson", "toJson"])} }}\n`;
    });
    const kind = theme === "layout" ? this.#one(kinds) : this.#one(["ConfigMap", "Secret", "Service"]);
    return `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: {{ .Release.Name }}-${part.name}\ndata:\n${
      lines.join("")
    }`;
  }

  #told({ name }: Part, theme: ChartTheme): { readonly before: string; readonly told: string } {
    switch (theme) {
      case "files":
        return { before: "", told: this.#aboutFiles() };
      case "mutation": {
        const change = this.#one(changes).replaceAll("MARK", JSON.stringify(`${name}${this.#below(100)}`));
        return { before: `{{- $_ := ${change} }}\n`.repeat(this.#chance(0.5) ? 1 : 0), told: this.#one(tellValues) };
      }
      case "metadata":
        return { before: "", told: this.#one(tellChart) };
      case "names":
        return {
          before: "",
          told: this.#one([
            'include "shared" .',
            'include "other" .',
            'include "shared" .Values',
            'include (print .Template.BasePath "/b.yaml") .',
            'include (print $.Template.BasePath "/_parts.tpl") .',
            'include "app/templates/a.yaml" .',
            'include "app/charts/db/templates/b.yaml" .',
            'include "db/templates/b.yaml" .',
            ".Template.Name",
            ".Template.BasePath",
            "toJson .Template",
            "toJson .Subcharts",
            ".Subcharts.db.Chart.Name",
            ".Subcharts.db.Values.a",
            ".Subcharts.db2.Template.Name",
            "keys .Subcharts | sortAlpha",
            "range $k, $v := .Subcharts }}{{ $k }}={{ $v.Chart.Name }}:{{ keys $v | sortAlpha }};{{ end }}{{ print 1",
            'include "shared" .Subcharts.db',
            'tpl (include "shared" .) .Subcharts.db',
            'tpl `{{ define "shared" }}tpl{{ end }}{{ include "shared" . }}` .',
            'tpl `{{ template "other" . }}` .',
            "tpl `{{ .Template.Name }}` .",
            'include "missing" .',
            ".Chart.IsRoot",
            ".Chart.Type",
            "block `blocked` . }}{{ .Chart.Name }}{{ end }}{{ print 1",
          ]),
        };
      default:
        return {
          before: "",
          told: this.#one([
            "toJson .Values",
            "toJson .Values",
            "toJson .Values",
            "toYaml .Values",
            "printf `%v` .Values",
            "toJson .Values.global",
            "toJson .Subcharts",
          ]),
        };
    }
  }

  #aboutFiles(): string {
    const file = JSON.stringify(this.#one(fileNames));
    const pattern = JSON.stringify(this.#one(patterns));
    return this.#one([
      `.Files.Get ${file}`,
      `.Files.GetBytes ${file}`,
      `printf "%v" (.Files.GetBytes ${file})`,
      `.Files.GetBytes ${file} | toString | b64enc`,
      `len (.Files.GetBytes ${file})`,
      `.Files.Lines ${file}`,
      `len (.Files.Lines ${file})`,
      `range .Files.Lines ${file} }}[{{ . }}]{{ end }}{{ print 1`,
      `(.Files.Glob ${pattern}).AsConfig`,
      `(.Files.Glob ${pattern}).AsSecrets`,
      `(.Files.Glob ${pattern}).Get ${file}`,
      `range $k, $v := .Files.Glob ${pattern} }}{{ $k }}={{ $v }};{{ end }}{{ print 1`,
      `range $k, $v := .Files.Glob ${pattern} }}{{ $k }}={{ len $v }};{{ end }}{{ print 1`,
      `keys (.Files.Glob ${pattern}) | sortAlpha`,
      `toJson (.Files.Glob ${pattern})`,
      `len (.Files.Glob ${pattern})`,
      `index .Files ${file}`,
      `printf "%s" (index .Files ${file})`,
      ".Files.AsConfig",
      ".Files.AsSecrets",
      "keys .Files | sortAlpha",
      "toYaml .Files",
      "typeOf .Files",
      `typeOf (.Files.Glob ${pattern})`,
      `tpl (.Files.Get ${file}) .`,
      `.Files.Get ${file} | fromYaml`,
      `(.Files.Glob ${pattern}).Glob "*.txt" | len`,
      ".Files.Get 5",
      ".Files.Nope",
      `if .Files.Glob ${pattern} }}yes{{ end }}{{ print 1`,
      `get .Files ${file}`,
      `hasKey .Files ${file}`,
      `range $k, $_ := .Files }}{{ $k }},{{ end }}{{ print 1`,
    ]);
  }

  #oddFiles(files: Files, { folder }: Part): void {
    for (const file of this.#some(fileNames, 0.35)) {
      // Most contents of these end the load.
      if (/^(?:charts\/README|Chart\.lock)/.test(file) && this.#chance(0.95)) continue;
      files[`${folder}${file}`] = this.#one(fileBytes);
    }
    if (this.#chance(0.7)) {
      files[`${folder}.helmignore`] = this.#many(3, () => this.#one(ignoreRules)).join("\n") + this.#one(["", "\n"]);
    }
  }

  #named(chart: string, file: string): string {
    const body = `${chart}/${file}/{{ .Template.Name }}/{{ .Chart.Name }}`;
    const own = `{{- define "change" }}{{ $_ := set .Values "changed" "${chart}" }}{{ end }}`;
    return own + this.#some([
      `{{- define "shared" }}${body}{{ end }}\n`,
      `{{- define "other" -}}\nother {{ include "shared" . }}\n{{- end }}\n`,
      `{{- define "app/templates/b.yaml" }}taken{{ end }}\n`,
      `{{- define "blocked" }}no{{ end }}\n`,
      `{{- define "empty" }}{{ end }}\n`,
      `{{- define "shared" }}  {{ end }}\n`,
      "text: outside\n",
      `{{- define "shared" }}{{/* none */}}{{ end }}\n`,
    ], 0.35).join("");
  }

  #layout(files: Files, { folder, name }: Part): void {
    for (
      const file of this.#some(["t.yaml", "x/y.yaml", "z.json", "n.txt", "none", ".h.yaml", "_u.yaml", "w.yml"], 0.35)
    ) {
      files[`${folder}templates/${file}`] = this.#many(3, () => this.#resource(name)).join("---\n");
    }
    if (this.#chance(0.15)) files[`${folder}templates/odd.yaml`] = this.#one(documents);
    for (const file of this.#some(["crd.yaml", "two/crd.yaml", "a.json", "README.md", "t.yml", "UP.YAML"], 0.25)) {
      files[`${folder}crds/${file}`] = this.#one([
        `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: ${name}\n`,
        "---\nkind: CustomResourceDefinition\nmetadata: {name: a}\n---\nkind: CustomResourceDefinition\nmetadata: {name: b}\n",
        "kind: {{ .Values.a }}\n",
        "",
        "\ufeffkind: X",
        "a: b: c\n",
        ...documents,
      ]);
    }
  }

  #resource(name: string): string {
    const notes = {
      ...(this.#chance(0.4) ? { "helm.sh/hook": this.#one(hooks) } : {}),
      ...(this.#chance(0.25)
        ? { "helm.sh/hook-weight": this.#one(["0", "5", "-5", "x", "", "1.5", " 1", "+3", "99999999999", "007"]) }
        : {}),
      ...(this.#chance(0.1)
        ? { "helm.sh/hook-delete-policy": this.#one(["hook-succeeded", "before-hook-creation, hook-failed", "odd"]) }
        : {}),
      ...(this.#chance(0.1) ? { "helm.sh/resource-policy": "keep" } : {}),
      ...(this.#chance(0.05) ? { "helm.sh/hook-output-log-policy": this.#one(["hook-failed", "odd"]) } : {}),
    };
    const annotations = Object.keys(notes).length > 0 ? `  annotations: ${JSON.stringify(notes)}\n` : "";
    return `apiVersion: ${this.#one(["v1", "v1", "apps/v1", "x.y/v1"])}\nkind: ${
      this.#one(kinds)
    }\nmetadata:\n  name: ${this.#one(["a", "b", name])}\n${annotations}`;
  }

  #schemaText(): string {
    if (this.#chance(0.05)) {
      return this.#one([
        "",
        "{",
        "true",
        "false",
        "null",
        "[]",
        '"x"',
        '{"type":5}',
        '{"$ref":"#/nope"}',
        '{"$schema":"http://e.x/none"}',
      ]);
    }
    const draft = this.#one([
      undefined,
      "http://json-schema.org/draft-04/schema#",
      "http://json-schema.org/draft-06/schema#",
      "http://json-schema.org/draft-07/schema#",
      "https://json-schema.org/draft/2019-09/schema",
      "https://json-schema.org/draft/2020-12/schema",
      "http://json-schema.org/schema#",
    ]);
    const properties = () =>
      Object.fromEntries(
        [...words, "db", "global", "tags"].filter(() => this.#chance(0.35)).map((key) => [key, this.#schema(2)]),
      );
    const schema: Record<string, unknown> = {
      ...(draft === undefined ? {} : { $schema: draft }),
      ...(this.#chance(0.25)
        ? {
          [this.#chance(0.85) ? "$id" : "id"]: this.#one([
            "http://127.0.0.1:9/root.json",
            "root.json",
            "urn:x:y",
            "#root",
            "http://127.0.0.1:9/a/b#",
          ]),
        }
        : {}),
      ...(this.#chance(0.7) ? { type: "object" } : {}),
      properties: properties(),
      ...(this.#chance(0.6)
        ? { [this.#one(["$defs", "definitions"])]: { one: this.#schema(1), two: this.#schema(1, true) } }
        : {}),
      ...(this.#chance(0.25) ? { required: this.#some(words, 0.4) } : {}),
      ...(this.#chance(0.15) ? { additionalProperties: this.#one<unknown>([false, true, { type: "string" }]) } : {}),
      ...(this.#chance(0.1) ? { patternProperties: { "^[a-m]": this.#schema(1) } } : {}),
      ...(this.#chance(0.1) ? { allOf: [this.#schema(1), this.#schema(1)] } : {}),
      ...(this.#chance(0.08) ? { anyOf: [this.#schema(1), this.#schema(1)] } : {}),
      ...(this.#chance(0.08) ? { oneOf: [this.#schema(1), this.#schema(1)] } : {}),
      ...(this.#chance(0.08) ? { if: this.#schema(1), then: this.#schema(1), else: this.#schema(1) } : {}),
      ...(this.#chance(0.05) ? { unevaluatedProperties: false } : {}),
      ...(this.#chance(0.08) ? { dependentRequired: { a: ["b", "on"] } } : {}),
      ...(this.#chance(0.05) ? { dependencies: { a: ["b"], b: this.#schema(1) } } : {}),
      ...(this.#chance(0.08) ? { propertyNames: { maxLength: 4 } } : {}),
      ...(this.#chance(0.08) ? { minProperties: 3, maxProperties: 5 } : {}),
    };
    return JSON.stringify(schema);
  }

  #schema(depth: number, isNamed = false): unknown {
    const ids = isNamed && this.#chance(0.5)
      ? this.#one([{ $anchor: "two" }, { $id: "#two" }, { $id: "two.json" }, { id: "#two" }, { $dynamicAnchor: "two" }])
      : {};
    const inner = (): unknown =>
      depth > 0 ? this.#schema(depth - 1) : this.#one<unknown>([true, {}, { type: "string" }]);
    const rule = this.#one<() => unknown>([
      () => ({
        type: this.#one<unknown>(["string", "integer", "number", "boolean", "object", "array", "null", [
          "string",
          "null",
        ], ["integer", "boolean"]]),
      }),
      () => ({ type: this.#one(["string", "integer", "boolean"]) }),
      () => ({
        $ref: this.#one([
          "#/$defs/one",
          "#/$defs/two",
          "#/definitions/one",
          "#/definitions/two",
          "#two",
          "two.json",
          "#",
          "#/properties/a",
          "http://127.0.0.1:9/two.json",
          "#/$defs/none",
        ]),
      }),
      () => ({ $ref: this.#one(["#/$defs/one", "#/definitions/one"]), type: "string", description: "x" }),
      () => ({
        type: "object",
        properties: { a: inner(), b: inner() },
        required: this.#some(["a", "b"], 0.5),
        additionalProperties: this.#chance(0.5),
      }),
      () => ({ enum: this.#some(odd, 0.3).concat(["e"]) }),
      () => ({ const: this.#one(odd) }),
      () => ({ type: "array", items: inner(), minItems: this.#below(3), uniqueItems: this.#chance(0.5) }),
      () => ({ items: [inner(), inner()], additionalItems: inner() }),
      () => ({ prefixItems: [inner(), inner()], items: inner() }),
      () => ({ contains: inner(), minContains: this.#below(2), maxContains: 2 }),
      () => ({
        minimum: this.#below(3),
        exclusiveMaximum: this.#one<unknown>([1, true]),
        multipleOf: this.#one([0.5, 2]),
      }),
      () => ({ minLength: 2, maxLength: 3, pattern: this.#one(["^t", "[a-z]+$", "\\d", "(?=x)", "^\\p{L}*$"]) }),
      () => ({ format: this.#one(["ipv4", "uri", "date-time", "email", "hostname", "regex", "uuid", "none"]) }),
      () => ({ not: inner() }),
      () => ({ anyOf: [inner(), inner()] }),
      () => ({ oneOf: [inner(), inner(), inner()] }),
      () => ({ allOf: [inner(), inner()] }),
      () => ({ if: inner(), then: inner(), else: inner() }),
      () => ({ $dynamicRef: "#two" }),
      () => ({ $recursiveRef: "#" }),
      () => this.#one<unknown>([true, false, {}]),
    ])();
    return typeof rule === "object" ? { ...ids, ...rule } : rule;
  }

  /** Packs some of the charts in charts, the innermost first. */
  async #packSome(files: Files): Promise<void> {
    const heads = Object.keys(files).filter((path) => /(^|\/)charts\/[^/]+\/Chart\.yaml$/.test(path));
    for (const head of heads.sort((a, b) => b.split("/").length - a.split("/").length)) {
      if (!this.#chance(0.2)) continue;
      const folder = head.slice(0, -"Chart.yaml".length);
      const name = folder.slice(0, -1).split("/").at(-1) as string;
      const parts = Object.keys(files).filter((path) => path.startsWith(folder)).sort().map((path) => {
        const content = files[path] as string | Uint8Array;
        delete files[path];
        return {
          path: `${name}/${path.slice(folder.length)}`,
          content: typeof content === "string" ? new TextEncoder().encode(content) : content,
        };
      });
      const packed = new Blob([tarOf(parts) as BlobPart]).stream().pipeThrough(new CompressionStream("gzip"));
      const archive = folder.slice(0, -1) + (this.#chance(0.03) ? ".tar.gz" : this.#one(["-1.0.0.tgz", ".tgz"]));
      files[archive] = new Uint8Array(await new Response(packed).arrayBuffer());
    }
  }

  #arguments(theme: ChartTheme): readonly string[] {
    const all: string[] = this.#chance(0.97) ? ["rel", "CHART"] : this.#one([
      ["CHART", "--generate-name"],
      ["CHART"],
      ["CHART", "--name-template", "n-{{ lower `AB` }}"],
      ["CHART", "--name-template", "n-{{ .Values }}"],
      ["CHART", "--name-template", "N b"],
      ["rel", "CHART", "--name-template", "x"],
      ["rel", "CHART", "--generate-name"],
      ["a.b", "CHART"],
      ["-n", "x", "REL", "CHART"],
    ]);
    const add = (share: number, make: () => readonly string[]) => {
      if (this.#chance(share)) all.push(...make());
    };
    const values = theme === "nulls" || theme === "dependencies" ? 0.6 : 0.25;
    add(values, () => ["-f", "VALUES"]);
    add(values, () => ["--set", this.#one(pick.sets)]);
    add(
      values / 2,
      () => [
        "--set",
        this.#one(pick.sets),
        "--set-json",
        `${this.#one(["inner", "db", "global", "db.inner", "tags"])}=${JSON.stringify(this.#table(2))}`,
      ],
    );
    const layout = theme === "layout" ? 0.25 : 0.06;
    add(layout, () => ["--include-crds"]);
    add(layout / 2, () => ["--skip-crds"]);
    add(layout, () => ["--no-hooks"]);
    add(layout, () => ["--skip-tests"]);
    add(layout, () => ["--is-upgrade"]);
    add(layout, () => this.#many(2, () => ["-s", this.#one(pick.showOnly)]).flat());
    add(layout, () => ["--output-dir", "OUT", ...this.#some(["--release-name"], 0.3)]);
    add(layout / 2, () => ["--render-subchart-notes"]);
    add(layout, () => ["--kube-version", this.#one(["1.20", "v1.31.2-gke.1", "1.25.0+k3s1", "x", "1.2.3.4"])]);
    add(layout, () => ["-a", this.#one(["x.y/v1", "x.y/v1,apps/v9", "", "x.y/v1/Thing"])]);
    add(0.03, () => ["--debug"]);
    add(0.03, () => ["--skip-schema-validation"]);
    add(0.02, () => ["-n", this.#one(["ns", "", "N s"])]);
    add(
      0.02,
      () => [
        this.#one([
          "--validate=false",
          "--dry-run",
          "--dry-run=client",
          "--dry-run=nope",
          "--disable-openapi-validation",

          "--devel",
          "--version=1.0.0",
          "--version=9",
          "--atomic",
          "--wait",
          "--labels=a=b",
          "--description=x",
          "--create-namespace",
          "--hide-notes",
          "--no-such-flag",
        ]),
      ],
    );
    return all;
  }
}
