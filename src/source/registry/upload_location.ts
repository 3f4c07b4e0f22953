import { StageError } from "../../core/stage_error.ts";
import { shownUrl } from "./redact.ts";

/**
 * Where an upload goes on: the `Location` of an answer, with its query, relative or absolute. It must stay at the registry:
 * content and login are sent there (CVE-2026-50151). A registry behind a TLS proxy that names itself with `http` is taken
 * with `https`.
 *
 * @throws {StageError} OCIArtifactPullFailed
 */
export function uploadLocation(header: string | null, from: URL, action: string): URL {
  const refuse = (why: string) => new StageError("OCIArtifactPullFailed", `${action}: ${why}`);
  if (header === null || !URL.canParse(header, from)) throw refuse("the registry does not say where to upload");
  const url = new URL(header, from);
  if (url.protocol === "http:" && from.protocol === "https:" && url.hostname === from.hostname && url.port === "") {
    url.protocol = "https:";
    url.port = from.port;
  }
  if (url.origin !== from.origin || url.username !== "" || url.password !== "") {
    throw refuse(`the registry wants the upload sent to "${shownUrl(url)}"`);
  }
  url.hash = "";
  return url;
}

/** An upload's URL that finishes it: `digest` added to the query it has. */
export function finishingUrl(location: URL, digest: string): URL {
  // Not through searchParams: it would write the registry's own state anew.
  const url = new URL(location);
  url.search = `${location.search === "" ? "?" : `${location.search}&`}digest=${encodeURIComponent(digest)}`;
  return url;
}
