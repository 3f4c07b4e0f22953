import type { InventoryEntry } from "../../core/inventory.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { isKubeError, KubeError } from "../../core/kube_api.ts";
import { digestOf } from "../../core/digest.ts";
import type { ObjectKey } from "../../core/object.ts";
import { keyText } from "../../core/object.ts";
import { StageError } from "../../core/stage_error.ts";
import { isSameCluster } from "./cluster_name.ts";
import { listAll } from "./discovery.ts";

/** One entry of an inventory, and how it stood after the last apply: what proves that nothing is to be done. */
export interface StoredEntry extends InventoryEntry {
  /** Digest of what was wanted; "" when it has not been applied yet. */
  readonly desired: string;
  /** Digest of what was ours afterwards; "" likewise. */
  readonly owned: string;
  /** What else is known of it. */
  readonly notes?: readonly EntryNote[];
}

/**
 * `keep`: its manifest said that it is never deleted, whatever the object says by now. `held`: left over, and kept because too
 * much would have gone at once; it stays so until a person confirms it. `elsewhere`: left over in another cluster than the one
 * where the rest stands.
 */
export type EntryNote = "keep" | "held" | "elsewhere";

const entryNotes: readonly string[] = ["keep", "held", "elsewhere"] satisfies readonly EntryNote[];

/** An entry of which something more is known. */
export function withNote(entry: StoredEntry, note: EntryNote): StoredEntry {
  return { ...entry, notes: [...new Set([...entry.notes ?? [], note])] };
}

/** What the cluster remembers of an owner. */
export interface StoredInventory {
  /** Digest of everything that decided the last complete apply; "" before one. */
  readonly inputs: string;
  /** Name of the other cluster in which the entries stand ({@linkcode clusterName}); "" for the one that keeps the inventory. */
  readonly cluster: string;
  readonly entries: readonly StoredEntry[];
}

/** Stands for the digests of what is left over from an earlier apply: known, and nothing to compare. */
export const leftOver = "-";

/** Label of every inventory. */
export const inventoryLabel = "pilotfish.dev/inventory";
/** A ConfigMap holds 1 MiB; the rest is left for its metadata. */
const maxBytes = 1_000_000;

/** Name of an owner's ConfigMap; namespaces hold no dot, so two owners never share one. */
export function inventoryName(owner: ObjectKey): string {
  const name = `pilotfish.${owner.kind.toLowerCase()}.${owner.namespace}.${owner.name}`;
  return name.length <= 253 ? name : `pilotfish.${digestOf(keyText(owner)).slice(7, 47)}`;
}

/**
 * Inventories kept in the cluster, one ConfigMap an owner, a line an entry: `<namespace>_<name>_<group>_<kind> <version>`
 * and two digests, then notes. Read once for all owners, and once more when another writer may have changed them; written only when the
 * text changes.
 */
export class InventoryStore {
  readonly #api: KubeApi;
  readonly #namespace: string;
  /** What the ConfigMaps hold, by their names. */
  readonly #known = new Map<string, Content>();
  /** What owners want and have not got yet, by the names of their ConfigMaps. */
  readonly #claims = new Map<
    string,
    { readonly owner: string; readonly cluster: string; readonly ids: readonly string[] }
  >();
  /** The look at all of them, whose patience it ends with, and the term of writing in which it began. */
  #first: { readonly loaded: Promise<void>; readonly signal: AbortSignal; readonly term: number } | undefined;

  constructor(api: KubeApi, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
  }

  /**
   * What is kept of an owner; `undefined` when there is nothing.
   *
   * @param term counts how often the right to write has come to us: what was read before a term is read anew in it
   */
  async load(owner: ObjectKey, signal: AbortSignal, term = 0): Promise<StoredInventory | undefined> {
    for (let isLoaded = false; !isLoaded;) {
      if (this.#first !== undefined && this.#first.term < term) this.#first = undefined;
      const first = this.#first ??= { loaded: this.#loadAll(signal), signal, term };
      try {
        await first.loaded;
        isLoaded = true;
      } catch (error) {
        if (this.#first === first) this.#first = undefined;
        // Another owner asked, and was stopped meanwhile: that is no end of ours.
        if (signal.aborted || !first.signal.aborted) throw error;
      }
    }
    const known = this.#known.get(inventoryName(owner));
    return known === undefined ? undefined : parseInventory(known.text);
  }

  /** Reads one owner's inventory again, for a ConfigMap that somebody has deleted or changed. */
  async reload(owner: ObjectKey, signal: AbortSignal): Promise<StoredInventory | undefined> {
    const name = inventoryName(owner);
    try {
      this.#take(await this.#api.send({ method: "GET", path: this.#path(name) }, signal));
    } catch (error) {
      if (!isKubeError(error, 404)) throw error;
      this.#known.delete(name);
    }
    const known = this.#known.get(name);
    return known === undefined ? undefined : parseInventory(known.text);
  }

  /** Keeps an owner's inventory; an empty one takes its ConfigMap away. @throws {StageError} ReconciliationFailed */
  async save(owner: ObjectKey, inventory: StoredInventory, signal: AbortSignal): Promise<void> {
    const name = inventoryName(owner);
    if (inventory.entries.length === 0) return await this.#remove(name, signal);
    const text = printInventory(inventory);
    if (this.#known.get(name)?.text === text) return;
    if (text.length > maxBytes) {
      throw new StageError(
        "ReconciliationFailed",
        `Cannot keep the inventory of ${
          keyText(owner)
        }: ${inventory.entries.length} resources need ${text.length} bytes, a ConfigMap holds ${maxBytes}`,
        { hint: "Split the object into several" },
      );
    }
    try {
      await this.#api.send({
        method: "PATCH",
        path: this.#path(name),
        query: { fieldManager: "pilotfish", force: "true" },
        contentType: "application/apply-patch+yaml",
        body: {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: {
            name,
            namespace: this.#namespace,
            labels: { [inventoryLabel]: "true", "app.kubernetes.io/managed-by": "pilotfish" },
          },
          data: {
            owner: keyText(owner),
            inputs: inventory.inputs,
            ...(inventory.cluster === "" ? {} : { cluster: inventory.cluster }),
            entries: text.split("\n").slice(2).join("\n"),
          },
        },
      }, signal);
    } catch (error) {
      if (!(error instanceof KubeError) || error.code === 0) throw error;
      throw new StageError(
        "ReconciliationFailed",
        `Cannot keep the inventory of ${keyText(owner)} in ConfigMap "${this.#namespace}/${name}": ${error.message}`,
        { cause: error, hint: `Let the account create and patch ConfigMaps in namespace "${this.#namespace}"` },
      );
    }
    this.#known.set(name, { owner: keyText(owner), text });
  }

  /**
   * Notes what an owner wants, written or not, in place of what it wanted before. It is not kept in the cluster: an inventory
   * lists what may be there.
   */
  claim(owner: ObjectKey, cluster: string, entries: readonly InventoryEntry[]): void {
    const name = inventoryName(owner);
    if (entries.length === 0) this.#claims.delete(name);
    else this.#claims.set(name, { owner: keyText(owner), cluster, ids: entries.map(({ id }) => id) });
  }

  /**
   * Tells who else wants an entry, or has it in an inventory of the same cluster: another owner, or an owner of this very name that another
   * program keeps in another namespace. What an owner left behind does not count. Without the right to look into all
   * namespaces only our own inventories are known.
   *
   * @throws {KubeError} when the server cannot be asked
   */
  async others(owner: ObjectKey, cluster: string, signal: AbortSignal): Promise<(id: string) => string | undefined> {
    const own = inventoryName(owner);
    const names = new Map<string, string>();
    const note = (text: string, whose: string) => {
      const inventory = parseInventory(text);
      if (!isSameCluster(inventory.cluster, cluster)) return;
      for (const entry of inventory.entries) if (entry.desired !== leftOver) names.set(entry.id, whose);
    };
    for (const [name, known] of this.#known) if (name !== own) note(known.text, known.owner);
    for (const [name, claim] of this.#claims) {
      if (name === own || !isSameCluster(claim.cluster, cluster)) continue;
      for (const id of claim.ids) names.set(id, claim.owner);
    }
    try {
      for (
        const item of await listAll(this.#api, { path: "/api/v1/configmaps", labelSelector: inventoryLabel }, signal)
      ) {
        const { namespace } = item.metadata as JsonObject;
        if (namespace === this.#namespace) continue;
        const { owner: whose, text } = contentOf(item);
        note(text, `${whose} (inventory in namespace "${String(namespace)}")`);
      }
    } catch (error) {
      if (!isKubeError(error, 403)) throw error;
    }
    return (id) => names.get(id);
  }

  async #remove(name: string, signal: AbortSignal): Promise<void> {
    if (!this.#known.has(name)) return;
    try {
      await this.#api.send({ method: "DELETE", path: this.#path(name) }, signal);
    } catch (error) {
      if (!isKubeError(error, 404)) throw error;
    }
    this.#known.delete(name);
  }

  async #loadAll(signal: AbortSignal): Promise<void> {
    const items = await listAll(this.#api, { path: this.#path(""), labelSelector: inventoryLabel }, signal);
    this.#known.clear();
    for (const item of items) this.#take(item);
  }

  #take(object: JsonObject): void {
    const name = isJsonObject(object.metadata) ? String(object.metadata.name) : "";
    this.#known.set(name, contentOf(object));
  }

  #path(name: string): string {
    const root = `/api/v1/namespaces/${encodeURIComponent(this.#namespace)}/configmaps`;
    return name === "" ? root : `${root}/${name}`;
  }
}

/** What one ConfigMap holds. */
interface Content {
  /** Key of the owner. */
  readonly owner: string;
  /** As {@linkcode printInventory} writes it. */
  readonly text: string;
}

function contentOf(object: JsonObject): Content {
  const data = isJsonObject(object.data) ? object.data : {};
  return {
    owner: String(data.owner ?? ""),
    text: `${String(data.inputs ?? "")}\n${String(data.cluster ?? "")}\n${String(data.entries ?? "")}`,
  };
}

/** Text of an inventory: the inputs, the cluster, then a line an entry, sorted. */
export function printInventory(inventory: StoredInventory): string {
  const lines = inventory.entries.map(({ id, v, desired, owned, notes = [] }) =>
    desired === "" || owned === "" ? `${id} ${v}` : [id, v, desired, owned, ...notes].join(" ")
  );
  return `${inventory.inputs}\n${inventory.cluster}\n${lines.sort().map((line) => `${line}\n`).join("")}`;
}

/** Inventory of a text. Lines that are none are left out: what they named is found by its labels. */
export function parseInventory(text: string): StoredInventory {
  const [inputs = "", cluster = "", ...lines] = text.split("\n");
  return {
    inputs,
    cluster,
    entries: lines.flatMap((line) => {
      const [id, v, desired = "", owned = "", ...rest] = line.split(" ");
      if (id === undefined || v === undefined || id.split("_").length < 4) return [];
      const notes = rest.filter((word): word is EntryNote => entryNotes.includes(word));
      return [{ id, v, desired, owned, ...(notes.length === 0 ? {} : { notes }) }];
    }),
  };
}
