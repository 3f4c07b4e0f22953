import type { Builder, BuildResult } from "../../core/builder.ts";
import type { FileTree } from "../../core/file_tree.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Ownership } from "../../core/ownership.ts";
import { withOwnerLabels } from "../../core/ownership.ts";
import type { Resource } from "../../core/resource.ts";
import { refOf, refText, splitApiVersion } from "../../core/resource.ts";
import type { CommonMetadata, KustomizationSpec } from "../../core/specs.ts";
import { asStageError, StageError } from "../../core/stage_error.ts";
import { encryptedFormat } from "../decrypt/sops_file.ts";
import { applyOverlay, checkPath, generateKustomization, hasKustomization } from "./flux_overlay.ts";
import type { RenderChart } from "./generators/helm_chart.ts";
import { build } from "./kustomize.ts";
import type { FetchFile } from "./load.ts";
import { substituteResources } from "./substitute.ts";

/** Decrypts files before the build and resources after it. */
export interface TreeDecryptor {
  /** The tree with the generator sources and patches decrypted that the kustomization at `path` reaches. */
  decryptTree(tree: FileTree, path: string): Promise<FileTree>;
  decryptResource(resource: Resource): Promise<Resource>;
}

/** What is built for a Flux Kustomization. */
export interface KustomizationRequest {
  /** The Kustomization: its name and namespace become the owner labels. */
  readonly owner: { readonly namespace: string; readonly name: string };
  /** Which owner labels. Default `flux`. */
  readonly ownership?: Ownership;
  readonly spec: Pick<
    KustomizationSpec,
    | "path"
    | "targetNamespace"
    | "namePrefix"
    | "nameSuffix"
    | "commonMetadata"
    | "patches"
    | "images"
    | "components"
    | "ignoreMissingComponents"
    | "buildMetadata"
    | "postBuild"
    | "decryption"
  >;
  /** Variables of `postBuild`: inline ones over referenced ones. */
  readonly variables: Readonly<Record<string, string>>;
  /** Must be there when `spec.decryption` is. */
  readonly decryptor?: TreeDecryptor;
  /**
   * Renders the `helmCharts` of a tree; without it they are refused.
   *
   * Differs: Flux never inflates charts (it has no helm); here both engines are at hand, and no program is run.
   */
  readonly renderChart?: (tree: FileTree) => RenderChart;
  /** Reads files of http(s) addresses; without it they are refused. What is built with one is not repeatable. */
  readonly fetchFile?: FetchFile;
}

const group = "kustomize.toolkit.fluxcd.io";

/**
 * The builder of Flux Kustomizations: overlay of the object's fields on the kustomization (or a generated one), build,
 * then per resource decryption and variables, then owner labels and common metadata (kustomize-controller 1.9).
 */
export const kustomizationBuilder: Builder<KustomizationRequest> = { build: buildKustomization };

async function buildKustomization(
  request: KustomizationRequest,
  tree: FileTree,
  signal?: AbortSignal,
): Promise<BuildResult> {
  const { spec, owner } = request;
  checkPath(tree, spec.path);
  const decryptor = decryptorOf(request);
  const readable = decryptor === undefined ? tree : await decrypted(() => decryptor.decryptTree(tree, spec.path));
  let isRepeatable = true;
  const { fetchFile } = request;
  const result = await build(readable, spec.path, {
    loadRestriction: "none",
    customSchema: "add",
    overlay: (kustomization) => applyOverlay(kustomization, spec, { tree: readable, folder: spec.path }),
    ...(hasKustomization(readable, spec.path) ? {} : { generated: generateKustomization(readable, spec.path) }),
    ...(request.renderChart === undefined
      ? {}
      : { enableHelm: true, renderChart: withPlainValues(request.renderChart(readable), readable) }),
    ...(fetchFile === undefined ? {} : {
      fetchFile(url: string, signal?: AbortSignal) {
        isRepeatable = false;
        return fetchFile(url, signal);
      },
    }),
    ...(signal === undefined ? {} : { signal }),
  });
  let resources = result.resources().filter((resource) => !isKustomizationFile(resource));
  if (decryptor !== undefined) {
    const plain: Resource[] = [];
    for (const resource of resources) plain.push(await decrypted(() => decryptor.decryptResource(resource)));
    resources = plain;
  }
  resources.forEach(refuseEncrypted);
  if (spec.postBuild !== undefined) {
    resources = [
      ...substituteResources(resources, {
        variables: request.variables,
        strategy: spec.postBuild.substituteStrategy,
      }),
    ];
  }
  const key = { kind: "Kustomization", ...owner };
  return {
    resources: resources.map((resource) =>
      withMetadata(withOwnerLabels(resource, key, request.ownership ?? "flux"), spec.commonMetadata ?? {})
    ),
    hooks: [],
    warnings: [...result.warnings],
    isRepeatable,
  };
}

function decryptorOf(request: KustomizationRequest): TreeDecryptor | undefined {
  if (request.spec.decryption === undefined) return undefined;
  if (request.decryptor === undefined) {
    throw new StageError(
      "DecryptionFailed",
      `Cannot decrypt for Kustomization "${request.owner.namespace}/${request.owner.name}": ` +
        "spec.decryption is set, but nothing that decrypts was handed to the build",
    );
  }
  return request.decryptor;
}

/** Values of charts that are still encrypted must not get into manifests as text. */
function withPlainValues(renderChart: RenderChart, tree: FileTree): RenderChart {
  return async (chart, signal) => {
    for (
      const path of [...(chart.valuesFile === undefined ? [] : [chart.valuesFile]), ...chart.additionalValuesFiles]
    ) {
      if (encryptedFormat(tree.read(path) ?? new Uint8Array()) !== undefined) {
        throw new StageError(
          "DecryptionFailed",
          `Cannot render Helm chart "${chart.name}": values file "${path}" is SOPS encrypted, and decryption is not configured`,
        );
      }
    }
    return await renderChart(chart, signal);
  };
}

async function decrypted<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw asStageError(error, "DecryptionFailed", "Cannot decrypt");
  }
}

/** A kustomization that got among the resources is not for a cluster (fluxcd/pkg `ssa/utils`). */
function isKustomizationFile(resource: Resource): boolean {
  return resource.kind === "Kustomization" && splitApiVersion(resource.apiVersion).group === "kustomize.config.k8s.io";
}

/** A Secret that is still encrypted must not get out, unless it says that it is meant so. */
function refuseEncrypted(resource: Resource): void {
  if (resource.apiVersion !== "v1" || resource.kind !== "Secret" || resource.sops === undefined) return;
  const { labels, annotations } = resource.metadata;
  const meant = [labels, annotations].some((marks) =>
    isJsonObject(marks) && String(marks[`${group}/decrypt`]).toLowerCase() === "disabled"
  );
  if (meant) return;
  throw new StageError(
    "DecryptionFailed",
    `${refText(refOf(resource))} is SOPS encrypted, configuring decryption is required for this Secret to be applied`,
  );
}

/** A resource with labels and annotations set; they win over its own. */
function withMetadata(resource: Resource, marks: CommonMetadata): Resource {
  const metadata: Record<string, JsonObject[string]> = { ...resource.metadata };
  for (const field of ["labels", "annotations"] as const) {
    const added = marks[field];
    if (added === undefined || Object.keys(added).length === 0) continue;
    const own = metadata[field];
    metadata[field] = { ...(isJsonObject(own) ? own : {}), ...added };
  }
  return { ...resource, metadata } as unknown as Resource;
}
