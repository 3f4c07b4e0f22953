import { deepEqual, equal } from "node:assert/strict";
import { condition } from "../../src/core/condition.ts";
import type { Reason } from "../../src/core/reason.ts";
import { StageError } from "../../src/core/stage_error.ts";
import { afterFailure, afterSuccess, whileRunning } from "../../src/reconcile/conditions.ts";

const first = { at: "2026-01-01T00:00:00Z", generation: 1 };
const later = { at: "2026-01-01T00:10:00Z", generation: 1 };
const good = { reason: "ReconciliationSucceeded", message: "Applied revision: v1" };

Deno.test("afterSuccess() keeps the transition time while Ready stays true", () => {
  const conditions = afterSuccess(afterSuccess([], first, good), later, { ...good, message: "Applied revision: v2" });

  equal(condition(conditions, "Ready")?.lastTransitionTime, first.at);
  equal(condition(conditions, "Ready")?.message, "Applied revision: v2");
});

Deno.test("afterFailure() says Stalled only when nothing but a change helps", () => {
  const stalled = afterFailure([], first, { error: new StageError("URLInvalid", "bad"), kind: "OCIRepository" });
  const retried = afterFailure(stalled, later, {
    error: new StageError("OCIArtifactPullFailed", "503"),
    kind: "OCIRepository",
  });

  deepEqual(stalled.map((c) => `${c.type}=${c.status}`), ["Ready=False", "Stalled=True", "FetchFailed=True"]);
  deepEqual(retried.map((c) => `${c.type}=${c.status}:${c.reason}`), [
    "Ready=False:OCIArtifactPullFailed",
    "FetchFailed=True:OCIArtifactPullFailed",
    "Reconciling=True:ProgressingWithRetry",
  ]);
});

Deno.test("a release whose tries are spent is Stalled with that reason, Ready and Released with its own", () => {
  const error = new StageError("InstallFailed", "Helm install failed", {
    exhausted: "Failed to install after 2 attempt(s)",
  });
  const conditions = afterFailure(whileRunning([], first, "Running"), first, { error, kind: "HelmRelease" });

  deepEqual(conditions.map((c) => `${c.type}=${c.status}:${c.reason}: ${c.message}`), [
    "Ready=False:InstallFailed: Helm install failed",
    "Stalled=True:RetriesExceeded: Failed to install after 2 attempt(s)",
    "Released=False:InstallFailed: Helm install failed",
  ]);
});

Deno.test("a release that pulls its chart itself says SourceNotReady, without the conditions of a source", () => {
  const error = new StageError("AuthenticationFailed", "401");
  const conditions = afterFailure([], first, { error, kind: "HelmRelease" });

  deepEqual(conditions.map((c) => `${c.type}=${c.status}:${c.reason}`), [
    "Ready=False:SourceNotReady",
    "Reconciling=True:ProgressingWithRetry",
  ]);
});

Deno.test("success takes the marks of failure away", () => {
  const failed = afterFailure([], first, {
    error: new StageError("OCIArtifactPullFailed", "503"),
    kind: "OCIRepository",
  });

  const conditions = afterSuccess(failed, later, good);

  deepEqual(conditions.map((c) => `${c.type}=${c.status}`), ["Ready=True"]);
});

Deno.test("whileRunning() leaves Ready alone unless the generation is new", () => {
  const ready = afterSuccess([], first, good);

  const same = whileRunning(ready, later, "Building");
  const next = whileRunning(ready, { ...later, generation: 2 }, "Building");

  equal(condition(same, "Ready")?.status, "True");
  equal(condition(next, "Ready")?.status, "Unknown");
  // As long as nothing is decided, Ready says what goes on now, not what was in the way at first.
  const further = whileRunning(next, { ...later, generation: 2 }, "Running health checks");
  equal(condition(further, "Ready")?.message, "Running health checks");
});

Deno.test("afterFailure() gives a Kustomization the reasons that Flux's controller gives it", () => {
  const reasonOf = (kind: string, reason: Reason) =>
    condition(afterFailure([], first, { error: new StageError(reason, "no"), kind }), "Ready")?.reason;
  equal(reasonOf("Kustomization", "SourceNotReady"), "ArtifactFailed");
  equal(reasonOf("Kustomization", "DecryptionFailed"), "BuildFailed");
  equal(reasonOf("HelmRelease", "SourceNotReady"), "SourceNotReady");
});
