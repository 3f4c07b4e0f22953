import type { ArtifactStore } from "../core/artifact.ts";
import type { BuildResult } from "../core/builder.ts";
import type { Log } from "../core/log.ts";
import type { ObjectKey } from "../core/object.ts";
import { StageError } from "../core/stage_error.ts";
import { openDecryptor } from "../build/decrypt/decryptor.ts";
import { kustomizationBuilder } from "../build/kustomize/kustomization_builder.ts";
import type { ReleaseBuild, RenderedRelease } from "../reconcile/helm_release.ts";
import type { KustomizationBuild } from "../reconcile/kustomization.ts";
import type { Doors } from "./doors.ts";

/** What builders are opened with. */
export interface BuilderOptions {
  readonly store: ArtifactStore;
  readonly doors: Doors;
  readonly log: Log;
}

/** Builders over the store's trees. */
export interface Builders extends Disposable {
  readonly kustomization: (request: KustomizationBuild, signal: AbortSignal) => Promise<BuildResult>;
  readonly helmRelease: (request: ReleaseBuild, signal: AbortSignal) => Promise<RenderedRelease>;
  /** Per HelmRelease that was rendered, where each value came from. */
  explained(): readonly { readonly owner: ObjectKey; readonly text: string }[];
}

/** Opens the builders. */
export function openBuilders(options: BuilderOptions): Builders {
  const { store, doors } = options;
  return {
    async kustomization(request, signal) {
      const { object, artifact, variables, decryptionKeys } = request;
      using tree = await store.openTree(artifact);
      using network = doors.connect({});
      const decryptor = object.spec.decryption === undefined ? undefined : openDecryptor({
        secret: decryptionKeys?.data ?? new Map(),
        env: doors.processes.env,
        network: network.send,
        now: doors.clock.now,
      });
      return await kustomizationBuilder.build(
        {
          owner: object.key,
          spec: object.spec,
          variables,
          ...(decryptor === undefined ? {} : { decryptor }),
        },
        tree,
        signal,
      );
    },
    helmRelease: () => Promise.reject(new StageError("NotBuiltYet", "Cannot render a HelmRelease: not built yet")),
    explained: () => [],
    [Symbol.dispose]() {},
  };
}
