import type { Clock } from "../../core/clock.ts";
import { isJsonObject } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { isKubeError } from "../../core/kube_api.ts";
import { aborted } from "./time_limit.ts";

/** Milliseconds for which the identity of the cluster is not asked for again, while it answers. */
const freshMs = 300_000;

/** Which cluster answers at an address: the id of the namespace `kube-system`, which lives as long as its cluster. */
export class ClusterIdentity {
  readonly #api: KubeApi;
  readonly #clock: Pick<Clock, "monotonic">;
  #known: { readonly at: number; readonly value: Promise<string> } | undefined;

  constructor(api: KubeApi, clock: Pick<Clock, "monotonic">) {
    this.#api = api;
    this.#clock = clock;
  }

  /** The identity; the address where we may not read it. Asked for once for all who ask meanwhile. @throws {KubeError} */
  async read(signal: AbortSignal): Promise<string> {
    const now = this.#clock.monotonic();
    if (this.#known !== undefined && now - this.#known.at < freshMs) return await aborted(this.#known.value, signal);
    // It does not end with the one who came first.
    const read = { at: now, value: this.#ask() };
    this.#known = read;
    read.value.catch(() => {
      if (this.#known === read) this.#known = undefined;
    });
    return await aborted(read.value, signal);
  }

  /** Asks again the next time: whoever answers next may be another cluster. */
  forget(): void {
    this.#known = undefined;
  }

  async #ask(): Promise<string> {
    try {
      const found = await this.#api.send({ method: "GET", path: "/api/v1/namespaces/kube-system" });
      return `cluster ${isJsonObject(found.metadata) ? String(found.metadata.uid) : ""}`;
    } catch (error) {
      if (isKubeError(error, 403) || isKubeError(error, 404)) return `cluster at ${this.#api.name}`;
      throw error;
    }
  }
}
