import type { JsonObject } from "./json.ts";

/** Which of our documents (an *object*): `<kind>/<namespace>/<name>`, the form flux shows. */
export interface ObjectKey {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Text of a key, usable as a map key: `Kustomization/flux-system/apps`. */
export function keyText(key: ObjectKey): string {
  return `${key.kind}/${key.namespace}/${key.name}`;
}

/** Whether two keys name the same object; two that are absent are the same. */
export function isSameKey(a: ObjectKey | undefined, b: ObjectKey | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.name === b.name && a.namespace === b.namespace && a.kind === b.kind;
}

/** Key of a text made by {@linkcode keyText}. @throws {RangeError} on any other text */
export function parseKey(text: string): ObjectKey {
  const parts = text.split("/");
  const [kind, namespace, name] = parts;
  if (parts.length !== 3 || !kind || !namespace || !name) {
    throw new RangeError(`Cannot read object "${text}": it must be "Kind/namespace/name"`);
  }
  return { kind, namespace, name };
}

/** Where a document came from, for messages. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Text of a place: `file:line:column`. */
export function placeText(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`;
}

/** One checked document of the desired state. `Spec` is the typed spec of its kind (see `config/kinds`). */
export interface DesiredObject<Spec = unknown> {
  readonly key: ObjectKey;
  readonly apiVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Spec;
  /** Counts up by one each time the spec's content changes; kept over restarts (Kubernetes' `metadata.generation`). */
  readonly generation: number;
  /** The whole document as JSON, as `readyExpr` (`self`, `dep`) and `describe` see it. */
  readonly document: JsonObject;
  /** Absent for an object that came out of an artifact. */
  readonly place?: Place;
  /** Absolute path of the file that its document stands in; absent for an object that came out of an artifact. */
  readonly origin?: string;
  /** The object whose build result contains this one; absent for a document of the config. */
  readonly parent?: ObjectKey;
}
