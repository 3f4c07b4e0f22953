import type { KubeApi, KubeRequest } from "../../src/core/kube_api.ts";
import { KubeError } from "../../src/core/kube_api.ts";

/** Thrown for every call after the planned one: the process is dead. */
export class Killed extends Error {}

/**
 * A {@linkcode KubeApi} that counts its calls and dies at one of them: either just before it is sent, or after it was
 * carried out but before its answer came. From then on every call fails, as in a process that was killed.
 */
export class FaultInjectingApi implements KubeApi {
  readonly #inner: KubeApi;
  readonly #shared: { calls: number; killAt: number; isAfter: boolean; isDead: boolean; log: string[] };

  constructor(
    inner: KubeApi,
    fault: { readonly killAt: number; readonly isAfter: boolean } = { killAt: Infinity, isAfter: false },
    shared?: FaultInjectingApi,
  ) {
    this.#inner = inner;
    this.#shared = shared === undefined ? { calls: 0, ...fault, isDead: false, log: [] } : shared.#shared;
  }

  /** Calls so far. */
  get calls(): number {
    return this.#shared.calls;
  }

  /** Calls so far, as `METHOD path?dryRun`. */
  get log(): readonly string[] {
    return this.#shared.log;
  }

  get name(): string {
    return this.#inner.name;
  }

  get namespace(): string {
    return this.#inner.namespace;
  }

  async send(request: KubeRequest, signal?: AbortSignal) {
    const shared = this.#shared;
    if (shared.isDead) throw dead();
    const isFatal = ++shared.calls === shared.killAt;
    shared.log.push(`${request.method} ${request.path}${request.query?.dryRun === undefined ? "" : "?dryRun"}`);
    if (isFatal && !shared.isAfter) {
      shared.isDead = true;
      throw dead();
    }
    const answer = await this.#inner.send(request, signal);
    if (shared.isDead) throw dead();
    if (isFatal) {
      shared.isDead = true;
      throw dead();
    }
    return answer;
  }

  watch(...args: Parameters<KubeApi["watch"]>) {
    if (this.#shared.isDead) throw dead();
    return this.#inner.watch(...args);
  }

  as(user: string): KubeApi {
    return new FaultInjectingApi(this.#inner.as(user), undefined, this);
  }
}

function dead(): KubeError {
  return new KubeError("the process was killed", { code: 0, reason: "Killed", cause: new Killed() });
}
