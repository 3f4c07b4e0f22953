import { digestOf, shortDigest } from "../../core/digest.ts";
import type { ResourceRef } from "../../core/resource.ts";

/** How files lie in the folder. */
export type DirectoryLayout =
  /** `<namespace>/<kind>-<name>.yaml`, with `<kind>.<group>_<name>` for groups few know; what has no namespace under `_cluster/`. */
  | "tree"
  /** `<namespace>_<name>.yaml`, Pods only, flat: a kubelet takes every file that does not start with a dot. */
  | "static-pods"
  /**
   * `<namespace>-<kind>-<name>-<hash>.yaml`, flat, of lower-case letters, digits and dashes: k3s' deploy controller makes
   * an AddOn object of each file, named by what stands before the first dot (k3s `pkg/deploy/controller.go`, `basename`).
   * Two files with one such name would undo each other. k3s keeps what it applied when a file goes.
   */
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

/**
 * Relative path of a resource's file. Two resources never have the same one, also where a file system does not tell
 * upper from lower case, and every name is legal everywhere.
 */
export function filePath(ref: ResourceRef, layout: DirectoryLayout): string {
  const kind = ref.kind.toLowerCase();
  const isKnown = wellKnownGroups.has(ref.group);
  switch (layout) {
    case "tree": {
      // Neither kinds nor groups hold "_": where the name begins is never in doubt.
      const name = isKnown ? `${kind}-${ref.name}` : `${kind}.${ref.group}_${ref.name}`;
      return `${clean(ref.namespace === "" ? "_cluster" : ref.namespace)}/${clean(name)}.yaml`;
    }
    case "static-pods":
      return `${clean(`${ref.namespace === "" ? "default" : ref.namespace}_${ref.name}`)}.yaml`;
    case "k3s":
      return `${addOnName(ref)}.yaml`;
  }
}

/** A name that Kubernetes takes for an object: what people read, then what makes it unique. */
function addOnName(ref: ResourceRef): string {
  const readable = `${ref.namespace === "" ? "cluster" : ref.namespace}-${ref.kind}-${ref.name}`.toLowerCase()
    .replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 50).replace(/-$/, "");
  return `${readable}-${hashOf(`${ref.group}/${ref.kind}/${ref.namespace}/${ref.name}`)}`;
}

/** Escapes what a file system may not take (RBAC names have colons); a name that is too long or in capitals gets a hash. */
function clean(name: string): string {
  const escaped = name.replace(
    /[^A-Za-z0-9._-]/g,
    (character) =>
      [...new TextEncoder().encode(character)].map((byte) => `%${byte.toString(16).padStart(2, "0").toUpperCase()}`)
        .join(""),
  );
  const safe = escaped.startsWith(".") ? `%2E${escaped.slice(1)}` : escaped;
  if (safe.length <= longestName && !/[A-Z]/.test(name)) return safe;
  return `${safe.slice(0, longestName - 10)}~${hashOf(name)}`;
}

function hashOf(text: string): string {
  return shortDigest(digestOf(text), 8);
}
