import type { ObjectKey } from "../core/object.ts";
import { nearest } from "../format/nearest.ts";
import { UsageError } from "./command.ts";

/** Kinds with the short names that the flux CLI and kubectl give them. */
const kinds: readonly { readonly kind: string; readonly names: readonly string[] }[] = [
  { kind: "OCIRepository", names: ["ocirepository", "ocirepositories", "ocirepo", "oci"] },
  { kind: "HelmRepository", names: ["helmrepository", "helmrepositories", "helmrepo"] },
  { kind: "Kustomization", names: ["kustomization", "kustomizations", "ks"] },
  { kind: "HelmRelease", names: ["helmrelease", "helmreleases", "hr"] },
  { kind: "Checkout", names: ["checkout", "checkouts"] },
  { kind: "Provider", names: ["provider", "providers"] },
  { kind: "Alert", names: ["alert", "alerts"] },
  { kind: "Receiver", names: ["receiver", "receivers"] },
];

/** Kind of a word that a person typed: `ks`, `Kustomization`, `kustomizations`. @throws {UsageError} with the nearest name */
export function kindOf(word: string): string {
  const lower = word.toLowerCase();
  const found = kinds.find((entry) => entry.names.includes(lower));
  if (found !== undefined) return found.kind;
  const near = nearest(lower, kinds.flatMap((entry) => entry.names));
  const known = kinds.map((entry) => entry.names.at(-1)).join(", ");
  throw new UsageError(
    `Cannot find kind "${word}"${near === undefined ? `: known are ${known}` : `; did you mean "${near}"?`}`,
  );
}

/**
 * Object that words name: `ks apps`, `ks/apps`, `Kustomization/flux-system/apps`. The namespace is `--namespace`
 * where the words have none; `undefined` leaves it open.
 *
 * @throws {UsageError} when the words do not name one object
 */
export function objectOf(
  words: readonly string[],
  namespace: string | undefined,
): { readonly kind: string; readonly namespace: string | undefined; readonly name: string } {
  const parts = words.length === 1 ? (words[0] ?? "").split("/") : words;
  const [kind, second, third] = parts;
  if (kind === undefined || second === undefined || parts.length > 3) {
    throw new UsageError(`Cannot find object "${words.join(" ")}": write KIND NAME, KIND/NAME or KIND/NAMESPACE/NAME`);
  }
  return third === undefined
    ? { kind: kindOf(kind), namespace, name: second }
    : { kind: kindOf(kind), namespace: second, name: third };
}

/** The one object among `known` that is meant. @throws {UsageError} when none or several fit */
export function pickObject(
  known: readonly ObjectKey[],
  wanted: { readonly kind: string; readonly namespace: string | undefined; readonly name: string },
): ObjectKey {
  const fitting = known.filter((key) =>
    key.kind === wanted.kind && key.name === wanted.name &&
    (wanted.namespace === undefined || key.namespace === wanted.namespace)
  );
  const [first] = fitting;
  if (first !== undefined && fitting.length === 1) return first;
  if (fitting.length > 1) {
    const namespaces = fitting.map((key) => key.namespace).join(", ");
    throw new UsageError(`Cannot tell which ${wanted.kind} "${wanted.name}" is meant: add --namespace (${namespaces})`);
  }
  const near = nearest(wanted.name, known.filter((key) => key.kind === wanted.kind).map((key) => key.name));
  throw new UsageError(
    `Cannot find ${wanted.kind} "${wanted.name}"${
      wanted.namespace === undefined ? "" : ` in namespace "${wanted.namespace}"`
    }` +
      (near === undefined ? "" : `; did you mean "${near}"?`),
  );
}
