import type { Digest } from "../core/digest.ts";
import { isDigest } from "../core/digest.ts";
import { StageError } from "../core/stage_error.ts";

/** A repository and, where written, which content of it. */
export interface ImageReference {
  /** `host` or `host:port`, lower case, as people know it; Docker Hub is always `docker.io`. IPv6 stands in brackets. */
  readonly registry: string;
  /** Path without the registry, for example `org/app`; Docker Hub's single names have `library/` before them. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const componentPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const hostPattern = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])$/;
/** Other names of Docker Hub (containerd/docker and go-containerregistry accept these). */
const dockerHubNames: ReadonlySet<string> = new Set([
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
  "registry.hub.docker.com",
]);

/** Whether `text` may stand as a tag: a letter, digit or `_`, then up to 127 of those or `.` and `-` (distribution-spec 1.1). */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** Whether `text` may stand as a repository path (distribution-spec 1.1, "Pulling manifests"). */
export function isRepository(text: string): boolean {
  return text.length <= 255 && text.split("/").every((part) => componentPattern.test(part));
}

/** The one name of a registry: lower case, Docker Hub's aliases as `docker.io`. */
export function canonicalRegistry(registry: string): string {
  const lower = registry.toLowerCase();
  return dockerHubNames.has(lower) ? "docker.io" : lower;
}

/** Host and port to which requests for a registry go: Docker Hub's API lives at another name. */
export function registryHost(registry: string): string {
  return registry === "docker.io" ? "registry-1.docker.io" : registry;
}

/**
 * Reads `[oci://]registry/repository[:tag][@digest]`. The first part is a registry when it is `localhost` or holds `.`
 * or `:`, else everything is on Docker Hub (distribution/reference `ParseDockerRef`; with `oci://`
 * the first part always is one). Only `sha256` and `sha512` digests are accepted.
 *
 * @throws {StageError} URLInvalid
 */
export function parseImageReference(text: string): ImageReference {
  const isUrl = text.startsWith("oci://");
  const rest = isUrl ? text.slice("oci://".length) : text;
  const fail = (why: string): never => {
    throw new StageError("URLInvalid", `Cannot read reference "${shown(text)}": ${why}`, {
      hint: "Write [oci://]host[:port]/repository[:tag][@sha256:…]",
    });
  };
  if (rest === "") fail("it is empty");
  if (text.length > 1024) fail("it is longer than 1024 characters");
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(rest)) fail('only the scheme "oci://" is known');

  const at = rest.indexOf("@");
  const digest = at < 0 ? undefined : rest.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) {
    if (digest.includes("/")) return fail("it must not hold a user name or password");
    return fail(`digest "${shown(digest)}" must be "sha256:" and 64 lower-case hex digits`);
  }
  const named = at < 0 ? rest : rest.slice(0, at);
  const slash = named.indexOf("/");
  const first = slash < 0 ? "" : named.slice(0, slash);
  const hasRegistry = slash >= 0 && (isUrl || isRegistryName(first));
  if (isUrl && !hasRegistry) fail("there is no repository after the registry");
  const registry = hasRegistry ? checkedRegistry(first, fail) : "docker.io";
  const path = hasRegistry ? named.slice(slash + 1) : named;

  if (!hasRegistry && /^[0-9a-f]{64}$/.test(path)) fail('it is a bare digest: write "@sha256:" and a name before it');

  const colon = path.indexOf(":");
  const tag = colon < 0 ? undefined : path.slice(colon + 1);
  if (tag !== undefined && !isTag(tag)) {
    fail(`tag "${shown(tag)}" must be 1 to 128 letters, digits, "_", "." or "-", and not start with "." or "-"`);
  }
  const bare = colon < 0 ? path : path.slice(0, colon);
  const repository = registry === "docker.io" && bare !== "" && !bare.includes("/") ? `library/${bare}` : bare;
  checkRepository(registry, repository, fail);
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Text of a reference: `registry/repository[:tag][@digest]`. */
export function referenceText(reference: ImageReference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

function isRegistryName(first: string): boolean {
  return first.toLowerCase() === "localhost" || /[.:]/.test(first);
}

function checkedRegistry(written: string, fail: (why: string) => never): string {
  const lower = written.toLowerCase();
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(lower) ?? [];
  if (written.includes("@")) fail("credentials do not belong into a reference");
  if (!hostPattern.test(host) || host.length > 255) fail(`"${shown(written)}" is no registry name`);
  const asked = URL.parse(`http://${host}/`)?.hostname;
  if (host.startsWith("[") && asked === undefined) fail(`"${shown(written)}" is no IPv6 address`);
  // Requests would go nowhere (`a.0`) or to another machine than it seems (`127.1`).
  if (!host.startsWith("[") && asked !== host) fail(`"${shown(written)}" is neither a host's name nor an IPv4 address`);
  if (port !== undefined && !(/^[0-9]{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535)) {
    fail(`port "${shown(port)}" must be 1 to 65535`);
  }
  return canonicalRegistry(lower);
}

function checkRepository(registry: string, repository: string, fail: (why: string) => never): void {
  if (repository === "") fail("the repository is missing");
  if (repository !== repository.toLowerCase()) fail(`repository "${shown(repository)}" must be lower case`);
  if (registry.length + 1 + repository.length > 255) fail("registry and repository are longer than 255 characters");
  if (!isRepository(repository)) {
    fail(
      `repository "${shown(repository)}" must be parts of lower-case letters and digits, parted by "/", and inside a ` +
        'part by ".", "_", "__" or dashes',
    );
  }
}

function shown(text: string): string {
  // What stands before "@" in a host may be a password.
  return text.replace(/^((?:[a-z]+:\/\/)?)[^/@]*@(?=[^/]*\/)/i, "$1…@").slice(0, 200);
}
