import type { Clock } from "../../core/clock.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { KubeError } from "../../core/kube_api.ts";
import type { Random } from "../../core/random.ts";
import { listItems } from "./discovery.ts";
import { isOlder } from "./seen.ts";

/** What a collection remembers of an object. */
export interface Remembered {
  readonly uid: string;
  readonly resourceVersion: string;
}

/** Told of an object's new state; both are `undefined` when it is gone. */
export type SeenListener<Item> = (item: Item | undefined, object: JsonObject | undefined) => void;

/** What a collection is made of. */
export interface CollectionOptions<Item> {
  readonly api: KubeApi;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Metadata alone, for lists and watches. */
  readonly accept?: { readonly list: string; readonly watch: string };
  readonly clock: Clock;
  readonly random: Random;
  /** What to remember of an object; the object itself is dropped. */
  readonly remember: (object: JsonObject) => Item;
}

/** Objects of one page of a list. */
const pageSize = 500;
const longestPauseMs = 10_000;
/** Milliseconds for which a refused account does not ask again. */
const refusedPauseMs = 60_000;

/**
 * The objects of one list, kept up to date by one watch: listed once, then followed, listed again only when the server
 * forgot where we were. Of each object only what `remember` makes of it is kept.
 */
export class Collection<Item extends Remembered> {
  readonly #options: CollectionOptions<Item>;
  readonly #items = new Map<string, Item>();
  readonly #listeners = new Map<string, Set<SeenListener<Item>>>();
  readonly #everyone = new Set<(name: string, item: Item | undefined) => void>();
  readonly #stop = new AbortController();
  readonly #first: Promise<boolean>;
  #resourceVersion = "";
  #isSynced = false;

  constructor(options: CollectionOptions<Item>) {
    this.#options = options;
    const first = Promise.withResolvers<boolean>();
    this.#first = first.promise;
    void this.#follow(first.resolve);
  }

  /** `true` once it has been listed; `false` when the account may not see it, or the kind is gone. */
  get ready(): Promise<boolean> {
    return this.#first;
  }

  /** Whether what it knows is being followed. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** What is known of an object; `undefined` when there is none (where {@linkcode Collection.isSynced}). */
  get(namespace: string, name: string): Item | undefined {
    return this.#items.get(`${namespace}/${name}`);
  }

  /** Takes in the answer to a write of our own, so that the watch need not catch up first. */
  note(object: JsonObject): Item {
    const item = this.#options.remember(object);
    this.#set(nameOf(object), item, object);
    return item;
  }

  /** Calls back on each change of one object until the returned function is called. */
  listen(namespace: string, name: string, listener: SeenListener<Item>): () => void {
    const key = `${namespace}/${name}`;
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(key);
    };
  }

  /** Calls back on each change of any object. */
  listenAll(listener: (name: string, item: Item | undefined) => void): () => void {
    this.#everyone.add(listener);
    return () => void this.#everyone.delete(listener);
  }

  /** Ends the watch and forgets everything. */
  [Symbol.dispose](): void {
    this.#stop.abort(new Error("closed"));
    this.#items.clear();
    this.#listeners.clear();
  }

  async #follow(onFirst: (isReady: boolean) => void): Promise<void> {
    const { signal } = this.#stop;
    const { clock, random } = this.#options;
    let failures = 0;
    let isRefused = false;
    while (!signal.aborted) {
      const startedAt = clock.monotonic();
      try {
        if (this.#resourceVersion === "") await this.#list(signal);
        isRefused = false;
        this.#isSynced = true;
        onFirst(true);
        await this.#watch(signal);
        // A watch that ends at once is no progress.
        failures = clock.monotonic() - startedAt < 1_000 ? failures + 1 : 0;
      } catch (error) {
        if (signal.aborted) break;
        failures++;
        const code = error instanceof KubeError ? error.code : 0;
        if (code === 410) {
          this.#resourceVersion = "";
          if (failures === 1) continue;
        }
        isRefused = code === 403 || code === 405;
        if (code === 403 || code === 404 || code === 401 || code === 405) {
          this.#isSynced = false;
          this.#resourceVersion = "";
          onFirst(false);
        }
      }
      const pause = isRefused ? refusedPauseMs : Math.min(longestPauseMs, 200 * 2 ** Math.min(failures, 10));
      await clock.sleep(failures === 0 ? 0 : pause * (0.5 + random.next() / 2), signal).catch(() => {});
    }
    this.#isSynced = false;
    onFirst(false);
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { api, path, query, accept } = this.#options;
    const there = new Set<string>();
    let next = "";
    let version = "";
    do {
      const page = await api.send({
        method: "GET",
        path,
        query: { ...query, limit: String(pageSize), ...(next === "" ? {} : { continue: next }) },
        ...(accept === undefined ? {} : { accept: accept.list }),
      }, signal);
      for (const object of listItems(page, "items")) {
        const name = nameOf(object);
        there.add(name);
        // Objects of a list come without their kind.
        this.#set(name, this.#options.remember(withKind(object, page)), withKind(object, page));
      }
      const metadata = isJsonObject(page.metadata) ? page.metadata : {};
      next = typeof metadata.continue === "string" ? metadata.continue : "";
      version = String(metadata.resourceVersion ?? "");
    } while (next !== "");
    for (const name of [...this.#items.keys()]) if (!there.has(name)) this.#remove(name);
    for (const name of this.#listeners.keys()) {
      if (!there.has(name)) this.#tell(name, undefined, undefined);
    }
    this.#resourceVersion = version;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { api, path, query, accept } = this.#options;
    const events = api.watch({
      path,
      ...(query === undefined ? {} : { query }),
      resourceVersion: this.#resourceVersion,
      ...(accept === undefined ? {} : { accept: accept.watch }),
    }, signal);
    for await (const { type, object } of events) {
      if (type === "DELETED") {
        const name = nameOf(object);
        const known = this.#items.get(name);
        // Somebody may have made it anew already, and our own write told us so.
        if (known === undefined || known.uid === uidOf(object) || known.uid === "") this.#remove(name);
      } else if (type !== "BOOKMARK") this.#set(nameOf(object), this.#options.remember(object), object);
      const version = object.metadata.resourceVersion;
      if (typeof version === "string") this.#resourceVersion = version;
    }
  }

  #set(name: string, item: Item, object: JsonObject): void {
    const known = this.#items.get(name);
    if (known !== undefined) {
      if (known.resourceVersion === item.resourceVersion || isOlder(item.resourceVersion, known.resourceVersion)) {
        return;
      }
    }
    this.#items.set(name, item);
    this.#tell(name, item, object);
  }

  #remove(name: string): void {
    if (this.#items.delete(name)) this.#tell(name, undefined, undefined);
  }

  #tell(name: string, item: Item | undefined, object: JsonObject | undefined): void {
    for (const listener of [...this.#listeners.get(name) ?? []]) listener(item, object);
    for (const listener of this.#everyone) listener(name, item);
  }
}

function withKind(object: JsonObject, list: JsonObject): JsonObject {
  if (typeof object.kind === "string") return object;
  const kind = String(list.kind ?? "").replace(/List$/, "");
  return { apiVersion: list.apiVersion ?? "", kind, ...object };
}

function nameOf(object: JsonObject): string {
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  return `${typeof metadata.namespace === "string" ? metadata.namespace : ""}/${String(metadata.name ?? "")}`;
}

function uidOf(object: JsonObject): string {
  const uid = isJsonObject(object.metadata) ? object.metadata.uid : undefined;
  return typeof uid === "string" ? uid : "";
}
