/**
 * Values out of parser events, with go-yaml v2's habits: merge keys in writing order, a later duplicate key wins, tags on
 * collections count for nothing, keys become texts as sigs.k8s.io/yaml v1.6.0 makes them. The parser is js-yaml's.
 *
 * @module
 */
import { EVENT_ID, getScalarValue, SCALAR_STYLE } from "js-yaml";
import type { DocumentEvent, Event, ScalarEvent } from "js-yaml";
import type { JsonValue, MutableJson } from "../core/json.ts";
import { shortestFloat } from "./go_float.ts";
import { mayResolve, resolveScalar } from "./yaml_scalar.ts";
import type { ResolvedScalar, ScalarKind } from "./yaml_scalar.ts";

/** Nesting that is taken. */
export const maxDepth = 100;
/** Nodes of one document, an alias counted as often as it is used. */
export const maxNodes = 1_000_000;

/** A fault at an offset of the source; the caller knows file and line. */
export class ComposeFault extends Error {
  readonly offset: number;
  readonly code: "syntax" | "limit";
  constructor(message: string, offset: number, code: "syntax" | "limit" = "syntax") {
    super(message);
    this.offset = offset;
    this.code = code;
  }
}

/** Where a value and its key stand in the source: offsets; children by key or index. */
export interface PlaceNode {
  readonly valueOffset: number;
  readonly keyOffset: number;
  readonly children?: ReadonlyMap<string | number, PlaceNode>;
}

/** One document of a stream. `isEmpty`: nothing stands there, not even a `null`. */
export interface ComposedDocument {
  readonly value: JsonValue;
  readonly isEmpty: boolean;
  /** Only when asked for. */
  readonly places?: PlaceNode;
}

interface Anchor {
  value: MutableJson;
  isDone: boolean;
  isMapping: boolean;
  nodes: number;
  height: number;
  place: MutablePlace | undefined;
}

interface MutablePlace {
  valueOffset: number;
  keyOffset: number;
  children?: Map<string | number, MutablePlace>;
}

interface Frame {
  list: MutableJson[] | undefined;
  map: { [key: string]: MutableJson } | undefined;
  key: string | undefined;
  keyOffset: number;
  isMerge: boolean;
  start: number;
  nodesBefore: number;
  height: number;
  anchor: Anchor | undefined;
  /** For members of a list below a merge key: which of them are mappings. */
  allMappings: boolean;
  place: MutablePlace | undefined;
}

/** How documents are composed. */
export interface ComposeOptions {
  /** A key that stands twice is a fault. Default: the later one wins. */
  readonly strict?: boolean;
  /** Remember where everything stands. Default `false`. */
  readonly withPlaces?: boolean;
  /** The reader's rules for plain scalars. Default: go-yaml v2's. */
  readonly resolve?: (text: string) => ResolvedScalar;
}

/** Documents of a stream of events. @throws {ComposeFault} */
export function composeDocuments(
  source: string,
  events: readonly Event[],
  options: ComposeOptions = {},
): ComposedDocument[] {
  const strict = options.strict === true;
  const withPlaces = options.withPlaces === true;
  const resolve = options.resolve ?? resolveScalar;
  const mayBeOther = options.resolve === undefined ? mayResolve : always;
  const documents: ComposedDocument[] = [];
  const frames: Frame[] = [];
  let top: Frame | undefined;
  let anchors = new Map<string, Anchor>();
  let document: DocumentEvent | undefined;
  let root: MutableJson = null;
  let rootPlace: MutablePlace | undefined;
  let isEmpty = true;
  let nodes = 0;

  const anchorOf = (start: number, end: number, value: MutableJson, isMapping: boolean): Anchor | undefined => {
    if (start < 0) return undefined;
    const anchor: Anchor = { value, isDone: false, isMapping, nodes: 1, height: 0, place: undefined };
    anchors.set(source.slice(start, end), anchor);
    return anchor;
  };

  const add = (value: MutableJson, isMapping: boolean, offset: number, place: MutablePlace | undefined): void => {
    if (top === undefined) {
      root = value;
      rootPlace = place;
      return;
    }
    if (top.list !== undefined) {
      if (!isMapping) top.allMappings = false;
      if (place !== undefined) top.place?.children?.set(top.list.length, place);
      top.list.push(value);
      return;
    }
    const map = top.map as { [key: string]: MutableJson };
    if (top.isMerge) {
      top.isMerge = false;
      mergeInto(map, value, isMapping, offset);
      if (place !== undefined && top.place !== undefined) mergePlaces(top.place, place);
      return;
    }
    const key = top.key as string;
    top.key = undefined;
    if (strict && Object.hasOwn(map, key)) {
      throw new ComposeFault(`key ${JSON.stringify(key)} is already set in this map`, top.keyOffset);
    }
    setMember(map, key, value);
    if (place !== undefined) {
      place.keyOffset = top.keyOffset;
      top.place?.children?.set(key, place);
    }
  };

  const mergeInto = (map: { [key: string]: MutableJson }, value: MutableJson, isMapping: boolean, offset: number) => {
    if (isMapping) return copyMembers(map, value as { [key: string]: MutableJson });
    if (Array.isArray(value) && lastListIsMaps && lastList === value) {
      for (let index = value.length - 1; index >= 0; index--) {
        copyMembers(map, value[index] as { [key: string]: MutableJson });
      }
      return;
    }
    throw new ComposeFault("map merge requires a map or a list of maps as its value", offset);
  };
  const copyMembers = (map: { [key: string]: MutableJson }, from: { [key: string]: MutableJson }) => {
    const keys = Object.keys(from);
    nodes += keys.length;
    if (nodes > maxNodes) throw tooManyNodes(top?.keyOffset ?? 0);
    for (const key of keys) {
      if (strict && Object.hasOwn(map, key)) {
        throw new ComposeFault(`key ${JSON.stringify(key)} is already set in this map`, top?.keyOffset ?? 0);
      }
      setMember(map, key, from[key] as MutableJson);
    }
  };
  let lastList: MutableJson[] | undefined;
  let lastListIsMaps = false;

  const scalarWithTag = (event: ScalarEvent, text: string): MutableJson => {
    const raw = source.slice(event.tagStart, event.tagEnd);
    if (raw === "!") return text;
    const resolved = resolveTagged(fullTag(raw, document), text, offsetOf(event), resolve);
    return jsonScalar(resolved, offsetOf(event));
  };

  for (const event of events) {
    switch (event.type) {
      case EVENT_ID.SCALAR: {
        const start = event.valueStart;
        const text = start < 0
          ? ""
          : event.fast
          ? source.slice(start, event.valueEnd)
          : slowText(source, event, top === undefined);
        const isPlain = event.style === SCALAR_STYLE.PLAIN;
        nodes++;
        if (top?.map !== undefined && top.key === undefined && !top.isMerge) {
          top.keyOffset = start >= 0
            ? start - (isPlain || event.style >= SCALAR_STYLE.LITERAL_BLOCK ? 0 : 1)
            : top.start;
          let key = text;
          if (event.tagStart >= 0) {
            if (text === "<<" && fullTag(source.slice(event.tagStart, event.tagEnd), document) === `${core}merge`) {
              top.isMerge = true;
            } else key = keyOf(scalarWithTag(event, text), top.keyOffset);
          } else if (isPlain) {
            if (text === "<<") top.isMerge = true;
            else if (mayBeOther(text)) {
              const resolved = resolve(text);
              if (resolved.kind !== "string") key = keyOf(resolved.value, top.keyOffset, resolved.kind);
            }
          }
          if (event.anchorStart >= 0) {
            const anchor = anchorOf(event.anchorStart, event.anchorEnd, text, false);
            if (anchor !== undefined) anchor.isDone = true;
          }
          if (!top.isMerge) top.key = key;
          break;
        }
        let value: MutableJson = text;
        if (event.tagStart >= 0) value = scalarWithTag(event, text);
        else if (isPlain && mayBeOther(text)) value = jsonScalar(resolve(text), offsetOf(event));
        if (event.anchorStart >= 0) {
          const anchor = anchorOf(event.anchorStart, event.anchorEnd, value, false);
          if (anchor !== undefined) anchor.isDone = true;
        }
        if (top === undefined) isEmpty = start < 0 && event.tagStart < 0 && event.anchorStart < 0;
        add(value, false, start < 0 ? top?.keyOffset ?? 0 : start, withPlaces ? placeOf(event, top) : undefined);
        break;
      }
      case EVENT_ID.SEQUENCE:
      case EVENT_ID.MAPPING: {
        const isMapping = event.type === EVENT_ID.MAPPING;
        if (top?.map !== undefined && top.key === undefined && !top.isMerge) {
          throw new ComposeFault("a key must be a text, a number or a boolean, not a map or list", event.start);
        }
        const list: MutableJson[] | undefined = isMapping ? undefined : [];
        const map: { [key: string]: MutableJson } | undefined = isMapping ? {} : undefined;
        const anchor = anchorOf(event.anchorStart, event.anchorEnd, (list ?? map) as MutableJson, isMapping);
        isEmpty = false;
        nodes++;
        const place = withPlaces
          ? { valueOffset: event.start, keyOffset: event.start, children: new Map<string | number, MutablePlace>() }
          : undefined;
        top = {
          list,
          map,
          key: undefined,
          keyOffset: event.start,
          isMerge: false,
          start: event.start,
          nodesBefore: nodes,
          height: 0,
          anchor,
          allMappings: true,
          place,
        };
        frames.push(top);
        break;
      }
      case EVENT_ID.ALIAS: {
        const name = source.slice(event.anchorStart, event.anchorEnd);
        const anchor = anchors.get(name);
        if (anchor === undefined) throw new ComposeFault(`unknown anchor "${name}"`, event.anchorStart);
        if (!anchor.isDone) throw new ComposeFault(`anchor "${name}" contains itself`, event.anchorStart);
        nodes += anchor.nodes;
        if (nodes > maxNodes) throw tooManyNodes(event.anchorStart);
        if (frames.length + anchor.height > maxDepth) {
          throw new ComposeFault(`nested deeper than ${maxDepth} levels`, event.anchorStart, "limit");
        }
        if (top !== undefined) top.height = Math.max(top.height, anchor.height);
        if (top?.map !== undefined && top.key === undefined && !top.isMerge) {
          top.keyOffset = event.anchorStart;
          top.key = keyOf(anchor.value, event.anchorStart);
          break;
        }
        isEmpty = false;
        lastList = undefined;
        const place = withPlaces
          ? { valueOffset: event.anchorStart - 1, keyOffset: event.anchorStart - 1, ...childrenOf(anchor.place) }
          : undefined;
        // A list of maps may stand below a merge key only as itself, not as an alias (go-yaml v2, decode.go).
        add(anchor.value, anchor.isMapping, event.anchorStart, place);
        break;
      }
      case EVENT_ID.DOCUMENT: {
        document = event;
        anchors = new Map();
        root = null;
        rootPlace = undefined;
        isEmpty = true;
        nodes = 0;
        break;
      }
      case EVENT_ID.POP: {
        const frame = frames.pop();
        if (frame === undefined) {
          documents.push({
            value: root as JsonValue,
            isEmpty,
            ...(rootPlace === undefined ? {} : { places: rootPlace }),
          });
          break;
        }
        top = frames[frames.length - 1];
        const height = frame.height + 1;
        if (top !== undefined && top.height < height) top.height = height;
        if (frame.anchor !== undefined) {
          frame.anchor.isDone = true;
          frame.anchor.nodes = nodes - frame.nodesBefore + 1;
          frame.anchor.height = height;
          frame.anchor.place = frame.place;
        }
        if (frame.list !== undefined) {
          lastList = frame.list;
          lastListIsMaps = frame.allMappings;
        }
        add((frame.list ?? frame.map) as MutableJson, frame.map !== undefined, frame.start, frame.place);
        break;
      }
    }
  }
  return documents;
}

/**
 * Text of a scalar that is not a plain slice. Two habits of go-yaml v2 beside the parser's: a block that the end of the
 * text cuts off has no line break at its end, and an indent indicator at the root counts from 0.
 */
function slowText(source: string, event: ScalarEvent, isRoot: boolean): string {
  if (event.style < SCALAR_STYLE.LITERAL_BLOCK) return getScalarValue(source, event);
  const header = isRoot ? source.slice(source.lastIndexOf("\n", event.valueStart - 2) + 1, event.valueStart) : "";
  const hasIndicator = /^(?:[^#]*\s)?[|>][-+]?[1-9]/.test(header);
  const text = getScalarValue(source, hasIndicator ? { ...event, indent: event.indent + 1 } : event);
  const isCut = event.valueEnd >= source.length && text.endsWith("\n") &&
    !/(?:^|[\r\n]) *$/.test(source.slice(source.lastIndexOf("\n")));
  return isCut ? text.slice(0, -1) : text;
}

function always(): boolean {
  return true;
}

function tooManyNodes(offset: number): ComposeFault {
  return new ComposeFault(
    `more than ${maxNodes} values in one document once its aliases are followed`,
    offset,
    "limit",
  );
}

/** Sets a member as data, whatever its name is. */
function setMember(map: { [key: string]: MutableJson }, key: string, value: MutableJson): void {
  if (key === "__proto__") {
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
  } else map[key] = value;
}

function offsetOf(event: ScalarEvent): number {
  if (event.valueStart >= 0) {
    const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
    return isQuoted ? event.valueStart - 1 : event.valueStart;
  }
  if (event.tagStart >= 0) return event.tagStart;
  return Math.max(0, event.anchorStart);
}

function placeOf(event: ScalarEvent, top: Frame | undefined): MutablePlace {
  const stands = event.valueStart >= 0 || event.tagStart >= 0 || event.anchorStart >= 0;
  const offset = stands ? offsetOf(event) : top?.keyOffset ?? 0;
  return { valueOffset: offset, keyOffset: offset };
}

function childrenOf(place: MutablePlace | undefined): { children?: Map<string | number, MutablePlace> } {
  return place?.children === undefined ? {} : { children: place.children };
}

function mergePlaces(into: MutablePlace, from: MutablePlace): void {
  const maps = [...from.children?.values() ?? []].some((child) => child.children !== undefined) &&
      [...from.children?.keys() ?? []].every((key) => typeof key === "number")
    ? [...from.children?.values() ?? []].reverse()
    : [from];
  for (const map of maps) for (const [key, place] of map.children ?? []) into.children?.set(key, place);
}

const core = "tag:yaml.org,2002:";

function fullTag(raw: string, document: DocumentEvent | undefined): string {
  if (raw.startsWith("!<") && raw.endsWith(">")) return decodeTag(raw.slice(2, -1));
  const end = raw.indexOf("!", 1);
  const handle = end < 0 ? "!" : raw.slice(0, end + 1);
  let prefix = handle === "!!" ? core : handle;
  for (const directive of document?.directives ?? []) {
    if (directive.kind === "tag" && directive.handle === handle) prefix = directive.prefix;
  }
  return decodeTag(prefix + raw.slice(handle.length));
}

function decodeTag(tag: string): string {
  if (!tag.includes("%")) return tag;
  try {
    return decodeURIComponent(tag);
  } catch {
    return tag;
  }
}

const resolvableTags = new Set(["str", "bool", "int", "float", "null", "timestamp"].map((name) => core + name));

function resolveTagged(
  tag: string,
  text: string,
  offset: number,
  resolve: (text: string) => ResolvedScalar,
): ResolvedScalar {
  if (tag === `${core}binary`) {
    const compact = text.replace(/[\r\n]/g, "");
    if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) {
      throw new ComposeFault("!!binary value contains invalid base64 data", offset);
    }
    return { kind: "string", value: new TextDecoder("utf-8", { ignoreBOM: true }).decode(decodeBase64(compact)) };
  }
  if (!resolvableTags.has(tag) || tag === `${core}str`) return { kind: "string", value: text };
  const resolved = resolve(text);
  const wanted = tag.slice(core.length);
  if (resolved.kind === wanted) return resolved;
  const fitsInt64 = typeof resolved.value !== "bigint" || resolved.value < 2n ** 63n;
  if (wanted === "float" && resolved.kind === "int" && fitsInt64) {
    return { kind: "float", value: Number(resolved.value) };
  }
  throw new ComposeFault(`cannot decode ${shortKind(resolved.kind)} as !!${wanted}`, offset);
}

function shortKind(kind: ScalarKind): string {
  return `!!${kind === "string" ? "str" : kind}`;
}

function decodeBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function jsonScalar(resolved: ResolvedScalar, offset: number): MutableJson {
  const value = resolved.value;
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new ComposeFault(`JSON has no number ${value}`, offset);
  }
  return value;
}

/** The text that a key becomes (sigs.k8s.io/yaml v1.6.0, convertToJSONableObject). */
function keyOf(value: ResolvedScalar["value"] | MutableJson, offset: number, kind?: ScalarKind): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value === "bigint" && value < 2n ** 63n) return value.toString();
  if (typeof value === "number") return kind === "int" ? String(value) : floatKey(value);
  throw new ComposeFault(
    value === null ? "a key must not be null" : "a key must be a text, a number or a boolean",
    offset,
  );
}

function floatKey(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return single > 0 ? ".inf" : "-.inf";
  return shortestFloat(single, 32);
}
