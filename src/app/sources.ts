import type { Log } from "../core/log.ts";
import type { DesiredObject } from "../core/object.ts";
import type { References } from "../core/references.ts";
import type { Source } from "../core/source.ts";
import type { HelmReleaseSpec, HelmRepositorySpec, Settings } from "../core/specs.ts";
import { hostPlatform } from "../platform/deno_environment.ts";
import { helmChartKind, openSource } from "../source/kinds.ts";
import { openLayout } from "../source/layout/layout_source.ts";
import type { OciSource } from "../source/oci_source.ts";
import type { SourceTools } from "../source/pull_artifact.ts";
import { ReferenceLooks } from "../source/reference_looks.ts";
import type { RepositoryAccess } from "../source/repository_access.ts";
import { SharedWork } from "../source/shared_work.ts";
import { openStore } from "../source/store/open_store.ts";
import type { Store } from "../source/store/store.ts";
import type { Doors } from "./doors.ts";
import { openRegistries, type Registries } from "./registry.ts";

/** What sources are opened with. */
export interface SourceOptions {
  readonly log: Log;
  readonly doors: Doors;
  readonly referencesOf: (object: DesiredObject) => References;
  /** A preview beside a running daemon reads the store and writes nothing. */
  readonly isPreview: boolean;
}

/** The store and the sources that fill it. */
export interface Sources extends AsyncDisposable {
  readonly store: Store;
  readonly open: (object: DesiredObject) => Source;
  readonly openChart: (object: DesiredObject<HelmReleaseSpec>, repository: DesiredObject<HelmRepositorySpec>) => Source;
  /** Why the store cannot be used; `undefined` when it can. */
  readonly fault: () => string | undefined;
  /** Bytes in the store; `undefined` while not known. */
  readonly sizeBytes: () => number | undefined;
}

/** Opens the store and whatever sources need. @throws {StageError} StorageOperationFailed */
export async function openSources(settings: Settings, options: SourceOptions): Promise<Sources> {
  const { doors, log } = options;
  const store = await openPreferred(settings, options);
  const registries = openRegistries(doors, {
    mirrors: settings.mirrors,
    onWarning: (text) => log.warn("registry warns", { message: text }),
  });
  const tools: Omit<SourceTools, "references"> = {
    store,
    clock: doors.clock,
    open: (access) => openRepository(access, registries, doors),
    looks: new ReferenceLooks(),
    layers: new SharedWork(),
    platform: hostPlatform(),
  };
  const opened = new WeakMap<DesiredObject, Source>();
  return {
    store,
    open(object) {
      const known = opened.get(object);
      if (known !== undefined) return known;
      const source = openSource(object, { ...tools, references: options.referencesOf(object) });
      opened.set(object, source);
      return source;
    },
    openChart: (release, repository) =>
      helmChartKind.create({ release, repository }, { ...tools, references: options.referencesOf(repository) }),
    fault: () => store.fault,
    sizeBytes: () => store.usedBytes,
    async [Symbol.asyncDispose]() {
      registries[Symbol.dispose]();
      await store.close();
    },
  };
}

/** The store for writing; a preview takes it for reading when the daemon has it. */
async function openPreferred(settings: Settings, options: SourceOptions): Promise<Store> {
  const { doors, log } = options;
  const folder = `${settings.store.path}/store`;
  const storeOptions = {
    fileSystem: doors.fileSystem,
    clock: doors.clock,
    log,
    maxSizeBytes: settings.store.maxSizeBytes,
    history: settings.store.history,
  };
  try {
    return await openStore(folder, storeOptions);
  } catch (error) {
    if (!options.isPreview) throw error;
    return await openStore(folder, { ...storeOptions, access: "read" });
  }
}

/** The repository behind an access: a registry's, or a layout on disk. */
function openRepository(access: RepositoryAccess, registries: Registries, doors: Doors): OciSource {
  return access.url.startsWith("oci-layout://")
    ? openLayout(access.url.slice("oci-layout://".length), { fileSystem: doors.fileSystem })
    : registries.ofDocument(access);
}
