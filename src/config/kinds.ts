import type { Kind } from "./kind.ts";
import { checkout } from "./kinds/checkout.ts";
import { configMap, secret } from "./kinds/data.ts";
import { helmRelease } from "./kinds/helm_release.ts";
import { helmRepository } from "./kinds/helm_repository.ts";
import { kustomization } from "./kinds/kustomization.ts";
import { alert, provider, receiver } from "./kinds/notification.ts";
import { ociRepository } from "./kinds/oci_repository.ts";
import { settings } from "./kinds/settings.ts";

/** Kinds of documents. A new kind is a file in `kinds/` and a line here. */
export const kinds: readonly Kind[] = [
  ociRepository,
  helmRepository,
  kustomization,
  helmRelease,
  checkout,
  provider,
  alert,
  receiver,
  secret,
  configMap,
  settings,
];

/** Flux's kinds that are refused by name, with what to write instead. */
export const refusedKinds: Readonly<Record<string, string>> = {
  GitRepository: "Push the files as an artifact (pilotfish push) and name it by an OCIRepository",
  Bucket: "Push the files as an artifact (pilotfish push) and name it by an OCIRepository",
  HelmChart: 'Name the chart by an OCIRepository and "chartRef", or by "chart.spec" of the HelmRelease',
  ExternalArtifact: "Name the artifact by an OCIRepository",
  ArtifactGenerator: "Put the files into one artifact",
  ImageRepository: "Use a range of versions in the OCIRepository's ref.semver",
  ImagePolicy: "Use a range of versions in the OCIRepository's ref.semver",
  ImageUpdateAutomation: "Nothing is written to git: use a range of versions in the OCIRepository's ref.semver",
  ResourceSet: "Write its objects as documents",
  ResourceSetInputProvider: "Write its objects as documents",
  FluxInstance: "Nothing is installed in the cluster: remove the document",
};

/** Group of an `apiVersion`. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.lastIndexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}

/** Whether a resource out of an artifact is a Flux object of ours: a child of what it was found in. */
export function isChildKind(apiVersion: string, kind: string): boolean {
  return kinds.some((known) =>
    known.kind === kind && isChild(known) && groupOf(known.apiVersion) === groupOf(apiVersion)
  );
}

/** Kinds that may come out of an artifact: none that name folders or programs of this machine. */
export function isChild(kind: Kind): boolean {
  return kind.role !== "data" && groupOf(kind.apiVersion).endsWith(".toolkit.fluxcd.io");
}
