import type { Descriptor } from "../core/descriptor.ts";
import { absolutePath, hostPlatform } from "../platform/deno_environment.ts";
import { copyArtifact, type CopyResult } from "../source/artifact/copy_artifact.ts";
import {
  inspectArtifact,
  type InspectedArtifact,
  listArtifacts,
  type ListedArtifact,
} from "../source/artifact/inspect_artifact.ts";
import type { OnTransfer } from "../source/artifact/progress.ts";
import { pullToFolder } from "../source/artifact/pull_to_folder.ts";
import { pushArtifact, type PushOptions } from "../source/artifact/push_artifact.ts";
import { pushChart } from "../source/artifact/push_chart.ts";
import { type Doors, hostDoors } from "./doors.ts";
import { type OpenReference, openReference } from "./open_reference.ts";
import { openRegistries, type RegistryLogin } from "./registry.ts";

/** How artifact commands reach registries. */
export interface ArtifactOptions {
  readonly login: RegistryLogin;
  readonly signal: AbortSignal;
  readonly onTransfer?: OnTransfer;
  /** Default: the doors of this machine. */
  readonly doors?: Doors;
}

/** Commands on artifacts in registries and layouts. */
export interface ArtifactCommands {
  push(
    path: string,
    reference: string,
    push: Omit<PushOptions, "tag"> & { readonly asChart?: boolean },
  ): Promise<{ readonly descriptor: Descriptor; readonly name: string; readonly tag: string }>;
  /** @returns number of files written */
  pull(reference: string, folder: string): Promise<{ readonly descriptor: Descriptor; readonly files: number }>;
  copy(from: string, to: string, options: { readonly withReferrers: boolean }): Promise<CopyResult>;
  tag(reference: string, tags: readonly string[]): Promise<Descriptor>;
  list(
    reference: string,
    options: { readonly semver?: string; readonly regex?: string },
  ): Promise<readonly ListedArtifact[]>;
  inspect(reference: string): Promise<InspectedArtifact>;
}

/** Commands over the registries and disks that references name. */
export function artifactCommands(options: ArtifactOptions): ArtifactCommands {
  const { doors = hostDoors, signal } = options;
  // It lives as long as the command: the end of the program closes its connections.
  const registries = openRegistries(doors);
  const open = (text: string): OpenReference => openReference(text, doors, { registries, login: options.login });
  const transfer = options.onTransfer === undefined ? {} : { onTransfer: options.onTransfer };
  return {
    async push(path, reference, push) {
      const { repository, wanted, hasTag } = open(reference);
      if (push.asChart === true) {
        const tag = hasTag ? { tag: wanted } : {};
        const options = { ...push, ...transfer, ...tag, signal };
        return { ...await pushChart(absolutePath(path), repository, options, doors), name: repository.name };
      }
      const descriptor = await pushArtifact(absolutePath(path), repository, {
        ...push,
        ...transfer,
        tag: wanted,
        signal,
      }, { ...doors, folder: doors.processes.env("TMPDIR") ?? "/tmp" });
      return { descriptor, name: repository.name, tag: wanted };
    },
    async pull(reference, folder) {
      const { repository, wanted } = open(reference);
      return await pullToFolder(repository, wanted, absolutePath(folder), {
        fileSystem: doors.fileSystem,
        platform: hostPlatform(),
        ...transfer,
        signal,
      });
    },
    async copy(from, to, { withReferrers }) {
      const source = open(from);
      const destination = open(to);
      const tag = destination.hasTag ? destination.wanted : source.hasTag ? source.wanted : undefined;
      return await copyArtifact(source.repository, source.wanted, destination.repository, {
        ...transfer,
        withReferrers,
        signal,
        ...(tag === undefined ? {} : { tag }),
      });
    },
    async tag(reference, tags) {
      const { repository, wanted } = open(reference);
      const resolved = await repository.resolve(wanted, { signal });
      if (resolved.kind !== "found") throw new RangeError(`"${wanted}" cannot be unchanged`);
      for (const tag of tags) await repository.tag(resolved.descriptor.digest, tag, { signal });
      return resolved.descriptor;
    },
    list: (reference, filter) => listArtifacts(open(reference).repository, { ...filter, signal }),
    inspect: (reference) => {
      const { repository, wanted } = open(reference);
      return inspectArtifact(repository, wanted, { signal });
    },
  };
}
