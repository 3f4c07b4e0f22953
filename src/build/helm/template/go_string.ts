/**
 * Go strings are bytes, JS strings are UTF-16. A Go string that is valid UTF-8 is the same text here. A byte that is not
 * part of valid UTF-8 is the lone code unit U+DC00 + byte (U+DC80…U+DCFF), as Python's `surrogateescape` has it. No lone
 * surrogate can come from valid UTF-8, so the mapping is exact both ways, and `isWellFormed()` tells whether a string has
 * such bytes. Cutting must happen between code points; texts that were cut may join to valid UTF-8 again: see
 * {@linkcode rejoin}.
 *
 * @module
 */
const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Length in bytes, as Go's `len`. */
export function byteLength(text: string): number {
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) length++;
    else if (unit < 0x800) length += 2;
    else if (unit >= 0xd800 && unit < 0xdc00) {
      length += 4;
      index++;
    } else length += unit >= 0xdc80 && unit <= 0xdcff ? 1 : 3;
  }
  return length;
}

/** Bytes of a text. */
export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  if (text.isWellFormed()) return encoder.encode(text);
  const bytes = new Uint8Array(byteLength(text));
  let end = 0;
  for (const symbol of text) {
    const code = symbol.codePointAt(0) as number;
    if (code >= 0xdc80 && code <= 0xdcff) bytes[end++] = code - 0xdc00;
    else end += encoder.encodeInto(symbol, bytes.subarray(end)).written;
  }
  return bytes;
}

/** Text of bytes. */
export function fromBytes(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return decodeWithEscapes(bytes);
  }
}

function decodeWithEscapes(bytes: Uint8Array): string {
  const parts: string[] = [];
  let start = 0;
  for (let index = 0; index < bytes.length;) {
    const size = validSequence(bytes, index);
    if (size > 0) {
      index += size;
      continue;
    }
    if (index > start) parts.push(strictDecoder.decode(bytes.subarray(start, index)));
    parts.push(String.fromCharCode(0xdc00 + (bytes[index] as number)));
    start = ++index;
  }
  if (start < bytes.length) parts.push(strictDecoder.decode(bytes.subarray(start)));
  return parts.join("");
}

/** Length of the valid UTF-8 sequence at `index`, 0 where there is none. */
function validSequence(bytes: Uint8Array, index: number): number {
  const first = bytes[index] as number;
  if (first < 0x80) return 1;
  const size = first >= 0xc2 && first < 0xe0
    ? 2
    : first >= 0xe0 && first < 0xf0
    ? 3
    : first >= 0xf0 && first < 0xf5
    ? 4
    : 0;
  if (size === 0 || index + size > bytes.length) return 0;
  for (let offset = 1; offset < size; offset++) if (((bytes[index + offset] as number) & 0xc0) !== 0x80) return 0;
  const second = bytes[index + 1] as number;
  if (first === 0xe0 && second < 0xa0 || first === 0xed && second > 0x9f) return 0;
  if (first === 0xf0 && second < 0x90 || first === 0xf4 && second > 0x8f) return 0;
  return size;
}

/** The same bytes with neighbouring escaped bytes that have become valid UTF-8 written as text. Needed after joining texts. */
export function rejoin(text: string): string {
  return text.isWellFormed() ? text : fromBytes(toBytes(text));
}

/** Whether the text holds a byte that is not valid UTF-8. */
export function hasRawBytes(text: string): boolean {
  return !text.isWellFormed();
}

/** The text with every byte that is not valid UTF-8 replaced by U+FFFD, as a Go `range` or conversion to runes sees it. */
export function withoutRawBytes(text: string): string {
  return text.isWellFormed() ? text : text.replace(/[\udc80-\udcff]/g, (unit, index: number) => {
    const before = text.charCodeAt(index - 1);
    return before >= 0xd800 && before < 0xdc00 ? unit : "\ufffd";
  });
}

/** Order of two strings by their bytes: negative, 0 or positive. Equals the order of code points. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  if (!a.isWellFormed() || !b.isWellFormed()) return compareBytes(toBytes(a), toBytes(b));
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x === y) continue;
    // A surrogate stands for a code point above every other code unit.
    const isHighX = x >= 0xd800 && x < 0xe000;
    const isHighY = y >= 0xd800 && y < 0xe000;
    return isHighX === isHighY ? x - y : isHighX ? 1 : -1;
  }
  return a.length - b.length;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const difference = (a[index] as number) - (b[index] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Keys of a map in the order in which Go shows them: by bytes. */
export function sortedKeys(entries: ReadonlyMap<string, unknown> | null): string[] {
  return entries === null ? [] : [...entries.keys()].sort(compareStrings);
}
