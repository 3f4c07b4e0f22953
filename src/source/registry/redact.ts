import { messageOf } from "../../core/stage_error.ts";

/**
 * Text without what may be secret: user and query of every URL, and what follows `Bearer`, `Basic` or a `token=`.
 * Signed download links carry their permission in the query (CVE-2024-31216).
 */
export function redact(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'()<>]*@/gi, "$1…@")
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/[^\s?#"'()<>]*)[?#][^\s"'()<>]*/gi, "$1?…")
    .replace(/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}/gi, "$1 …")
    .replace(/\b((?:[a-z_]*token|password|assertion|secret)["']?\s*[=:]\s*["']?)[^\s"'&,;}]{4,}/gi, "$1…");
}

/** An error with the same text, redacted, and nothing else of the original: fit to be a cause. */
export function redactedError(error: unknown): Error {
  return new Error(redact(withoutLayers(messageOf(error))));
}

/** What went wrong on the way, without the layers of the runtime around it and the address, which messages name anyway. */
function withoutLayers(text: string): string {
  return text
    .replace(/^(?:fetch failed: )?error sending request for url \([^)]*\): /, "")
    .replace(/^client error \((?:Connect|SendRequest)\): /, "");
}

/** A URL for people: scheme, host and path. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
