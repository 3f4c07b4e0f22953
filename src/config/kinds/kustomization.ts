import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { KustomizationSpec } from "../../core/specs.ts";
import type { Path, Report } from "../finding.ts";
import { defineKind } from "../kind.ts";
import {
  artifactPath,
  commonMetadata,
  dataKind,
  dependencies,
  dependsOnOf,
  healthExpressions,
  ignoreRules,
  images,
  interval,
  jsonText,
  kubeConfig,
  localRef,
  namespaceName,
  objectName,
  off,
  oldForm,
  patches,
  sourceRefOf,
  texts,
  without,
} from "../parts.ts";
import { flag, ignored, list, may, need, object, oneOf, preset, quoted, refine, text } from "../schema.ts";
import { span } from "../span.ts";

const variableName = /^[_A-Za-z][_A-Za-z0-9]*$/;

const component = refine(text({ minLength: 1 }), (value, path, report) => {
  if (!value.startsWith("/") && !/^[a-z+]+:\/\/|^[\w.-]+@[\w.-]+:|\?ref=/.test(value)) return value;
  report({
    severity: "error",
    path,
    message: `Cannot use ${quoted(path)} ${
      JSON.stringify(value.slice(0, 200))
    }: it must be a relative path in the artifact`,
    hint: "Put the component into the artifact",
  });
  return undefined;
});

const substitute = refine(texts, (value, path, report) => {
  const wrong = Object.keys(value).filter((name) => !variableName.test(name));
  for (const name of wrong) {
    report({
      severity: "error",
      path: [...path, name],
      message: `Cannot use variable "${name}": it must consist of letters, digits and "_", and not start with a digit`,
      hint: "Rename the variable",
      atKey: true,
    });
  }
  return wrong.length === 0 ? value : undefined;
});

const schema = object({
  sourceRef: need(
    object({
      apiVersion: may(text(), "Group and version; goes with `kind`"),
      kind: need(oneOf("OCIRepository", "GitRepository", "Bucket", "ExternalArtifact"), "Kind of the source"),
      name: need(objectName, "Name of the source"),
      namespace: may(namespaceName, "Its namespace", { preset: "the object's own" }),
    }),
    "Source of the files; only an OCIRepository works here",
  ),
  path: preset(artifactPath, "", "Folder in the artifact with a `kustomization.yaml`, or with plain manifests", {
    preset: "the root",
  }),
  interval: need(interval, "Time between two runs when nothing changes"),
  retryInterval: may(interval, "Time until the next run after a failure", { preset: "`interval`" }),
  timeout: may(span(), "Longest time of apply and health checks, at least `30s`", { preset: "`interval` less 30 s" }),
  prune: need(flag(), "Whether resources that left the artifact are deleted", { stance: "more than Flux" }),
  deletionPolicy: preset(
    oneOf("MirrorPrune", "Delete", "WaitForTermination", "Orphan"),
    "MirrorPrune",
    "What happens to the resources when this object goes",
  ),
  targetNamespace: may(namespaceName, "Namespace of all resources"),
  namePrefix: may(text({ minLength: 1, maxLength: 200 }), "Put before all names"),
  nameSuffix: may(text({ minLength: 1, maxLength: 200 }), "Put after all names"),
  commonMetadata: may(commonMetadata, "Labels and annotations for every resource, after the build"),
  patches: preset(patches, [], "Patches, after those of the files", { preset: "none" }),
  images: preset(images, [], "Image overrides, merged by name into those of the files", { preset: "none" }),
  components: preset(list(component), [], "Relative paths of kustomize components", { preset: "none" }),
  ignoreMissingComponents: off("Leave out components that are not there"),
  buildMetadata: may(
    list(oneOf("originAnnotations", "transformerAnnotations")),
    "Annotations that tell where resources come from",
  ),
  postBuild: may(
    object({
      substitute: preset(substitute, {}, "Variables; they win over `substituteFrom`", { preset: "none" }),
      substituteFrom: preset(
        list(object({
          kind: need(dataKind, "Kind"),
          name: need(objectName, "Name, in the same namespace"),
          optional: off("Go on without it when it is not there"),
        })),
        [],
        "Variables out of ConfigMaps and Secrets; later ones win",
        { preset: "none" },
      ),
      substituteStrategy: preset(
        oneOf("WithVariables", "Always"),
        "WithVariables",
        "Whether texts are looked through when there are no variables at all",
      ),
    }),
    "Variables `${name}` in the build's text",
  ),
  decryption: may(
    object({
      provider: need(oneOf("sops"), "Kind of encryption"),
      secretRef: may(localRef, "Secret with the keys"),
      serviceAccountName: ignored(
        objectName,
        "Identity at a key service; keys come from `secretRef` or the daemon's own",
      ),
    }),
    "How encrypted files are read",
  ),
  dependsOn: preset(dependencies, [], "Objects that must be ready first", { stance: "more than Flux", preset: "none" }),
  healthChecks: preset(
    list(object({
      apiVersion: preset(text(), "apps/v1", "Group and version"),
      kind: need(text({ minLength: 1 }), "Kind"),
      name: need(text({ minLength: 1 }), "Name"),
      namespace: preset(text(), "", "Namespace", { preset: "none, for a resource of the cluster" }),
    })),
    [],
    "Resources that must be healthy; without effect beside `wait: true`",
    { preset: "none" },
  ),
  healthCheckExprs: preset(healthExpressions, [], "Readiness of kinds by CEL", { preset: "none" }),
  wait: off("Everything that was applied must be healthy"),
  force: off("Recreate resources when an immutable field changes"),
  ignore: preset(ignoreRules, [], "Drift that is left alone", { preset: "none" }),
  serviceAccountName: may(objectName, "ServiceAccount to act as"),
  kubeConfig: may(kubeConfig, "Another cluster"),
  suspend: off("Rest: nothing is applied; deletion leaves the resources"),
});

/** `kustomize.toolkit.fluxcd.io/v1` Kustomization (kustomize-controller 1.9.4). */
export const kustomization = defineKind({
  kind: "Kustomization",
  apiVersion: "kustomize.toolkit.fluxcd.io/v1",
  oldVersions: ["kustomize.toolkit.fluxcd.io/v1beta2", "kustomize.toolkit.fluxcd.io/v1beta1"],
  role: "object",
  summary: "Builds a folder of an artifact with kustomize and makes the target match the result.",
  schema,
  body: "spec",
  translate: translatePatches,
  toSpec(input, owner): KustomizationSpec {
    const { interval: intervalMs, retryInterval, timeout } = input;
    return {
      ...without(input, "interval", "retryInterval", "timeout", "sourceRef", "dependsOn"),
      sourceRef: sourceRefOf(input.sourceRef, owner),
      dependsOn: dependsOnOf(input.dependsOn, owner),
      intervalMs,
      retryIntervalMs: retryInterval ?? intervalMs,
      // kustomize-controller `GetTimeout`: never below 30 s, written or not.
      timeoutMs: Math.max(30_000, timeout ?? intervalMs - 30_000),
    };
  },
  example: `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: podinfo
  namespace: default
spec:
  interval: 10m
  targetNamespace: default
  prune: true
  wait: true
  sourceRef:
    kind: OCIRepository
    name: podinfo
  path: ./
`,
});

/** `patchesStrategicMerge` and `patchesJson6902` become `patches`, in the order in which Flux applied them; `validation` goes. */
export function translatePatches(body: JsonObject, path: Path, report: Report): JsonObject {
  const { patchesStrategicMerge: merges, patchesJson6902: operations, validation, ...rest } = body;
  const added: JsonValue[] = [];
  if (validation !== undefined) {
    oldForm(report, [...path, "validation"], "it has no effect any more", "Remove the field");
  }
  if (merges !== undefined && merges !== null) {
    oldForm(report, [...path, "patchesStrategicMerge"], 'it is read as "patches"', 'Write "patches: [{patch: …}]"');
    for (const patch of Array.isArray(merges) ? merges as readonly JsonValue[] : [merges]) {
      added.push({ patch: typeof patch === "string" ? patch : jsonText(patch) });
    }
  }
  if (operations !== undefined && operations !== null) {
    oldForm(
      report,
      [...path, "patchesJson6902"],
      'it is read as "patches"',
      'Write "patches: [{target: …, patch: …}]"',
    );
    for (const entry of Array.isArray(operations) ? operations as readonly JsonValue[] : [operations]) {
      if (!isJsonObject(entry)) added.push(entry);
      else {
        const { patch } = entry;
        added.push(patch === undefined || typeof patch === "string" ? entry : { ...entry, patch: jsonText(patch) });
      }
    }
  }
  if (added.length === 0) return rest;
  const before = Array.isArray(rest.patches) ? rest.patches as readonly JsonValue[] : [];
  return { ...rest, patches: [...before, ...added] };
}
