import type { Clock } from "../../core/clock.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import type { Random } from "../../core/random.ts";
import { Collection } from "./collection.ts";
import type { ServedKind } from "./discovery.ts";
import { collectionPath } from "./discovery.ts";
import type { Seen } from "./seen.ts";
import { seenOf } from "./seen.ts";
import { aborted } from "./time_limit.ts";
import type { OverriddenManager } from "./take_over.ts";

/** An open collection. Closed once everybody who opened it has let it go. */
export interface OpenCollection extends Disposable {
  readonly collection: Collection<Seen>;
}

/** What to look at: a kind's objects with a label, one object, or all of a namespace. */
export interface ViewScope {
  readonly kind: ServedKind;
  /** "" for all namespaces. */
  readonly namespace: string;
  /** Label that the objects have. */
  readonly label?: string;
  /** Name of the one object. */
  readonly name?: string;
}

/** Who looks, in order: the first one that is allowed to is the one. */
export interface Viewer {
  readonly api: KubeApi;
  /** "" for our own account. */
  readonly user: string;
}

/**
 * Watches of single objects that may be open: each is a stream, of which an API server gives a connection a few hundred
 * (`--http2-max-streams-per-connection`). What finds no place is asked for again and again by whoever waits.
 */
const mostNamed = 64;
/** Milliseconds for which a refused look is not tried again. */
const refusedForMs = 300_000;

/** Lists and watches of a cluster, each kept once and shared by all who look at the same thing. */
export class LiveView {
  readonly #tools: LiveViewTools;
  readonly #open = new Map<
    string,
    { readonly collection: Collection<Seen>; readonly isNamed: boolean; users: number }
  >();
  readonly #refused = new Map<string, number>();

  constructor(tools: LiveViewTools) {
    this.#tools = tools;
  }

  /** Collections that are open now. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Opens the widest collection of a scope that somebody may see: with a label all namespaces, then the one, by each
   * viewer in turn.
   * Waits until it has been listed. `undefined` when nobody may, or the kind cannot be watched.
   */
  async open(scope: ViewScope, viewers: readonly Viewer[], signal: AbortSignal): Promise<OpenCollection | undefined> {
    if (!scope.kind.verbs.includes("watch")) return undefined;
    const spaces = scope.kind.isNamespaced && scope.label !== undefined && scope.namespace !== ""
      ? ["", scope.namespace]
      : [scope.namespace];
    for (const viewer of viewers) {
      for (const namespace of spaces) {
        const found = await this.#try({ ...scope, namespace }, viewer, signal);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /** Closes everything. */
  [Symbol.dispose](): void {
    for (const { collection } of this.#open.values()) collection[Symbol.dispose]();
    this.#open.clear();
  }

  #namedCount(): number {
    let count = 0;
    for (const { isNamed } of this.#open.values()) if (isNamed) count++;
    return count;
  }

  async #try(scope: ViewScope, viewer: Viewer, signal: AbortSignal): Promise<OpenCollection | undefined> {
    const path = collectionPath(scope.kind, scope.namespace);
    const query: Record<string, string> = {
      ...(scope.label === undefined ? {} : { labelSelector: scope.label }),
      ...(scope.name === undefined ? {} : { fieldSelector: `metadata.name=${scope.name}` }),
    };
    const key = JSON.stringify([viewer.user, path, query]);
    const refusedAt = this.#refused.get(key);
    if (refusedAt !== undefined && this.#tools.clock.monotonic() - refusedAt < refusedForMs) return undefined;
    let entry = this.#open.get(key);
    if (entry === undefined) {
      if (scope.name !== undefined && this.#namedCount() >= mostNamed) return undefined;
      const { clock, random, manager, managers, digestKey } = this.#tools;
      const remember = (object: Parameters<typeof seenOf>[0]) =>
        seenOf(object, { manager, managers, digestKey, now: clock.now() });
      const collection = new Collection<Seen>({ api: viewer.api, path, query, clock, random, remember });
      entry = { collection, users: 0, isNamed: scope.name !== undefined };
      this.#open.set(key, entry);
    }
    entry.users++;
    const opened = entry;
    let isClosed = false;
    const close = () => {
      if (isClosed) return;
      isClosed = true;
      opened.users--;
      if (opened.users > 0) return;
      opened.collection[Symbol.dispose]();
      if (this.#open.get(key) === opened) this.#open.delete(key);
    };
    const isReady = await aborted(opened.collection.ready, signal).catch((error) => {
      close();
      throw error;
    });
    if (isReady) return { collection: opened.collection, [Symbol.dispose]: close };
    this.#refuse(key);
    close();
    return undefined;
  }

  /** Remembers a refusal, and forgets those that do not count any more: names come and go. */
  #refuse(key: string): void {
    const now = this.#tools.clock.monotonic();
    for (const [other, at] of this.#refused) if (now - at >= refusedForMs) this.#refused.delete(other);
    this.#refused.set(key, now);
  }
}

/** What a view works with. */
export interface LiveViewTools {
  readonly clock: Clock;
  readonly random: Random;
  readonly manager: string;
  readonly managers: readonly OverriddenManager[];
  /** Key of the digests of what is seen; "" for none. */
  readonly digestKey: string;
}
