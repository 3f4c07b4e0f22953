/** Longest text of a `Warning` header that is read (distribution-spec 1.1, "Warnings"). */
const warningLimit = 4096;

/**
 * URL of the next page in a `Link` header; `undefined` when there is none. The target may be relative to `base`.
 *
 * @throws {RangeError} when it leads to another scheme, host or port
 */
export function nextPage(header: string | null, base: URL): URL | undefined {
  if (header === null) return undefined;
  for (const match of header.slice(0, 16_384).matchAll(/<([^<>]*)>([^<]*)/g)) {
    const [, target = "", parameters = ""] = match;
    if (!/;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next)(?=\s*(?:[;,]|$))/i.test(parameters)) continue;
    if (!URL.canParse(target, base)) throw new RangeError("the link to the next page is no URL");
    const url = new URL(target, base);
    if (url.origin !== base.origin) throw new RangeError(`the link to the next page leads to "${url.origin}"`);
    return url;
  }
  return undefined;
}

/** Texts of a `Warning` header that are meant for people: code 299 with agent `-`. */
export function warningTexts(header: string | null): readonly string[] {
  if (header === null) return [];
  const texts: string[] = [];
  for (const match of header.slice(0, warningLimit * 4).matchAll(/299\s+-\s+"((?:[^"\\]|\\.)*)"/g)) {
    const text = (match[1] ?? "").replace(/\\(.)/g, "$1").replace(/[\u0000-\u001f\u007f]/g, " ").trim();
    if (text !== "" && text.length <= warningLimit && !texts.includes(text)) texts.push(text);
  }
  return texts;
}

/**
 * Milliseconds that a `Retry-After` header asks for: seconds or a date. `undefined` when there is none or it cannot be read;
 * never negative, at most a day.
 */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const ms = /^\d{1,10}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), 86_400_000);
}

/** First, last and whole size of a `Content-Range: bytes 0-99/200`; the size is absent when it is `*`. */
export function contentRange(
  header: string | null,
): { readonly first: number; readonly last: number; readonly sizeBytes?: number } | undefined {
  const match = /^\s*bytes\s+(\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)\s*$/i.exec(header ?? "");
  if (match === null) return undefined;
  const [, first, last, size] = match;
  return {
    first: Number(first),
    last: Number(last),
    ...(size === undefined || size === "*" ? {} : { sizeBytes: Number(size) }),
  };
}

/** Bytes that an upload's `Range: 0-99` says are there; `0-0` of a fresh upload counts as none when nothing was sent. */
export function uploadedBytes(header: string | null): number | undefined {
  const match = /^\s*(?:bytes=)?0-(\d{1,15})\s*$/.exec(header ?? "");
  return match === null ? undefined : Number(match[1]) + 1;
}

/** Value of a header that holds a whole number; `undefined` for anything else. */
export function numberHeader(header: string | null): number | undefined {
  return header !== null && /^\s*\d{1,15}\s*$/.test(header) ? Number(header) : undefined;
}
