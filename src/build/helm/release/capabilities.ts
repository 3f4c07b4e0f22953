import { quoteText } from "../template/go_quote.ts";
import type { CapabilityValues } from "../template/root/capabilities_object.ts";
import { ChartError } from "../chart/metadata.ts";
import type { Dialect } from "../dialect.ts";

/** API versions that client-go 0.36 knows, in its order: what Helm 4.2.4 shows without a cluster. */
const knownVersions: readonly string[] = [
  ..."v1 admissionregistration.k8s.io/v1 admissionregistration.k8s.io/v1alpha1".split(" "),
  ..."admissionregistration.k8s.io/v1beta1 internal.apiserver.k8s.io/v1alpha1 apps/v1 apps/v1beta1".split(" "),
  ..."apps/v1beta2 authentication.k8s.io/v1 authentication.k8s.io/v1alpha1 authentication.k8s.io/v1beta1".split(" "),
  ..."authorization.k8s.io/v1 authorization.k8s.io/v1beta1 autoscaling/v1 autoscaling/v2 batch/v1".split(" "),
  ..."batch/v1beta1 certificates.k8s.io/v1 certificates.k8s.io/v1beta1 certificates.k8s.io/v1alpha1".split(" "),
  ..."coordination.k8s.io/v1alpha2 coordination.k8s.io/v1beta1 coordination.k8s.io/v1 discovery.k8s.io/v1".split(" "),
  ..."discovery.k8s.io/v1beta1 events.k8s.io/v1 events.k8s.io/v1beta1 extensions/v1beta1".split(" "),
  ..."flowcontrol.apiserver.k8s.io/v1 flowcontrol.apiserver.k8s.io/v1beta1".split(" "),
  ..."flowcontrol.apiserver.k8s.io/v1beta2 flowcontrol.apiserver.k8s.io/v1beta3 networking.k8s.io/v1".split(" "),
  ..."networking.k8s.io/v1beta1 node.k8s.io/v1 node.k8s.io/v1alpha1 node.k8s.io/v1beta1 policy/v1".split(" "),
  ..."policy/v1beta1 rbac.authorization.k8s.io/v1 rbac.authorization.k8s.io/v1beta1".split(" "),
  ..."rbac.authorization.k8s.io/v1alpha1 resource.k8s.io/v1 resource.k8s.io/v1beta2".split(" "),
  ..."resource.k8s.io/v1beta1 resource.k8s.io/v1alpha3 scheduling.k8s.io/v1alpha2".split(" "),
  ..."scheduling.k8s.io/v1beta1 scheduling.k8s.io/v1 storage.k8s.io/v1beta1 storage.k8s.io/v1".split(" "),
  ..."storage.k8s.io/v1alpha1 storagemigration.k8s.io/v1beta1 apiextensions.k8s.io/v1beta1".split(" "),
  ..."apiextensions.k8s.io/v1".split(" "),
];

/** Helm 3.22 carries client-go 0.37: some versions came, some went. */
const helm3Versions: readonly string[] = knownVersions.flatMap((version) => {
  if (version === "networking.k8s.io/v1") return ["lifecycle.k8s.io/v1alpha1", version];
  if (version === "scheduling.k8s.io/v1alpha2") return ["scheduling.k8s.io/v1alpha3"];
  if (version === "storagemigration.k8s.io/v1beta1") return ["storagemigration.k8s.io/v1", version];
  return [version];
});

/** Helm 4.1.4 carries client-go 0.35. */
const helm41Versions: readonly string[] = knownVersions.flatMap((version) => {
  if (version === "autoscaling/v2") return [version, "autoscaling/v2beta1", "autoscaling/v2beta2"];
  return version === "scheduling.k8s.io/v1alpha2" ? ["scheduling.k8s.io/v1alpha1"] : [version];
});

/** What each Helm says of itself where there is no cluster; Helm 3.22 built from its module says Kubernetes 1.20. */
const builds = {
  "helm3": { helm: "v3.22.0", kube: "v1.20.0", client: "", apiVersions: helm3Versions },
  "helm4.1": { helm: "v4.1.4", kube: "v1.35.0", client: "v1.35", apiVersions: helm41Versions },
  "helm4.2.4": { helm: "v4.2.4", kube: "v1.36.0", client: "v1.36", apiVersions: knownVersions },
} as const satisfies Readonly<Record<Dialect, unknown>>;

/** What a cluster can do, as templates see it. */
export interface Capabilities {
  /** Version with vendor suffix: `v1.33.4-gke.1245000`. */
  readonly kubeVersion: string;
  /** `group/version` and, from a cluster, `group/version/Kind`. */
  readonly apiVersions: readonly string[];
}

/** What Helm of a dialect assumes where there is no cluster. */
export function defaultCapabilities(dialect: Dialect): Capabilities {
  const { kube, apiVersions } = builds[dialect];
  return { kubeVersion: kube, apiVersions };
}

/**
 * A Kubernetes version as `--kube-version` takes it: numbers joined by dots, at least two; what follows them does not
 * count.
 *
 * @throws {ChartError} with Helm's text
 */
export function parseKubeVersion(text: string, dialect: Dialect): ParsedKubeVersion {
  const numbers = /^\s*v?([0-9]+(?:\.[0-9]+)*)[^\n]*$/.exec(text)?.[1];
  if (numbers === undefined) throw new ChartError(`could not parse ${quoteText(text)} as version`);
  const parts = numbers.split(".");
  if (parts.length < 2) throw new ChartError(`illegal version string ${quoteText(text)}`);
  const [first] = parts as [string];
  if (first.startsWith("0") && first !== "0") {
    throw new ChartError(`illegal zero-prefixed version component ${quoteText(first)} in ${quoteText(text)}`);
  }
  const tooLarge = parts.find((part) => BigInt(part) >= 2n ** 64n);
  if (tooLarge !== undefined) {
    throw new ChartError(
      `illegal non-numeric version component ${quoteText(tooLarge)} in ${quoteText(text)}: strconv.ParseUint: parsing ${
        quoteText(tooLarge)
      }: value out of range`,
    );
  }
  const plain = parts.map((part) => BigInt(part).toString());
  const normalized = `v${plain.join(".")}`;
  const full = dialect === "helm3" ? normalized : text.startsWith("v") ? text : `v${text}`;
  return { version: full, normalized, major: plain[0] as string, minor: plain[1] as string };
}

/** A Kubernetes version in the forms that templates and constraints see. */
export interface ParsedKubeVersion {
  readonly version: string;
  readonly normalized: string;
  readonly major: string;
  readonly minor: string;
}

/** Everything that `.Capabilities` shows. @throws {ChartError} for a Kubernetes version that is none */
export function capabilityValues(capabilities: Capabilities, dialect: Dialect): CapabilityValues {
  const kube = parseKubeVersion(capabilities.kubeVersion, dialect);
  const { helm, client } = builds[dialect];
  return {
    kubeVersion: kube.version,
    normalizedKubeVersion: kube.normalized,
    major: kube.major,
    minor: kube.minor,
    apiVersions: capabilities.apiVersions,
    helmVersion: helm,
    goVersion: "go1.26.8",
    kubeClientVersion: client,
  };
}
