/** Helm 3 prints stack traces of its Go code with --debug: they name its source files and lines. */
const goTraces = "stack traces of Helm 3's own source";

/** Helm tries to fetch a schema and fails without a network; we never try, and say so. */
const remoteSchema = "a schema refers to the network: refused in our own words";

/** Cases of the vectors that are not met, by suite, number and dialect, each with its reason. */
export const skips: Readonly<Record<string, string>> = {
  "helm-cmd 156 helm3": goTraces,
  "helm-cmd 170 helm3": goTraces,
  "helm-cmd 266 helm3": goTraces,
  "helm-cmd 269 helm3": goTraces,
  "helm-cmd 281 helm3": goTraces,
  "helm-cmd 285 helm3": goTraces,
  "helm-cmd 29 helm3": goTraces,
  "helm-cmd 348 helm3": goTraces,
  "helm-cmd 376 helm3": goTraces,
  "helm-cmd 392 helm3": goTraces,
  "helm-cmd 553 helm3": goTraces,
  "helm-cmd 65 helm3": goTraces,
  "helm4.2.4 bjw-s-labs__helm-charts__charts_library_common--default": remoteSchema,
  "helm4.2.4 bjw-s-labs__helm-charts__charts_other_app-template--default": remoteSchema,
  "helm4.2.4 DataDog__helm-charts__charts_private-action-runner--default": remoteSchema,
  "helm4.2.4 DataDog__helm-charts__charts_private-action-runner--kubeconform-values": remoteSchema,
  "helm3 bjw-s-labs__helm-charts__charts_library_common--default": remoteSchema,
  "helm3 bjw-s-labs__helm-charts__charts_other_app-template--default": remoteSchema,
  "helm3 DataDog__helm-charts__charts_private-action-runner--default": remoteSchema,
  "helm3 DataDog__helm-charts__charts_private-action-runner--kubeconform-values": remoteSchema,
};
