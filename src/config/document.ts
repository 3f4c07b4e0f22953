import type { JsonObject, JsonValue } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import type { ObjectKey } from "../core/object.ts";
import { nearest } from "../format/nearest.ts";
import type { Finding, Path, Report } from "./finding.ts";
import type { Kind } from "./kind.ts";
import { groupOf, kinds, refusedKinds } from "./kinds.ts";
import { absolutePath } from "./kinds/oci_repository.ts";
import { namespaceName, objectName, type Owner } from "./parts.ts";
import { mapOf, may, need, object, type ReadOf, text, unknownField } from "./schema.ts";

/** One document, checked. */
export interface ParsedDocument {
  readonly kind: Kind;
  readonly key: ObjectKey;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Absent when something in it is wrong: the object is known by name and left out. */
  readonly spec?: unknown;
  /** The document in its right form: old forms translated, namespace filled in. */
  readonly document: JsonObject;
}

/** What a parse gives: the document (`undefined` when not even its name can be read) and what is to say of it. */
export interface ParseOutcome {
  readonly parsed?: ParsedDocument;
  readonly findings: readonly Finding[];
}

/** Circumstances of a parse. */
export interface ParseContext {
  /** Absolute folder that relative paths count from; absent for an object out of an artifact. */
  readonly baseFolder?: string;
  /** Namespace of a document that names none. Default `default`. */
  readonly defaultNamespace?: string;
  /** Where the document stands in the text: below this path. */
  readonly root?: Path;
}

/** Annotation that gives one object a target of its own. */
const targetAnnotation = "pilotfish.dev/target";
/** Annotation of a Kustomization that says what is done about drift, and its words. */
const driftAnnotation = "pilotfish.dev/drift";
const driftModes = ["enabled", "warn", "disabled"];

const qualified =
  /^(?:[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$/;
const labelText = text({
  maxLength: 63,
  pattern: [
    /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/,
    'must consist of letters, digits, "-", "_" and ".", and start and end with a letter or digit',
  ],
});

const metadataFields = {
  name: need(objectName, "Name of the object"),
  namespace: may(namespaceName, "Namespace of the object"),
  labels: may(mapOf(labelText), "Labels"),
  annotations: may(mapOf(text()), "Annotations"),
};

/** Fields that a cluster fills in; they come along when somebody exports an object. */
const clusterFields = new Set([
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "finalizers",
  "ownerReferences",
  "managedFields",
  "selfLink",
]);

const metadataSchema = object(metadataFields);

/** Checks one document: kind, version, metadata, then its body by the schema of its kind. Pure; throws nothing. */
export function parseDocument(value: JsonValue, context: ParseContext): ParseOutcome {
  const { root = [], defaultNamespace = "default" } = context;
  const findings: Finding[] = [];
  const report: Report = (finding) => findings.push({ ...finding, path: [...root, ...finding.path] });
  if (!isJsonObject(value)) {
    const hint = 'Write "apiVersion", "kind", "metadata" and "spec"';
    report({ severity: "error", path: [], message: "Cannot use the document: it must be an object", hint });
    return { findings };
  }
  const kind = kindOf(value, report);
  if (kind === undefined) return { findings };
  const metadata = metadataOf(value, kind, report);
  const name = isJsonObject(value.metadata) ? value.metadata.name : undefined;
  if (metadata === undefined && typeof name !== "string") return { findings };
  const givenNamespace = metadata?.namespace ?? (isJsonObject(value.metadata) ? value.metadata.namespace : undefined);
  const key: ObjectKey = {
    kind: kind.kind,
    namespace: typeof givenNamespace === "string" && givenNamespace !== "" ? givenNamespace : defaultNamespace,
    name: metadata?.name ?? String(name),
  };
  const owner: Owner = { ...key, ...(context.baseFolder === undefined ? {} : { baseFolder: context.baseFolder }) };
  const { body, spec } = bodyOf(value, kind, owner, report);
  if (kind.idle !== undefined) {
    report({
      severity: "warning",
      path: ["kind"],
      message: `Kind "${kind.kind}" is checked and has no effect: ${kind.idle}`,
      hint: "Do not rely on it yet",
    });
  }
  const annotations = targetOf(metadata?.annotations ?? {}, owner, report);
  checkDrift(metadata?.annotations?.[driftAnnotation], kind, report);
  const isGood = metadata !== undefined && annotations !== undefined && spec !== undefined &&
    !findings.some((finding) => finding.severity === "error");
  return {
    findings,
    parsed: {
      kind,
      key,
      labels: metadata?.labels ?? {},
      annotations: annotations ?? {},
      document: documentOf(value, kind, key, body),
      ...(isGood ? { spec } : {}),
    },
  };
}

/** The kind of a document; `undefined` after the reason was told. */
function kindOf(value: JsonObject, report: Report): Kind | undefined {
  const { kind, apiVersion } = value;
  if (typeof kind !== "string" || kind === "") {
    report({
      severity: "error",
      path: Object.hasOwn(value, "kind") ? ["kind"] : [],
      message: 'Missing "kind": it must be the kind of the document',
      hint: `Known kinds: ${kinds.map((known) => known.kind).join(", ")}`,
    });
    return undefined;
  }
  const known = kinds.find((candidate) => candidate.kind === kind);
  const version = typeof apiVersion === "string" ? apiVersion : "";
  const group = groupOf(version);
  if (known === undefined || (version !== "" && !isNearGroup(group, known))) {
    report(refusal(kind, group, version, known));
    return undefined;
  }
  if (version === known.apiVersion) return known;
  if (known.oldVersions.includes(version)) {
    report({
      severity: "warning",
      path: ["apiVersion"],
      message: `Old form "apiVersion" "${version}": it is read as "${known.apiVersion}"`,
      hint: `Write "apiVersion: ${known.apiVersion}"`,
    });
    return known;
  }
  report({
    severity: "error",
    path: Object.hasOwn(value, "apiVersion") ? ["apiVersion"] : [],
    message: version === ""
      ? `Missing "apiVersion": for kind "${kind}" it must be "${known.apiVersion}"`
      : `Cannot use "apiVersion" "${version.slice(0, 120)}": for kind "${kind}" it must be "${known.apiVersion}"`,
    hint: `Write "apiVersion: ${known.apiVersion}"`,
  });
  // The body is still checked, so that all problems are told at once.
  return known;
}

/** Whether a group is meant to be that of a kind: the same, or off by a slip of the pen. */
function isNearGroup(group: string, kind: Kind): boolean {
  const right = groupOf(kind.apiVersion);
  return group === right || (group !== "kustomize.config.k8s.io" && nearest(group, [right]) !== undefined);
}

function refusal(kind: string, group: string, apiVersion: string, known: Kind | undefined): Finding {
  const what = `Cannot use kind "${kind.slice(0, 120)}"${apiVersion === "" ? "" : ` of "${apiVersion.slice(0, 120)}"`}`;
  const path = ["kind"];
  if (group === "kustomize.config.k8s.io") {
    return {
      severity: "error",
      path: ["apiVersion"],
      message: `${what}: this is a file of kustomize, not a document of Flux`,
      hint: 'Put it into an artifact, and name that by a Kustomization of "kustomize.toolkit.fluxcd.io/v1"',
    };
  }
  const isFlux = group === "" || group.endsWith(".fluxcd.io") || group.startsWith("fluxcd.");
  const hint = isFlux || group.endsWith("controlplane.io") ? refusedKinds[kind] : undefined;
  if (hint !== undefined) return { severity: "error", path, message: `${what}: it is not supported`, hint };
  if (known !== undefined) {
    return {
      severity: "error",
      path: ["apiVersion"],
      message: `${what}: it must be "${known.apiVersion}"`,
      hint: `Write "apiVersion: ${known.apiVersion}"`,
    };
  }
  const names = kinds.map((candidate) => candidate.kind);
  const near = nearest(kind, names);
  if (near !== undefined) {
    return { severity: "error", path, message: `${what}: did you mean "${near}"?`, hint: `Write "kind: ${near}"` };
  }
  return {
    severity: "error",
    path,
    message: `${what}: known are ${names.join(", ")}`,
    hint: "Put resources of a cluster into an artifact, and name that by an OCIRepository and a Kustomization",
  };
}

function metadataOf(value: JsonObject, kind: Kind, report: Report): ReadOf<typeof metadataFields> | undefined {
  const { metadata } = value;
  if (metadata === undefined || metadata === null) {
    report({
      severity: "error",
      path: [],
      message: 'Missing "metadata": it must be an object with a name',
      hint: 'Add "metadata: {name: …}"',
    });
    return undefined;
  }
  if (!isJsonObject(metadata)) return metadataSchema.read(metadata, ["metadata"], report);
  const own = Object.fromEntries(Object.entries(metadata).filter(([name]) => !clusterFields.has(name)));
  const read = metadataSchema.read(own, ["metadata"], report);
  let isGood = true;
  for (const map of ["labels", "annotations"] as const) {
    for (const name of Object.keys(read?.[map] ?? {})) {
      if (name.length <= 317 && qualified.test(name)) continue;
      isGood = false;
      report({
        severity: "error",
        path: ["metadata", map, name],
        message: `Cannot use "${
          name.slice(0, 120)
        }" in "metadata.${map}": it must be a name, with an optional "prefix/" in front`,
        hint: "Correct the name",
        atKey: true,
        ...(kind.role === "data" ? { isSecret: true } : {}),
      });
    }
  }
  return isGood ? read : undefined;
}

/** The body in its right form and the typed spec. */
function bodyOf(
  value: JsonObject,
  kind: Kind,
  owner: Owner,
  report: Report,
): { readonly body: JsonObject; readonly spec: unknown } {
  const rootFields = ["apiVersion", "kind", "metadata"];
  if (kind.body === "root") {
    const body = Object.fromEntries(
      Object.entries(value).filter(([name]) => !rootFields.includes(name) && name !== "status"),
    );
    const read = kind.schema.read(body, [], report);
    return { body, spec: read === undefined ? undefined : kind.toSpec(read, owner, report) };
  }
  const known = [...rootFields, "spec", "status"];
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) unknownField(name, known, [], report);
  }
  const given = value.spec ?? {};
  if (!isJsonObject(given)) return { body: {}, spec: kind.schema.read(given, ["spec"], report) };
  const body = kind.translate?.(given, ["spec"], report) ?? given;
  const read = kind.schema.read(body, ["spec"], report);
  return { body, spec: read === undefined ? undefined : kind.toSpec(read, owner, report) };
}

/** Annotations with an absolute folder in the object's own target; `undefined` after an error. */
function targetOf(
  annotations: Readonly<Record<string, string>>,
  owner: Owner,
  report: Report,
): Readonly<Record<string, string>> | undefined {
  const target = annotations[targetAnnotation];
  if (target === undefined) return annotations;
  const folder = /^directory:(.+)$/s.exec(target)?.[1];
  const path = ["metadata", "annotations", targetAnnotation];
  if (folder !== undefined && owner.baseFolder === undefined) {
    report({
      severity: "error",
      path,
      message:
        `Cannot use annotation "${targetAnnotation}" out of an artifact: an artifact may not name folders of this machine`,
      hint: "Remove the annotation",
    });
    return undefined;
  }
  if (folder !== undefined) {
    return { ...annotations, [targetAnnotation]: `directory:${absolutePath(owner.baseFolder ?? "/", folder)}` };
  }
  if (target === "cluster") return annotations;
  report({
    severity: "error",
    path,
    message: `Cannot use annotation "${targetAnnotation}" ${
      JSON.stringify(target.slice(0, 120))
    }: it must be "cluster" or "directory:PATH"`,
    hint: 'Write "directory:/path"',
  });
  return undefined;
}

/** Refuses a drift mode that nobody knows, and tells where the annotation does nothing. */
function checkDrift(mode: string | undefined, kind: Kind, report: Report): void {
  if (mode === undefined) return;
  const path = ["metadata", "annotations", driftAnnotation];
  if (kind.kind !== "Kustomization") {
    report({
      severity: "warning",
      path,
      message: `Annotation "${driftAnnotation}" has no effect on a ${kind.kind}: it is for Kustomizations`,
      hint: kind.kind === "HelmRelease" ? "Write spec.driftDetection.mode" : "Remove the annotation",
    });
  } else if (!driftModes.includes(mode)) {
    report({
      severity: "error",
      path,
      message: `Cannot use annotation "${driftAnnotation}" ${JSON.stringify(mode.slice(0, 120))}: it must be ${
        driftModes.map((known) => `"${known}"`).join(", ")
      }`,
      hint: `Write "${nearest(mode, driftModes) ?? "warn"}"`,
    });
  }
}

function documentOf(value: JsonObject, kind: Kind, key: ObjectKey, body: JsonObject): JsonObject {
  const metadata = isJsonObject(value.metadata) ? value.metadata : {};
  return {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: { ...metadata, name: key.name, namespace: key.namespace },
    ...(kind.body === "spec" ? { spec: body } : body),
  };
}
