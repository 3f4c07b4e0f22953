/**
 * What go-yaml v2 takes and js-yaml does not, mended with blanks that mean nothing, and read again:
 * a flow collection or quoted text whose next lines are not indented (`args: [` … `]` at the margin), and a comment right
 * behind a closing quote.
 *
 * @module
 */
import { parseEvents, YAMLException } from "js-yaml";
import type { Event } from "js-yaml";

/** Characters that may be read in all, over all readings of one document, as a multiple of what every document may. */
const workLimit = 16_000_000;
/** Deeper than any indent within {@linkcode LenientEvents} can be asked for in one step. */
const padding = " ".repeat(40);

/** Blanks put in: at `offset` of the source, `count` of them. In rising order of offset. */
export interface Mend {
  readonly offset: number;
  readonly count: number;
}

/** Events of a text and the text that their offsets speak of. */
export interface LenientEvents {
  readonly events: readonly Event[];
  /** The source, or the source with blanks put in. */
  readonly text: string;
  readonly mends: readonly Mend[];
}

/** Events of a text. @throws {YAMLException} whose mark speaks of the text as it was given */
export function parseLenientEvents(source: string, maxDepth: number): LenientEvents {
  let text = source;
  const mends: Mend[] = [];
  for (let work = source.length;; work += text.length) {
    try {
      return { events: parseEvents(text, { maxDepth }), text, mends };
    } catch (error) {
      const mend = error instanceof YAMLException && work <= workLimit ? mendOf(error, text) : undefined;
      if (mend === undefined) throw asGiven(error, source, mends);
      text = text.slice(0, mend.offset) + " ".repeat(mend.count) + text.slice(mend.offset);
      const at = sourceOffset(mends, mend.offset);
      const index = mends.findIndex((other) => other.offset >= at);
      const same = mends[index];
      if (same !== undefined && same.offset === at) mends[index] = { offset: at, count: same.count + mend.count };
      else mends.splice(index < 0 ? mends.length : index, 0, { offset: at, count: mend.count });
    }
  }
}

function mendOf(error: YAMLException, text: string): Mend | undefined {
  const position = error.mark?.position ?? -1;
  if (error.reason === "deficient indentation" && position >= 0 && position < text.length) {
    const lineStart = text.lastIndexOf("\n", position - 1) + 1;
    // A line that is far in already is not what is at fault.
    if (position - lineStart > 400) return undefined;
    return { offset: lineStart, count: padding.length };
  }
  if (text[position] === "#" && (text[position - 1] === '"' || text[position - 1] === "'")) {
    return { offset: position, count: 1 };
  }
  return undefined;
}

/** The offset in the source of an offset in the mended text. */
export function sourceOffset(mends: readonly Mend[], offset: number): number {
  let shift = 0;
  for (const mend of mends) {
    if (mend.offset + shift >= offset) break;
    shift += Math.min(mend.count, offset - mend.offset - shift);
  }
  return offset - shift;
}

function asGiven(error: unknown, source: string, mends: readonly Mend[]): unknown {
  if (!(error instanceof YAMLException) || error.mark === undefined || mends.length === 0) return error;
  try {
    YAMLException.throwAt(source, sourceOffset(mends, error.mark.position), error.reason);
  } catch (moved) {
    return moved;
  }
}
