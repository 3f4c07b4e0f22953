import type { JsonObject } from "../../src/core/json.ts";

/** Name of an object, or `namespace/name`; the namespace is `default` otherwise. */
export type ObjectName = string;

/** Fields of a spec; they win over the defaults of the function that takes them. */
export type SpecFields = Readonly<Record<string, unknown>>;

function documentOf(
  apiVersion: string,
  kind: string,
  name: ObjectName,
  rest: Readonly<Record<string, unknown>>,
): JsonObject {
  const slash = name.indexOf("/");
  const metadata = slash < 0
    ? { name, namespace: "default" }
    : { name: name.slice(slash + 1), namespace: name.slice(0, slash) };
  return { apiVersion, kind, metadata, ...rest } as unknown as JsonObject;
}

/** An OCIRepository of `registry.example.com/<repository>`, tag `latest`, looked at every minute. */
export function ociRepository(name: ObjectName, repository: string, spec: SpecFields = {}): JsonObject {
  return documentOf("source.toolkit.fluxcd.io/v1", "OCIRepository", name, {
    spec: { interval: "1m", url: `oci://registry.example.com/${repository}`, ref: { tag: "latest" }, ...spec },
  });
}

/** A Kustomization of an OCIRepository with pruning, every ten minutes. */
export function kustomization(name: ObjectName, source: string, spec: SpecFields = {}): JsonObject {
  return documentOf("kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, {
    spec: { interval: "10m", prune: true, path: "./", sourceRef: { kind: "OCIRepository", name: source }, ...spec },
  });
}

/** A Checkout of an OCIRepository. */
export function checkout(name: ObjectName, source: string, path: string, spec: SpecFields = {}): JsonObject {
  return documentOf("pilotfish.dev/v1alpha1", "Checkout", name, {
    spec: { sourceRef: { kind: "OCIRepository", name: source }, path, ...spec },
  });
}

/** A Secret with texts. */
export function secret(name: ObjectName, stringData: Readonly<Record<string, string>>, type = "Opaque"): JsonObject {
  return documentOf("v1", "Secret", name, { type, stringData });
}

/** A ConfigMap, as document or as resource of an artifact. */
export function configMap(name: ObjectName, data: Readonly<Record<string, string>>): JsonObject {
  return documentOf("v1", "ConfigMap", name, { data });
}

/** A CustomResourceDefinition with one version, `v1`; plural and group are its name: `widgets.example.com`. */
export function definition(
  name: string,
  kind: string,
  scope: "Cluster" | "Namespaced" = "Namespaced",
): JsonObject {
  const dot = name.indexOf(".");
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name },
    spec: {
      group: name.slice(dot + 1),
      scope,
      names: { kind, plural: name.slice(0, dot) },
      versions: [{ name: "v1", served: true, storage: true }],
    },
  };
}

/** Text of documents, one after the other. JSON is YAML. */
export function yamlOf(...documents: readonly JsonObject[]): string {
  return documents.map((document) => `---\n${JSON.stringify(document, null, 2)}\n`).join("");
}
