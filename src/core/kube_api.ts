import type { JsonObject, JsonValue } from "./json.ts";
import { isJsonObject } from "./json.ts";
import type { Resource } from "./resource.ts";

/** One request to an API server. */
export interface KubeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path from the server's root, each part encoded already: `/api/v1/namespaces/default/configmaps/site`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: JsonValue;
  /** Type of the body; default `application/json`. */
  readonly contentType?: string;
  /** Default `application/json`. */
  readonly accept?: string;
  /** Milliseconds until the request is given up; default 30 seconds. */
  readonly timeoutMs?: number;
}

/** One line of a watch. */
export interface KubeEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: Resource;
}

/** What to watch: a collection, from a resource version on. */
export interface KubeWatch {
  /** Path of the collection. */
  readonly path: string;
  /** `labelSelector` or `fieldSelector`, where not all of it is wanted. */
  readonly query?: Readonly<Record<string, string>>;
  readonly resourceVersion: string;
  /** Form of the objects, for example metadata alone; default `application/json`. */
  readonly accept?: string;
}

/** Form in which objects come with their metadata alone. */
export const metadataOnly = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
/** The same for lists. */
export const metadataOnlyList = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

/**
 * The Kubernetes API, as everything but `src/platform` sees it: one cluster, one identity. Calls that may be repeated
 * without harm are repeated when the connection breaks or the server is overloaded.
 */
export interface KubeApi {
  /** The server's address, for people. */
  readonly name: string;
  /** Namespace of the account or context: where our own objects go. */
  readonly namespace: string;
  /** Sends a request. @throws {KubeError} when the server refuses or cannot be reached */
  send(request: KubeRequest, signal?: AbortSignal): Promise<JsonObject>;
  /**
   * Events from a resource version on, bookmarks included. Ends when the server ends it or is silent for too long.
   *
   * @throws {KubeError} code 410 when the resource version is too old; other codes when the server refuses
   */
  watch(watch: KubeWatch, signal: AbortSignal): AsyncIterable<KubeEvent>;
  /** The same cluster as another user. @throws {KubeError} when `user` is empty: nobody is not ourselves */
  as(user: string): KubeApi;
}

/** One cause of a `Status` (apimachinery `StatusCause`). */
export interface KubeCause {
  readonly reason: string;
  readonly field: string;
  readonly message: string;
}

/** What a {@linkcode KubeError} carries beside its message. */
export interface KubeErrorOptions {
  /** HTTP status; 0 when no answer came. */
  readonly code: number;
  /** Word of the server: `NotFound`, `Conflict`, `Invalid`, `Expired`, `Unreachable` for no answer. */
  readonly reason: string;
  readonly causes?: readonly KubeCause[];
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** The answer of an API server that is not a success, or none at all. Its texts never hold a Secret's values. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  readonly code: number;
  readonly reason: string;
  readonly causes: readonly KubeCause[];
  readonly retryAfterMs?: number;

  constructor(message: string, options: KubeErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.reason = options.reason;
    this.causes = options.causes ?? [];
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whether an error is the server's answer with this HTTP status. */
export function isKubeError(error: unknown, code: number): error is KubeError {
  return error instanceof KubeError && error.code === code;
}

/** Error of a `Status` object (or any other body) that came with an HTTP status. */
export function kubeErrorOf(code: number, body: unknown, options: { readonly retryAfterMs?: number } = {}): KubeError {
  const status = isJsonObject(body) ? body : {};
  const details = isJsonObject(status.details) ? status.details : {};
  const causes = Array.isArray(details.causes) ? details.causes.filter(isJsonObject) : [];
  const seconds = typeof details.retryAfterSeconds === "number" ? details.retryAfterSeconds * 1000 : undefined;
  const retryAfterMs = options.retryAfterMs ?? seconds;
  return new KubeError(textOf(status.message) || `API server answered ${code}`, {
    code,
    reason: textOf(status.reason) || `HTTP ${code}`,
    causes: causes.map((cause) => ({
      reason: textOf(cause.reason),
      field: textOf(cause.field),
      message: textOf(cause.message),
    })),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
