import { digestOf } from "../../core/digest.ts";
import type { Event } from "../../core/event.ts";
import { keyText } from "../../core/object.ts";
import { inventoryName } from "./inventory_store.ts";

/** Milliseconds after which the same event begins a new series (client-go `EventCorrelator`). */
const seriesMs = 600_000;
/** Events of one object that may come at once, and milliseconds until one more may (client-go `EventSourceObjectSpamFilter`). */
const burst = 25;
const refillMs = 300_000;
/** Series and objects that are remembered. */
const mostKnown = 1_000;

/** An event of ours as it stands in the cluster: how often it happened, and since when. */
export interface EventSeries {
  readonly event: Event;
  /** Name of the Kubernetes Event. */
  readonly name: string;
  readonly count: number;
  /** RFC 3339. */
  readonly firstTimestamp: string;
}

/**
 * Makes series of events: the same one again within ten minutes is counted. What an object tells too often is dropped:
 * 25 at once, then one in five minutes, the same one again included. One of these lives as long as the program.
 */
export class EventCounter {
  readonly #series = new Map<string, EventSeries & { readonly lastAt: number }>();
  readonly #budgets = new Map<string, { readonly left: number; readonly at: number }>();

  /** What to write for an event; `undefined` when its object has told too much. */
  count(event: Event): EventSeries | undefined {
    const at = Date.parse(event.timestamp);
    if (!this.#isWithinBudget(keyText(event.object), at)) return undefined;
    const key = digestOf(JSON.stringify([keyText(event.object), event.severity, event.reason, event.message]));
    const known = this.#series.get(key);
    const isAgain = known !== undefined && at - known.lastAt < seriesMs;
    const firstTimestamp = isAgain ? known.firstTimestamp : event.timestamp;
    const series = {
      event,
      name: `${inventoryName(event.object).slice(0, 200)}.${digestOf(`${key} ${firstTimestamp}`).slice(7, 23)}`,
      count: isAgain ? known.count + 1 : 1,
      firstTimestamp,
      lastAt: at,
    };
    remember(this.#series, key, series);
    return series;
  }

  #isWithinBudget(object: string, at: number): boolean {
    const known = this.#budgets.get(object) ?? { left: burst, at };
    const refilled = Math.floor(Math.max(0, at - known.at) / refillMs);
    const left = Math.min(burst, known.left + refilled);
    remember(this.#budgets, object, { left: Math.max(0, left - 1), at: known.at + refilled * refillMs });
    return left > 0;
  }
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > mostKnown && oldest.done !== true) map.delete(oldest.value);
}
