/** A chart of random parts, and arguments to render it with. */
export interface RandomChart {
  /** Text by path below the chart's folder. */
  readonly files: Readonly<Record<string, string>>;
  /** Arguments behind release and chart. */
  readonly args: readonly string[];
}

const keys = ["image", "port", "on", "list", "inner", "text"] as const;
const names = ["db", "web", "cache", "lib"] as const;

/**
 * Puts charts together at random, for comparing our engine with another: values and what overrides them, charts in charts with
 * conditions, tags, aliases, imported values and globals, named templates that several charts define, hooks, files, CRDs
 * and notes. The same seed gives the same charts.
 */
export class ChartGenerator {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 2654435761) >>> 0;
  }

  /** The next chart. */
  chart(): RandomChart {
    const files: Record<string, string> = {};
    this.#part(files, { folder: "", name: "app", depth: 0 });
    return { files, args: this.#arguments() };
  }

  #random(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state / 2 ** 32;
  }

  #one<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)] as T;
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #some<T>(items: readonly T[], share: number): readonly T[] {
    return items.filter(() => this.#chance(share));
  }

  #scalar(): unknown {
    return this.#one([1, 0, -3, 2.5, true, false, null, "", "a", "b c", "1", "true", "x: y", "é", "line\nline\n"]);
  }

  #value(depth: number): unknown {
    if (depth > 0 && this.#chance(0.35)) return this.#table(depth - 1);
    if (depth > 0 && this.#chance(0.2)) return [1, 2].map(() => this.#value(depth - 1));
    return this.#scalar();
  }

  #table(depth: number): Record<string, unknown> {
    return Object.fromEntries(this.#some(keys, 0.5).map((key) => [key, this.#value(depth)]));
  }

  /** Values of a chart: its own, those of the charts in it, globals, tags and an export. */
  #values(children: readonly string[]): Record<string, unknown> {
    const values = this.#table(3);
    for (const name of this.#some(children, 0.6)) {
      values[name] = this.#chance(0.03) ? this.#scalar() : { ...this.#table(2), ...this.#switch("enabled", 0.5) };
    }
    if (this.#chance(0.5)) values.global = this.#table(2);
    if (this.#chance(0.3)) values.tags = Object.fromEntries(this.#some(["front", "back"], 0.7).map(this.#flag));
    if (this.#chance(0.4)) values.exports = { data: this.#table(2) };
    return values;
  }

  readonly #flag = (name: string): [string, boolean] => [name, this.#chance(0.5)];

  #switch(name: string, share: number): Record<string, unknown> {
    return this.#chance(share) ? { [name]: this.#one([true, false, true, "yes", null]) } : {};
  }

  #dependency(name: string): Record<string, unknown> {
    const imports = this.#some(["data", { child: "inner", parent: "inner" }, { child: "text", parent: "." }], 0.4);
    return {
      name,
      version: this.#one(["1.0.0", ">=0.1.0", "~1.0", "*"]),
      repository: "",
      ...this.#chance(0.5)
        ? { condition: this.#one([`${name}.enabled`, `global.on,${name}.enabled`, "on", "inner.on"]) }
        : {},
      ...(this.#chance(0.3) ? { tags: [this.#one(["front", "back"])] } : {}),
      ...(this.#chance(0.2) ? { alias: `${name}2` } : {}),
      ...(imports.length > 0 ? { "import-values": imports } : {}),
    };
  }

  #part(
    files: Record<string, string>,
    { folder, name, depth }: { readonly folder: string; readonly name: string; readonly depth: number },
  ): void {
    const children = depth < 2 ? this.#some(names, 0.4 - depth / 8) : [];
    const declared = children.filter(() => this.#chance(0.8)).map((child) => this.#dependency(child));
    const isLibrary = depth > 0 && this.#chance(0.1);
    files[`${folder}Chart.yaml`] = JSON.stringify({
      apiVersion: "v2",
      name,
      version: "1.0.0",
      ...(this.#chance(0.5) ? { appVersion: this.#one(["1", "2.3", "v4"]) } : {}),
      ...(isLibrary ? { type: "library" } : {}),
      ...(declared.length > 0 ? { dependencies: declared } : {}),
    });
    const known = [...children, ...declared.flatMap(({ alias }) => typeof alias === "string" ? [alias] : [])];
    files[`${folder}values.yaml`] = JSON.stringify(this.#values(known));
    files[`${folder}templates/_parts.tpl`] = this.#named(name);
    for (const file of this.#some(["a.yaml", "b.yaml", "sub/c.yaml"], 0.6)) {
      files[`${folder}templates/${file}`] = this.#template(name, file);
    }
    if (this.#chance(0.3)) {
      files[`${folder}templates/NOTES.txt`] = "Notes of {{ .Chart.Name }}: {{ keys .Values | sortAlpha }}\n";
    }
    if (this.#chance(0.3)) {
      files[`${folder}crds/crd.yaml`] = `kind: CustomResourceDefinition\nmetadata: {name: ${name}}\n`;
    }
    for (const file of this.#some(["f/one.txt", "f/two.txt", "top.txt"], 0.5)) {
      files[`${folder}${file}`] = `of ${name}\n{{ x }}\n`;
    }
    if (this.#chance(0.2)) {
      files[`${folder}.helmignore`] = this.#one(["two.txt\n", "f/*.txt\n!f/one.txt\n", "templates/b.yaml\n"]);
    }
    for (const child of children) {
      this.#part(files, { folder: `${folder}charts/${child}/`, name: child, depth: depth + 1 });
    }
  }

  /** Named templates: some have the same name in every chart, and the last one counts. */
  #named(chart: string): string {
    const shared = `{{- define "shared" }}${chart}/{{ .Chart.Name }}/{{ .Values.text }}{{ end }}\n`;
    const own =
      `{{- define "${chart}.own" -}}\n{{- range $k, $v := .Values }}{{ $k }}={{ $v | toJson }};{{ end }}\n{{- end }}\n`;
    return this.#chance(0.9) ? shared + own : own;
  }

  #expression(chart: string): string {
    // What often fails comes seldom, so that most charts render.
    if (this.#chance(0.03)) {
      return this.#one([
        ".Values.inner.on",
        ".Values.inner.image.port",
        "required `no text` .Values.text",
        "dig `on` `none` .Values.global",
        "tpl (toString .Values.nothing) .",
        'include "missing" .',
        "toJson (merge (dict `text` 1) .Values)",
        ".Values.list | first",
      ]);
    }
    return this.#one([
      "toJson .Values",
      "toJson .Values.global",
      "toYaml .Values",
      "toJson .Subcharts",
      "printf `%v` .Values.inner",
      `include "${chart}.own" .`,
      'include "shared" .',
      "tpl `{{ .Chart.Name }} {{ .Values.text }}` .",
      "tpl (toString .Values.text) .",
      'default "none" .Values.image',
      "join `,` (keys .Values | sortAlpha)",
      '.Files.Get "f/one.txt"',
      '(.Files.Glob "f/*").AsConfig',
      '(.Files.Glob "**.txt").AsSecrets',
      '.Files.Lines "top.txt" | toJson',
      ".Template.Name",
      "toJson .Chart.Dependencies",
      "toJson .Release",
      "toJson (deepCopy .Values | mustMergeOverwrite (dict `on` true))",
    ]);
  }

  #template(chart: string, file: string): string {
    const annotation = this.#chance(0.2)
      ? `\n  annotations: {"helm.sh/hook": "${this.#one(["pre-install", "test", "post-upgrade,pre-delete"])}"}`
      : "";
    const kind = this.#one(["ConfigMap", "Service", "Secret", "Deployment", "Thing"]);
    const values = Array.from({ length: 1 + Math.floor(this.#random() * 4) }, (_, index) => {
      const expression = this.#expression(chart);
      const line = `  v${index}: {{ ${expression} | ${this.#one(["quote", "toString | quote", "toJson"])} }}`;
      return this.#chance(0.2)
        ? `{{- if ${this.#one([".Values.on", ".Values.global", ".Values.list"])} }}\n${line}\n{{- end }}`
        : line;
    });
    const document = `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: {{ .Release.Name }}-${
      file.replace(/\W/g, "-")
    }${annotation}\ndata:\n${values.join("\n")}\n`;
    return this.#chance(0.2) ? `${document}---\n${document}` : document;
  }

  #arguments(): readonly string[] {
    const set = () => {
      const path = this.#one([
        "on",
        "inner.on",
        "db.enabled",
        "web.text",
        "global.on",
        "list[1]",
        "tags.front",
        "web2.port",
      ]);
      return `${path}=${this.#one(["true", "false", "null", "5", "x", "{a,b}"])}`;
    };
    return [
      ...(this.#chance(0.5) ? ["--set", set()] : []),
      ...(this.#chance(0.3) ? ["--set-string", set()] : []),
      ...(this.#chance(0.3) ? ["--set-json", `inner=${JSON.stringify(this.#table(2))}`] : []),
      ...(this.#chance(0.3) ? ["--include-crds"] : []),
      ...(this.#chance(0.2) ? ["--no-hooks"] : []),
      ...(this.#chance(0.2) ? ["--is-upgrade"] : []),
      ...(this.#chance(0.2) ? ["--render-subchart-notes"] : []),
    ];
  }
}
