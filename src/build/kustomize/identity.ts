import type { YamlNode } from "../../format/yaml_node/node.ts";
import { getField, isEmptyNode } from "../../format/yaml_node/node.ts";

/** Group, version and kind. In a selector, an empty part means any. */
export interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Identity of a resource: two resources of one build never have the same (kustomize 5.8.1 `kyaml/resid`). */
export interface ResourceId extends Gvk {
  readonly name: string;
  /** As written; `""` where there is none. */
  readonly namespace: string;
}

/** Stands for the namespace of kinds that have none. */
export const noNamespace = "_non_namespaceable_";

const clusterScoped: ReadonlySet<string> = new Set(
  [
    "admissionregistration.k8s.io/v1:MutatingWebhookConfiguration,ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1beta1:MutatingWebhookConfiguration,ValidatingWebhookConfiguration",
    "apiextensions.k8s.io/v1:CustomResourceDefinition",
    "apiextensions.k8s.io/v1beta1:CustomResourceDefinition",
    "apiregistration.k8s.io/v1:APIService",
    "apiregistration.k8s.io/v1beta1:APIService",
    "certificates.k8s.io/v1:CertificateSigningRequest",
    "certificates.k8s.io/v1beta1:CertificateSigningRequest",
    "flowcontrol.apiserver.k8s.io/v1beta1:FlowSchema,PriorityLevelConfiguration",
    "networking.k8s.io/v1:IngressClass",
    "networking.k8s.io/v1beta1:IngressClass",
    "node.k8s.io/v1:RuntimeClass",
    "node.k8s.io/v1beta1:RuntimeClass",
    "policy/v1beta1:PodSecurityPolicy",
    "rbac.authorization.k8s.io/v1:ClusterRole,ClusterRoleBinding",
    "rbac.authorization.k8s.io/v1beta1:ClusterRole,ClusterRoleBinding",
    "scheduling.k8s.io/v1:PriorityClass",
    "scheduling.k8s.io/v1beta1:PriorityClass",
    "storage.k8s.io/v1:CSIDriver,CSINode,StorageClass,VolumeAttachment",
    "storage.k8s.io/v1beta1:CSIDriver,CSINode,StorageClass,VolumeAttachment",
    "v1:ComponentStatus,Namespace,Node,NodeProxyOptions,PersistentVolume",
  ].flatMap((line) => {
    const colon = line.indexOf(":");
    return line.slice(colon + 1).split(",").map((kind) => `${line.slice(0, colon)} ${kind}`);
  }),
);

const clusterKinds: ReadonlySet<string> = new Set([...clusterScoped].map((key) => key.slice(key.indexOf(" ") + 1)));

/** Scopes that a custom OpenAPI document adds: `apiVersion kind` to whether it is namespaced. */
export type CustomScopes = ReadonlyMap<string, boolean>;

/** Whether a kind is known to have no namespace; everything that is not known has one. */
export function isClusterScoped(gvk: Gvk, custom?: CustomScopes): boolean {
  if (custom === undefined && !clusterKinds.has(gvk.kind)) return false;
  const key = `${gvk.group === "" ? gvk.version : `${gvk.group}/${gvk.version}`} ${gvk.kind}`;
  if (clusterScoped.has(key)) return true;
  return custom?.get(key) === false;
}

/** Namespace that counts when identities are compared: none and `default` are the same. */
export function effectiveNamespace(id: ResourceId, custom?: CustomScopes): string {
  if (isClusterScoped(id, custom)) return noNamespace;
  return id.namespace === "" ? "default" : id.namespace;
}

/** Map key of an identity. */
export function idKey(gvk: Gvk, name: string, effective: string): string {
  return `${gvk.group}/${gvk.version}/${gvk.kind}|${effective}|${name}`;
}

/** Group, version and kind as a node has them now. */
export function gvkOfNode(node: YamlNode): Gvk {
  const apiVersion = textOf(getField(node, "apiVersion"));
  const slash = apiVersion.indexOf("/");
  return {
    group: slash < 0 ? "" : apiVersion.slice(0, slash),
    version: slash < 0 ? apiVersion : apiVersion.slice(slash + 1),
    kind: textOf(getField(node, "kind")),
  };
}

/** Identity as a node has it now. */
export function idOfNode(node: YamlNode): ResourceId {
  const metadata = getField(node, "metadata");
  const { group, version, kind } = gvkOfNode(node);
  return { group, version, kind, name: filledText(metadata, "name"), namespace: filledText(metadata, "namespace") };
}

function filledText(node: YamlNode | undefined, key: string): string {
  const field = getField(node, key);
  return isEmptyNode(field) ? "" : textOf(field);
}

/** Text of a scalar, `""` for everything else. */
export function textOf(node: YamlNode | undefined): string {
  return node !== undefined && node.kind === "scalar" ? node.text : "";
}

/** Whether `gvk` has what a selector asks for, part by part, by equality. */
export function selects(selector: Gvk, gvk: Gvk): boolean {
  return (selector.group === "" || selector.group === gvk.group) &&
    (selector.version === "" || selector.version === gvk.version) &&
    (selector.kind === "" || selector.kind === gvk.kind);
}

/** An identity for people: `kind.version.group/name.namespace` with marks for what is empty, as kustomize prints it. */
export function idText(id: ResourceId): string {
  return `${id.kind || "[noKind]"}.${id.version || "[noVer]"}.${id.group || "[noGrp]"}/${id.name || "[noName]"}.${
    id.namespace || "[noNs]"
  }`;
}
