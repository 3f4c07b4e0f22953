import type { FileTree } from "./file_tree.ts";
import type { Resource } from "./resource.ts";

/** A resource that runs at a moment of a release instead of being kept (Helm hooks). */
export interface HookResource {
  readonly resource: Resource;
  /** `pre-install`, `post-upgrade`, `test`, … in the order written. */
  readonly events: readonly string[];
  readonly weight: number;
  /** `before-hook-creation`, `hook-succeeded`, `hook-failed`. */
  readonly deletePolicies: readonly string[];
  /** Template that it came from, for example `chart/templates/job.yaml`. */
  readonly path: string;
}

/** What a build yields: values only, fit for `structuredClone`. */
export interface BuildResult {
  readonly resources: readonly Resource[];
  readonly hooks: readonly HookResource[];
  /** CustomResourceDefinitions of a chart's `crds/`: installed first, by a policy of their own, never pruned. */
  readonly crds?: readonly Resource[];
  /** What a person should know: old fields, things ignored. */
  readonly warnings: readonly string[];
  /** A release's notes; absent where there are none. */
  readonly notes?: string;
  /** `false` when chance, the clock or a cluster look-up took part: such a result is not cached. */
  readonly isRepeatable: boolean;
}

/** Makes resources of files. Pure: the same request and tree give the same result (where `isRepeatable`). */
export interface Builder<Request> {
  /** @throws {StageError} BuildFailed, ArtifactFailed, ValuesError, DecryptionFailed */
  build(request: Request, tree: FileTree, signal?: AbortSignal): Promise<BuildResult>;
}
