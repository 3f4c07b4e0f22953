/**
 * Encodings and digests of texts (sprig 3.3.0; Go encoding/base64, encoding/base32). A text that cannot be decoded gives
 * the text of the error instead, as in sprig.
 *
 * @module
 */
import { nodeBuiltin } from "../../../core/node_builtin.ts";
import { sha256Hex } from "../../../core/sha256.ts";
import { fromBytes, toBytes } from "../template/go_string.ts";
import { goTypes } from "../template/go_type.ts";
import { func } from "./registry.ts";
import type { FunctionRecord, FunctionTable } from "./registry.ts";

const { string } = goTypes;

function digest(algorithm: string): FunctionRecord {
  return func(
    [string],
    string,
    (_, text) => nodeBuiltin.crypto().createHash(algorithm).update(toBytes(text)).digest("hex"),
  );
}

/** Functions by name. */
export const encodingFunctions: FunctionTable = {
  adler32sum: func([string], string, (_, text) => adler32(toBytes(text)).toString()),
  b32dec: func([string], string, (_, text) => decodeBase32(text)),
  b32enc: func([string], string, (_, text) => encodeBase32(toBytes(text))),
  b64dec: func([string], string, (_, text) => decodeBase64(text)),
  b64enc: func([string], string, (_, text) => toBytes(text).toBase64()),
  sha1sum: digest("sha1"),
  sha256sum: func([string], string, (_, text) => sha256Hex(toBytes(text))),
  sha512sum: digest("sha512"),
};

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

const alphabet64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const alphabet32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const padding = 61;
const newline = 10;
const carriageReturn = 13;

function decodeBase64(text: string): string {
  if (/^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0) {
    try {
      return fromBytes(Uint8Array.fromBase64(text));
    } catch {
      // What the fast way refuses is read again by Go's rules.
    }
  }
  return decodeBase64Slowly(toBytes(text));
}

function isBreak(byte: number | undefined): boolean {
  return byte === newline || byte === carriageReturn;
}

/** Go's decoder, byte by byte: line breaks are skipped, the place of the first fault is told. */
function decodeBase64Slowly(source: Uint8Array): string {
  const fault = (at: number) => `illegal base64 data at input byte ${at}`;
  const result: number[] = [];
  let at = 0;
  while (at < source.length) {
    const quantum: number[] = [];
    let isEnd = false;
    while (quantum.length < 4 && !isEnd) {
      const byte = source[at];
      if (byte === undefined) {
        if (quantum.length === 0) return fromBytes(Uint8Array.from(result));
        return fault(at - quantum.length);
      }
      at++;
      const value = alphabet64.indexOf(String.fromCharCode(byte));
      if (value >= 0) quantum.push(value);
      else if (isBreak(byte)) continue;
      else if (byte !== padding || quantum.length < 2) return fault(at - 1);
      else {
        if (quantum.length === 2) {
          while (isBreak(source[at])) at++;
          if (at === source.length) return fault(source.length);
          if (source[at] !== padding) return fault(at - 1);
          at++;
        }
        while (isBreak(source[at])) at++;
        if (at < source.length) return fault(at);
        isEnd = true;
      }
    }
    const [a = 0, b = 0, c = 0, d = 0] = quantum;
    const bytes = [a << 2 | b >> 4, (b & 15) << 4 | c >> 2, (c & 3) << 6 | d];
    result.push(...bytes.slice(0, quantum.length - 1));
  }
  return fromBytes(Uint8Array.from(result));
}

function encodeBase32(bytes: Uint8Array): string {
  let result = "";
  for (let start = 0; start < bytes.length; start += 5) {
    const group = bytes.subarray(start, start + 5);
    let bits = 0n;
    for (let index = 0; index < 5; index++) bits = bits << 8n | BigInt(group[index] ?? 0);
    const count = Math.ceil(group.length * 8 / 5);
    for (let index = 0; index < 8; index++) {
      result += index < count ? alphabet32[Number(bits >> BigInt(35 - 5 * index) & 31n)] : "=";
    }
  }
  return result;
}

/** Go's decoder: line breaks are skipped first, the place of the first fault counts without them. */
function decodeBase32(text: string): string {
  const source = toBytes(text).filter((byte) => !isBreak(byte));
  const fault = (at: number) => `illegal base32 data at input byte ${at}`;
  const result: number[] = [];
  for (let at = 0; at < source.length;) {
    const group: number[] = [];
    let isEnd = false;
    while (group.length < 8 && !isEnd) {
      const byte = source[at];
      if (byte === undefined) return fault(at - group.length);
      at++;
      const left = source.length - at;
      const count = group.length;
      if (byte === padding && count >= 2 && left < 8) {
        if (left + count < 7) return fault(source.length);
        for (let index = 0; index < 7 - count; index++) {
          if (left > index && source[at + index] !== padding) return fault(at + index - 1);
        }
        if (count === 3 || count === 6) return fault(at - 1);
        isEnd = true;
      } else {
        const value = alphabet32.indexOf(String.fromCharCode(byte));
        if (value < 0) return fault(at - 1);
        group.push(value);
      }
    }
    let bits = 0n;
    for (let index = 0; index < 8; index++) bits = bits << 5n | BigInt(group[index] ?? 0);
    const count = Math.floor(group.length * 5 / 8);
    for (let index = 0; index < count; index++) result.push(Number(bits >> BigInt(32 - 8 * index) & 255n));
    if (isEnd) break;
  }
  return fromBytes(Uint8Array.from(result));
}
