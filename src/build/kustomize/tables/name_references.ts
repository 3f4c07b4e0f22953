import type { FieldSpec } from "../field_path.ts";
import type { Gvk } from "../identity.ts";

/** Which fields name resources of a kind (kustomize 5.8.1, default name reference configuration). */
export interface NameReference extends Gvk {
  readonly fields: readonly FieldSpec[];
}

type Row = readonly [path: string, kind: string, group?: string, version?: string];

function target(kind: string, gv: { readonly group?: string; readonly version?: string }, rows: readonly Row[]) {
  return {
    group: gv.group ?? "",
    version: gv.version ?? "",
    kind,
    fields: rows.map(([path, kind, group = "", version = ""]) => ({ path, kind, group, version, create: false })),
  };
}

/** Kinds whose pods name ConfigMaps and Secrets, and where their pod spec is. */
const podHolders: readonly Row[] = [
  ["spec", "Pod", "", "v1"],
  ["template/spec", "PodTemplate"],
  ["spec/template/spec", "Deployment"],
  ["spec/template/spec", "ReplicaSet"],
  ["spec/template/spec", "DaemonSet"],
  ["spec/template/spec", "StatefulSet"],
  ["spec/template/spec", "Job"],
  ["spec/jobTemplate/spec/template/spec", "CronJob"],
];

/** The same for what kustomize lists apart: no ReplicaSet and PodTemplate, but ReplicationController. */
const podRunners: readonly Row[] = [
  ["spec", "Pod"],
  ["spec/template/spec", "StatefulSet"],
  ["spec/template/spec", "Deployment"],
  ["spec/template/spec", "ReplicationController"],
  ["spec/jobTemplate/spec/template/spec", "CronJob"],
  ["spec/template/spec", "Job"],
  ["spec/template/spec", "DaemonSet"],
];

function inPods(holders: readonly Row[], positions: readonly string[]): Row[] {
  return holders.flatMap(([base, kind, group = "", version = ""]) =>
    positions.map((position): Row => [`${base}/${position}`, kind, group, version])
  );
}

const scaled: readonly Row[] = [["spec/scaleTargetRef/name", "HorizontalPodAutoscaler"]];
const rbac = "rbac.authorization.k8s.io";
const webhooks = "admissionregistration.k8s.io";

/** The default table. */
export const nameReferences: readonly NameReference[] = [
  target("Deployment", {}, scaled),
  target("ReplicationController", {}, scaled),
  target("ReplicaSet", {}, scaled),
  target("StatefulSet", {}, scaled),
  target("ConfigMap", { version: "v1" }, [
    ...inPods(podHolders, [
      "volumes/configMap/name",
      "containers/env/valueFrom/configMapKeyRef/name",
      "initContainers/env/valueFrom/configMapKeyRef/name",
      "containers/envFrom/configMapRef/name",
      "initContainers/envFrom/configMapRef/name",
      "volumes/projected/sources/configMap/name",
    ]),
    ["spec/configSource/configMap", "Node"],
    ["rules/resourceNames", "Role"],
    ["rules/resourceNames", "ClusterRole"],
    ["metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap", "Ingress"],
  ]),
  target("Secret", { version: "v1" }, [
    ...inPods(podHolders, [
      "volumes/secret/secretName",
      "containers/env/valueFrom/secretKeyRef/name",
      "initContainers/env/valueFrom/secretKeyRef/name",
      "containers/envFrom/secretRef/name",
      "initContainers/envFrom/secretRef/name",
      "imagePullSecrets/name",
      "volumes/projected/sources/secret/name",
    ]),
    ["spec/tls/secretName", "Ingress"],
    ["metadata/annotations/ingress.kubernetes.io\\/auth-secret", "Ingress"],
    ["metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret", "Ingress"],
    ["metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret", "Ingress"],
    ["imagePullSecrets/name", "ServiceAccount"],
    ["parameters/secretName", "StorageClass"],
    ["parameters/adminSecretName", "StorageClass"],
    ["parameters/userSecretName", "StorageClass"],
    ["parameters/secretRef", "StorageClass"],
    ["rules/resourceNames", "Role"],
    ["rules/resourceNames", "ClusterRole"],
    ["spec/template/spec/containers/env/valueFrom/secretKeyRef/name", "Service", "serving.knative.dev", "v1"],
    ["spec/azureFile/secretName", "PersistentVolume"],
  ]),
  target("Service", { version: "v1" }, [
    ["spec/serviceName", "StatefulSet", "apps"],
    ["spec/rules/http/paths/backend/serviceName", "Ingress"],
    ["spec/backend/serviceName", "Ingress"],
    ["spec/rules/http/paths/backend/service/name", "Ingress"],
    ["spec/defaultBackend/service/name", "Ingress"],
    ["spec/service/name", "APIService", "apiregistration.k8s.io"],
    ["webhooks/clientConfig/service", "ValidatingWebhookConfiguration", webhooks],
    ["webhooks/clientConfig/service", "MutatingWebhookConfiguration", webhooks],
  ]),
  target("Role", { group: rbac }, [["roleRef/name", "RoleBinding", rbac]]),
  target("ClusterRole", { group: rbac }, [
    ["roleRef/name", "RoleBinding", rbac],
    ["roleRef/name", "ClusterRoleBinding", rbac],
  ]),
  target("ServiceAccount", { version: "v1" }, [
    ["subjects", "RoleBinding", rbac],
    ["subjects", "ClusterRoleBinding", rbac],
    ...inPods(podRunners, ["serviceAccountName"]),
  ]),
  target("PersistentVolumeClaim", { version: "v1" }, inPods(podRunners, ["volumes/persistentVolumeClaim/claimName"])),
  target("PersistentVolume", { version: "v1" }, [
    ["spec/volumeName", "PersistentVolumeClaim"],
    ["rules/resourceNames", "ClusterRole"],
  ]),
  target("StorageClass", { version: "v1", group: "storage.k8s.io" }, [
    ["spec/storageClassName", "PersistentVolume"],
    ["spec/storageClassName", "PersistentVolumeClaim"],
    ["spec/volumeClaimTemplates/spec/storageClassName", "StatefulSet"],
  ]),
  target("PriorityClass", { version: "v1", group: "scheduling.k8s.io" }, inPods(podRunners, ["priorityClassName"])),
  // The group is kustomize's own mistake; so the rule never matches.
  target("IngressClass", { version: "v1", group: "networking.k8s.io/v1" }, [["spec/ingressClassName", "Ingress"]]),
  target("ValidatingAdmissionPolicy", { group: webhooks }, [
    ["spec/policyName", "ValidatingAdmissionPolicyBinding", webhooks],
  ]),
];
