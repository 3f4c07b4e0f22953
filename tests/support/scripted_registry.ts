import { gzipSync } from "node:zlib";
import { Hono } from "hono";
import type { Descriptor, Index, Manifest } from "../../src/core/descriptor.ts";
import { mediaTypes } from "../../src/core/descriptor.ts";
import type { Digest } from "../../src/core/digest.ts";
import { digestOf, digestStream, isDigest, splitDigest } from "../../src/core/digest.ts";
import type { Network } from "../../src/core/network.ts";
import { errorAnswer, type RegistryFault } from "./registry_faults.ts";
import { LoginDesk, type RegistryLogin } from "./registry_login.ts";
import { joinBytes, tarOf } from "./tar_of.ts";

/** How a {@linkcode ScriptedRegistry} behaves where registries differ. */
export interface RegistryOptions {
  readonly login?: RegistryLogin;
  /** Milliseconds since 1970, for tokens; default the machine's. */
  readonly now?: () => number;
  /** `false`: the referrers API answers 404, as before distribution-spec 1.1. */
  readonly hasReferrers?: boolean;
  /** Whether it filters referrers by `artifactType` itself. Default `true`. */
  readonly filtersReferrers?: boolean;
  /** Most tags or referrers of one page, whatever is asked for; default 1000. */
  readonly pageSize?: number;
  /** `OCI-Chunk-Min-Length` of uploads. */
  readonly chunkMinBytes?: number;
  /** `false`: no ETag, and `If-None-Match` does nothing. */
  readonly hasEtags?: boolean;
  /** `false`: a mount is answered like a new upload. */
  readonly mounts?: boolean;
}

/** One request that was seen. */
export interface SeenRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly search: string;
  readonly headers: Headers;
  /** 0 when there was no answer. */
  readonly status: number;
}

/** Which requests a fault meets. */
export interface FaultRoute {
  readonly method?: string;
  /** Matched against the path; a text must be its end. Default: all. */
  readonly path?: RegExp | string;
  readonly host?: string;
  /** How often it strikes; default once. */
  readonly times?: number;
  /** Requests that pass before the first. */
  readonly after?: number;
}

/** Files of an artifact by path. */
export type ArtifactFiles = Readonly<Record<string, string | Uint8Array>>;

/** One layer to be put in: bytes, or files that become a gzipped tar. */
export interface LayerOrder {
  readonly mediaType?: string;
  readonly bytes?: Uint8Array;
  readonly files?: ArtifactFiles;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An artifact to be put in. `files` is short for one layer. */
export interface ArtifactOrder extends LayerOrder {
  readonly repository: string;
  readonly tag?: string;
  readonly layers?: readonly LayerOrder[];
  readonly config?: { readonly mediaType: string; readonly bytes: Uint8Array };
  readonly manifestAnnotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly subject?: Descriptor;
}

/** What was put in. */
export interface PutArtifact {
  readonly manifest: Descriptor;
  readonly digest: Digest;
  /** `tag@digest`, or the digest. */
  readonly revision: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

interface Repository {
  readonly blobs: Map<string, Uint8Array<ArrayBuffer>>;
  readonly manifests: Map<string, { readonly mediaType: string; readonly bytes: Uint8Array<ArrayBuffer> }>;
  readonly tags: Map<string, Digest>;
}

interface Upload {
  readonly repository: string;
  readonly chunks: Uint8Array[];
  sizeBytes: number;
  state: number;
}

const namePattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const manifestLimit = 4 * 1024 * 1024;

/**
 * A registry in memory (OCI distribution-spec 1.1: pull, push, tags, referrers) that does wrong only where it is told to. It
 * answers under every host name; the log says under which it was asked.
 */
export class ScriptedRegistry {
  readonly #app = new Hono();
  readonly #options: RegistryOptions;
  readonly #repositories = new Map<string, Repository>();
  readonly #uploads = new Map<string, Upload>();
  #uploadCount = 0;
  #rules: { readonly route: FaultRoute; readonly fault: RegistryFault; seen: number; struck: number }[] = [];
  readonly #requests: SeenRequest[] = [];
  /** Who may come in. */
  readonly desk: LoginDesk;
  /** No connection at all while this is set. */
  isDown = false;

  constructor(options: RegistryOptions = {}) {
    this.#options = options;
    this.desk = new LoginDesk(options.login ?? { kind: "none" }, options.now ?? Date.now);
    this.#app.all("/token", (context) => this.desk.token(context.req.raw));
    this.#app.all("/v2/*", (context) => this.#serve(context.req.raw));
  }

  /** The network at whose end the registry stands. */
  readonly send: Network = async (request) => {
    const { host, pathname, search } = new URL(request.url);
    const note = (status: number) =>
      void this.#requests.push({
        method: request.method,
        host,
        path: pathname,
        search,
        headers: new Headers(request.headers),
        status,
      });
    try {
      if (this.isDown) throw new TypeError("error sending request: connection refused");
      const answer = await this.#exchange(request);
      note(answer.status);
      return answer;
    } catch (error) {
      note(0);
      throw error;
    }
  };

  /** Requests in the order in which they were answered. */
  get requests(): readonly SeenRequest[] {
    return this.#requests;
  }

  /** How many requests there were of a method to paths that match (a text: that end so). */
  count(method: string, path: RegExp | string = ""): number {
    return this.#requests.filter((seen) => seen.method === method && matches(path, seen.path)).length;
  }

  /** Forgets the requests seen. */
  clearLog(): void {
    this.#requests.length = 0;
  }

  /** Lets requests of a route meet a fault; rules added later come first. @returns takes the rule back */
  fault(route: FaultRoute, fault: RegistryFault): () => void {
    const rule = { route, fault, seen: 0, struck: 0 };
    this.#rules.unshift(rule);
    return () => {
      this.#rules = this.#rules.filter((other) => other !== rule);
    };
  }

  /** Takes all rules back. */
  heal(): void {
    this.#rules = [];
    this.isDown = false;
  }

  /** Puts an artifact in, without asking who does it. Default media types: Flux's. */
  put(order: ArtifactOrder): PutArtifact {
    const config = order.config ?? { mediaType: mediaTypes.fluxConfig, bytes: textBytes("{}") };
    const layers = (order.layers ?? [order]).map((layer) => {
      const bytes = layer.bytes ?? archiveOf(layer.files ?? {});
      return {
        ...this.putBlob(order.repository, bytes, layer.mediaType ?? mediaTypes.fluxContent),
        ...(layer.annotations === undefined ? {} : { annotations: layer.annotations }),
      };
    });
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      ...(order.artifactType === undefined ? {} : { artifactType: order.artifactType }),
      config: this.putBlob(order.repository, config.bytes, config.mediaType),
      layers,
      ...(order.subject === undefined ? {} : { subject: order.subject }),
      ...(order.manifestAnnotations === undefined ? {} : { annotations: order.manifestAnnotations }),
    };
    const descriptor = this.putManifest(order.repository, manifest, order.tag);
    return {
      manifest: descriptor,
      digest: descriptor.digest,
      revision: order.tag === undefined ? descriptor.digest : `${order.tag}@${descriptor.digest}`,
      config: manifest.config,
      layers,
    };
  }

  /** Puts a blob in. */
  putBlob(repository: string, bytes: Uint8Array, mediaType = "application/octet-stream"): Descriptor {
    const digest = digestOf(bytes);
    this.#repository(repository).blobs.set(digest, bytes.slice());
    return { mediaType, digest, size: bytes.length };
  }

  /** Puts a manifest or index in, as it is: nothing is checked. */
  putManifest(
    repository: string,
    manifest: Manifest | Index | Uint8Array,
    tag?: string,
    mediaType?: string,
  ): Descriptor {
    const bytes = manifest instanceof Uint8Array ? manifest.slice() : textBytes(JSON.stringify(manifest));
    const type = mediaType ?? (manifest instanceof Uint8Array ? undefined : manifest.mediaType) ?? mediaTypes.manifest;
    const digest = digestOf(bytes);
    const { manifests, tags } = this.#repository(repository);
    manifests.set(digest, { mediaType: type, bytes });
    if (tag !== undefined) tags.set(tag, digest);
    return { mediaType: type, digest, size: bytes.length };
  }

  /** Lets a tag name something, or with `undefined` nothing more. */
  setTag(repository: string, tag: string, digest: Digest | undefined): void {
    const { tags } = this.#repository(repository);
    if (digest === undefined) tags.delete(tag);
    else tags.set(tag, digest);
  }

  /** Takes a blob or manifest away. */
  drop(repository: string, digest: Digest): void {
    this.#repository(repository).blobs.delete(digest);
    this.#repository(repository).manifests.delete(digest);
  }

  /** Bytes of a blob or manifest; `undefined` when it is not there. */
  content(repository: string, digest: Digest): Uint8Array | undefined {
    const found = this.#repositories.get(repository);
    return found?.blobs.get(digest) ?? found?.manifests.get(digest)?.bytes;
  }

  /** Tags of a repository with what they name. */
  tags(repository: string): ReadonlyMap<string, Digest> {
    return this.#repositories.get(repository)?.tags ?? new Map();
  }

  async #exchange(request: Request): Promise<Response> {
    const struck = this.#rules.filter((rule) => {
      const { route } = rule;
      const { pathname, host } = new URL(request.url);
      if (route.method !== undefined && route.method !== request.method) return false;
      if (route.host !== undefined && route.host !== host) return false;
      if (route.path !== undefined && !matches(route.path, pathname)) return false;
      if (rule.seen++ < (route.after ?? 0) || rule.struck >= (route.times ?? 1)) return false;
      rule.struck++;
      return true;
    });
    let answer = async (asked: Request): Promise<Response> => await this.#app.fetch(asked);
    for (const { fault } of struck.reverse()) {
      const inner = answer;
      answer = (asked) => fault(asked, inner);
    }
    return await answer(request);
  }

  #repository(name: string): Repository {
    let found = this.#repositories.get(name);
    if (found === undefined) {
      this.#repositories.set(name, found = { blobs: new Map(), manifests: new Map(), tags: new Map() });
    }
    return found;
  }

  async #serve(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const isReading = request.method === "GET" || request.method === "HEAD";
    const action = isReading ? "pull" : "push";
    if (/^\/v2\/?$/.test(url.pathname)) {
      return this.desk.refusal(request, undefined, "pull") ?? Response.json({}, {
        headers: { "docker-distribution-api-version": "registry/2.0" },
      });
    }
    const route = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/(.*)$/.exec(url.pathname);
    const upload = /^\/v2\/(.+)\/blobs\/uploads\/(.*)$/.exec(url.pathname);
    const repository = upload?.[1] ?? route?.[1] ?? "";
    if (!namePattern.test(repository)) return errorAnswer(404, "NAME_INVALID", "invalid repository name");
    const refusal = this.desk.refusal(request, repository, upload === null ? action : "push");
    if (refusal !== undefined) return refusal;
    if (upload !== null) return await this.#upload(request, repository, upload[2] ?? "");
    const rest = decodeURIComponent(route?.[3] ?? "");
    if (route?.[2] === "manifests" && request.method === "PUT") {
      return await this.#putManifest(request, repository, rest);
    }
    if (!isReading) return errorAnswer(405, "UNSUPPORTED", "the operation is unsupported");
    const found = this.#repositories.get(repository);
    switch (route?.[2]) {
      case "manifests":
        return this.#manifest(request, found, rest);
      case "blobs":
        return this.#blob(request, found, rest);
      case "tags":
        return rest === "list"
          ? this.#tagList(url, repository, found)
          : new Response("404 page not found", { status: 404 });
      default:
        return this.#referrers(url, repository, found, rest);
    }
  }

  #manifest(request: Request, repository: Repository | undefined, reference: string): Response {
    if (!isDigest(reference) && !tagPattern.test(reference)) {
      return errorAnswer(400, "TAG_INVALID", "invalid tag name");
    }
    const digest = isDigest(reference) ? reference : repository?.tags.get(reference);
    const found = digest === undefined ? undefined : repository?.manifests.get(digest);
    if (digest === undefined || found === undefined) {
      return repository === undefined
        ? errorAnswer(404, "NAME_UNKNOWN", "repository name not known to registry")
        : errorAnswer(404, "MANIFEST_UNKNOWN", "manifest unknown");
    }
    const accepted = (request.headers.get("accept") ?? "").split(",").map((part) => part.split(";", 1)[0]?.trim());
    if (!accepted.includes(found.mediaType) && !accepted.includes("*/*")) {
      return errorAnswer(404, "MANIFEST_UNKNOWN", "manifest found, but accept header does not support its media type");
    }
    const head = { "docker-content-digest": digest, "content-type": found.mediaType };
    return this.#content(request, found.bytes, digest, head);
  }

  #blob(request: Request, repository: Repository | undefined, reference: string): Response {
    if (!isDigest(reference)) {
      return errorAnswer(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    }
    const bytes = repository?.blobs.get(reference);
    if (bytes === undefined) return errorAnswer(404, "BLOB_UNKNOWN", "blob unknown to registry");
    const head = {
      "docker-content-digest": reference,
      "content-type": "application/octet-stream",
      "accept-ranges": "bytes",
    };
    const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.get("range") ?? "");
    if (range === null || (range[1] === "" && range[2] === "")) return this.#content(request, bytes, reference, head);
    const [, from = "", to = ""] = range;
    const first = from === "" ? Math.max(0, bytes.length - Number(to)) : Number(from);
    const last = from === "" || to === "" ? bytes.length - 1 : Math.min(Number(to), bytes.length - 1);
    if (first >= bytes.length || last < first) {
      return new Response(null, { status: 416, headers: { "content-range": `bytes */${bytes.length}` } });
    }
    const part = bytes.slice(first, last + 1);
    return new Response(request.method === "HEAD" ? null : part, {
      status: 206,
      headers: {
        ...head,
        "content-length": `${part.length}`,
        "content-range": `bytes ${first}-${last}/${bytes.length}`,
      },
    });
  }

  #content(
    request: Request,
    bytes: Uint8Array<ArrayBuffer>,
    digest: string,
    head: Readonly<Record<string, string>>,
  ): Response {
    const etag = `"${digest}"`;
    const tagged = this.#options.hasEtags === false ? head : { ...head, etag };
    const known = (request.headers.get("if-none-match") ?? "").split(",").map((one) => one.trim().replace(/^W\//, ""));
    if (this.#options.hasEtags !== false && (known.includes(etag) || known.includes("*"))) {
      return new Response(null, { status: 304, headers: { etag, "docker-content-digest": digest } });
    }
    return new Response(request.method === "HEAD" ? null : bytes, {
      headers: { ...tagged, "content-length": `${bytes.length}` },
    });
  }

  #tagList(url: URL, name: string, repository: Repository | undefined): Response {
    if (repository === undefined) return errorAnswer(404, "NAME_UNKNOWN", "repository name not known to registry");
    const asked = url.searchParams.get("n");
    if (asked !== null && !/^\d+$/.test(asked)) {
      return errorAnswer(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested");
    }
    const last = url.searchParams.get("last") ?? "";
    const count = Math.min(asked === null ? Infinity : Number(asked), this.#options.pageSize ?? 1000);
    const left = [...repository.tags.keys()].sort().filter((tag) => tag > last);
    const page = left.slice(0, count);
    const next = `/v2/${name}/tags/list?n=${count}&last=${encodeURIComponent(page.at(-1) ?? "")}`;
    const more = page.length > 0 && page.length < left.length;
    return Response.json({ name, tags: page }, { headers: more ? { link: `<${next}>; rel="next"` } : {} });
  }

  #referrers(url: URL, name: string, repository: Repository | undefined, subject: string): Response {
    if (this.#options.hasReferrers === false) return new Response("404 page not found", { status: 404 });
    if (!isDigest(subject)) return errorAnswer(400, "DIGEST_INVALID", "invalid digest");
    const wanted = this.#options.filtersReferrers === false ? null : url.searchParams.get("artifactType");
    const start = Number(url.searchParams.get("start") ?? "0");
    const all = [...repository?.manifests ?? []].flatMap(([digest, { mediaType, bytes }]): Descriptor[] => {
      const manifest = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Manifest>;
      if (manifest.subject?.digest !== subject) return [];
      const artifactType = manifest.artifactType ?? manifest.config?.mediaType ?? "";
      if (wanted !== null && artifactType !== wanted) return [];
      const { annotations } = manifest;
      return [{
        mediaType,
        digest: digest as Digest,
        size: bytes.length,
        artifactType,
        ...(annotations === undefined ? {} : { annotations }),
      }];
    });
    const count = this.#options.pageSize ?? 1000;
    const query = new URLSearchParams({
      ...(wanted === null ? {} : { artifactType: wanted }),
      start: `${start + count}`,
    });
    return Response.json(
      { schemaVersion: 2, mediaType: mediaTypes.index, manifests: all.slice(start, start + count) },
      {
        headers: {
          "content-type": mediaTypes.index,
          ...(wanted === null ? {} : { "oci-filters-applied": "artifactType" }),
          ...(start + count < all.length ? { link: `</v2/${name}/referrers/${subject}?${query}>; rel="next"` } : {}),
        },
      },
    );
  }

  async #putManifest(request: Request, name: string, reference: string): Promise<Response> {
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.length > manifestLimit) return errorAnswer(413, "SIZE_INVALID", "manifest too large");
    let manifest: Partial<Manifest & Index>;
    try {
      manifest = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      return errorAnswer(400, "MANIFEST_INVALID", "manifest invalid");
    }
    const mediaType = request.headers.get("content-type") ?? "";
    if (manifest.schemaVersion !== 2 || (manifest.mediaType !== undefined && manifest.mediaType !== mediaType)) {
      return errorAnswer(400, "MANIFEST_INVALID", "if present, mediaType in manifest should match the Content-Type");
    }
    const digest = isDigest(reference) ? digestBy(reference, bytes) : digestOf(bytes);
    if (isDigest(reference) ? digest !== reference : !tagPattern.test(reference)) {
      return errorAnswer(400, isDigest(reference) ? "DIGEST_INVALID" : "TAG_INVALID", "wrong digest or tag");
    }
    const repository = this.#repository(name);
    const blobs = [manifest.config, ...manifest.layers ?? []].filter((blob) => blob !== undefined);
    const missing = blobs.find((blob) => !repository.blobs.has(blob.digest));
    if (missing !== undefined) return errorAnswer(400, "MANIFEST_BLOB_UNKNOWN", `blob unknown: ${missing.digest}`);
    repository.manifests.set(digest, { mediaType, bytes });
    if (!isDigest(reference)) repository.tags.set(reference, digest);
    const hasSubject = manifest.subject !== undefined && this.#options.hasReferrers !== false;
    return new Response(null, {
      status: 201,
      headers: {
        location: `/v2/${name}/manifests/${digest}`,
        "docker-content-digest": digest,
        ...(hasSubject ? { "oci-subject": manifest.subject?.digest ?? "" } : {}),
      },
    });
  }

  async #upload(request: Request, name: string, id: string): Promise<Response> {
    const url = new URL(request.url);
    if (request.method === "POST" && id === "") return await this.#startUpload(request, url, name);
    const upload = this.#uploads.get(id);
    if (upload === undefined || upload.repository !== name) {
      return errorAnswer(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    }
    if (request.method === "GET") return uploadAnswer(204, name, id, upload);
    if (request.method === "DELETE") {
      this.#uploads.delete(id);
      return new Response(null, { status: 204 });
    }
    if (request.method !== "PATCH" && request.method !== "PUT") return errorAnswer(405, "UNSUPPORTED", "unsupported");
    if (url.searchParams.get("_state") !== `${upload.state}`) {
      return errorAnswer(404, "BLOB_UPLOAD_UNKNOWN", "the location of an older answer was used");
    }
    const from = /^(\d+)-\d+$/.exec(request.headers.get("content-range") ?? "")?.[1];
    if (from !== undefined && Number(from) !== upload.sizeBytes) return uploadAnswer(416, name, id, upload);
    await takeBody(request, upload);
    upload.state++;
    if (request.method === "PATCH") return uploadAnswer(202, name, id, upload);
    const answer = this.#finishBlob(name, url.searchParams.get("digest"), joinBytes(upload.chunks));
    if (answer.status === 201) this.#uploads.delete(id);
    return answer;
  }

  async #startUpload(request: Request, url: URL, name: string): Promise<Response> {
    const mount = url.searchParams.get("mount");
    const from = url.searchParams.get("from");
    const there = mount === null || from === null ? undefined : this.#repositories.get(from)?.blobs.get(mount);
    if (there !== undefined && this.#options.mounts !== false) return this.#finishBlob(name, mount, there);
    const digest = url.searchParams.get("digest");
    if (digest !== null) return this.#finishBlob(name, digest, new Uint8Array(await request.arrayBuffer()));
    const id = `upload-${++this.#uploadCount}`;
    const upload = { repository: name, chunks: [], sizeBytes: 0, state: 0 };
    this.#uploads.set(id, upload);
    return uploadAnswer(202, name, id, upload, this.#options.chunkMinBytes);
  }

  #finishBlob(name: string, digest: string | null, bytes: Uint8Array): Response {
    if (digest === null || !isDigest(digest) || digestBy(digest, bytes) !== digest) {
      return errorAnswer(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    }
    this.#repository(name).blobs.set(digest, bytes.slice());
    return new Response(null, {
      status: 201,
      headers: { location: `/v2/${name}/blobs/${digest}`, "docker-content-digest": digest },
    });
  }
}

/** Bytes of a gzipped tar of files, always the same for the same files. */
export function archiveOf(files: ArtifactFiles): Uint8Array {
  return gzipSync(tarOf(Object.entries(files).map(([path, content]) => ({ path, content }))));
}

/** Tag under which referrers are listed where the registry has no API for it (distribution-spec 1.1, "Referrers Tag Schema"). */
export function referrersTag(digest: Digest): string {
  return digest.replace(":", "-");
}

function uploadAnswer(status: number, name: string, id: string, upload: Upload, minBytes?: number): Response {
  return new Response(null, {
    status,
    headers: {
      location: `/v2/${name}/blobs/uploads/${id}?_state=${upload.state}`,
      "docker-upload-uuid": id,
      range: `0-${Math.max(0, upload.sizeBytes - 1)}`,
      ...(minBytes === undefined ? {} : { "oci-chunk-min-length": `${minBytes}` }),
    },
  });
}

/** Adds a body to an upload; what arrived before a break stays. */
async function takeBody(request: Request, upload: Upload): Promise<void> {
  if (request.body === null) return;
  for await (const chunk of request.body) {
    upload.chunks.push(chunk);
    upload.sizeBytes += chunk.length;
  }
}

function digestBy(wanted: Digest, bytes: Uint8Array): Digest {
  const stream = digestStream(splitDigest(wanted).algorithm);
  stream.update(bytes);
  return stream.digest();
}

function textBytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function matches(pattern: RegExp | string, path: string): boolean {
  return typeof pattern === "string" ? path.endsWith(pattern) : pattern.test(path);
}
