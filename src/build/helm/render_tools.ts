import type { JsonValue } from "../../core/json.ts";
import type { Random } from "../../core/random.ts";
import type { Notice } from "./notice.ts";

/** What a template asks the cluster for: `lookup apiVersion kind namespace name`. An empty `name` asks for the list. */
export interface LookupRequest {
  readonly kind: "lookup";
  readonly apiVersion: string;
  readonly resourceKind: string;
  readonly namespace: string;
  readonly name: string;
}

/** What a template asks the resolver for: `getHostByName host`. */
export interface HostRequest {
  readonly kind: "host";
  readonly host: string;
}

/** A document that a values.schema.json refers to by an http(s) address. */
export interface SchemaRequest {
  readonly kind: "schema";
  readonly url: string;
}

/** A schema's text, or why it could not be read. */
export type SchemaAnswer = { readonly text: string } | { readonly fault: string };

/** An answer that has to be fetched before a render can finish. */
export type InputRequest = LookupRequest | HostRequest | SchemaRequest;

/**
 * Thrown by a tool whose answer is not there yet. It passes through the engine unchanged: the caller fetches the answer
 * and renders again with the same seed and time. Never shown to people.
 */
export class MissingInput extends Error {
  override readonly name = "MissingInput";
  readonly request: InputRequest;

  constructor(request: InputRequest) {
    super(`Cannot render yet: the answer to a ${request.kind} is still missing`);
    this.request = request;
  }
}

/**
 * An answer that the world refused, in its words. What a cluster refuses fails where a template asks for it: a
 * `lookup` of the world that rejects with anything else ends the render.
 */
export class RefusedInput extends Error {
  override readonly name = "RefusedInput";
  /** What Helm logs about it. */
  readonly notices: readonly Notice[];

  constructor(message: string, options: { readonly cause?: unknown; readonly notices?: readonly Notice[] } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.notices = options.notices ?? [];
  }
}

/**
 * The impure abilities of templates, as values: the same tools give the same text. Everything is synchronous; what has
 * to be waited for is thrown as {@linkcode MissingInput}.
 */
export interface RenderTools {
  /** Wall time in milliseconds since 1970: one moment for the whole render. */
  readonly nowMs: number;
  /** A clock for the render's limit of time: milliseconds from any moment. Absent: time is not limited. */
  readonly monotonicMs?: () => number;
  /** Source of `rand…`, `uuidv4`, `shuffle`, keys and serial numbers; seeded for repeatable renders. */
  readonly random: Random;
  /** IANA name of the zone that Go calls "Local". Default `UTC`. */
  readonly timeZone?: string;
  /**
   * Answers `lookup`: the object, `{items: […]}` for a list, `{}` where there is none. Absent: `lookup` is always `{}`.
   *
   * @throws {MissingInput} when it must be fetched first
   */
  readonly lookup?: (request: LookupRequest) => JsonValue;
  /**
   * Answers `getHostByName` with an address, "" where the host has none. Absent: always "", as Helm without `--enable-dns`.
   *
   * @throws {MissingInput} when it must be fetched first
   */
  readonly resolveHost?: (request: HostRequest) => string;
  /**
   * Reads a schema of an http(s) address. Absent: such a schema is refused.
   *
   * @throws {MissingInput} when it must be fetched first
   */
  readonly readSchema?: (request: SchemaRequest) => SchemaAnswer;
}
