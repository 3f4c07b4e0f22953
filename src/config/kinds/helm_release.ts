import { digestOf, shortDigest } from "../../core/digest.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { ChartSource, HelmActionSpec, HelmReleaseSpec, VerifySpec } from "../../core/specs.ts";
import type { Path, Report } from "../finding.ts";
import { defineKind } from "../kind.ts";
import {
  commonMetadata,
  dataKind,
  dependencies,
  dependsOnOf,
  healthExpressions,
  ignoreRules,
  images,
  interval,
  kubeConfig,
  maybe,
  namespaceName,
  objectName,
  off,
  oldForm,
  type Owner,
  patches,
  sourceRefOf,
  verify,
  without,
} from "../parts.ts";
import {
  anyObject,
  flag,
  ignored,
  integer,
  list,
  may,
  need,
  object,
  oneOf,
  preset,
  quoted,
  type Read,
  refine,
  text,
} from "../schema.ts";
import { span } from "../span.ts";
import { translatePatches } from "./kustomization.ts";

const timeout = may(span(), "Longest time of this action", { preset: "`spec.timeout`" });
const crds = may(oneOf("Skip", "Create", "CreateReplace"), "What happens to the chart's CRDs", { preset: "`Create`" });
const forceWords = oneOf("enabled", "disabled", "auto");

const strategy = refine(
  object({
    name: need(oneOf("RemediateOnFailure", "RetryOnFailure"), "What follows a failure"),
    retryInterval: may(interval, "Pause between tries; only with `RetryOnFailure`", { preset: "`5m`" }),
  }),
  (value, path, report) => {
    if (value.retryInterval === undefined || value.name === "RetryOnFailure") {
      const { name, retryInterval } = value;
      return { name, ...(retryInterval === undefined ? {} : { retryIntervalMs: retryInterval }) };
    }
    report({
      severity: "error",
      path: [...path, "retryInterval"],
      message: `Cannot use ${quoted([...path, "retryInterval"])}: it goes with the strategy "RetryOnFailure" only`,
      hint: 'Write "name: RetryOnFailure", or remove "retryInterval"',
      atKey: true,
    });
    return undefined;
  },
);

const remediationFields = {
  retries: may(integer(), "Tries after the first one; a negative number is without end", { preset: "`0`" }),
  ignoreTestFailures: may(flag(), "Failed tests are no failure", { preset: "`spec.test.ignoreFailures`" }),
  remediateLastFailure: may(flag(), "Clean up after the last try too", {
    preset: "whether `retries` is more than 0, for upgrades",
  }),
};

const waiting = {
  timeout,
  disableWait: maybe("Do not wait for resources to be ready"),
  disableWaitForJobs: maybe("Do not wait for Jobs to end"),
  disableHooks: maybe("Run no hooks"),
};

const checking = {
  disableOpenAPIValidation: maybe("Do not check manifests against the cluster's schema"),
  disableSchemaValidation: maybe("Do not check values against the chart's schema"),
  disableTakeOwnership: maybe("Fail on resources of another release"),
};

const install = object({
  ...waiting,
  ...checking,
  replace: maybe("Use the name of a release that was deleted"),
  createNamespace: maybe("Make `spec.targetNamespace` if it is not there"),
  skipCRDs: maybe("Old form of `crds: Skip`"),
  crds,
  serverSideApply: may(flag(), "Apply on the server's side", { preset: "`true`" }),
  strategy: may(strategy, "What follows a failure", { preset: "`RemediateOnFailure`" }),
  remediation: may(object(remediationFields), "Tries after a failure, with an uninstall in between"),
});

const upgrade = object({
  ...waiting,
  ...checking,
  force: maybe("Replace resources, for client-side apply only"),
  preserveValues: maybe("Keep the values of the last release"),
  cleanupOnFail: maybe("Delete what a failed upgrade made"),
  skipCRDs: maybe("Old form of `crds: Skip`"),
  crds,
  serverSideApply: may(forceWords, "Apply on the server's side; `auto` as the last release did", { preset: "`auto`" }),
  chartNameChangeStrategy: may(oneOf("InPlaceUpdate", "Reinstall"), "What a chart of another name means", {
    preset: "`Reinstall`",
  }),
  strategy: may(strategy, "What follows a failure", { preset: "`RemediateOnFailure`" }),
  remediation: may(
    object({
      ...remediationFields,
      strategy: may(oneOf("rollback", "uninstall"), "What is done", { preset: "`rollback`" }),
    }),
    "Tries after a failure, with a rollback or uninstall in between",
  ),
});

const rollback = object({
  ...waiting,
  force: maybe("Replace resources"),
  cleanupOnFail: maybe("Delete what a failed rollback made"),
  serverSideApply: may(forceWords, "Apply on the server's side; `auto` as the release did", { preset: "`auto`" }),
  recreate: ignored(flag(), "Helm 4 does not act on it"),
});

const uninstall = object({
  timeout,
  disableHooks: maybe("Run no hooks"),
  disableWait: maybe("Do not wait until resources are gone"),
  keepHistory: maybe("Keep the release's records"),
  deletionPropagation: preset(oneOf("background", "foreground", "orphan"), "background", "How owned resources go"),
});

const chart = object({
  metadata: ignored(commonMetadata, "No HelmChart object is made that could carry it"),
  spec: need(
    object({
      chart: need(text({ minLength: 1, maxLength: 2048 }), "Name of the chart below the repository's URL"),
      version: preset(text(), "*", "Version, or range of versions"),
      sourceRef: need(
        object({
          apiVersion: may(text(), "Group and version; goes with `kind`"),
          kind: need(
            oneOf("HelmRepository", "GitRepository", "Bucket", "OCIRepository"),
            "Kind of the source; for an OCIRepository write `spec.chartRef`",
            { stance: "more than Flux" },
          ),
          name: need(objectName, "Name of the source"),
          namespace: may(namespaceName, "Its namespace", { preset: "the object's own" }),
        }),
        "Repository of the chart",
      ),
      interval: ignored(interval, "The chart is looked for at `spec.interval`"),
      reconcileStrategy: preset(
        oneOf("ChartVersion", "Revision"),
        "ChartVersion",
        "What makes a chart new; the same for charts out of registries",
      ),
      valuesFiles: preset(list(text({ minLength: 1 })), [], "Values files of the chart, instead of `values.yaml`", {
        preset: "`values.yaml`",
      }),
      ignoreMissingValuesFiles: off("Leave out values files that are not there"),
      verify: may(verify, "Signature that the chart must have"),
    }),
    "Which chart",
  ),
});

const schema = object({
  chart: may(chart, "Chart out of a HelmRepository; not beside `chartRef`"),
  chartRef: may(
    object({
      apiVersion: may(text(), "Group and version; goes with `kind`"),
      kind: need(oneOf("OCIRepository", "HelmChart", "ExternalArtifact"), "Kind of the source"),
      name: need(objectName, "Name of the source"),
      namespace: may(namespaceName, "Its namespace", { preset: "the object's own" }),
      version: may(text(), "Range that the chart's version must meet; set where an old form was read", {
        stance: "ours",
      }),
    }),
    "Chart out of an OCIRepository; not beside `chart`",
  ),
  interval: need(interval, "Time between two runs when nothing changes"),
  timeout: preset(span(), 300_000, "Longest time of each Helm action", { preset: "`5m`" }),
  releaseName: may(
    text({
      minLength: 1,
      maxLength: 53,
      pattern: [
        /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
        'must consist of lower-case letters, digits, "-" and "."',
      ],
    }),
    "Name of the release",
    { preset: "`[targetNamespace-]name`, shortened to 53 characters" },
  ),
  targetNamespace: may(namespaceName, "Namespace of the resources", { preset: "the object's own" }),
  storageNamespace: may(namespaceName, "Namespace of the release's records", { preset: "the object's own" }),
  maxHistory: preset(integer({ min: 0 }), 5, "Releases that are kept; 0 is without limit"),
  serviceAccountName: may(objectName, "ServiceAccount to act as"),
  kubeConfig: may(kubeConfig, "Another cluster"),
  persistentClient: ignored(flag(), "There is one client for everything"),
  dependsOn: preset(dependencies, [], "Objects that must be ready first", { stance: "more than Flux", preset: "none" }),
  values: preset(anyObject(), {}, "Values, over those of `valuesFrom`", { preset: "none" }),
  valuesFrom: preset(
    list(object({
      kind: need(dataKind, "Kind"),
      name: need(objectName, "Name, in the same namespace"),
      valuesKey: preset(
        text({ maxLength: 253, pattern: [/^[-._a-zA-Z0-9]+$/, 'must consist of letters, digits, "-", "." and "_"'] }),
        "values.yaml",
        "Key in the object",
      ),
      targetPath: may(
        text({
          maxLength: 250,
          pattern: [/^([a-zA-Z0-9_\-.\\/]|\[[0-9]{1,5}\])+$/, "must be a path of names, dots and indexes"],
        }),
        "One value to set, in the grammar of `--set`, instead of merging a document",
      ),
      literal: off("Take the text as it is; only with `targetPath`"),
      optional: off("Go on without it when it is not there"),
    })),
    [],
    "Values out of ConfigMaps and Secrets; later ones win",
    { preset: "none" },
  ),
  install: preset(install, {}, "How the first release is made", { preset: "none" }),
  upgrade: preset(upgrade, {}, "How later releases are made", { preset: "none" }),
  rollback: preset(rollback, {}, "How an older release is brought back", { preset: "none" }),
  uninstall: preset(uninstall, { deletionPropagation: "background" }, "How the release is taken away", {
    preset: "none",
  }),
  test: preset(
    object({
      enable: off("Run the chart's tests after install and upgrade"),
      timeout: may(span(), "Longest time of the tests", { preset: "`spec.timeout`" }),
      ignoreFailures: off("Failed tests are no failure"),
      filters: may(
        list(
          object({
            name: need(text({ minLength: 1, maxLength: 253 }), "Name of a test"),
            exclude: off("Leave it out"),
          }),
        ),
        "Which tests",
      ),
    }),
    { enable: false, ignoreFailures: false },
    "The chart's tests",
    { preset: "none" },
  ),
  driftDetection: may(
    object({
      mode: preset(oneOf("enabled", "warn", "disabled"), "disabled", "What is done about drift"),
      ignore: preset(ignoreRules, [], "Drift that is left alone", { preset: "none" }),
    }),
    "Changes that others made",
    { stance: "more than Flux" },
  ),
  commonMetadata: may(commonMetadata, "Labels and annotations for every resource, after the post-renderers"),
  postRenderers: preset(
    list(object({
      kustomize: preset(
        object({
          patches: preset(patches, [], "Patches", { preset: "none" }),
          images: preset(images, [], "Image overrides", { preset: "none" }),
        }),
        { patches: [], images: [] },
        "Changes in the manner of kustomize",
        { preset: "none" },
      ),
    })),
    [],
    "Changes to the rendered manifests, in order",
    { preset: "none" },
  ),
  postRenderStrategy: preset(
    oneOf("nohooks", "combined", "separate"),
    "combined",
    "Whether hooks go through the post-renderers too",
  ),
  waitStrategy: may(
    object({ name: need(oneOf("poller", "legacy"), "`poller` is kstatus, `legacy` is Helm 3's rules") }),
    "Rules of readiness",
    { preset: "`poller`" },
  ),
  healthCheckExprs: preset(healthExpressions, [], "Readiness of kinds by CEL", { preset: "none" }),
  suspend: off("Rest: nothing is released; deletion leaves the release"),
});

type Input = Read<typeof schema>;

/** `helm.toolkit.fluxcd.io/v2` HelmRelease (helm-controller 1.6.3). */
export const helmRelease = defineKind({
  kind: "HelmRelease",
  apiVersion: "helm.toolkit.fluxcd.io/v2",
  oldVersions: ["helm.toolkit.fluxcd.io/v2beta2", "helm.toolkit.fluxcd.io/v2beta1", "helm.toolkit.fluxcd.io/v1"],
  role: "object",
  summary: "Installs and upgrades a chart.",
  schema,
  body: "spec",
  translate: (body, path, report) => translateRenderers(translateChart(body, path, report), path, report),
  toSpec(input, owner, report): HelmReleaseSpec | undefined {
    const source = chartSourceOf(input, owner, report);
    if (source === undefined) return undefined;
    const { test, install: onInstall, upgrade: onUpgrade, rollback: onRollback, uninstall: onUninstall } = input;
    const { waitStrategy, ...rest } = without(input, "chartRef", "interval", "timeout");
    return {
      ...rest,
      chart: source,
      intervalMs: input.interval,
      timeoutMs: input.timeout,
      releaseName: releaseNameOf(input, owner.name),
      targetNamespace: input.targetNamespace ?? owner.namespace,
      storageNamespace: input.storageNamespace ?? owner.namespace,
      dependsOn: dependsOnOf(input.dependsOn, owner),
      install: actionOf(onInstall),
      upgrade: actionOf(onUpgrade),
      rollback: actionOf(onRollback),
      uninstall: actionOf(onUninstall),
      test: { ...without(test, "timeout"), ...(test.timeout === undefined ? {} : { timeoutMs: test.timeout }) },
      ...(waitStrategy === undefined ? {} : { waitStrategy: waitStrategy.name }),
    };
  },
  example: `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: podinfo
  namespace: default
spec:
  interval: 10m
  chartRef:
    kind: OCIRepository
    name: podinfo-chart
  values:
    replicaCount: 2
`,
});

function actionOf<A extends { readonly timeout?: number }>(action: A): HelmActionSpec {
  return {
    ...without(action, "timeout"),
    ...(action.timeout === undefined ? {} : { timeoutMs: action.timeout }),
  };
}

/** `[targetNamespace-]name`; above 53 characters its first 40, a dash and 12 digits of its sha256 (helm-controller `release.ShortenName`). */
function releaseNameOf(input: Input, name: string): string {
  if (input.releaseName !== undefined) return input.releaseName;
  const full = input.targetNamespace === undefined ? name : `${input.targetNamespace}-${name}`;
  return full.length <= 53 ? full : `${full.slice(0, 40)}-${shortDigest(digestOf(full))}`;
}

function chartSourceOf(input: Input, owner: Owner, report: Report): ChartSource | undefined {
  const { chart: given, chartRef } = input;
  if ((given === undefined) === (chartRef === undefined)) {
    report({
      severity: "error",
      path: given === undefined ? ["spec"] : ["spec", "chart"],
      message: 'Cannot use "spec": it must have exactly one of "chart" and "chartRef"',
      hint: given === undefined
        ? 'Add "chartRef" with the OCIRepository of the chart'
        : 'Remove "chart", or remove "chartRef"',
      atKey: true,
    });
    return undefined;
  }
  if (chartRef !== undefined) {
    const { version } = chartRef;
    return { kind: "ref", sourceRef: sourceRefOf(chartRef, owner), ...(version === undefined ? {} : { version }) };
  }
  const { sourceRef, chart: name, version, valuesFiles, ignoreMissingValuesFiles, verify: check } =
    (given as NonNullable<
      typeof given
    >).spec;
  return {
    kind: "repository",
    sourceRef: sourceRefOf(sourceRef, owner),
    chart: name,
    version,
    valuesFiles,
    ignoreMissingValuesFiles,
    ...(check === undefined ? {} : { verify: check as VerifySpec }),
  };
}

/** `chart.spec.sourceRef` of kind OCIRepository becomes `chartRef`; `valuesFile` joins `valuesFiles`. */
function translateChart(body: JsonObject, path: Path, report: Report): JsonObject {
  const template = body.chart;
  const given = isJsonObject(template) ? template.spec : undefined;
  if (!isJsonObject(template) || !isJsonObject(given)) return body;
  const { valuesFile, ...spec } = given;
  if (valuesFile !== undefined) {
    oldForm(
      report,
      [...path, "chart", "spec", "valuesFile"],
      'it is read as the first of "valuesFiles"',
      'Write "valuesFiles"',
    );
    const others = Array.isArray(spec.valuesFiles) ? spec.valuesFiles as readonly JsonValue[] : [];
    return translateChart(
      { ...body, chart: { ...template, spec: { ...spec, valuesFiles: [valuesFile, ...others] } } },
      path,
      report,
    );
  }
  const ref = spec.sourceRef;
  if (!isJsonObject(ref) || ref.kind !== "OCIRepository" || body.chartRef !== undefined) return body;
  const { version } = spec;
  const isPlain = version === undefined || version === null || version === "*" || version === "";
  oldForm(
    report,
    [...path, "chart", "spec", "sourceRef", "kind"],
    "an OCIRepository holds one chart, and is named by chartRef" +
      (isPlain ? "" : '; "version" is read as a range that the chart must meet'),
    `Write "chartRef: {kind: OCIRepository, name: ${
      typeof ref.name === "string" ? ref.name : "…"
    }}" instead of "chart"`,
  );
  for (const name of ["valuesFiles", "verify"]) {
    if (spec[name] === undefined) continue;
    report({
      severity: "error",
      path: [...path, "chart", "spec", name],
      message: `Cannot use ${quoted([...path, "chart", "spec", name])} with an OCIRepository`,
      hint: name === "verify" ? 'Put "verify" into the OCIRepository' : 'Put the values into "values" or "valuesFrom"',
      atKey: true,
    });
  }
  const { chart: _, ...rest } = body;
  return { ...rest, chartRef: { ...ref, ...(isPlain ? {} : { version }) } };
}

/** Old patch fields of the post-renderers. */
function translateRenderers(body: JsonObject, path: Path, report: Report): JsonObject {
  if (!Array.isArray(body.postRenderers)) return body;
  const renderers = (body.postRenderers as readonly JsonValue[]).map((renderer, index) => {
    const kustomize = isJsonObject(renderer) ? renderer.kustomize : undefined;
    if (!isJsonObject(renderer) || !isJsonObject(kustomize)) return renderer;
    return {
      ...renderer,
      kustomize: translatePatches(kustomize, [...path, "postRenderers", index, "kustomize"], report),
    };
  });
  return { ...body, postRenderers: renderers };
}
