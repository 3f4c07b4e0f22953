/**
 * ASN.1 in DER (ITU-T X.690): as much as keys and certificates need. Writing takes values, reading gives slices.
 *
 * @module
 */

/** Tags. */
export const tags = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8: 0x0c,
  printable: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One value: its tag and content. */
export function derValue(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  const head = length < 128 ? [tag, length] : [tag, 0x80 | bytesOf(BigInt(length)).length, ...bytesOf(BigInt(length))];
  const result = new Uint8Array(head.length + length);
  result.set(head);
  let at = head.length;
  for (const content of contents) {
    result.set(content, at);
    at += content.length;
  }
  return result;
}

/** A SEQUENCE. */
export function derSequence(...members: readonly Uint8Array[]): Uint8Array {
  return derValue(tags.sequence, ...members);
}

/** A non-negative INTEGER. */
export function derInteger(value: bigint): Uint8Array {
  const bytes = bytesOf(value);
  return derValue(tags.integer, (bytes[0] as number) >= 0x80 ? Uint8Array.of(0, ...bytes) : bytes);
}

/** An OBJECT IDENTIFIER of its dotted text. */
export function derOid(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second].concat(rest).flatMap((part, index) => index === 0 ? [part] : base128(part));
  return derValue(tags.oid, Uint8Array.from(bytes));
}

/** A BIT STRING of whole bytes. */
export function derBits(content: Uint8Array): Uint8Array {
  return derValue(tags.bitString, Uint8Array.of(0), content);
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift(rest & 0x7f | 0x80);
  return digits;
}

/** Big-endian bytes of a number, without leading zeros; 0 is one byte. */
export function bytesOf(value: bigint): Uint8Array {
  const hex = value.toString(16);
  return Uint8Array.fromHex(hex.length % 2 === 0 ? hex : `0${hex}`);
}

/** The number of big-endian bytes. */
export function numberOf(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toHex()}`);
}

/** A value that was read: tag, content, and both with the head. */
export interface DerNode {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

/** Values that stand one after another. @throws {RangeError} when the bytes are no DER */
export function readDer(bytes: Uint8Array): readonly DerNode[] {
  const nodes: DerNode[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] as number;
    const short = bytes[at + 1];
    if (short === undefined) throw new RangeError("Cannot read DER: it ends within a value");
    const count = short < 0x80 ? 0 : short & 0x7f;
    const length = count === 0 ? short : Number(numberOf(bytes.subarray(at + 2, at + 2 + count)));
    const start = at + 2 + count;
    if (count > 4 || short === 0x80 || start + length > bytes.length) {
      throw new RangeError("Cannot read DER: a length does not fit");
    }
    nodes.push({ tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) });
    at = start + length;
  }
  return nodes;
}

/** PEM text of bytes, in lines of 64 characters (Go encoding/pem). */
export function pemText(label: string, bytes: Uint8Array): string {
  const lines = bytes.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.map((line) => `${line}\n`).join("")}-----END ${label}-----\n`;
}

/** The first PEM block of a text; `undefined` when there is none. */
export function readPem(text: string): { readonly label: string; readonly bytes: Uint8Array } | undefined {
  const match = /-----BEGIN ([^\n-]+)-----\r?\n([A-Za-z0-9+/=\s]*?)-----END \1-----/.exec(text);
  if (match === null) return undefined;
  try {
    return { label: match[1] ?? "", bytes: Uint8Array.fromBase64((match[2] ?? "").replace(/\s/g, "")) };
  } catch {
    return undefined;
  }
}
