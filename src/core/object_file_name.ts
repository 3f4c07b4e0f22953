import { digestOf, shortDigest } from "./digest.ts";
import type { ObjectKey } from "./object.ts";

/** Longest result in bytes: file systems take names of 255, and callers put something before and behind it. */
const longest = 239;

/**
 * Name of a file that is about an object, without an ending: `kustomization_default_apps`. No two objects have the same one;
 * one that is too long for a file (Kubernetes takes names of 253 characters) ends in a hash.
 */
export function objectFileName({ kind, namespace, name }: ObjectKey): string {
  const full = `${kind.toLowerCase()}_${namespace}_${name}`;
  if (full.length <= longest) return full;
  const hash = shortDigest(digestOf(full), 16);
  return `${full.slice(0, longest - hash.length - 1)}~${hash}`;
}
