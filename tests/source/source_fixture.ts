import { gzipSync } from "node:zlib";
import { silentLog } from "../../src/core/log.ts";
import type { DesiredObject } from "../../src/core/object.ts";
import type { References } from "../../src/core/references.ts";
import type { OCIRepositorySpec } from "../../src/core/specs.ts";
import type { OciSource } from "../../src/source/oci_source.ts";
import type { SourceTools } from "../../src/source/pull_artifact.ts";
import { ReferenceLooks } from "../../src/source/reference_looks.ts";
import type { RepositoryAccess } from "../../src/source/repository_access.ts";
import { SharedWork } from "../../src/source/shared_work.ts";
import { openStore } from "../../src/source/store/open_store.ts";
import type { Store } from "../../src/source/store/store.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FaultyDisk } from "../support/faulty_file_system.ts";
import { tarOf } from "../support/tar_of.ts";

/** Secrets by `namespace/name`. */
export function referencesOf(
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
  accounts: Readonly<Record<string, readonly string[]>> = {},
): References {
  return {
    secret: async (namespace, name) => {
      const found = secrets[`${namespace}/${name}`];
      if (found === undefined) return undefined;
      return {
        type: "Opaque",
        data: new Map(Object.entries(found).map(([key, text]) => [key, new TextEncoder().encode(text)])),
      };
    },
    configMap: async () => undefined,
    imagePullSecrets: async (namespace, name) => accounts[`${namespace}/${name}`],
  };
}

/** A store and tools over one repository. */
export interface Bench extends AsyncDisposable {
  readonly disk: FaultyDisk;
  readonly clock: FakeClock;
  readonly store: Store;
  readonly tools: SourceTools;
  /** What the repository was opened with, last first. */
  readonly opened: RepositoryAccess[];
}

/** Opens a bench. */
export async function openBench(
  repository: OciSource,
  more: Partial<Pick<SourceTools, "verifier" | "references">> = {},
): Promise<Bench> {
  const disk = new FaultyDisk();
  const clock = new FakeClock();
  const store = await openStore("/store", {
    fileSystem: disk.fileSystem,
    clock,
    log: silentLog,
    maxSizeBytes: 2 ** 30,
    history: 3,
  });
  const opened: RepositoryAccess[] = [];
  const tools: SourceTools = {
    store,
    clock,
    open: (access) => {
      opened.unshift(access);
      return repository;
    },
    references: referencesOf(),
    looks: new ReferenceLooks(),
    layers: new SharedWork(),
    platform: { os: "linux", architecture: "amd64" },
    ...more,
  };
  return { disk, clock, store, tools, opened, [Symbol.asyncDispose]: () => store.close() };
}

/** An OCIRepository with what is given and Flux's defaults. */
export function ociRepository(spec: Partial<OCIRepositorySpec>): DesiredObject<OCIRepositorySpec> {
  const whole: OCIRepositorySpec = {
    url: "oci://ghcr.io/org/app",
    ref: {},
    provider: "generic",
    intervalMs: 60_000,
    timeoutMs: 60_000,
    insecure: false,
    suspend: false,
    ...spec,
  };
  return {
    key: { kind: "OCIRepository", namespace: "default", name: "app" },
    apiVersion: "source.toolkit.fluxcd.io/v1",
    labels: {},
    annotations: {},
    spec: whole,
    generation: 1,
    document: {},
  };
}

/** Gzipped archive of files. */
export function archiveOf(files: Readonly<Record<string, string>>): Uint8Array {
  return new Uint8Array(gzipSync(tarOf(Object.entries(files).map(([path, content]) => ({ path, content })))));
}

/** Docker configs that a repository was opened with. */
export function configsOf(logins: RepositoryAccess["logins"]): readonly string[] {
  return logins.map(({ secret }) => new TextDecoder().decode(secret.data.get(".dockerconfigjson")));
}
