/**
 * Speed of the kustomize engine, beside the real kustomize where it is on PATH.
 * `deno run -A tests/bench/kustomize_bench.ts [--real]`: sizes, time per resource, growth, and with `--real` the ratio.
 *
 * @module
 */
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

if (import.meta.main) {
  const small = treeOf(overlay(6));
  await time(() => build(small, "overlay").then((result) => result.text()), 200);
  const smallMs = await time(() => build(small, "overlay").then((result) => result.text()), 100);
  console.log(`small overlay (6 resources), warm: ${smallMs.toFixed(2)} ms`);
  let first: number | undefined;
  for (const count of [300, 3000, 30000]) {
    const files = overlay(count);
    const tree = treeOf(files);
    const cold = await time(() => build(tree, "overlay").then((result) => result.text()), 1);
    const warm = await time(() => build(tree, "overlay").then((result) => result.text()), count > 10000 ? 2 : 5);
    const each = warm / count;
    first ??= each;
    console.log(
      `${count} resources: first ${cold.toFixed(0)} ms, warm ${warm.toFixed(0)} ms, ` +
        `${(each * 1000).toFixed(1)} µs each, ${(each / first).toFixed(2)} times the smallest`,
    );
    if (Deno.args.includes("--real") && count <= 3000) {
      const theirs = await real(files);
      if (theirs === undefined) console.log("  kustomize: not on PATH");
      else {console.log(
          `  kustomize: ${theirs.toFixed(0)} ms, ratio ${(theirs / warm).toFixed(0)} (first build ${
            (theirs / cold).toFixed(0)
          })`,
        );}
    }
  }
}
