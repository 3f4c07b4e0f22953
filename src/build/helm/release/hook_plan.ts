import { compareStrings } from "../template/go_string.ts";
import type { HookManifest } from "./manifests.ts";

/** One hook to run, and what becomes of its object. */
export interface HookStep {
  readonly hook: HookManifest;
  /** Delete what an earlier run left, before it is created (`before-hook-creation`, also where no policy is written). */
  readonly deletesBefore: boolean;
  /** Delete it when it failed. */
  readonly deletesAfterFailure: boolean;
  /** Delete it when every hook of the event succeeded, or when a later one failed. */
  readonly deletesAfterSuccess: boolean;
}

/** What a hook run is told while it runs. */
export type HookAction = {
  readonly kind: "delete" | "create" | "ready" | "failed" | "logs";
  readonly hook: HookManifest;
};

/**
 * Hooks of an event in the order in which they run: by weight, then by name; hooks of one weight and name keep the order
 * of their kinds; an event that is written twice runs twice (Helm 4.2.4, `pkg/action/hooks.go`). CRDs are never deleted by a policy.
 */
export function planHooks(hooks: readonly HookManifest[], event: string): readonly HookStep[] {
  return hooks.flatMap((hook) => hook.events.filter((each) => each === event).map(() => hook))
    .sort((a, b) => a.weight - b.weight || compareStrings(a.name, b.name))
    .map((hook) => {
      const policies = hook.deletePolicies.length === 0 ? ["before-hook-creation"] : hook.deletePolicies;
      const has = (policy: string) => hook.kind !== "CustomResourceDefinition" && policies.includes(policy);
      return {
        hook,
        deletesBefore: has("before-hook-creation"),
        deletesAfterFailure: has("hook-failed"),
        deletesAfterSuccess: has("hook-succeeded"),
      };
    });
}

/**
 * What happens to the objects of an event's hooks, in order, when `fails` says how each ends: the whole course as data,
 * for whoever runs it and for tests.
 */
export function* hookActions(
  steps: readonly HookStep[],
  fails: (hook: HookManifest) => boolean,
): Generator<HookAction> {
  for (const [index, step] of steps.entries()) {
    const { hook } = step;
    if (step.deletesBefore) yield { kind: "delete", hook };
    yield { kind: "create", hook };
    if (fails(hook)) {
      yield { kind: "failed", hook };
      if (showsLogs(hook, "hook-failed")) yield { kind: "logs", hook };
      if (step.deletesAfterFailure) yield { kind: "delete", hook };
      for (const earlier of steps.slice(0, index)) {
        if (earlier.deletesAfterSuccess) yield { kind: "delete", hook: earlier.hook };
      }
      return;
    }
    yield { kind: "ready", hook };
  }
  for (const { hook, deletesAfterSuccess } of [...steps].reverse()) {
    if (showsLogs(hook, "hook-succeeded")) yield { kind: "logs", hook };
    if (deletesAfterSuccess) yield { kind: "delete", hook };
  }
}

/** Whether logs of a hook are asked for; only Jobs and Pods have any. */
function showsLogs(hook: HookManifest, policy: string): boolean {
  return (hook.kind === "Job" || hook.kind === "Pod") && hook.outputLogPolicies.includes(policy);
}
