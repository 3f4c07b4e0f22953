import { equal, match } from "node:assert/strict";
import { templateQuestions } from "../../src/app/template_cluster.ts";
import type { ClusterDoor, KubeFlags } from "../../src/build/helm/command/cluster_door.ts";
import { seededRandom } from "../../src/build/helm/release/seeded_random.ts";
import { runTemplate } from "../../src/build/helm/command/template_command.ts";
import type { FileInfo, FileSystem } from "../../src/core/file_system.ts";
import { StageError } from "../../src/core/stage_error.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeCluster } from "../support/fake_cluster.ts";

const file: FileInfo = { kind: "file", sizeBytes: 1, mode: 0o644, modifiedAt: 0 };

/** A folder `c` with a chart of one template. */
function chartOf(template: string): FileSystem {
  const files: Readonly<Record<string, string>> = {
    "c/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n",
    "c/templates/a.yaml": template,
    "c/crds/crd.yaml": "kind: CustomResourceDefinition\n",
  };
  const names: Readonly<Record<string, readonly { name: string; kind: "file" | "folder" }[]>> = {
    "c": [{ name: "Chart.yaml", kind: "file" }, { name: "templates", kind: "folder" }, {
      name: "crds",
      kind: "folder",
    }],
    "c/templates": [{ name: "a.yaml", kind: "file" }],
    "c/crds": [{ name: "crd.yaml", kind: "file" }],
  };
  const reading: Partial<FileSystem> = {
    stat: (path) => Promise.resolve(path in files ? file : path in names ? { ...file, kind: "folder" } : undefined),
    read: (path) => Promise.resolve(path in files ? new TextEncoder().encode(files[path]) : undefined),
    list: (path) => Promise.resolve(names[path]),
  };
  return reading as FileSystem;
}

/** Runs the command over a chart against a cluster in memory. */
async function run(args: readonly string[], template: string, variables: Readonly<Record<string, string>> = {}) {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  cluster.put("/api/v1/namespaces/default/configmaps/foreign", {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "foreign", namespace: "default" },
    data: { k: "there" },
  });
  cluster.allow = ({ plural }) => plural !== "secrets";
  const asked: KubeFlags[] = [];
  let closed = 0;
  const outcome = await runTemplate(["rel", "c", ...args], {
    files: chartOf(template),
    clock,
    random: seededRandom("test"),
    environment: (name) => variables[name],
    openCluster(flags): Promise<ClusterDoor> {
      asked.push(flags);
      if (flags.context === "nope") {
        return Promise.reject(new StageError("InvalidDocument", "No context", { hint: "Look" }));
      }
      return Promise.resolve({
        ...templateQuestions(cluster.api({ tries: 1 }), clock),
        [Symbol.dispose]: () => closed++,
      });
    },
  });
  return { ...outcome, asked, closed, requests: cluster.requests };
}

const map = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {v: "{{ ${value} }}"}\n`;
const asking = map("new", '(lookup "v1" "ConfigMap" "default" "foreign").data.k');
const version = map("new", ".Capabilities.KubeVersion");
const client = "{{ end }}";

Deno.test("template asks the cluster for versions and objects, and closes it", async () => {
  for (const flag of ["--validate", "--dry-run=server"]) {
    const seen = await run([flag, "--kube-version", "1.20", "-a", "foo/v1"], version);
    match(seen.stdout, /v: "v1\.36\.0"/);
    const found = await run([flag], asking);
    match(found.stdout, /v: "there"/);
    match(found.stderr, /level=WARN msg="This chart or one of its subcharts contains CRDs/);
    equal((await run([flag, "--skip-crds"], asking)).stderr.includes("level=WARN"), false);
    equal(found.closed, 1);
    equal(found.requests.every(({ method }) => method === "GET"), true);
  }
  const offline = await run([], version);
  equal(offline.asked.length, 0);
});

Deno.test("template of Helm 3 has a flag for manifests and versions, and one for lookup", async () => {
  const served = (text: string) => /v: "(.*)"/.exec(text)?.[1];
  equal(served((await run(["--dialect=helm3", "--dry-run=server", "--kube-version=1.20"], version)).stdout), "v1.20");
  equal(served((await run(["--dialect=helm3", "--validate", "--kube-version=1.20"], version)).stdout), "v1.36.0");
  equal(served((await run(["--dialect=helm3", "--dry-run=server"], asking)).stdout), "there");
  equal((await run(["--dialect=helm3", "--validate"], asking)).exitCode, 1);
  const taken = map("foreign", "1");
  equal((await run(["--dialect=helm3", "--dry-run=server"], taken)).exitCode, 0);
  match(
    (await run(["--dialect=helm3", "--validate"], taken)).stderr,
    /^Error: Unable to continue with install: ConfigMap/,
  );
});

Deno.test("template prints nothing of what the cluster would not take, and files all the same", async () => {
  const refused = await run(["--validate"], map("foreign", "1"));
  equal(refused.exitCode, 1);
  equal(refused.stdout, "");
  match(refused.stderr, /Error: unable to continue with install: ConfigMap "foreign" in namespace "default" exists/);
  equal((await run(["--validate", "--is-upgrade"], map("foreign", "1"))).exitCode, 0);
  equal((await run(["--validate", "-n", "other"], map("foreign", "1"))).exitCode, 0);
  equal((await run(["--validate", "--output-dir", "out"], map("foreign", "1"))).exitCode, 0);
  const unknown = await run(["--validate"], "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n");
  match(
    unknown.stderr,
    /no matches for kind "Widget" in version "example.com\/v1"\nensure CRDs are installed first\n$/,
  );
});

Deno.test("template fails where a lookup asks for what is not served or allowed", async () => {
  const unserved = await run(["--validate"], map("a", 'lookup "example.com/v1" "Widget" "" "x"'));
  match(
    unserved.stderr,
    /error calling lookup: unable to get apiresource from unstructured: example\.com\/v1, Kind=Widget: the server could not/,
  );
  match(
    (await run(["--validate"], map("a", 'lookup "v1" "Secret" "default" "x"'))).stderr,
    /error calling lookup: .*forbidden/,
  );
  match((await run(["--validate"], map("a", 'lookup "v1" "Nope" "" ""'))).stdout, /v: "map\[\]"/);
});

Deno.test("template hands on flags and variables about the cluster, and says when it is away", async () => {
  const variables = { HELM_KUBECONTEXT: "nope", HELM_KUBEASGROUPS: "a,b", HELM_KUBEINSECURE_SKIP_TLS_VERIFY: "1" };
  const away = await run(["--validate", "--kube-token", "t", "--kubeconfig=k"], client, variables);
  equal(
    JSON.stringify(away.asked),
    JSON.stringify([{ kubeconfig: "k", context: "nope", token: "t", skipVerify: true, groups: ["a", "b"] }]),
  );
  const text = "cluster reachability check failed: kubernetes cluster unreachable: No context";
  equal(away.stderr.split("\n").slice(1).join("\n"), `level=ERROR msg="${text}"\nError: ${text}\n  hint: Look\n`);
  const old = await run(["--validate", "--kube-context", "nope", "--dialect=helm3"], client);
  equal(old.stderr, "Error: Kubernetes cluster unreachable: No context\n  hint: Look\n");
});
