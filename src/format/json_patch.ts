/**
 * JSON patches (RFC 6902) with the habits of gopkg.in/evanphx/json-patch.v4 v4.13.0, which kustomize uses: negative indexes
 * count from the end, `replace` of a missing member sets it, `copy` of a missing one gives null, `test` takes a missing one
 * for null, `add` without a value adds null, the whole document can be replaced and tested but not added or removed.
 *
 * @module
 */
import type { JsonObject, JsonValue, MutableJson } from "../core/json.ts";
import { jsonEqual } from "../core/json.ts";
import { FormatError } from "./format_error.ts";
import { cloneJson, setMember } from "./json_clone.ts";

/** One operation as it was written; its fields are looked at when it is applied. */
export type JsonPatchOperation = JsonObject;

/** Told of work that grows faster than the patch; it may throw. */
export interface PatchMeter {
  /** Each value before `copy` doubles it: a few operations that copy a map into itself fill any memory. */
  readonly onCopy?: (value: JsonValue) => void;
  /** How many items of a list are about to move aside for one that goes in or out. */
  readonly onShift?: (count: number) => void;
}

type Container = MutableJson[] | { [key: string]: MutableJson };

/**
 * A document with a patch applied; the document itself stays as it is.
 *
 * @throws {FormatError} for the first operation that does not apply, naming its position, kind and path
 */
export function applyJsonPatch(
  document: JsonValue,
  operations: readonly JsonPatchOperation[],
  meter: PatchMeter = {},
): JsonValue {
  if (operations.length === 0) return document;
  let root = cloneJson(document);
  operations.forEach((operation, index) => {
    const name = typeof operation["op"] === "string" ? operation["op"] : "unknown";
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    const where = typeof operation["path"] === "string" ? ` at ${JSON.stringify(operation["path"])}` : "";
    const refuse = (what: string): never => {
      throw new FormatError(`Cannot apply operation ${index + 1} of the JSON patch (${name}${where}): ${what}`);
    };
    if (kind === undefined) return refuse("it must be add, remove, replace, move, copy or test");
    root = kind({
      root,
      refuse,
      meter,
      path: () => textField(operation, "path", refuse),
      from: () => textField(operation, "from", refuse),
      value: Object.hasOwn(operation, "value") ? operation["value"] ?? null : undefined,
    });
  });
  return root as JsonValue;
}

interface Step {
  readonly root: MutableJson;
  readonly path: () => string;
  readonly from: () => string;
  readonly value: JsonValue | undefined;
  readonly refuse: (what: string) => never;
  readonly meter: PatchMeter;
}

function textField(operation: JsonPatchOperation, field: string, refuse: Step["refuse"]): string {
  const value = operation[field];
  return typeof value === "string" ? value : refuse(`it needs a text in ${JSON.stringify(field)}`);
}

const kinds: Readonly<Record<string, (step: Step) => MutableJson>> = {
  add(step) {
    const { container, key } = locate(step, step.path());
    insert(step, container, key, cloneJson(step.value ?? null));
    return step.root;
  },
  remove(step) {
    const { container, key } = locate(step, step.path());
    take(step, container, key);
    return step.root;
  },
  replace(step) {
    const path = step.path();
    if (path === "") {
      const isContainer = typeof step.value === "object" && step.value !== null;
      return isContainer ? cloneJson(step.value) : step.refuse("the whole document can only become a map or a list");
    }
    const { container, key } = locate(step, path);
    if (Array.isArray(container)) container[indexOf(step, container, key)] = cloneJson(step.value ?? null);
    else setMember(container, key, cloneJson(step.value ?? null));
    return step.root;
  },
  move(step) {
    const from = locate(step, step.from());
    const value = take(step, from.container, from.key);
    const { container, key } = locate(step, step.path());
    insert(step, container, key, value);
    return step.root;
  },
  copy(step) {
    const from = locate(step, step.from());
    const found = (memberOf(step, from.container, from.key) ?? null) as JsonValue;
    step.meter.onCopy?.(found);
    const value = cloneJson(found);
    const { container, key } = locate(step, step.path());
    insert(step, container, key, value);
    return step.root;
  },
  test(step) {
    const path = step.path();
    const { container, key } = path === "" ? { container: [step.root], key: "0" } : locate(step, path);
    const value = (memberOf(step, container, key) ?? null) as JsonValue;
    return jsonEqual(value, step.value ?? null) ? step.root : step.refuse("the value there is another one");
  },
};

/** The map or list that a path ends in, and its last part. What stands in front of the first slash does not count. */
function locate(step: Step, path: string): { readonly container: Container; readonly key: string } {
  const parts = path.split("/").slice(1).map(decodePointerPart);
  const key = parts.pop();
  const missing = () => step.refuse(`there is no ${JSON.stringify(path)} to go to`);
  if (key === undefined) return missing();
  let value: MutableJson | undefined = step.root;
  for (const part of parts) {
    if (Array.isArray(value)) {
      const index = parseIndex(part);
      value = index === undefined ? undefined : value[index < 0 ? index + value.length : index];
    } else value = isContainer(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }
  return isContainer(value) || Array.isArray(value) ? { container: value, key } : missing();
}

function isContainer(value: MutableJson | undefined): value is { [key: string]: MutableJson } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Go's `strconv.Atoi`: signs and leading zeros are taken. */
function parseIndex(part: string): number | undefined {
  return /^[-+]?[0-9]{1,15}$/.test(part) ? Number(part) : undefined;
}

/** An existing place of a list. */
function indexOf(step: Step, list: readonly MutableJson[], part: string): number {
  const index = parseIndex(part);
  if (index === undefined) return step.refuse(`${JSON.stringify(part)} is no place in a list`);
  const place = index < 0 ? index + list.length : index;
  return place < 0 || place >= list.length ? step.refuse(`the list has no place ${index}`) : place;
}

function memberOf(step: Step, container: Container, key: string): MutableJson | undefined {
  if (Array.isArray(container)) return container[indexOf(step, container, key)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function take(step: Step, container: Container, key: string): MutableJson {
  if (Array.isArray(container)) {
    const place = indexOf(step, container, key);
    step.meter.onShift?.(container.length - place);
    return container.splice(place, 1)[0] ?? null;
  }
  if (!Object.hasOwn(container, key)) return step.refuse(`there is no ${JSON.stringify(key)} to remove`);
  const value = container[key] ?? null;
  delete container[key];
  return value;
}

function insert(step: Step, container: Container, key: string, value: MutableJson): void {
  if (!Array.isArray(container)) return setMember(container, key, value);
  if (key === "-") return void container.push(value);
  const index = parseIndex(key);
  if (index === undefined) return step.refuse(`${JSON.stringify(key)} is no place in a list`);
  // A negative place counts from behind the last one: -1 appends.
  const place = index < 0 ? index + container.length + 1 : index;
  if (place < 0 || place > container.length) return step.refuse(`the list has no place ${index}`);
  step.meter.onShift?.(container.length - place);
  container.splice(place, 0, value);
}

/** One part of a JSON pointer (RFC 6901) without its escapes: `a~1b` is `a/b`. What follows a `~` that is no escape stays, as in evanphx/json-patch. */
function decodePointerPart(part: string): string {
  return part.replace(/~[01]/g, (escape) => escape === "~1" ? "/" : "~");
}
