import type { Clock } from "../../core/clock.ts";
import type { Digest } from "../../core/digest.ts";
import { digestOf } from "../../core/digest.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import type { ObjectKey } from "../../core/object.ts";
import { keyText } from "../../core/object.ts";
import { StageError } from "../../core/stage_error.ts";
import type { Discovery } from "./discovery.ts";
import { discoveryOf } from "./discovery.ts";
import type { LiveViewTools } from "./live_view.ts";
import { LiveView } from "./live_view.ts";

/** One cluster, and what is known of it. */
export interface Connection {
  readonly api: KubeApi;
  readonly discovery: Discovery;
  readonly view: LiveView;
}

/** Connects to the cluster of a kubeconfig's text. */
export type OpenCluster = (kubeconfig: string) => Promise<{ readonly api: KubeApi } & Disposable>;

/** What connections are made with. */
export interface ConnectionTools extends LiveViewTools {
  readonly clock: Clock;
  /** Absent: other clusters are refused. */
  readonly openCluster?: OpenCluster | undefined;
}

interface Foreign {
  readonly opening: Promise<Connection>;
  readonly users: Set<string>;
  /** Ends it, as soon as it is open. */
  readonly close: () => void;
}

/**
 * Our own cluster and those of kubeconfigs, each connected once. A kubeconfig with a short-lived token has a new text every
 * hour: its former connection, with all watches, is closed when no owner is left that used it last.
 */
export class ClusterConnections implements Disposable {
  readonly #tools: ConnectionTools;
  readonly #own: Connection;
  readonly #foreign = new Map<Digest, Foreign>();
  readonly #views = new Set<LiveView>();

  constructor(api: KubeApi, tools: ConnectionTools) {
    this.#tools = tools;
    this.#own = this.#connect(api);
  }

  /** Lists and watches that are open. */
  get openViews(): number {
    let count = 0;
    for (const view of this.#views) count += view.size;
    return count;
  }

  /**
   * The connection for an owner: to the cluster of a kubeconfig, else to our own.
   *
   * @throws {StageError} ReconciliationFailed where other clusters are switched off; what `openCluster` throws
   */
  async open(owner: ObjectKey, kubeconfig: string | undefined): Promise<Connection> {
    if (kubeconfig === undefined) return this.#own;
    const key = digestOf(kubeconfig);
    const foreign = this.#foreign.get(key) ?? this.#openForeign(kubeconfig);
    this.#foreign.set(key, foreign);
    foreign.users.add(keyText(owner));
    this.leave(owner, key);
    try {
      return await foreign.opening;
    } catch (error) {
      if (this.#foreign.get(key) === foreign) this.#foreign.delete(key);
      throw error;
    }
  }

  /** Closes what an owner alone has used, but for the connection with the key `except`. */
  leave(owner: ObjectKey, except?: Digest): void {
    for (const [key, { users, close }] of this.#foreign) {
      if (key === except || !users.delete(keyText(owner)) || users.size > 0) continue;
      this.#foreign.delete(key);
      close();
    }
  }

  [Symbol.dispose](): void {
    for (const { close } of this.#foreign.values()) close();
    this.#foreign.clear();
    for (const view of this.#views) view[Symbol.dispose]();
  }

  #openForeign(kubeconfig: string): Foreign {
    const opened = (async () => {
      const { openCluster } = this.#tools;
      if (openCluster === undefined) {
        throw new StageError("ReconciliationFailed", "Cannot use kubeConfig: other clusters are switched off", {
          hint: "Leave spec.kubeConfig out, or run a Pilotfish in that cluster",
        });
      }
      const handle = await openCluster(kubeconfig);
      return { connection: this.#connect(handle.api), handle };
    })();
    const close = ({ connection, handle }: Awaited<typeof opened>) => {
      connection.view[Symbol.dispose]();
      this.#views.delete(connection.view);
      handle[Symbol.dispose]();
    };
    return {
      opening: opened.then(({ connection }) => connection),
      users: new Set(),
      // One that could not be opened has nothing to close; who asked for it was told.
      close: () => void opened.then(close, () => {}),
    };
  }

  #connect(api: KubeApi): Connection {
    const view = new LiveView(this.#tools);
    this.#views.add(view);
    return { api, discovery: discoveryOf(api), view };
  }
}
