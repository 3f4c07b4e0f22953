/** `pilotfish template` against a real API server, held against the real Helm: the same text and exit code. */
import { equal } from "node:assert/strict";
import { labProgram, startCluster } from "../support/lab.ts";
import { Place } from "../support/program.ts";

const isHere = labProgram() !== undefined;

/** Templates by the name of their chart. */
const charts: Readonly<Record<string, string>> = {
  capabilities: `apiVersion: v1
kind: ConfigMap
metadata: {name: new}
data:
  kube: {{ .Capabilities.KubeVersion.Version | quote }}
  apis: {{ .Capabilities.APIVersions | sortAlpha | toJson | quote }}
  mine: {{ .Capabilities.APIVersions.Has "foo/v1" | quote }}
  upgrade: {{ .Release.IsUpgrade | quote }}
  found: {{ (lookup "v1" "Namespace" "" "kube-system").metadata | default dict | len | quote }}
`,
  unknown: `apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
---
apiVersion: apps/v1beta1
kind: Deployment
metadata: {name: w, namespace: n}
`,
  fields: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndota: {a: b}\n",
  bare: "metadata: {name: a}\n",
  exists: `apiVersion: v1
kind: List
items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: own}}, {apiVersion: v1, kind: ConfigMap, metadata: {name: foreign}}]
`,
  hook: 'apiVersion: e/v1\nkind: E\nmetadata: {name: a, annotations: {"helm.sh/hook": pre-install}}\n',
  unserved: 'apiVersion: v1\nkind: A\nmetadata: {name: {{ lookup "example.com/v1" "Widget" "" "x" }}}\n',
  forbidden: 'apiVersion: v1\nkind: A\nmetadata: {name: {{ lookup "v1" "Secret" "default" "x" }}}\n',
};

const calls: readonly (readonly string[])[] = [
  ...Object.keys(charts).map((name) => [name, "--dry-run=server"]),
  ["capabilities", "--validate", "--is-upgrade", "--kube-version=1.22.0", "--api-versions=foo/v1", "-n", "nowhere"],
  ["capabilities", "--dry-run=client"],
  ["exists", "--validate", "--take-ownership"],
  ["exists", "--validate", "--is-upgrade"],
  ["exists", "--validate", "-n", "other"],
  ["forbidden", "--validate", "--kube-as-user=bob"],
  ["capabilities", "--validate", "--kube-as-user=bob", "--kube-as-group=a", "--kube-as-group=system:masters"],
  ["capabilities", "--validate", "--kube-context=nope"],
  ["capabilities", "--validate", "--kube-tls-server-name=kubernetes"],
  ["capabilities", "--validate", "--kube-insecure-skip-tls-verify"],
];

const own = {
  name: "own",
  labels: { "app.kubernetes.io/managed-by": "Helm" },
  annotations: { "meta.helm.sh/release-name": "rel", "meta.helm.sh/release-namespace": "default" },
};

/** What both say alike: reasons of a connection that fails are each program's own. */
function told(stderr: string): string {
  return stderr.split("\n").filter((line) => !/^level=ERROR.*unreachable|^ {2}hint: /.test(line)).join("\n")
    .replace(/(cluster unreachable: )[^]*/i, "$1");
}

Deno.test({
  name: `template asks a real cluster as helm does${isHere ? "" : " (the lab is not here)"}`,
  ignore: !isHere,
  async fn(t) {
    await using cluster = await startCluster({ isBare: true });
    await using place = await Place.make({ env: { KUBECONFIG: cluster.kubeconfig } });
    const bin = await new Deno.Command(labProgram() ?? "", { args: ["install"] }).output();
    const helm = `${new TextDecoder().decode(bin.stdout).trim()}`;
    for (const [name, text] of Object.entries(charts)) {
      await Deno.mkdir(`${place.folder}/${name}/templates`, { recursive: true });
      await Deno.writeTextFile(`${place.folder}/${name}/Chart.yaml`, `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`);
      await Deno.writeTextFile(`${place.folder}/${name}/templates/a.yaml`, text);
    }
    for (const metadata of [{ name: "foreign" }, own]) {
      const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "default", ...metadata } };
      await cluster.kubectl(["create", "-f", "-"], JSON.stringify(map));
    }
    for (const [dialect, program] of [["helm4.2.4", "helm"], ["helm3", "helm3"]] as const) {
      for (const call of calls) {
        await t.step(`${program} ${call.join(" ")}`, async () => {
          const real = await new Deno.Command(`${helm}/${program}`, {
            args: ["template", "rel", ...call],
            env: { KUBECONFIG: cluster.kubeconfig },
            cwd: place.folder,
          }).output();
          const ours = await place.run("template", "rel", ...call, `--dialect=${dialect}`);
          const decoder = new TextDecoder();
          equal(ours.stdout, decoder.decode(real.stdout));
          equal(told(ours.stderr), told(decoder.decode(real.stderr)));
          equal(ours.code, real.code);
        });
      }
    }
  },
});
