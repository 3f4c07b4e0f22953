import type { Clock } from "../core/clock.ts";
import { KubeError } from "../core/kube_api.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { Random } from "../core/random.ts";
import type { Pipeline } from "../reconcile/pipeline.ts";

/** What an outage is followed with. */
export interface OutageTools {
  readonly clock: Clock;
  readonly random: Random;
  /** Asks our cluster something. Fails while it is away; `undefined` where there is no cluster. */
  readonly ask: (signal: AbortSignal) => Promise<unknown> | undefined;
  /** Runs an object again. */
  readonly retry: (key: ObjectKey) => void;
}

/** Milliseconds between two questions to a cluster that is away. */
const askAgainMs = 2_000;

/**
 * Runs again at once what failed because our cluster was away, when it is back: their own pauses have grown to minutes by then.
 * The cluster is asked only while there is such an object. Where it answers the first question, it was not away, and the
 * objects wait as after any other failure.
 */
export class ClusterOutage implements Disposable {
  readonly #tools: OutageTools;
  readonly #failed = new Map<string, ObjectKey>();
  readonly #stop = new AbortController();
  #isAsking = false;

  constructor(tools: OutageTools) {
    this.#tools = tools;
  }

  /** The same pipeline; its failures are looked at. */
  noting<Spec>(pipeline: Pipeline<Spec>): Pipeline<Spec> {
    return {
      ...pipeline,
      run: async (run) => {
        const { key } = run.object;
        this.#failed.delete(keyText(key));
        try {
          return await pipeline.run(run);
        } catch (error) {
          if (isAway(error) && !goesElsewhere(run.object)) this.#note(key);
          throw error;
        }
      },
    };
  }

  /** Ends the questions. */
  [Symbol.dispose](): void {
    this.#stop.abort(new Error("closed"));
  }

  #note(key: ObjectKey): void {
    this.#failed.set(keyText(key), key);
    if (this.#isAsking) return;
    this.#isAsking = true;
    // Its run ends first.
    void this.#follow().finally(() => this.#isAsking = false);
  }

  async #follow(): Promise<void> {
    const { clock, random, ask, retry } = this.#tools;
    const { signal } = this.#stop;
    for (let isFirst = true; !signal.aborted && this.#failed.size > 0; isFirst = false) {
      try {
        const asked = ask(signal);
        if (asked !== undefined) await asked;
        const back = [...this.#failed.values()];
        this.#failed.clear();
        if (asked !== undefined && !isFirst) { for (const key of back) retry(key); }
        return;
      } catch {
        await clock.sleep(askAgainMs * (0.75 + random.next() / 2), signal).catch(() => {});
      }
    }
  }
}

/** Whether an object is applied to another cluster than ours: nobody asks that one. */
function goesElsewhere({ spec }: DesiredObject): boolean {
  return (spec as { readonly kubeConfig?: unknown }).kubeConfig !== undefined;
}

/** Whether an API server did not answer, or could not. */
function isAway(error: unknown): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 8; current = current.cause, depth++) {
    if (current instanceof KubeError) return current.reason === "Unreachable" || current.code >= 500;
  }
  return false;
}
