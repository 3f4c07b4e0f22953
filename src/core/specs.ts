/**
 * The typed specs of our documents, as `config` hands them on and `source` and `reconcile` read them. Field names are
 * Flux's; spans are milliseconds (`intervalMs` of `interval`); defaults are filled in where Flux's API has one.
 * Fields that decide nothing in Pilotfish are not here: `config` warns about them.
 *
 * @module
 */
import type { JsonObject } from "./json.ts";
import type { Ownership } from "./ownership.ts";
import type { HealthExpression, ResourceSelector } from "./target.ts";

/** Name of an object in the same namespace. */
export interface LocalRef {
  readonly name: string;
}

/** Which revision of a repository: digest wins over semver wins over tag; none of them means tag `latest`. */
export interface OCIRepositoryRef {
  readonly digest?: string;
  readonly semver?: string;
  readonly semverFilter?: string;
  readonly tag?: string;
}

/** Signature check of an artifact. */
export interface VerifySpec {
  readonly provider: "cosign" | "notation";
  readonly secretRef?: LocalRef;
  readonly matchOIDCIdentity?: readonly { readonly issuer: string; readonly subject: string }[];
  readonly trustedRootSecretRef?: LocalRef;
}

/** `source.toolkit.fluxcd.io/v1` OCIRepository. */
export interface OCIRepositorySpec {
  /** `oci://host[:port]/repository`, or `oci-layout:///absolute/path` (relative ones are made absolute by `config`). */
  readonly url: string;
  readonly ref: OCIRepositoryRef;
  readonly layerSelector?: { readonly mediaType?: string; readonly operation: "extract" | "copy" };
  readonly provider: "generic" | "aws" | "azure" | "gcp";
  readonly secretRef?: LocalRef;
  readonly serviceAccountName?: string;
  readonly certSecretRef?: LocalRef;
  readonly proxySecretRef?: LocalRef;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly ignore?: string;
  readonly insecure: boolean;
  readonly suspend: boolean;
  readonly verify?: VerifySpec;
  /** Sub-path that old documents wrote as `artifact.path`; only with a warning. */
  readonly path?: string;
}

/** A dependency. `kind` defaults to the kind that depends; `readyExpr` is CEL over `self` and `dep`. */
export interface DependsOn {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly readyExpr?: string;
}

/** One image override (kustomize `images`). */
export interface ImageOverride {
  readonly name: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly digest?: string;
}

/** One patch: strategic merge or JSON 6902, told apart by its text. */
export interface PatchSpec {
  readonly patch: string;
  readonly target?: ResourceSelector;
}

/** Where variables or values come from. */
export interface DataReference {
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
  readonly optional: boolean;
}

/** Labels and annotations for every resource. */
export interface CommonMetadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A reference to a source. */
export interface SourceRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** How another cluster is reached. */
export interface KubeConfigRef {
  readonly secretRef?: { readonly name: string; readonly key?: string };
  readonly configMapRef?: LocalRef;
}

/** `kustomize.toolkit.fluxcd.io/v1` Kustomization. */
export interface KustomizationSpec {
  readonly sourceRef: SourceRef;
  /** Clean relative path in the artifact; "" is its root. */
  readonly path: string;
  readonly intervalMs: number;
  /** Default: the interval. */
  readonly retryIntervalMs: number;
  /** Default: the interval less 30 s, at least 30 s. */
  readonly timeoutMs: number;
  readonly prune: boolean;
  readonly deletionPolicy: "MirrorPrune" | "Delete" | "WaitForTermination" | "Orphan";
  readonly targetNamespace?: string;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly commonMetadata?: CommonMetadata;
  readonly patches: readonly PatchSpec[];
  readonly images: readonly ImageOverride[];
  readonly components: readonly string[];
  readonly ignoreMissingComponents: boolean;
  readonly buildMetadata?: readonly string[];
  readonly postBuild?: {
    readonly substitute: Readonly<Record<string, string>>;
    readonly substituteFrom: readonly DataReference[];
    readonly substituteStrategy: "WithVariables" | "Always";
  };
  readonly decryption?: {
    readonly provider: "sops";
    readonly secretRef?: LocalRef;
    readonly serviceAccountName?: string;
  };
  readonly dependsOn: readonly DependsOn[];
  readonly healthChecks: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  }[];
  readonly healthCheckExprs: readonly HealthExpression[];
  readonly wait: boolean;
  readonly force: boolean;
  readonly ignore: readonly { readonly paths: readonly string[]; readonly target?: ResourceSelector }[];
  readonly serviceAccountName?: string;
  readonly kubeConfig?: KubeConfigRef;
  readonly suspend: boolean;
}

/** One source of a release's values, in order. */
export interface ValuesReference extends DataReference {
  /** Key in the object; default `values.yaml`. */
  readonly valuesKey: string;
  /** One path to set, in `--set` grammar, instead of merging a document. */
  readonly targetPath?: string;
  readonly literal: boolean;
}

/** Switches of one Helm action; absent ones have Flux's default. */
export interface HelmActionSpec {
  readonly timeoutMs?: number;
  readonly disableWait?: boolean;
  readonly disableWaitForJobs?: boolean;
  readonly disableHooks?: boolean;
  readonly disableOpenAPIValidation?: boolean;
  readonly disableSchemaValidation?: boolean;
  readonly disableTakeOwnership?: boolean;
  readonly replace?: boolean;
  readonly createNamespace?: boolean;
  readonly skipCRDs?: boolean;
  readonly crds?: "Skip" | "Create" | "CreateReplace";
  readonly force?: boolean;
  readonly preserveValues?: boolean;
  readonly cleanupOnFail?: boolean;
  /** `install`: a switch; `upgrade` and `rollback`: `auto` goes on as the last release did. */
  readonly serverSideApply?: boolean | "enabled" | "disabled" | "auto";
  readonly chartNameChangeStrategy?: "InPlaceUpdate" | "Reinstall";
  readonly keepHistory?: boolean;
  readonly deletionPropagation?: "background" | "foreground" | "orphan";
  readonly strategy?: { readonly name: string; readonly retryIntervalMs?: number };
  readonly remediation?: {
    readonly retries?: number;
    readonly ignoreTestFailures?: boolean;
    readonly remediateLastFailure?: boolean;
    readonly strategy?: "rollback" | "uninstall";
  };
}

/** Where a release's chart comes from. */
export type ChartSource =
  /** `chartRef`: an OCIRepository whose artifact is a chart. `version` only where an old form was translated: a range the chart must meet. */
  | { readonly kind: "ref"; readonly sourceRef: SourceRef; readonly version?: string }
  /** `chart.spec` with an OCI HelmRepository. */
  | {
    readonly kind: "repository";
    readonly sourceRef: SourceRef;
    readonly chart: string;
    readonly version: string;
    readonly valuesFiles: readonly string[];
    readonly ignoreMissingValuesFiles: boolean;
    readonly verify?: VerifySpec;
  };

/** `helm.toolkit.fluxcd.io/v2` HelmRelease. */
export interface HelmReleaseSpec {
  readonly chart: ChartSource;
  readonly intervalMs: number;
  /** Of each Helm action; default 5 minutes. */
  readonly timeoutMs: number;
  readonly releaseName: string;
  readonly targetNamespace: string;
  readonly storageNamespace: string;
  readonly maxHistory: number;
  readonly values: JsonObject;
  readonly valuesFrom: readonly ValuesReference[];
  readonly install: HelmActionSpec;
  readonly upgrade: HelmActionSpec;
  readonly rollback: HelmActionSpec;
  readonly uninstall: HelmActionSpec;
  readonly test: {
    readonly enable: boolean;
    readonly timeoutMs?: number;
    readonly ignoreFailures: boolean;
    readonly filters?: readonly { readonly name: string; readonly exclude: boolean }[];
  };
  readonly driftDetection?: {
    readonly mode: "enabled" | "warn" | "disabled";
    readonly ignore: readonly { readonly paths: readonly string[]; readonly target?: ResourceSelector }[];
  };
  readonly commonMetadata?: CommonMetadata;
  readonly postRenderers: readonly {
    readonly kustomize: { readonly patches: readonly PatchSpec[]; readonly images: readonly ImageOverride[] };
  }[];
  readonly postRenderStrategy: "nohooks" | "combined" | "separate";
  /** Rules of readiness; default `poller` (kstatus). */
  readonly waitStrategy?: "poller" | "legacy";
  readonly healthCheckExprs: readonly HealthExpression[];
  readonly dependsOn: readonly DependsOn[];
  readonly serviceAccountName?: string;
  readonly kubeConfig?: KubeConfigRef;
  readonly suspend: boolean;
}

/** `source.toolkit.fluxcd.io/v1` HelmRepository of `type: oci`. */
export interface HelmRepositorySpec {
  readonly url: string;
  readonly provider: "generic" | "aws" | "azure" | "gcp";
  readonly secretRef?: LocalRef;
  readonly certSecretRef?: LocalRef;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly insecure: boolean;
  readonly suspend: boolean;
}

/** What a Checkout does after its files changed. */
export type AfterChange =
  | { readonly kind: "command"; readonly command: readonly string[] }
  | { readonly kind: "signal"; readonly pidFile: string; readonly name: string }
  | { readonly kind: "http"; readonly url: string; readonly method: string };

/** `pilotfish.dev/v1alpha1` Checkout: an artifact's files in a folder, swapped atomically. */
export interface CheckoutSpec {
  readonly sourceRef: SourceRef;
  /** Absolute path of the link (tree) or file (blob) that is switched. */
  readonly path: string;
  /** Clean relative path in the artifact; "" is its root. */
  readonly subPath: string;
  readonly mode: {
    readonly files: number;
    readonly folders: number;
    readonly owner?: { readonly uid: number; readonly gid: number };
  };
  readonly afterChange?: AfterChange;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly dependsOn: readonly DependsOn[];
  readonly suspend: boolean;
}

/** `notification.toolkit.fluxcd.io/v1beta3` Provider: where events are sent. */
export interface ProviderSpec {
  readonly type: string;
  readonly channel?: string;
  readonly username?: string;
  /** May hold a secret (webhook URLs do): never shown. */
  readonly address?: string;
  readonly timeoutMs: number;
  readonly secretRef?: LocalRef;
  readonly certSecretRef?: LocalRef;
  readonly proxySecretRef?: LocalRef;
  readonly serviceAccountName?: string;
  readonly commitStatusExpr?: string;
  readonly suspend: boolean;
}

/** Objects by kind and by name (`*` is all) or labels. */
export interface ObjectPattern {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly matchLabels?: Readonly<Record<string, string>>;
}

/** `notification.toolkit.fluxcd.io/v1beta3` Alert: which events go to which Provider. */
export interface AlertSpec {
  readonly providerRef: LocalRef;
  readonly eventSeverity: "info" | "error";
  readonly eventSources: readonly ObjectPattern[];
  /** Regular expressions (RE2) that a message must match one of; none of `exclusionList`. */
  readonly inclusionList: readonly string[];
  readonly exclusionList: readonly string[];
  readonly eventMetadata: Readonly<Record<string, string>>;
  readonly suspend: boolean;
}

/** `notification.toolkit.fluxcd.io/v1` Receiver: who may ask for a run by a web request. */
export interface ReceiverSpec {
  readonly type: string;
  readonly intervalMs: number;
  readonly events: readonly string[];
  readonly resources: readonly (ObjectPattern & { readonly filter?: string })[];
  readonly resourceFilter?: string;
  readonly secretRef?: LocalRef;
  readonly oidcProviders: readonly {
    readonly issuerURL: string;
    readonly audience: string;
    readonly variables: readonly { readonly name: string; readonly expression: string }[];
    readonly validations: readonly { readonly expression: string; readonly message: string }[];
  }[];
  readonly suspend: boolean;
}

/** Where resources go: `cluster`, or a folder. */
export type TargetSettings =
  | { readonly kind: "directory"; readonly path: string; readonly layout: "tree" | "static-pods" | "k3s" }
  | {
    readonly kind: "cluster";
    readonly kubeconfig?: string;
    readonly context?: string;
    /** Whether our events are written as Kubernetes Events; default `false`. */
    readonly events?: boolean;
    /** Whether each object has a ConfigMap with its status; default `false`. */
    readonly status?: boolean;
    /** Whether deletions need no person's word, whatever they take along; default `false`. */
    readonly noPruneGuards?: boolean;
    /** Whether to write without holding a Lease; default `false`. */
    readonly noLease?: boolean;
    /** Under whose name resources stand; default `flux`. */
    readonly ownership?: Ownership;
    /** Whom documents act as that name no ServiceAccount, in their own namespace; default ourselves. */
    readonly defaultServiceAccount?: string;
  };

/** Settings of the daemon after flag > environment > document > default. */
export interface Settings {
  readonly store: { readonly path: string; readonly maxSizeBytes: number; readonly history: number };
  readonly target: TargetSettings;
  /** `host:port`, or `off`. */
  readonly listen: string;
  readonly mirrors: readonly { readonly registry: string; readonly endpoints: readonly string[] }[];
  /** Objects that run at the same time. */
  readonly concurrency: number;
  /** Where orders are taken: a socket's path or `off`; beside it an address that asks for the token in a file. */
  readonly control: { readonly socket: string; readonly listen?: string; readonly tokenFile?: string };
  readonly log: { readonly format: "json" | "text"; readonly level: "debug" | "info" | "warn" | "error" };
  /** Refuse references to objects of another namespace. */
  readonly noCrossNamespaceRefs: boolean;
  /** Kustomizations may name files and charts of http(s) addresses, and charts' schemas others. Default `false`. */
  readonly allowHttp?: boolean;
  /** Templates may look host names up. Default `false`: `getHostByName` is "". */
  readonly allowDns?: boolean;
}
