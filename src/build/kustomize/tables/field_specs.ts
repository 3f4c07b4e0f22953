import type { FieldSpec } from "../field_path.ts";

function spec(path: string, create: boolean, kind = "", group = "", version = ""): FieldSpec {
  return { path, create, kind, group, version };
}

/** Labels of objects and of the templates in them. */
const metadataLabels: readonly FieldSpec[] = [
  spec("metadata/labels", true),
  spec("spec/template/metadata/labels", true, "ReplicationController", "", "v1"),
  spec("spec/template/metadata/labels", true, "Deployment"),
  spec("spec/template/metadata/labels", true, "ReplicaSet"),
  spec("spec/template/metadata/labels", true, "DaemonSet"),
  spec("spec/template/metadata/labels", true, "StatefulSet", "apps"),
  spec("spec/volumeClaimTemplates[]/metadata/labels", true, "StatefulSet", "apps"),
  spec("spec/template/metadata/labels", true, "Job", "batch"),
  spec("spec/jobTemplate/metadata/labels", true, "CronJob", "batch"),
  spec("spec/jobTemplate/spec/template/metadata/labels", true, "CronJob", "batch"),
];

/** Selectors in the pods of apps' Deployments and StatefulSets that must follow the labels. */
const podSelectors = [
  "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm",
  "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution",
  "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm",
  "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution",
  "topologySpreadConstraints",
];

function selectorsOf(kind: string): readonly FieldSpec[] {
  return podSelectors.map((path) => spec(`spec/template/spec/${path}/labelSelector/matchLabels`, false, kind, "apps"));
}

const networking = "networking.k8s.io";

/** Default places of `commonLabels` and of labels with `includeSelectors`. */
export const commonLabels: readonly FieldSpec[] = [
  spec("spec/selector", true, "Service", "", "v1"),
  spec("spec/selector", true, "ReplicationController", "", "v1"),
  spec("spec/selector/matchLabels", true, "Deployment"),
  ...selectorsOf("Deployment"),
  spec("spec/selector/matchLabels", true, "ReplicaSet"),
  spec("spec/selector/matchLabels", true, "DaemonSet"),
  spec("spec/selector/matchLabels", true, "StatefulSet", "apps"),
  ...selectorsOf("StatefulSet"),
  spec("spec/selector/matchLabels", false, "Job", "batch"),
  spec("spec/jobTemplate/spec/selector/matchLabels", false, "CronJob", "batch"),
  spec("spec/selector/matchLabels", false, "PodDisruptionBudget", "policy"),
  spec("spec/podSelector/matchLabels", false, "NetworkPolicy", networking),
  spec("spec/ingress/from/podSelector/matchLabels", false, "NetworkPolicy", networking),
  spec("spec/egress/to/podSelector/matchLabels", false, "NetworkPolicy", networking),
  ...metadataLabels,
];

/** Default places of labels with `includeTemplates`. */
export const templateLabels: readonly FieldSpec[] = metadataLabels;

/** Default places of `commonAnnotations`. */
export const commonAnnotations: readonly FieldSpec[] = [
  spec("metadata/annotations", true),
  spec("spec/template/metadata/annotations", true, "ReplicationController", "", "v1"),
  spec("spec/template/metadata/annotations", true, "Deployment"),
  spec("spec/template/metadata/annotations", true, "ReplicaSet"),
  spec("spec/template/metadata/annotations", true, "DaemonSet"),
  spec("spec/template/metadata/annotations", true, "StatefulSet"),
  spec("spec/template/metadata/annotations", true, "Job", "batch"),
  spec("spec/jobTemplate/metadata/annotations", true, "CronJob", "batch"),
  spec("spec/jobTemplate/spec/template/metadata/annotations", true, "CronJob", "batch"),
];

/** Default places of `namespace` beside `metadata/namespace`. */
export const namespaces: readonly FieldSpec[] = [
  spec("metadata/name", true, "Namespace"),
  spec("spec/service/namespace", true, "APIService", "apiregistration.k8s.io"),
  spec(
    "spec/conversion/webhook/clientConfig/service/namespace",
    false,
    "CustomResourceDefinition",
    "apiextensions.k8s.io",
  ),
];

/** Default places of `namePrefix` and `nameSuffix`. */
export const names: readonly FieldSpec[] = [spec("metadata/name", false)];

/** Default places of `images`, beside every list called containers or initContainers. */
export const images: readonly FieldSpec[] = ["spec", "spec/template/spec"].flatMap((base) => [
  spec(`${base}/containers[]/image`, true),
  spec(`${base}/initContainers[]/image`, true),
  spec(`${base}/volumes[]/image/reference`, true),
]);

/** Default places of `replicas`. */
export const replicas: readonly FieldSpec[] = ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"].map(
  (kind) => spec("spec/replicas", true, kind),
);

const containerFields = ["args", "command", "env/value", "volumeMounts/mountPath"];

function varsIn(kind: string, base: string, more: readonly string[]): readonly FieldSpec[] {
  return [
    ...["containers", "initContainers"].flatMap((list) =>
      containerFields.map((field) => spec(`${base}/${list}/${field}`, false, kind))
    ),
    ...more.map((path) => spec(path, false, kind)),
  ];
}

const template = "spec/template/spec";

/** Default places where `$(VAR)` of `vars` is replaced. */
export const varReferences: readonly FieldSpec[] = [
  // The path of the volumes lacks a "spec" in kustomize too.
  ...varsIn("CronJob", "spec/jobTemplate/spec/template/spec", ["spec/jobTemplate/spec/template/volumes/nfs/server"]),
  ...varsIn("DaemonSet", template, [`${template}/volumes/nfs/server`]),
  ...varsIn("Deployment", template, [`${template}/volumes/nfs/server`, "spec/template/metadata/annotations"]),
  ...["spec/rules/host", "spec/tls/hosts", "spec/tls/secretName"].map((path) => spec(path, false, "Ingress")),
  ...varsIn("Job", template, [`${template}/volumes/nfs/server`]),
  ...varsIn("Pod", "spec", ["spec/volumes/nfs/server"]),
  ...varsIn("ReplicaSet", template, [`${template}/volumes/nfs/server`]),
  spec("spec/ports/port", false, "Service"),
  spec("spec/ports/targetPort", false, "Service"),
  ...varsIn("StatefulSet", template, ["spec/volumeClaimTemplates/spec/nfs/server"]),
  spec("spec/nfs/server", false, "PersistentVolume"),
  spec("metadata/labels", false),
  spec("metadata/annotations", false),
];
