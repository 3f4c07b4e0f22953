import { deepEqual, equal, rejects } from "node:assert/strict";
import { KubeError } from "../../../src/core/kube_api.ts";
import { parseYaml } from "../../../src/format/yaml.ts";
import { denoClock } from "../../../src/platform/deno_clock.ts";
import { denoFileSystem } from "../../../src/platform/deno_file_system.ts";
import { denoConnect } from "../../../src/platform/deno_network.ts";
import { denoProcesses } from "../../../src/platform/deno_processes.ts";
import { denoRandom } from "../../../src/platform/deno_random.ts";
import { openForeignCluster } from "../../../src/platform/kube/connect_cluster.ts";

const tools = {
  fileSystem: denoFileSystem,
  clock: denoClock,
  random: denoRandom,
  parseYaml,
  env: () => undefined,
  processes: denoProcesses,
  connect: denoConnect,
  tries: 1,
};

function kubeconfig(server: string, cluster: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    "current-context": "it",
    contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
    clusters: [{ name: "it", cluster: { server, ...cluster } }],
    users: [{ name: "it", user: { token: "secret-token" } }],
  });
}

Deno.test("openForeignCluster() follows no redirect: what is sent is meant for the server that was named", async () => {
  const heard: string[] = [];
  const quiet = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  await using elsewhere = Deno.serve(quiet, (request) => {
    heard.push(request.method);
    return Response.json({ kind: "Status" });
  });
  await using server = Deno.serve(
    quiet,
    () => new Response(null, { status: 307, headers: { location: `http://127.0.0.1:${elsewhere.addr.port}/` } }),
  );
  const body = { apiVersion: "v1", kind: "Secret", metadata: { name: "a" }, data: { key: "c2VjcmV0" } };
  for (const cluster of [{}, { "insecure-skip-tls-verify": true }]) {
    using opened = await openForeignCluster(kubeconfig(`http://127.0.0.1:${server.addr.port}`, cluster), tools);
    await rejects(
      opened.api.send({ method: "POST", path: "/api/v1/namespaces/default/secrets", body }),
      (error) => error instanceof KubeError && equal(error.code, 307) === undefined,
    );
  }

  deepEqual(heard, []);
});
