/**
 * Speed of the kustomize engine, beside the real kustomize where it is on PATH.
 * `deno run -A --v8-flags=--expose-gc,--max-semi-space-size=2 tests/bench/kustomize_bench.ts [--real]` (the flags of the
 * tasks): time per resource and its growth with their number, and with `--real` the ratio.
 *
 * @module
 */
import process from "node:process";
import { treeOf } from "../../src/core/file_tree.ts";
import { build } from "../../src/build/kustomize/kustomize.ts";

function manifests(from: number, to: number): string {
  const documents: string[] = [];
  for (let at = from; at < to; at++) {
    documents.push(
      `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-${at}
  labels: {app: app-${at}}
spec:
  replicas: 1
  selector:
    matchLabels: {app: app-${at}}
  template:
    metadata:
      labels: {app: app-${at}}
    spec:
      containers:
      - name: main
        image: nginx:1.25
        env:
        - name: A
          valueFrom:
            configMapKeyRef: {name: settings-${at}, key: a}
        ports:
        - containerPort: 8080
      volumes:
      - name: settings
        configMap: {name: settings-${at}}
`,
      `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings-${at}
data:
  a: "1"
  text: some text of a usual length
`,
      `apiVersion: v1
kind: Service
metadata:
  name: app-${at}
spec:
  selector: {app: app-${at}}
  ports:
  - port: 80
    targetPort: 8080
`,
    );
  }
  return documents.join("---\n");
}

/** Base with `count` resources in files of 30, and an overlay with everything common. */
function overlay(count: number): Record<string, string> {
  const files: Record<string, string> = {};
  const names: string[] = [];
  for (let at = 0; at < count / 3; at += 10) {
    const name = `m${at}.yaml`;
    names.push(name);
    files[`base/${name}`] = manifests(at, Math.min(at + 10, count / 3));
  }
  files["base/kustomization.yaml"] = `resources:\n${names.map((name) => `- ${name}\n`).join("")}`;
  files["overlay/kustomization.yaml"] = `resources: [../base]
namespace: prod
namePrefix: p-
labels:
- pairs: {team: one, env: prod}
  includeSelectors: true
images:
- name: nginx
  newTag: "1.27"
patches:
- target: {kind: Deployment}
  patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: any}
    spec:
      template:
        spec:
          containers:
          - name: main
            resources: {limits: {memory: 64Mi}}
- target: {kind: Service, name: app-1}
  patch: |-
    - op: add
      path: /metadata/annotations/a
      value: b
`;
  return files;
}

async function time(work: () => Promise<unknown>, rounds: number): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

async function real(files: Record<string, string>): Promise<number | undefined> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(`${folder}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
      await Deno.writeTextFile(`${folder}/${path}`, text);
    }
    const start = performance.now();
    const result = await new Deno.Command("kustomize", { args: ["build", `${folder}/overlay`], stdout: "piped" })
      .output();
    const spent = performance.now() - start;
    const ours = (await build(treeOf(files), "overlay", { reorder: "legacy" })).text();
    console.log(`  same text as kustomize: ${new TextDecoder().decode(result.stdout) === ours}`);
    return result.success ? spent : undefined;
  } catch {
    return undefined;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Processor time of the whole process so far, in milliseconds: rubbish collection and compilation included. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Least wall and processor time of one build of each size, taken in turns so that a busy machine is busy for all of them. */
async function growth(sizes: readonly number[], rounds: number): Promise<void> {
  const runs = sizes.map((count) => ({ count, tree: treeOf(overlay(count)), wall: Infinity, processor: Infinity }));
  for (let round = 0; round < rounds; round++) {
    for (const run of runs) {
      const times = Math.max(1, Math.round(3000 / run.count));
      const start = performance.now(), startProcessor = processorMs();
      for (let at = 0; at < times; at++) (await build(run.tree, "overlay")).text();
      run.processor = Math.min(run.processor, (processorMs() - startProcessor) / times);
      run.wall = Math.min(run.wall, (performance.now() - start) / times);
    }
  }
  const each = ({ count, processor }: { count: number; processor: number }) => processor / count;
  const [first] = runs;
  for (const run of runs) {
    console.log(
      `${run.count} resources: ${run.wall.toFixed(0)} ms, processor ${run.processor.toFixed(0)} ms, ` +
        `${(each(run) * 1000).toFixed(1)} µs each, ${(each(run) / each(first ?? run)).toFixed(2)} times the smallest`,
    );
  }
  const last = runs.at(-1);
  if (first === undefined || last === undefined) return;
  const ratio = each(last) / each(first);
  console.log(
    `growth of processor time per resource: ${ratio.toFixed(2)} (below 1.5: ${ratio < 1.5 ? "met" : "missed"})`,
  );
}

if (import.meta.main) {
  const small = treeOf(overlay(6));
  await time(() => build(small, "overlay").then((result) => result.text()), 200);
  const smallMs = await time(() => build(small, "overlay").then((result) => result.text()), 100);
  console.log(`small overlay (6 resources), warm: ${smallMs.toFixed(2)} ms`);
  if (Deno.args.includes("--real")) {
    for (const count of [300, 3000]) {
      const files = overlay(count);
      const tree = treeOf(files);
      const ours = await time(() => build(tree, "overlay").then((result) => result.text()), 5);
      const theirs = await real(files);
      console.log(
        theirs === undefined
          ? "  kustomize: not on PATH"
          : `${count} resources: ${ours.toFixed(0)} ms, kustomize ${theirs.toFixed(0)} ms, ratio ${
            (theirs / ours).toFixed(0)
          }`,
      );
    }
  }
  await growth([300, 3000, 30_000], 5);
}
