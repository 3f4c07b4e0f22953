import { equal, throws } from "node:assert/strict";
import type { Artifact } from "../../src/core/artifact.ts";
import type { Condition } from "../../src/core/condition.ts";
import type { StageError } from "../../src/core/stage_error.ts";
import { chartArtifactOf, toldVersion } from "../../src/reconcile/release_words.ts";
import { repository, specOf } from "../support/release_bench.ts";

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

Deno.test("toldVersion() has the digest of an OCIRepository's artifact as metadata, as helm-controller prints it", () => {
  const told = (version: string, revision: string) => toldVersion(specOf(), { revision } as Artifact, version);

  equal(told("1.2.3", `1.2.3@${digest}`), "1.2.3+0123456789ab");
  equal(told("1.2.3-rc.1+build.5", digest), "1.2.3-rc.1+0123456789ab");
  equal(told("v1.2", `latest@${digest}`), "1.2.0+0123456789ab");
  equal(told("one", `latest@${digest}`), "one");
  const chart = {
    kind: "repository" as const,
    sourceRef: repository,
    chart: "web",
    valuesFiles: [],
    version: "1.x",
    ignoreMissingValuesFiles: false,
  };
  equal(toldVersion(specOf({ chart }), { revision: `1.2.3@${digest}` } as Artifact, "1.2.3"), "1.2.3");
});

const ref = { kind: "OCIRepository", namespace: "default", name: "src" };
const told = (type: string, status: Condition["status"], message: string): Condition => ({
  type,
  status,
  reason: "Any",
  message,
  lastTransitionTime: "",
  observedGeneration: 1,
});

for (
  const [name, record, expected] of [
    [
      "that is not there",
      null,
      'ArtifactFailed: could not get Source object: OCIRepository.source.toolkit.fluxcd.io "src" not found',
    ],
    [
      "that was never looked at",
      {},
      "SourceNotReady: OCIRepository 'default/src' is not ready: latest generation of object has not been reconciled",
    ],
    [
      "that failed",
      { conditions: [told("Ready", "False", "no route to host")] },
      "SourceNotReady: OCIRepository 'default/src' is not ready: no route to host",
    ],
    [
      "that is stalled",
      { observedGeneration: 1, conditions: [told("Stalled", "True", "bad URL")] },
      "SourceNotReady: OCIRepository 'default/src' is not ready: bad URL",
    ],
    [
      "without an artifact",
      { observedGeneration: 1 },
      "SourceNotReady: OCIRepository 'default/src' is not ready: does not have an artifact",
    ],
  ] as const
) {
  Deno.test(`chartArtifactOf() says of a source ${name} what helm-controller says`, () => {
    const found = record === null
      ? undefined
      : { object: {} as never, record: { generation: 1, observedGeneration: -1, conditions: [], ...record } as never };
    throws(() => chartArtifactOf({ find: () => found }, ref), (error) => {
      equal(`${(error as StageError).reason}: ${(error as StageError).message}`, expected);
      return true;
    });
  });
}
