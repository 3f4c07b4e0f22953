import type { CallOptions } from "../oci_source.ts";
import { StageError } from "../../core/stage_error.ts";
import { isTag } from "../../format/image_reference.ts";
import { nextPage } from "./answer_headers.ts";
import { redactedError, shownUrl } from "./redact.ts";
import { answerError, readInTime, registryMessage } from "./registry_answer.ts";
import type { RegistrySession } from "./registry_session.ts";

/**
 * All tags of a repository, each once, sorted. Pages are followed by `Link` within the registry only; neither their order
 * nor their length is trusted, and what is no valid tag is left out. Asks for 1000 per page: Amazon ECR refuses more.
 *
 * @throws {StageError} OCIArtifactPullFailed, also beyond the limits of pages and bytes
 */
export async function listTags(
  session: RegistrySession,
  options: CallOptions & { readonly name: string },
): Promise<readonly string[]> {
  const action = `Cannot list tags of "${options.name}"`;
  const { limits } = session.wire;
  const tags = new Set<string>();
  let restBytes = limits.tagTotalBytes;
  for await (
    const page of pagesOf(session, session.url("tags/list?n=1000"), { ...options, action, accept: "application/json" })
  ) {
    if (page.response.status !== 200) {
      throw answerError(page.response, action, await registryMessage(page.response, limits.errorBytes));
    }
    const bytes = await page.read(Math.min(limits.tagPageBytes, restBytes));
    restBytes -= bytes.length;
    for (const tag of tagsOf(bytes, action)) if (isTag(tag)) tags.add(tag);
  }
  return [...tags].sort();
}

function tagsOf(bytes: Uint8Array, action: string): readonly string[] {
  let value: { readonly tags?: unknown } | null;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new StageError("OCIArtifactPullFailed", `${action}: the registry's answer is no JSON text`);
  }
  const tags = value?.tags ?? [];
  if (!Array.isArray(tags)) throw new StageError("OCIArtifactPullFailed", `${action}: "tags" is no list`);
  return tags.filter((tag): tag is string => typeof tag === "string");
}

/** One page of a list. */
export interface Page {
  readonly response: Response;
  /** Where it came from after redirects. */
  readonly url: URL;
  /** The body. @throws {StageError} when it is longer than the limit */
  read(limitBytes: number): Promise<Uint8Array>;
}

/**
 * Pages of a list: each is handed out once and the next asked for when it was a 200. Ends at the last, at a page that was
 * seen before, and with an error at the limit of pages.
 */
export async function* pagesOf(
  session: RegistrySession,
  first: URL,
  options: CallOptions & { readonly action: string; readonly accept: string },
): AsyncGenerator<Page> {
  const seen = new Set<string>();
  let url: URL | undefined = first;
  for (let count = 0; url !== undefined && !seen.has(url.href); count++) {
    if (count >= session.wire.limits.pages) {
      throw new StageError(
        "OCIArtifactPullFailed",
        `${options.action}: there are more than ${session.wire.limits.pages} pages`,
      );
    }
    seen.add(url.href);
    const answer = await session.send({
      method: "GET",
      url,
      headers: { accept: options.accept },
      signal: options.signal,
      action: options.action,
    });
    yield {
      ...answer,
      read: async (limitBytes) => {
        try {
          return await readInTime(answer.response, limitBytes, session.wire);
        } catch (error) {
          if (options.signal?.aborted) throw options.signal.reason;
          throw new StageError("OCIArtifactPullFailed", `${options.action}`, { cause: redactedError(error) });
        }
      },
    };
    if (answer.response.status !== 200) return;
    try {
      url = nextPage(answer.response.headers.get("link"), new URL(shownUrl(url)));
    } catch (error) {
      throw new StageError("OCIArtifactPullFailed", options.action, {
        cause: redactedError(error),
        hint: "Pages of a list must stay at the registry; check the registry's own address",
      });
    }
  }
}
