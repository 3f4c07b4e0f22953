/**
 * Values that several kinds share: names, references, selectors, patches, dependencies. Bounds are those of Flux's CRDs
 * (source-controller 1.9.1, kustomize-controller 1.9.4, helm-controller 1.6.3).
 *
 * @module
 */
import { joinPath } from "../core/file_tree.ts";
import { isJsonObject, type JsonValue } from "../core/json.ts";
import type { DependsOn, SourceRef } from "../core/specs.ts";
import type { Path, Report } from "./finding.ts";
import { flag, list, mapOf, may, need, object, oneOf, preset, quoted, refine, type Schema, text } from "./schema.ts";
import { span } from "./span.ts";

/** Pattern of a DNS subdomain (RFC 1123), as most Kubernetes names are. */
export const namePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const namespacePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const nameRule = 'must consist of lower-case letters, digits, "-" and ".", and start and end with a letter or digit';
const namespaceRule = 'must consist of lower-case letters, digits and "-", and start and end with a letter or digit';

/** Name of an object or of what it refers to. */
export const objectName: Schema<string> = text({
  minLength: 1,
  maxLength: 253,
  pattern: [namePattern, nameRule],
  type: "name",
});

/** Name of a namespace. */
export const namespaceName: Schema<string> = text({
  minLength: 1,
  maxLength: 63,
  pattern: [namespacePattern, namespaceRule],
  type: "namespace name",
});

/** Time between two runs: never below a second. */
export const interval: Schema<number> = span({ leastMs: 1_000 });

/** A reference by name in the same namespace. */
export const localRef = object({ name: need(objectName, "Name of the object, in the same namespace") });

/** Texts by name; used for labels and annotations too. */
export const texts = mapOf(text());

/** Labels and annotations for everything that is made. */
export const commonMetadata = object({
  labels: may(texts, "Labels, winning over those of the resources"),
  annotations: may(texts, "Annotations, winning over those of the resources"),
});

/** Selector of resources for patches and rules. */
export const selector = object({
  group: may(text(), "API group; anchored regular expression"),
  version: may(text(), "API version; anchored regular expression"),
  kind: may(text(), "Kind; anchored regular expression"),
  name: may(text(), "Name; anchored regular expression"),
  namespace: may(text(), "Namespace; anchored regular expression"),
  labelSelector: may(text(), "Label selector, as kubectl writes it"),
  annotationSelector: may(text(), "The same for annotations"),
});

/** Patches. */
export const patches = list(object({
  patch: need(text(), "Strategic merge or JSON 6902 patch as YAML text; which one is seen from the text"),
  target: may(selector, "Which resources; required for a JSON 6902 patch"),
}));

/** Image overrides. */
export const images = list(object({
  name: need(text(), "Image as the resources name it, without tag"),
  newName: may(text(), "Another image"),
  newTag: may(text(), "Another tag"),
  digest: may(text(), "A digest instead of a tag"),
}));

/** Rules for drift that is left alone. */
export const ignoreRules = list(object({
  paths: need(list(text()), "JSON pointers (RFC 6901)"),
  target: may(selector, "Which resources; all where absent"),
}));

/** Readiness of kinds by CEL. */
export const healthExpressions = list(object({
  apiVersion: need(text({ minLength: 1 }), "Group and version; the version does not count"),
  kind: may(text({ minLength: 1 }), "Kind; every kind of the group where absent"),
  current: need(text({ minLength: 1 }), "CEL: the resource is ready"),
  inProgress: may(text({ minLength: 1 }), "CEL: it is on its way"),
  failed: may(text({ minLength: 1 }), "CEL: it has failed"),
}));

/** How another cluster is reached: exactly one way. */
export const kubeConfig = refine(
  object({
    secretRef: may(
      object({
        name: need(objectName, "Name of the Secret"),
        key: may(text(), "Key in the Secret", { preset: "`value`, then `value.yaml`" }),
      }),
      "Secret with a kubeconfig",
    ),
    configMapRef: may(localRef, "ConfigMap that says how to log in without a secret"),
  }),
  (value, path, report) => {
    if ((value.secretRef === undefined) !== (value.configMapRef === undefined)) return value;
    report({
      severity: "error",
      path,
      message: `Cannot use ${quoted(path)}: it must have exactly one of "secretRef" and "configMapRef"`,
      hint: value.secretRef === undefined ? 'Add "secretRef"' : 'Remove "secretRef" or "configMapRef"',
    });
    return undefined;
  },
);

/** Signature check. */
export const verify = object({
  provider: preset(oneOf("cosign", "notation"), "cosign", "Which signatures"),
  secretRef: may(
    localRef,
    "Secret with the public keys (cosign `*.pub`) or the trust policy and certificates (notation)",
  ),
  matchOIDCIdentity: may(
    list(object({
      issuer: need(text(), "Regular expression for the issuer"),
      subject: need(text(), "Regular expression for the subject"),
    })),
    "Identities of keyless signatures; one of them must match",
  ),
  trustedRootSecretRef: may(localRef, "Secret with `trusted_root.json`, for keyless checks without a network"),
});

/** A path inside an artifact, clean and relative; `./`, `/` and "" are its root. */
export const artifactPath = refine(text(), (value, path, report) => {
  const clean = joinPath("", value.replace(/^\/+/, ""));
  if (clean !== undefined) return clean;
  report({
    severity: "error",
    path,
    message: `Cannot use ${quoted(path)} ${JSON.stringify(value.slice(0, 200))}: it must stay inside the artifact`,
    hint: 'Write a path relative to the root of the artifact, without ".."',
  });
  return undefined;
}, "path in the artifact");

/** Cloud login. */
export const cloud = oneOf("generic", "aws", "azure", "gcp");

/** Hosts of each cloud's registries, by their end. */
const cloudHosts: Readonly<Record<string, RegExp>> = {
  aws: /^public\.ecr\.aws$|\.(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)$/,
  azure: /\.azurecr\.(?:io|cn|de|us)$/,
  gcp: /^(?:.*\.)?gcr\.io$|-docker\.pkg\.dev$/,
};

/** Warns of a provider whose login the registry of a URL does not take. Differs: Flux fails such an object. */
export function checkProvider(provider: string, url: string, report: Report): void {
  const host = /^oci:\/\/([^/:]+)/.exec(url)?.[1];
  const hosts = cloudHosts[provider];
  if (hosts === undefined || (host !== undefined && hosts.test(host.toLowerCase()))) return;
  report({
    severity: "warning",
    path: ["spec", "provider"],
    message: `Field "spec.provider" "${provider}" has no effect: ${
      host === undefined ? "an OCI layout needs no login" : `registry "${host}" is none of that cloud`
    }`,
    hint: 'Remove "provider", or name a Secret in "secretRef"',
  });
}

/** What an object waits for, as documents write it. */
export const dependencies = list(object({
  name: need(objectName, "Name of the dependency"),
  namespace: may(namespaceName, "Its namespace", { preset: "the object's own" }),
  kind: may(
    oneOf("OCIRepository", "HelmRepository", "Kustomization", "HelmRelease", "Checkout"),
    "Its kind",
    { stance: "more than Flux", preset: "the object's own" },
  ),
  apiVersion: may(text(), "Its group and version; goes with `kind`", { stance: "more than Flux" }),
  readyExpr: may(text({ minLength: 1 }), "CEL over `self` and `dep` that replaces the readiness check"),
}));

/** Secret or ConfigMap. */
export const dataKind = oneOf("Secret", "ConfigMap");

/** A switch that is off unless set. */
export function off(doc: string, stance: "as Flux" | "ours" = "as Flux") {
  return preset(flag(), false, doc, { stance });
}

/** A switch that counts only where it is set. */
export function maybe(doc: string) {
  return may(flag(), doc, { preset: "`false`" });
}

/** Which object a kind's conversion works on. */
export interface Owner {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Folder that relative paths count from; absent for an object out of an artifact: it may not name paths of the host. */
  readonly baseFolder?: string;
}

/** Dependencies with kind and namespace filled in. */
export function dependsOnOf(
  entries: NonNullable<ReturnType<typeof dependencies.read>>,
  owner: Owner,
): readonly DependsOn[] {
  return entries.map((entry) => ({
    kind: entry.kind ?? owner.kind,
    namespace: entry.namespace ?? owner.namespace,
    name: entry.name,
    ...(entry.readyExpr === undefined ? {} : { readyExpr: entry.readyExpr }),
  }));
}

/** A reference with its namespace filled in. */
export function sourceRefOf(
  ref: { readonly kind: string; readonly name: string; readonly namespace?: string },
  owner: Owner,
): SourceRef {
  return { kind: ref.kind, namespace: ref.namespace ?? owner.namespace, name: ref.name };
}

/** Members of `spec` without the names given. */
export function without<T extends object, K extends keyof T>(value: T, ...names: readonly K[]): Omit<T, K> {
  const rest = { ...value };
  for (const name of names) delete rest[name];
  return rest;
}

/** JSON text of a value, in its own order; `bigint` in full. */
export function jsonText(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (isJsonObject(value)) {
    return `{${
      Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${jsonText(member)}`).join(",")
    }}`;
  }
  return typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}

/** Tells that an old or wrong form was taken; `hint` shows the right one. */
export function oldForm(report: Report, path: Path, what: string, hint: string): void {
  report({ severity: "warning", path, message: `Old form ${quoted(path)}: ${what}`, hint, atKey: true });
}
