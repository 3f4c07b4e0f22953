import { StageError } from "../../core/stage_error.ts";
import type { Settings } from "../../core/specs.ts";
import type { ImageReference } from "../../format/image_reference.ts";
import { canonicalRegistry, isRepository } from "../../format/image_reference.ts";
import type { Endpoint } from "./registry_session.ts";

/**
 * Mirrors of a repository, in order. `registry` of an entry is a registry, a registry and the start of a repository's path
 * (`ghcr.io/org`), or `*` for all. An endpoint is `http(s)://host[:port][/prefix]`, without a scheme `https`; a prefix stands
 * before the repository's path at the mirror. The first entry that fits decides, the more precise ones come first.
 *
 * @throws {StageError} InvalidDocument when an endpoint is no such URL
 */
export function mirrorEndpoints(mirrors: Settings["mirrors"], reference: ImageReference): readonly Endpoint[] {
  const name = `${reference.registry}/${reference.repository}`;
  const fitting = mirrors
    .map((mirror) => ({ mirror, prefix: prefixOf(mirror.registry) }))
    .filter(({ prefix }) => prefix === "*" || name.startsWith(`${prefix}/`) || name === prefix)
    .sort((a, b) => (b.prefix === "*" ? 0 : b.prefix.length) - (a.prefix === "*" ? 0 : a.prefix.length));
  return (fitting[0]?.mirror.endpoints ?? []).map((text) => endpointOf(text, reference));
}

function prefixOf(registry: string): string {
  const bare = registry.trim().replace(/\/+$/, "");
  const slash = bare.indexOf("/");
  return slash < 0 ? canonicalRegistry(bare) : `${canonicalRegistry(bare.slice(0, slash))}${bare.slice(slash)}`;
}

function endpointOf(text: string, reference: ImageReference): Endpoint {
  const written = text.includes("://") ? text : `https://${text}`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  const prefix = url?.pathname.replace(/^\/+|\/+$/g, "") ?? "";
  const isGood = url !== undefined && (url.protocol === "https:" || url.protocol === "http:") && url.hostname !== "" &&
    url.username === "" && url.password === "" && url.search === "" && (prefix === "" || isRepository(prefix));
  if (!isGood) {
    throw new StageError(
      "InvalidDocument",
      `Cannot use mirror "${text.replace(/\/\/[^/@]*@/, "//…@")}": it must be "http(s)://host[:port][/prefix]"`,
    );
  }
  return {
    origin: new URL(url.origin),
    registry: canonicalRegistry(url.host),
    repository: prefix === "" ? reference.repository : `${prefix}/${reference.repository}`,
    isMirror: true,
  };
}
