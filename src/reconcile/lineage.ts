import type { Log } from "../core/log.ts";
import type { ObjectKey } from "../core/object.ts";
import { keyText } from "../core/object.ts";
import type { ObjectRecord } from "./record.ts";

/** How deep objects found in artifacts may nest. */
export const deepestChild = 8;

/**
 * The objects in whose artifacts one was found, nearest first: its parent, the parent of that, … At most one more than may
 * nest, so that a circle ends.
 */
export function ancestorsOf(
  object: { readonly parent?: ObjectKey },
  lookUp: (key: ObjectKey) => { readonly parent?: ObjectKey } | undefined,
): readonly ObjectKey[] {
  const ancestors: ObjectKey[] = [];
  let { parent } = object;
  while (parent !== undefined && ancestors.length <= deepestChild) {
    ancestors.push(parent);
    parent = lookUp(parent)?.parent;
  }
  return ancestors;
}

/** A record that no document stands for any more. */
export interface StrayRecord {
  readonly record: ObjectRecord;
  /** File of the document that it, or the object in whose artifact it was found, came from; `undefined`: not known. */
  readonly origin: string | undefined;
}

/**
 * The records of objects that are not held, nor any object in whose artifact they were found: after a start the objects
 * in between are known only when that one has run.
 */
export function strayRecords(
  records: Iterable<ObjectRecord>,
  loop: { isHeld(key: ObjectKey): boolean; recordOf(key: ObjectKey): ObjectRecord | undefined },
): readonly StrayRecord[] {
  const strays: StrayRecord[] = [];
  for (const record of records) {
    if (loop.isHeld(record.key)) continue;
    const ancestors = ancestorsOf(record, loop.recordOf);
    if (ancestors.some(loop.isHeld)) continue;
    const top = ancestors.at(-1);
    strays.push({ record, origin: (top === undefined ? record : loop.recordOf(top))?.origin });
  }
  return strays;
}

/** Tells, of each object once, that it came from documents elsewhere and is left as it is. */
export class LeftObjects {
  readonly #log: Log;
  readonly #told = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  tell(left: readonly StrayRecord[]): void {
    const news = left.filter(({ record }) => !this.#told.has(keyText(record.key)));
    if (news.length === 0) return;
    for (const { record } of news) this.#told.add(keyText(record.key));
    this.#log.warn("objects of other documents in this store are left as they are", {
      objects: news.map(({ record }) => keyText(record.key)).join(", "),
      documents: [...new Set(news.map(({ origin }) => origin))].join(", "),
      hint:
        "Give each set of documents a store of its own; to remove them, name these files or their folder with --config",
    });
  }
}
