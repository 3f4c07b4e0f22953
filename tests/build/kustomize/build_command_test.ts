import assert from "node:assert/strict";

import { treeOf } from "../../../src/core/file_tree.ts";
import { runBuild } from "../../../src/build/kustomize/build_command.ts";

const files = {
  "app/kustomization.yaml": "resources: [a.yaml, ../shared.yaml]\n",
  "app/a.yaml":
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: Web, namespace: x}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n",
  "shared.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
};

const tools = {
  openFolder: (path: string) => Promise.resolve(path === "app" ? { tree: treeOf(files), path } : undefined),
  isFolder: (path: string) => Promise.resolve(path === "out"),
};
const open = "--load-restrictor=LoadRestrictionsNone";

Deno.test("runBuild() prints in legacy order, and in the order written where asked", async () => {
  const legacy = await runBuild(["app", open], tools);
  assert.equal(legacy.exitCode, 0);
  assert.deepEqual([...legacy.stdout.matchAll(/^kind: (\w+)/gm)].map((match) => match[1]), [
    "Namespace",
    "ConfigMap",
    "Deployment",
  ]);
  const plain = await runBuild(["--reorder", "none", "app", open], tools);
  assert.deepEqual([...plain.stdout.matchAll(/^kind: (\w+)/gm)].map((match) => match[1]), [
    "Deployment",
    "Namespace",
    "ConfigMap",
  ]);
  assert.match(plain.stderr, /--reorder has been deprecated/);
});

Deno.test("runBuild() keeps to the root, and says what it cannot find", async () => {
  const kept = await runBuild(["app"], tools);
  assert.equal(kept.exitCode, 1);
  assert.match(kept.stderr, /^Error: .*not in or below "app"/m);
  assert.equal((await runBuild(["nowhere"], tools)).exitCode, 1);
});

Deno.test("runBuild() writes a file, or one file per resource into a folder", async () => {
  const one = await runBuild(["app", open, "-o", "all.yaml"], tools);
  assert.deepEqual([...one.written.keys()], ["all.yaml"]);
  assert.equal(one.stdout, "");
  const many = await runBuild(["app", open, "--output=out"], tools);
  assert.deepEqual([...many.written.keys()].sort(), [
    "out/default_v1_configmap_c.yaml",
    "out/v1_namespace_n.yaml",
    "out/x_apps_v1_deployment_web.yaml",
  ]);
});

Deno.test("runBuild() names flags that do nothing and refuses unknown ones", async () => {
  const idle = await runBuild(
    ["app", open, "-e", "A=1", "--enable-exec", "--network-name=x", "--as-current-user"],
    tools,
  );
  assert.equal(idle.exitCode, 0);
  assert.equal(idle.stderr.match(/does nothing here/g)?.length, 4);
  for (
    const args of [["--bogus"], ["a", "b"], ["--reorder", "x"], ["--load-restrictor=x"], ["-o"], [
      "--enable-helm=maybe",
    ]]
  ) {
    const outcome = await runBuild(args, tools);
    assert.equal(outcome.exitCode, 2, args.join(" "));
    assert.match(outcome.stderr, /^Error: /);
  }
});

Deno.test("runBuild() renders charts through what it is handed, for the versions named", async () => {
  const tree = treeOf({ "kustomization.yaml": "helmCharts: [{name: x}]\n" });
  const asked: unknown[] = [];
  const outcome = await runBuild(
    [".", "--enable-helm", "--helm-kube-version=1.30", "--helm-api-versions", "a/v1", "--helm-api-versions=b/v1"],
    {
      ...tools,
      openFolder: () => Promise.resolve({ tree, path: "" }),
      renderChart: (given) => ({ name, kubeVersion, apiVersions }) => {
        assert.equal(given, tree);
        asked.push([name, kubeVersion, apiVersions]);
        return Promise.resolve("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n");
      },
    },
  );
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  assert.deepEqual(asked, [["x", "1.30", ["a/v1", "b/v1"]]]);
});

Deno.test("runBuild() hands on how registries are reached, and reads http(s) files only where allowed", async () => {
  const remote = { "app/kustomization.yaml": 'resources: ["https://example.com/a.yaml"]\n' };
  const reached: unknown[] = [];
  const reaching = {
    ...tools,
    openFolder: (path: string, reach: unknown) => {
      reached.push(reach);
      return Promise.resolve({ tree: treeOf(remote), path });
    },
    fetchFile: () => Promise.resolve(new TextEncoder().encode(files["shared.yaml"])),
  };
  const refused = await runBuild(["app"], reaching);
  assert.match(refused.stderr, /Refusing to read "https:\/\/example.com\/a.yaml".*--allow-http/);
  const read = await runBuild(
    ["app", "--allow-http", "--creds=a:b:c", "--plain-http", "--ca-file", "ca.pem"],
    reaching,
  );
  assert.match(read.stdout, /name: c/);
  assert.deepEqual(reached, [
    { allowHttp: false, insecure: false },
    { allowHttp: true, insecure: true, credentials: "a:b:c", caFile: "ca.pem" },
  ]);
  const wrong = await runBuild(["app", "--creds", "a"], reaching);
  assert.deepEqual([wrong.exitCode, wrong.stderr], [2, "Error: cannot use --creds: write USER:PASSWORD\n"]);
});
