/**
 * The directory target: resources as files that a person finds, or that a kubelet or k3s picks up.
 * In: resources of an owner. Out: files, each written whole; a record of what is ours. May fail: a foreign file in the
 * way, two owners of one file, the disk. Called by `reconcile`, and by `diff` for its plan.
 *
 * @module
 */
import type { FileSystem } from "../../core/file_system.ts";
import type { InventoryEntry } from "../../core/inventory.ts";
import type { Inventory } from "../../core/inventory.ts";
import { entryOf, inventoryOf, refOfEntry } from "../../core/inventory.ts";
import type { ObjectKey } from "../../core/object.ts";
import { keyText } from "../../core/object.ts";
import type { Resource, ResourceRef } from "../../core/resource.ts";
import { isResource, refOf, refText } from "../../core/resource.ts";
import { asStageError, messageOf, StageError } from "../../core/stage_error.ts";
import type {
  AppliedChange,
  ApplyResult,
  PlannedChange,
  RemoveResult,
  ResourceHealth,
  Target,
  TargetOptions,
  TargetRequest,
  WaitRequest,
} from "../../core/target.ts";
import { type DirectoryLayout, filePath } from "./file_names.ts";
import { isKept, maskedTexts, parsed } from "./file_text.ts";
import { type OwnedFile, type OwnerRecord, Ownership } from "./ownership.ts";
import { type WantedFile, wantedFiles } from "./wanted_files.ts";

/** What a {@linkcode DirectoryTarget} is handed. */
export interface DirectoryTools {
  readonly fileSystem: FileSystem;
  readonly layout: DirectoryLayout;
  /** Shared by all targets of one folder. Default: one of its own. */
  readonly ownership?: Ownership;
}

const diskHint = "Check the path of the target, its space, and that Pilotfish may write there";

/** A folder as a target. It is made with the first resource. */
export class DirectoryTarget implements Target {
  readonly kind = "directory";
  readonly name: string;
  readonly #folder: string;
  readonly #tools: DirectoryTools;
  readonly #ownership: Ownership;

  constructor(folder: string, tools: DirectoryTools) {
    this.name = `directory ${folder}`;
    this.#folder = folder;
    this.#tools = tools;
    this.#ownership = tools.ownership ?? new Ownership(folder, tools.fileSystem);
  }

  async plan(request: TargetRequest): Promise<readonly PlannedChange[]> {
    await this.#ownership.load();
    refuseClusterOptions(request.options);
    const wanted = wantedFiles(request, this.#tools.layout);
    await this.#refuseForeign(wanted, request.owner);
    const paths = new Set(wanted.map((file) => file.path));
    const stale = this.#ownership.of(request.owner).files.filter((file) => !paths.has(file.path));
    return [
      ...await Promise.all(wanted.map((file) => this.#planFile(file))),
      ...await Promise.all(stale.map((file) => this.#planRemoval(file))),
    ];
  }

  async apply(request: TargetRequest, signal: AbortSignal): Promise<ApplyResult> {
    try {
      return await this.#apply(request, signal);
    } catch (error) {
      this.#ownership.unclaim(request.owner);
      if (signal.aborted) throw error;
      throw asStageError(error, "ReconciliationFailed", `Cannot write to ${this.name}`, { hint: diskHint });
    }
  }

  async #apply(request: TargetRequest, signal: AbortSignal): Promise<ApplyResult> {
    await this.#ownership.load();
    await this.#ownership.tidy();
    refuseClusterOptions(request.options);
    const { owner } = request;
    const wanted = wantedFiles(request, this.#tools.layout);
    await this.#refuseForeign(wanted, owner);
    // Looking took time, in which another owner may have claimed one.
    this.#refuseProblems(this.#ownedByOthers(wanted, owner));
    this.#ownership.claim(owner, wanted.map((file) => file.path));
    const before = this.#ownership.of(owner).files;
    const known = new Map(before.map((file) => [file.path, file]));
    if (wanted.some((file) => !known.has(file.path))) {
      await this.#tools.fileSystem.makeFolder(this.#folder);
      await this.#ownership.save({ owner, files: merged(before, wanted.map((file) => known.get(file.path) ?? file)) });
    }

    const changes: AppliedChange[] = [];
    const files: OwnedFile[] = [];
    for (const file of wanted) {
      signal.throwIfAborted();
      changes.push(await this.#write(file, known.get(file.path)));
      files.push(await this.#stamped(file));
    }
    const moved = movedFiles(before, wanted);
    for (const file of moved) await this.#delete(file);
    // First for good: a file that a power cut brings back must still have its owner.
    await this.#syncFoldersOf(moved);
    const after = {
      owner,
      files: merged(before, files).filter((file) => !moved.some(({ path }) => path === file.path)),
      ...(request.inputs === undefined ? {} : { inputs: request.inputs }),
    };
    if (!isSameRecord(this.#ownership.of(owner), after)) await this.#ownership.save(after);
    return { inventory: inventoryOf(wanted.map((file) => refOf(file.resource))), changes };
  }

  async wait(request: WaitRequest): Promise<readonly ResourceHealth[]> {
    await this.#ownership.load();
    if ((request.expressions ?? []).length > 0) {
      throw new StageError(
        "HealthCheckFailed",
        "Cannot use spec.healthCheckExprs with a directory: files have no health",
        {
          hint: "Remove spec.healthCheckExprs, or use the target cluster",
        },
      );
    }
    const files = new Map(this.#ownership.of(request.owner).files.map((file) => [file.entry.id, file]));
    return await Promise.all(request.refs.map(async (ref): Promise<ResourceHealth> => {
      const file = files.get(entryOf(ref).id);
      if (file === undefined) {
        throw new StageError(
          "HealthCheckFailed",
          `Cannot find "${refText(ref)}" among the files of "${keyText(request.owner)}"`,
          {
            hint: "A directory can only tell of what the object itself writes: remove it from spec.healthChecks",
          },
        );
      }
      if (await this.#present(file.path) === undefined) {
        throw new StageError(
          "HealthCheckFailed",
          `Cannot find the file "${file.path}" of "${refText(ref)}": it is gone`,
          {
            hint: "Somebody removed it; it is written again at the next run",
          },
        );
      }
      return { ref, status: "Current", message: "The file is written" };
    }));
  }

  async remove(
    owner: ObjectKey,
    entries: readonly InventoryEntry[],
    options: TargetOptions,
    signal: AbortSignal,
  ): Promise<RemoveResult> {
    await this.#ownership.load();
    await this.#ownership.tidy();
    const record = this.#ownership.of(owner);
    if (options.isEmptyBuild === true && options.isWholeRemoval !== true && options.pruneConfirmed !== true) {
      return guarded(entries.filter((entry) => record.files.some((file) => file.entry.id === entry.id)));
    }
    const byId = new Map(record.files.map((file) => [file.entry.id, file]));
    const removed: AppliedChange[] = [];
    const kept: RemoveResult["kept"][number][] = [];
    const released: RemoveResult["released"][number][] = [];
    const gone = new Set<OwnedFile>();
    for (const entry of entries) {
      signal.throwIfAborted();
      const file = byId.get(entry.id);
      if (file === undefined) continue;
      try {
        if (isKept(await this.#present(file.path))) {
          gone.add(file);
          released.push({ entry, message: `"${file.path}" is left alone: it says so itself` });
          continue;
        }
        await this.#delete(file);
        gone.add(file);
        removed.push({ action: "deleted", ref: refOfEntry(entry), location: file.path });
      } catch (error) {
        kept.push({ entry, reason: "failed", message: `Cannot delete "${file.path}": ${messageOf(error)}` });
      }
    }
    if (gone.size > 0) {
      // First for good: a file that a power cut brings back must still have its owner.
      await this.#syncFoldersOf(gone);
      await this.#ownership.save({ ...record, files: record.files.filter((file) => !gone.has(file)) });
    }
    return { removed, kept, released };
  }

  async stands(owner: ObjectKey, inputs: string): Promise<boolean> {
    await this.#ownership.load();
    const record = this.#ownership.of(owner);
    if (record.inputs !== inputs) return false;
    for (const file of record.files) {
      const info = await this.#tools.fileSystem.stat(`${this.#folder}/${file.path}`);
      const isInPlace = file.path === filePath(refOfEntry(file.entry), this.#tools.layout);
      const isSame = isInPlace && info !== undefined && file.written !== undefined && info.kind === "file" &&
        info.sizeBytes === file.written.sizeBytes && info.modifiedAt === file.written.modifiedAt;
      if (!isSame) return false;
    }
    return true;
  }

  async read(owner: ObjectKey, ref: ResourceRef, options: TargetOptions): Promise<Resource | undefined> {
    await this.#ownership.load();
    const namespaces = ref.namespace === "" ? ["", options.defaultNamespace ?? owner.namespace] : [ref.namespace, ""];
    const { files } = this.#ownership.of(owner);
    for (const namespace of namespaces) {
      const { id } = entryOf({ ...ref, namespace });
      const file = files.find((candidate) => candidate.entry.id === id);
      const found = file === undefined ? undefined : parsed(await this.#present(file.path));
      if (isResource(found)) return found;
    }
    return undefined;
  }

  async remembered(owner: ObjectKey): Promise<Inventory | undefined> {
    await this.#ownership.load();
    return this.#ownership.inventoryOf(owner);
  }

  /** Refuses a file that is another owner's, or that somebody else wrote and that differs from what we want. */
  async #refuseForeign(wanted: readonly WantedFile[], owner: ObjectKey): Promise<void> {
    const problems = [...this.#ownedByOthers(wanted, owner)];
    for (const file of wanted) {
      if (this.#ownership.ownerOf(file.path) !== undefined) continue;
      const present = await this.#present(file.path);
      if (present !== undefined && present !== file.text) {
        problems.push(`"${file.path}" is there already and was not written by Pilotfish`);
      }
    }
    this.#refuseProblems(problems);
  }

  #ownedByOthers(wanted: readonly WantedFile[], owner: ObjectKey): readonly string[] {
    return wanted.flatMap(({ path }) => {
      const other = this.#ownership.ownerOf(path);
      return other === undefined || other === keyText(owner) ? [] : [`"${path}" is written by "${other}" already`];
    });
  }

  #refuseProblems(problems: readonly string[]): void {
    if (problems.length === 0) return;
    throw new StageError("ReconciliationFailed", `Cannot write to ${this.name}: ${problems.join("; ")}`, {
      hint: "Move the file away, or let one object alone apply the resource",
    });
  }

  /** Text at a path: `undefined` when nothing is there, "" for what is no regular file (a link, a folder). */
  async #present(path: string): Promise<string | undefined> {
    const info = await this.#tools.fileSystem.stat(`${this.#folder}/${path}`);
    if (info === undefined) return undefined;
    return info.kind === "file" ? await this.#tools.fileSystem.readText(`${this.#folder}/${path}`) : "";
  }

  async #write(file: WantedFile, known: OwnedFile | undefined): Promise<AppliedChange> {
    const ref = refOf(file.resource);
    const present = await this.#present(file.path);
    if (present === file.text) return { action: "unchanged", ref, location: file.path };
    const slash = file.path.lastIndexOf("/");
    if (slash > 0) await this.#tools.fileSystem.makeFolder(`${this.#folder}/${file.path.slice(0, slash)}`);
    await this.#tools.fileSystem.writeAtomic(`${this.#folder}/${file.path}`, file.text, {
      mode: file.resource.kind === "Secret" ? 0o600 : 0o644,
    });
    return { action: known?.written === undefined ? "created" : "configured", ref, location: file.path };
  }

  async #stamped(file: WantedFile): Promise<OwnedFile> {
    const info = await this.#tools.fileSystem.stat(`${this.#folder}/${file.path}`);
    const owned = { path: file.path, entry: file.entry };
    return info === undefined
      ? owned
      : { ...owned, written: { sizeBytes: info.sizeBytes, modifiedAt: info.modifiedAt } };
  }

  async #planFile(file: WantedFile): Promise<PlannedChange> {
    const ref = refOf(file.resource);
    const present = await this.#present(file.path);
    if (present === file.text) return { action: "unchanged", ref };
    const texts = maskedTexts(parsed(present), file.resource);
    return { action: present === undefined ? "create" : "update", ref, ...texts, note: file.path };
  }

  async #planRemoval(file: OwnedFile): Promise<PlannedChange> {
    const texts = maskedTexts(parsed(await this.#present(file.path)), undefined);
    return { action: "delete", ref: refOfEntry(file.entry), ...texts, note: file.path };
  }

  async #syncFoldersOf(files: Iterable<OwnedFile>): Promise<void> {
    const folders = new Set<string>();
    for (const { path } of files) {
      const slash = path.lastIndexOf("/");
      const folder = slash < 0 ? this.#folder : `${this.#folder}/${path.slice(0, slash)}`;
      folders.add(await this.#tools.fileSystem.stat(folder) === undefined ? this.#folder : folder);
    }
    for (const folder of folders) await this.#tools.fileSystem.syncFolder(folder);
  }

  async #delete({ path }: OwnedFile): Promise<void> {
    await this.#tools.fileSystem.remove(`${this.#folder}/${path}`);
    await this.#removeEmptyFolder(path);
  }

  /** Removes a namespace's folder with its last file; what others put into it keeps it there. */
  async #removeEmptyFolder(path: string): Promise<void> {
    const slash = path.lastIndexOf("/");
    if (slash < 0) return;
    const folder = `${this.#folder}/${path.slice(0, slash)}`;
    const rest = await this.#tools.fileSystem.list(folder);
    if (rest !== undefined && rest.length === 0) await this.#tools.fileSystem.remove(folder);
  }
}

/** Nothing goes because a build gave nothing at all: a wrong path looks just so. */
function guarded(entries: readonly InventoryEntry[]): RemoveResult {
  const message =
    `${entries.length} files would be deleted because the build gave none at all, as a wrong path does; to confirm, annotate the owner with pilotfish.dev/prune: confirmed`;
  return { removed: [], released: [], kept: entries.map((entry) => ({ entry, reason: "guarded", message })) };
}

/** Fields that only a cluster can act on make the object fail by name: they are never skipped. */
function refuseClusterOptions(options: TargetOptions): void {
  const asked = [
    options.serviceAccountName === undefined ? undefined : "spec.serviceAccountName",
    options.kubeconfig === undefined ? undefined : "spec.kubeConfig",
    (options.ignore ?? []).length === 0 ? undefined : "spec.ignore",
  ].filter((field) => field !== undefined);
  if (asked.length > 0) {
    throw new StageError("ReconciliationFailed", `Cannot use ${asked.join(", ")} with a directory`, {
      hint: "Remove the field, or use the target cluster",
    });
  }
}

/** Files of resources that stand at another path now: the layout is another one. They would be the same resource twice. */
function movedFiles(before: readonly OwnedFile[], wanted: readonly WantedFile[]): readonly OwnedFile[] {
  const ids = new Set(wanted.map((file) => file.entry.id));
  const paths = new Set(wanted.map((file) => file.path));
  return before.filter((file) => ids.has(file.entry.id) && !paths.has(file.path));
}

/** Files of `before` with those of `next` put in or over, by path. */
function merged(before: readonly OwnedFile[], next: readonly OwnedFile[]): readonly OwnedFile[] {
  const byPath = new Map(before.map((file) => [file.path, file]));
  for (const { path, entry, written } of next) {
    byPath.set(path, written === undefined ? { path, entry } : { path, entry, written });
  }
  return [...byPath.values()];
}

function isSameRecord(a: OwnerRecord, b: OwnerRecord): boolean {
  return a.inputs === b.inputs && a.files.length === b.files.length &&
    JSON.stringify(a.files) === JSON.stringify(b.files);
}
