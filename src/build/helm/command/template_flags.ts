import { defaultDialect, type Dialect, dialects } from "../dialect.ts";
import type { FlagType } from "./flag_value.ts";

/** One flag. */
export interface FlagRow {
  readonly type: FlagType;
  readonly short?: string;
  /** What counts when the flag stands without a value. */
  readonly bare?: string;
  /** Said when the flag is used. */
  readonly deprecated?: string;
  readonly summary: string;
}

const shared: Readonly<Record<string, FlagRow>> = {
  "allow-http": { type: "bool", summary: "our own: read schemas of http(s) addresses" },
  "api-versions": { type: "strings", short: "a", summary: "Kubernetes API versions for Capabilities.APIVersions" },
  "atomic": { type: "bool", deprecated: "use --rollback-on-failure instead", summary: "no effect here" },
  "burst-limit": { type: "int", summary: "no effect here" },
  "ca-file": { type: "string", summary: "certificate authorities of the registry" },
  "cert-file": { type: "string", summary: "client certificate for the registry" },
  "create-namespace": { type: "bool", summary: "no effect here" },
  "debug": { type: "bool", summary: "verbose output; prints manifests that are no YAML too" },
  "dependency-update": { type: "bool", summary: "fetch dependencies that are missing" },
  "description": { type: "string", summary: "no effect here" },
  "dialect": {
    type: "string",
    summary: `our own: whose text is printed: ${dialects.join(", ")} (default ${defaultDialect})`,
  },
  "devel": { type: "bool", summary: "development versions of the chart, too" },
  "disable-openapi-validation": { type: "bool", summary: "with a cluster: documents may lack apiVersion" },
  "dry-run": { type: "string", bare: "unset", summary: "client, or server to ask the cluster" },
  "enable-dns": { type: "bool", summary: "let getHostByName ask" },
  "force": { type: "bool", deprecated: "use --force-replace instead", summary: "no effect here" },
  "generate-name": { type: "bool", short: "g", summary: "make up a release name" },
  "help": { type: "bool", short: "h", summary: "this text" },
  "include-crds": { type: "bool", summary: "print the CRDs of crds/, too" },
  "insecure-skip-tls-verify": { type: "bool", summary: "accept any certificate of the registry" },
  "is-upgrade": { type: "bool", summary: "set .Release.IsUpgrade instead of .Release.IsInstall" },
  "key-file": { type: "string", summary: "key of the client certificate" },
  "keyring": { type: "string", summary: "no effect here" },
  "kube-apiserver": { type: "string", summary: "cluster's address" },
  "kube-as-group": { type: "stringArray", summary: "group to act as" },
  "kube-as-user": { type: "string", summary: "user to act as" },
  "kube-ca-file": { type: "string", summary: "certificate authorities of the cluster" },
  "kube-context": { type: "string", summary: "context of the kubeconfig" },
  "kube-insecure-skip-tls-verify": { type: "bool", summary: "accept any certificate of the cluster" },
  "kube-tls-server-name": { type: "string", summary: "name in the cluster's certificate" },
  "kube-token": { type: "string", summary: "token for the cluster" },
  "kube-version": { type: "string", summary: "Kubernetes version for Capabilities.KubeVersion" },
  "kubeconfig": { type: "string", summary: "path of the kubeconfig" },
  "labels": { type: "stringToString", short: "l", summary: "no effect here" },
  "name-template": { type: "string", summary: "template of the release name" },
  "namespace": { type: "string", short: "n", summary: "namespace of the release" },
  "no-hooks": { type: "bool", summary: "leave hooks out" },
  "output-dir": { type: "string", summary: "write files below this folder instead of printing" },
  "pass-credentials": { type: "bool", summary: "no effect here" },
  "password": { type: "string", summary: "password for the registry" },
  "plain-http": { type: "bool", summary: "talk to the registry without TLS" },
  "post-renderer": { type: "string", summary: "not built: Pilotfish runs no program over manifests" },
  "post-renderer-args": { type: "strings", summary: "not built" },
  "qps": { type: "float32", summary: "no effect here" },
  "registry-config": { type: "string", summary: "credentials of registries" },
  "release-name": { type: "bool", summary: "put the release name into the path below --output-dir" },
  "replace": { type: "bool", summary: "no effect here" },
  "repo": { type: "string", summary: "not built: charts come from folders, archives and oci:// registries" },
  "repository-cache": { type: "string", summary: "no effect here" },
  "repository-config": { type: "string", summary: "no effect here" },
  "set": { type: "stringArray", summary: "values: key=value,key.list[0]=value" },
  "set-file": { type: "stringArray", summary: "values from files: key=path" },
  "set-json": { type: "stringArray", summary: "JSON values: key=json, or a whole object" },
  "set-literal": { type: "stringArray", summary: "one text value, taken as it is" },
  "set-string": { type: "stringArray", summary: "text values" },
  "show-only": { type: "stringArray", short: "s", summary: "print only manifests of these templates" },
  "skip-crds": { type: "bool", summary: "with a cluster: no warning about the CRDs of crds/" },
  "skip-schema-validation": { type: "bool", summary: "do not check values.schema.json" },
  "skip-tests": { type: "bool", summary: "leave test hooks out" },
  "take-ownership": { type: "bool", summary: "with a cluster: whoever owns what exists" },
  "timeout": { type: "duration", summary: "no effect here" },
  "username": { type: "string", summary: "user name for the registry" },
  "validate": { type: "bool", summary: "ask the cluster for its versions, and whether it would take the manifests" },
  "values": { type: "strings", short: "f", summary: "values from YAML files, - for standard input" },
  "verify": { type: "bool", summary: "not built: PGP provenance" },
  "version": { type: "string", summary: "version or range of the chart" },
  "wait-for-jobs": { type: "bool", summary: "no effect here" },
};

const noEffect = "this flag has no effect for 'helm template' and will be removed in Helm 5";

const helm4Rows: Readonly<Record<string, FlagRow>> = {
  ...shared,
  "color": { type: "string", summary: "no effect here" },
  "colour": { type: "string", summary: "no effect here" },
  "content-cache": { type: "string", summary: "no effect here" },
  "force-conflicts": { type: "bool", summary: "no effect here" },
  "force-replace": { type: "bool", summary: "no effect here" },
  "hide-notes": { type: "bool", deprecated: noEffect, summary: "no effect here" },
  "render-subchart-notes": { type: "bool", deprecated: noEffect, summary: "no effect here" },
  "rollback-on-failure": { type: "bool", summary: "no effect here" },
  "server-side": { type: "bool", summary: "no effect here" },
  "validate": { ...shared.validate as FlagRow, deprecated: "use '--dry-run=server' instead" },
  "wait": { type: "wait", bare: "watcher", summary: "no effect here" },
};

/** Helm 4.1 did not yet say that flags about notes have no effect. */
const helm41Rows: Readonly<Record<string, FlagRow>> = {
  ...helm4Rows,
  "hide-notes": { type: "bool", summary: "no effect here" },
  "render-subchart-notes": { type: "bool", summary: "no effect here" },
};

const helm3Rows: Readonly<Record<string, FlagRow>> = {
  ...shared,
  "atomic": { type: "bool", summary: "no effect here" },
  "dry-run": { type: "string", bare: "client", summary: "client, or server to ask the cluster" },
  "force": { type: "bool", summary: "no effect here" },
  "hide-notes": { type: "bool", summary: "no effect here" },
  "render-subchart-notes": { type: "bool", summary: "no effect here" },
  "wait": { type: "bool", summary: "no effect here" },
};

const rowsOf: Readonly<Record<Dialect, Readonly<Record<string, FlagRow>>>> = {
  "helm3": helm3Rows,
  "helm4.1": helm41Rows,
  "helm4.2.4": helm4Rows,
};

/** Flags of `template` in a dialect, by name. */
export function templateFlags(dialect: Dialect): Readonly<Record<string, FlagRow>> {
  return rowsOf[dialect];
}
