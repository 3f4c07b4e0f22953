import { digestOf, shortDigest } from "../../core/digest.ts";
import type { ResourceRef } from "../../core/resource.ts";

/** How files lie in the folder. */
export type DirectoryLayout =
  /** `<namespace>/<kind>-<name>.yaml`; what has no namespace under `_cluster/`. */
  | "tree"
  /** `<namespace>-<name>.yaml`, Pods only, flat: what a kubelet's static pod folder wants. */
  | "static-pods"
  /** `<namespace>-<kind>-<name>.yaml`, flat: what k3s' deploy controller watches. */
  | "k3s";

/** Groups whose kinds people know without their group. */
const wellKnownGroups = new Set([
  "",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "apps",
  "autoscaling",
  "batch",
  "coordination.k8s.io",
  "networking.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "scheduling.k8s.io",
  "storage.k8s.io",
]);

/** Longest file name in bytes that every common file system takes, less room for a temporary prefix. */
const longestName = 200;

/** Relative path of a resource's file. Two resources never have the same one, and every name is legal everywhere. */
export function filePath(ref: ResourceRef, layout: DirectoryLayout): string {
  const kind = ref.kind.toLowerCase() + (wellKnownGroups.has(ref.group) ? "" : `.${ref.group}`);
  const namespace = ref.namespace === "" ? "_cluster" : ref.namespace;
  switch (layout) {
    case "tree":
      return `${clean(namespace)}/${clean(`${kind}-${ref.name}`)}.yaml`;
    case "static-pods":
      return `${clean(`${ref.namespace === "" ? "default" : ref.namespace}-${ref.name}`)}.yaml`;
    case "k3s":
      return `${clean(`${namespace}-${kind}-${ref.name}`)}.yaml`;
  }
}

/** Escapes what a file system may not take (RBAC names have colons) and shortens what is too long, keeping it unique. */
function clean(name: string): string {
  const escaped = name.replace(
    /[^A-Za-z0-9._-]/g,
    (character) =>
      [...new TextEncoder().encode(character)].map((byte) => `%${byte.toString(16).padStart(2, "0").toUpperCase()}`)
        .join(""),
  );
  const safe = escaped.startsWith(".") ? `%2E${escaped.slice(1)}` : escaped;
  if (safe.length <= longestName) return safe;
  return `${safe.slice(0, longestName - 13)}-${shortDigest(digestOf(name))}`;
}
