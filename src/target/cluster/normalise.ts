import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Resource } from "../../core/resource.ts";
import { splitApiVersion } from "../../core/resource.ts";
import { StageError } from "../../core/stage_error.ts";
import { definesKind } from "./order.ts";

/** Metadata that only the server writes. */
const serverFields = [
  "managedFields",
  "resourceVersion",
  "uid",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "selfLink",
];

/**
 * A resource as it is sent: what only the server writes is dropped, ports of containers and Services say `TCP`, a
 * Secret's `stringData` moves into `data`, a CRD's webhook authority that is no PEM goes, and known kinds lose their
 * nulls (fluxcd/pkg ssa `normalize`).
 *
 * Differs: Flux drops fields that a known kind does not have without a word; here the server names them and they are
 * dropped with a note.
 *
 * @param namespace namespace of a resource that names none; "" for kinds without namespaces
 */
export function normalise(resource: Resource, namespace: string): Resource {
  const { group } = splitApiVersion(resource.apiVersion);
  const isKnown = isBuiltIn(group);
  const { status, metadata, ...rest } = resource;
  const cleaned: Record<string, JsonValue> = {};
  for (const [key, value] of Object.entries(metadata)) {
    if (!serverFields.includes(key) && value !== null && value !== undefined) cleaned[key] = value;
  }
  for (const field of ["labels", "annotations"]) if (field in cleaned) cleaned[field] = textMap(cleaned[field] ?? null);
  delete cleaned.namespace;
  if (namespace !== "") cleaned.namespace = namespace;
  let body: JsonObject = { ...rest, metadata: cleaned };
  if (status !== undefined && definesKind(resource)) body = { ...body, status };
  if (isKnown) body = withoutNulls(body) as JsonObject;
  if (definesKind(resource)) body = withoutBadAuthority(body);
  if (resource.apiVersion === "v1" && resource.kind === "Secret") body = withData(body);
  if (resource.apiVersion === "v1" && resource.kind === "Service") body = servicePorts(body);
  if (group === "" || group === "apps" || group === "batch") body = containerPorts(body);
  return body as Resource;
}

/** Groups whose kinds are part of Kubernetes. */
export function isBuiltIn(group: string): boolean {
  return group === "" || !group.includes(".") || group.endsWith(".k8s.io") && builtInGroups.has(group);
}

const builtInGroups = new Set(
  ["admissionregistration", "apiextensions", "apiregistration", "authentication", "authorization", "certificates"]
    .concat(["coordination", "discovery", "events", "flowcontrol.apiserver", "networking", "node"])
    .concat(["rbac.authorization", "resource", "scheduling", "storage"]).map((name) => `${name}.k8s.io`),
);

function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item as JsonValue)) as JsonValue;
  if (!isJsonObject(value)) return value;
  const result: Record<string, JsonValue> = {};
  for (const [key, item] of Object.entries(value)) if (item !== null) result[key] = withoutNulls(item);
  return result;
}

/** Labels and annotations without nulls. */
function textMap(value: JsonValue): JsonValue {
  return isJsonObject(value) ? Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null)) : value;
}

function withData(secret: JsonObject): JsonObject {
  if (!isJsonObject(secret.stringData)) return secret;
  const { stringData, ...rest } = secret;
  const data: Record<string, JsonValue> = isJsonObject(rest.data) ? { ...rest.data } : {};
  for (const [key, value] of Object.entries(stringData as JsonObject)) {
    data[key] = typeof value === "string" ? new TextEncoder().encode(value).toBase64() : value;
  }
  return { ...rest, data };
}

function servicePorts(service: JsonObject): JsonObject {
  if (!isJsonObject(service.spec) || !Array.isArray(service.spec.ports)) return service;
  return { ...service, spec: { ...service.spec, ports: withProtocol(service.spec.ports) } };
}

function withProtocol(ports: readonly JsonValue[]): JsonValue {
  return ports.map((port) => isJsonObject(port) && port.protocol === undefined ? { ...port, protocol: "TCP" } : port);
}

/** Ports of all containers of a Pod, or of the Pod template of a workload. */
function containerPorts(object: JsonObject): JsonObject {
  if (!isJsonObject(object.spec)) return object;
  const spec = object.spec;
  if (object.kind === "CronJob") {
    if (!isJsonObject(spec.jobTemplate)) return object;
    return { ...object, spec: { ...spec, jobTemplate: containerPorts(spec.jobTemplate) } };
  }
  if (object.kind === "Pod") return { ...object, spec: podPorts(spec) };
  const template = spec.template;
  if (!isJsonObject(template) || !isJsonObject(template.spec)) return object;
  return { ...object, spec: { ...spec, template: { ...template, spec: podPorts(template.spec) } } };
}

function podPorts(spec: JsonObject): JsonObject {
  const result: Record<string, JsonValue> = { ...spec };
  for (const field of ["containers", "initContainers"]) {
    const containers = spec[field];
    if (!Array.isArray(containers)) continue;
    result[field] = containers.map((container) =>
      isJsonObject(container) && Array.isArray(container.ports)
        ? { ...container, ports: withProtocol(container.ports) }
        : container
    ) as JsonValue;
  }
  return result;
}

function withoutBadAuthority(definition: JsonObject): JsonObject {
  const spec = definition.spec;
  const conversion = isJsonObject(spec) ? spec.conversion : undefined;
  const webhook = isJsonObject(conversion) ? conversion.webhook : undefined;
  const client = isJsonObject(webhook) ? webhook.clientConfig : undefined;
  if (!isJsonObject(spec) || !isJsonObject(conversion) || !isJsonObject(webhook) || !isJsonObject(client)) {
    return definition;
  }
  if (typeof client.caBundle !== "string" || isPem(client.caBundle)) return definition;
  const { caBundle: _, ...rest } = client;
  return {
    ...definition,
    spec: { ...spec, conversion: { ...conversion, webhook: { ...webhook, clientConfig: rest } } },
  };
}

function isPem(base64: string): boolean {
  try {
    return atob(base64).includes("-----BEGIN CERTIFICATE-----");
  } catch {
    return false;
  }
}

/**
 * Refuses a Secret that is still encrypted, unless it says `decrypt: disabled` (kustomize-controller `apply`).
 *
 * @throws {StageError} ReconciliationFailed
 */
export function refuseEncrypted(resource: Resource, decryptMark: string): void {
  if (resource.kind !== "Secret" || resource.apiVersion !== "v1" || resource.sops === undefined) return;
  if (decryptMark === "disabled") return;
  throw new StageError(
    "ReconciliationFailed",
    `Secret/${
      resource.metadata.namespace ?? ""
    }/${resource.metadata.name} is SOPS encrypted, configuring decryption is required for this secret to be reconciled`,
    { hint: "Set spec.decryption, or annotate the Secret with kustomize.toolkit.fluxcd.io/decrypt: disabled" },
  );
}
