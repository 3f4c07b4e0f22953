/** One entry of a test's archive; what is absent has a harmless default. */
export interface TarPart {
  readonly path: string;
  readonly content?: string | Uint8Array;
  /** Type flag; default `0`. */
  readonly type?: string;
  readonly mode?: number;
  readonly link?: string;
  /** Magic and version; default ustar's. `v7` has none. */
  readonly format?: "ustar" | "gnu" | "v7";
  /** Size to write instead of the content's. */
  readonly size?: number | string;
  readonly prefix?: string;
  /** Added to the checksum. */
  readonly checksumError?: number;
}

/** Bytes of an archive of these entries, with two closing blocks unless told otherwise. */
export function tarOf(parts: readonly TarPart[], options: { readonly closing?: number } = {}): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const part of parts) {
    const content = typeof part.content === "string" ? new TextEncoder().encode(part.content) : part.content;
    blocks.push(headerOf(part, content?.length ?? 0));
    if (content === undefined) continue;
    const padded = new Uint8Array(Math.ceil(content.length / 512) * 512);
    padded.set(content);
    blocks.push(padded);
  }
  blocks.push(new Uint8Array(512 * (options.closing ?? 2)));
  return joinBytes(blocks);
}

/** Content of a PAX header: each record with its own length in front. */
export function paxRecords(records: Readonly<Record<string, string>>): string {
  return Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    const size = new TextEncoder().encode(rest).length;
    let length = size + String(size).length;
    if (String(length).length > String(size).length) length = size + String(length).length;
    return `${length}${rest}`;
  }).join("");
}

/** Bytes in a row. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function headerOf(part: TarPart, contentSize: number): Uint8Array {
  const header = new Uint8Array(512);
  const put = (text: string, at: number, length: number) =>
    header.set(new TextEncoder().encode(text).subarray(0, length), at);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  put(part.path, 0, 100);
  put(octal(part.mode ?? 0o644, 7), 100, 8);
  put(octal(0, 7), 108, 8);
  put(octal(0, 7), 116, 8);
  const size = part.size ?? contentSize;
  put(typeof size === "string" ? size : octal(size, 11), 124, 12);
  put(octal(0, 11), 136, 12);
  put(part.type ?? "0", 156, 1);
  put(part.link ?? "", 157, 100);
  const format = part.format ?? "ustar";
  if (format !== "v7") put(format === "ustar" ? "ustar\x0000" : "ustar  \0", 257, 8);
  put(part.prefix ?? "", 345, 155);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0) + (part.checksumError ?? 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8);
  return header;
}
