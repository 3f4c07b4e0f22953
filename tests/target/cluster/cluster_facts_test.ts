import { deepEqual } from "node:assert/strict";
import type { KubeApi } from "../../../src/core/kube_api.ts";
import { clusterFacts } from "../../../src/target/cluster/cluster_facts.ts";
import { FakeClock } from "../../support/fake_clock.ts";

Deno.test("capabilities() counts what resources and their subresources answer with", async () => {
  const version = (version: string, kind: string, subresources: readonly string[]) => ({
    version,
    resources: [{
      responseKind: { kind },
      subresources: subresources.map((kind) => ({ responseKind: { kind } })),
    }],
  });
  const answers: Readonly<Record<string, unknown>> = {
    "/version": { gitVersion: "v1.36.0" },
    "/api": { items: [{ metadata: {}, versions: [version("v1", "Pod", ["Eviction", ""])] }] },
    "/apis": {
      items: [{ metadata: { name: "apps" }, versions: [version("v1", "Deployment", ["Deployment", "Scale"])] }],
    },
  };
  const api = { send: ({ path }: { path: string }) => Promise.resolve(answers[path]) } as unknown as KubeApi;
  deepEqual(await clusterFacts(api, new FakeClock()).capabilities(), {
    kubeVersion: "v1.36.0",
    apiVersions: ["apps/v1", "apps/v1/Deployment", "apps/v1/Scale", "v1", "v1/Eviction", "v1/Pod"],
  });
});
