/** Cases of the shared vectors that are not met, with the reason. */
export const skipped: Readonly<Record<string, string>> = {};

/** Cases that were recorded with files from outside the kustomization's folder allowed; the vector does not say so. */
export const unrestricted: ReadonlySet<string> = new Set([
  "kustomize: baseandoverlaysmall_test.go:TestSharedPatchAllowed",
  "kustomize: complexcomposition_test.go:TestComplexComposition_Dev_SuccessWithRawTransformers",
  "kustomize: complexcomposition_test.go:TestComplexComposition_Prod_SuccessWithRawTransformers",
]);

/** Tests of single plugins that need files which the vector does not bring. */
export const needsFiles =
  /devops\.env|jsonpatch\.json|patch1?\.yaml|patch\.json|multiplepatches\.yaml|replacement\.yaml|a\.env|targets\.yaml/;

/** Tests of single plugins that ask for something else than a build does. */
export const pluginSkips: Readonly<Record<string, string>> = {
  "namespacetransformer: TestNamespaceTransformer1":
    "the plugin runs alone there; in a build, references are followed too",
  "patchstrategicmergetransformer: TestMultipleNamespaces":
    "its input is assembled in Go; the vector holds a placeholder",
  "sortordertransformer: TestSortOrderTransformer": "kustomize itself does not offer it as a plugin of a kustomization",
};

/** Merges that kyaml does and kustomize's patches do not. */
export const mergeSkips: Readonly<Record<string, string>> = {
  "merge k8s deployment containers -- $patch directive": "expects the directive that the merge takes out",
};
