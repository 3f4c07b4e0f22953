/**
 * `pilotfish build` and `pilotfish template` as processes, beside kustomize and helm where they are on PATH, in turn.
 * `deno run -A tests/bench/process_bench.ts [--binary PILOTFISH] [--rounds N]`: ten small overlays, each a process; a small
 * chart, and the one that `helm create` writes; and an empty program, which is what the runtime alone takes. Without
 * `--binary` the program is bundled as `deno task bundle` does, and runs with the runtime's cache of compiled code full.
 */
import { bundleProgram } from "../../.ci/bundle.ts";

/** A command that is timed. */
interface Contender {
  readonly name: string;
  /** Command lines that make one round. */
  readonly round: readonly (readonly string[])[];
  readonly taken: number[];
}

const overlays = 10;

/**
 * Writes a base (a Deployment, a Service) and overlays with a namespace, prefix, labels, an image's tag and a generated
 * ConfigMap; with `more` behind them: a patch makes kustomize read the schemas of Kubernetes, which takes most of its time.
 */
async function writeOverlays(folder: string, more: string): Promise<readonly string[]> {
  await Deno.mkdir(`${folder}/base`, { recursive: true });
  await Deno.writeTextFile(`${folder}/base/kustomization.yaml`, "resources: [app.yaml]\n");
  await Deno.writeTextFile(
    `${folder}/base/app.yaml`,
    `apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replicas: 1
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      - name: main
        image: nginx:1.25
        envFrom: [{configMapRef: {name: settings}}]
---
apiVersion: v1
kind: Service
metadata: {name: app}
spec:
  selector: {app: app}
  ports: [{port: 80}]
`,
  );
  for (let index = 0; index < overlays; index++) {
    await Deno.mkdir(`${folder}/overlay-${index}`);
    await Deno.writeTextFile(
      `${folder}/overlay-${index}/kustomization.yaml`,
      `resources: [../base]
namespace: place-${index}
namePrefix: p${index}-
labels: [{pairs: {place: "${index}"}}]
images: [{name: nginx, newTag: "1.27"}]
configMapGenerator: [{name: settings, literals: [place=${index}]}]
${more}`,
    );
  }
  return Array.from({ length: overlays }, (_, index) => `${folder}/overlay-${index}`);
}

const patch = `patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: app}
    spec: {replicas: 3}
`;

/** Writes a chart as `helm create` lays one out, smaller. */
async function writeChart(folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/templates`, { recursive: true });
  const files = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: 1.27.0\n",
    "values.yaml": "replicas: 2\nimage: {name: nginx, tag: ''}\nport: 80\nsettings: {level: info, place: here}\n",
    "templates/_helpers.tpl": `{{- define "web.name" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- define "web.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}
`,
    "templates/settings.yaml": `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "web.name" . }}
  labels: {{- include "web.labels" . | nindent 4 }}
data: {{- toYaml .Values.settings | nindent 2 }}
`,
    "templates/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "web.name" . }}
  labels: {{- include "web.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
      annotations:
        checksum/settings: {{ include (print $.Template.BasePath "/settings.yaml") . | sha256sum }}
    spec:
      containers:
      - name: web
        image: "{{ .Values.image.name }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
        {{- if .Values.port }}
        ports: [{containerPort: {{ .Values.port }}}]
        {{- end }}
`,
  };
  for (const [path, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${path}`, text);
}

async function outputOf(command: readonly string[]): Promise<string> {
  const [program = "", ...args] = command;
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(`${command.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

async function isHere(command: readonly string[]): Promise<boolean> {
  return await outputOf(command).then(() => true, () => false);
}

/** Runs the rounds of all in turn, so that what else the machine does hits all alike. */
async function race(contenders: readonly Contender[], rounds: number): Promise<void> {
  for (let round = -1; round < rounds; round++) {
    for (const { round: commands, taken } of contenders) {
      const startedAt = performance.now();
      for (const command of commands) await outputOf(command);
      if (round >= 0) taken.push(performance.now() - startedAt);
    }
  }
}

function report(contenders: readonly Contender[]): void {
  const middle = ({ taken }: Contender) => [...taken].sort((a, b) => a - b)[Math.floor(taken.length / 2)] ?? NaN;
  const theirs = contenders[0];
  for (const one of contenders) {
    const each = middle(one) / one.round.length;
    const ratio = theirs === undefined ? NaN : middle(one) / middle(theirs);
    const least = Math.min(...one.taken) / one.round.length;
    console.log(
      `  ${one.name.padEnd(24)} ${each.toFixed(1).padStart(7)} ms a process (least ${least.toFixed(1)}), ` +
        `${ratio.toFixed(2)} times ${theirs?.name}`,
    );
  }
}

const binary = Deno.args[Deno.args.indexOf("--binary") + 1];
const rounds = Deno.args.includes("--rounds") ? Number(Deno.args[Deno.args.indexOf("--rounds") + 1]) : 7;
const folder = await Deno.makeTempDir({ prefix: "pilotfish-bench-" });
try {
  const run = [Deno.execPath(), "run", "-A", "--no-config"];
  const own = Deno.args.includes("--binary") && binary !== undefined
    ? [binary]
    : [...run, await bundleProgram(`${folder}/program`)];
  await Deno.writeTextFile(`${folder}/empty.js`, "");
  await writeChart(`${folder}/chart`);
  const charts = [["a small chart", "chart"], ["the chart of helm create", "created"]] as const;
  const hasCreated = await isHere(["helm", "create", `${folder}/created`]);
  const plain = await writeOverlays(`${folder}/plain`, "");
  const patched = await writeOverlays(`${folder}/patched`, patch);
  const contender = (name: string, round: readonly (readonly string[])[]): Contender => ({ name, round, taken: [] });
  const empty = (count: number) =>
    contender("an empty program", Array.from({ length: count }, () => [...run, `${folder}/empty.js`]));

  for (
    const [title, tool, theirs, ours] of [
      ...([["without a patch", plain], ["with a patch", patched]] as const).map(([what, places]) =>
        [
          `${overlays} small overlays ${what}, each a process`,
          ["kustomize", "version"],
          contender("kustomize build", places.map((place) => ["kustomize", "build", place])),
          contender("pilotfish build", places.map((place) => [...own, "build", place])),
        ] as const
      ),
      ...charts.slice(0, hasCreated ? 2 : 1).map(([what, name]) =>
        [
          `${what}, a process`,
          ["helm", "version"],
          contender("helm template", [["helm", "template", "web", `${folder}/${name}`]]),
          contender("pilotfish template", [[...own, "template", "web", `${folder}/${name}`]]),
        ] as const
      ),
    ] as const
  ) {
    console.log(`${title}, ${rounds} rounds:`);
    const hasTool = await isHere(tool);
    if (!hasTool) console.log(`  ${tool[0]}: not on PATH`);
    const contenders = [...(hasTool ? [theirs] : []), ours, empty(ours.round.length)];
    await race(contenders, rounds);
    report(contenders);
    if (!hasTool) continue;
    const [their = [], our = []] = [theirs.round[0], ours.round[0]];
    console.log(`  same text as ${tool[0]}: ${await outputOf(their) === await outputOf(our)}`);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
