/** How soon a failed object is tried again. */
export type RetryClass =
  /** With growing pauses: the fault is outside and passes. */
  | "backoff"
  /** At the normal interval: a person must act, yet the world may change by itself. */
  | "at-interval"
  /** As soon as something it depends on changes. */
  | "after-dependency"
  /** Only when the document changes (Flux: `Stalled`). */
  | "on-change";

/** Row of the table of reasons. */
export interface ReasonRow {
  readonly stage: "config" | "source" | "build" | "target" | "reconcile";
  readonly retry: RetryClass;
  /** What a person can do about it. */
  readonly hint: string;
  /** What Flux calls it on a Kustomization, where it tells less apart. */
  readonly ofKustomization?: "ArtifactFailed" | "BuildFailed";
  /** The same on a HelmRelease, which pulls the charts of a HelmRepository itself. */
  readonly ofHelmRelease?: "ArtifactFailed" | "SourceNotReady" | "ValuesError";
}

/**
 * Every reason an error, condition, event or metric can carry. Strings are Flux's where Flux has one
 * (source-controller `api/v1`, fluxcd/pkg `apis/meta`, helm-controller `api/v2`).
 */
export const reasons = {
  // config
  InvalidDocument: { stage: "config", retry: "on-change", hint: "Correct the document at the place named" },
  AccessDenied: { stage: "config", retry: "on-change", hint: "Refer to objects of the same namespace only" },
  NotBuiltYet: {
    stage: "config",
    retry: "on-change",
    hint: "Remove the field or kind named; this version cannot act on it",
  },
  // source
  URLInvalid: {
    stage: "source",
    retry: "on-change",
    hint: "Write oci://host[:port]/repository, with the tag or digest in spec.ref",
    ofHelmRelease: "SourceNotReady",
  },
  AuthenticationFailed: {
    stage: "source",
    retry: "backoff",
    hint: "Check the credentials that spec.secretRef names, and that they may pull this repository",
    ofHelmRelease: "SourceNotReady",
  },
  OCIArtifactPullFailed: {
    stage: "source",
    retry: "backoff",
    hint: "Check that the registry is reachable and that the reference exists",
    ofHelmRelease: "SourceNotReady",
  },
  OCIArtifactLayerOperationFailed: {
    stage: "source",
    retry: "at-interval",
    hint: "Check spec.layerSelector against the layers of the artifact (pilotfish inspect)",
    ofHelmRelease: "SourceNotReady",
  },
  VerificationError: {
    stage: "source",
    retry: "at-interval",
    hint: "Sign the artifact with a key or identity that spec.verify trusts",
    ofHelmRelease: "SourceNotReady",
  },
  StorageOperationFailed: {
    stage: "source",
    retry: "backoff",
    hint: "Check space and permissions of the store folder",
    ofHelmRelease: "ArtifactFailed",
  },
  ReadOperationFailed: {
    stage: "source",
    retry: "backoff",
    hint: "Check space and permissions of the store folder",
    ofHelmRelease: "ArtifactFailed",
  },
  // build
  ArtifactFailed: { stage: "build", retry: "at-interval", hint: "Check that the path exists in the artifact" },
  SourceNotReady: {
    stage: "build",
    retry: "after-dependency",
    hint: "Look at the source's own status",
    ofKustomization: "ArtifactFailed",
  },
  ChartMutateError: {
    stage: "build",
    retry: "at-interval",
    hint: "Tag the chart with its own version, or with a word that is no version",
  },
  BuildFailed: { stage: "build", retry: "at-interval", hint: "Build it locally: pilotfish build PATH" },
  ValuesError: {
    stage: "build",
    retry: "at-interval",
    hint: "Check the ConfigMaps and Secrets that spec.valuesFrom names",
  },
  DecryptionFailed: {
    stage: "build",
    retry: "at-interval",
    hint: "Check that spec.decryption.secretRef holds a key for these files",
    ofKustomization: "BuildFailed",
    ofHelmRelease: "ValuesError",
  },
  // target
  ReconciliationFailed: {
    stage: "target",
    retry: "backoff",
    hint: "See the cause; the last good state stays as it is",
  },
  PruneFailed: {
    stage: "target",
    retry: "backoff",
    hint: "See the cause; what could not be deleted stays in the inventory",
  },
  PruneGuarded: {
    stage: "target",
    retry: "at-interval",
    hint: "Confirm with the annotation pilotfish.dev/prune: confirmed, or once: pilotfish reconcile --confirm-prune",
  },
  HealthCheckFailed: { stage: "target", retry: "at-interval", hint: "Look at the resources named" },
  HealthCheckCanceled: { stage: "target", retry: "at-interval", hint: "A newer revision replaced this run" },
  InstallFailed: { stage: "target", retry: "backoff", hint: "See the cause; pilotfish render shows the manifests" },
  UpgradeFailed: { stage: "target", retry: "backoff", hint: "See the cause; pilotfish render shows the manifests" },
  UninstallFailed: { stage: "target", retry: "backoff", hint: "See the cause" },
  RetriesExceeded: {
    stage: "target",
    retry: "on-change",
    hint: "Change the document, its values or its chart, or ask for one more try: pilotfish reconcile",
  },
  // reconcile
  DependencyNotReady: { stage: "reconcile", retry: "after-dependency", hint: "Look at the status of the dependency" },
  InvalidCELExpression: { stage: "reconcile", retry: "on-change", hint: "Correct the expression" },
  ProgressDeadlineExceeded: {
    stage: "reconcile",
    retry: "backoff",
    hint: "Raise spec.timeout, or look at what is slow",
  },
  Interrupted: { stage: "reconcile", retry: "backoff", hint: "The daemon was stopped; it goes on at its next start" },
  Unexpected: { stage: "reconcile", retry: "backoff", hint: "This is a fault of Pilotfish: report it with the log" },
} as const satisfies Record<string, ReasonRow>;

/** A name of the table. */
export type Reason = keyof typeof reasons;

/** The reason as conditions and events of a kind of object tell it: Flux's word for it. */
export function toldReason(reason: Reason, kind: string): Reason {
  const row: ReasonRow = reasons[reason];
  const told = kind === "Kustomization" ? row.ofKustomization : kind === "HelmRelease" ? row.ofHelmRelease : undefined;
  return told ?? reason;
}

/** Reasons of a condition that is not a failure. */
export type GoodReason =
  | "Succeeded"
  | "ReconciliationSucceeded"
  | "InstallSucceeded"
  | "UpgradeSucceeded"
  | "UninstallSucceeded"
  | "Progressing"
  | "ProgressingWithRetry"
  | "NewRevision"
  | "Suspended";
