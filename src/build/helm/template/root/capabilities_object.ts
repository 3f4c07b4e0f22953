/**
 * `.Capabilities` as Go types (helm `pkg/chart/common`, 3.22 and 4.2.4).
 *
 * @module
 */
import { func, method } from "../../functions/registry.ts";
import type { Dialect } from "../../functions/registry.ts";
import { goTypes, namedType, pointerType, textField } from "../go_type.ts";
import type { GoType } from "../go_type.ts";
import { GoSlice, GoStruct } from "../value.ts";

const { bool, string, strings } = goTypes;

/** Package that owns the types, as type names show it. */
const owners = { "helm3": "chartutil", "helm4.2.4": "common" } as const;

/** What `.Capabilities` tells. */
export interface CapabilityValues {
  /** `v1.36.0`, with a vendor's suffix where the cluster has one. */
  readonly kubeVersion: string;
  /** The version without suffix, as constraints see it; default `kubeVersion`. */
  readonly normalizedKubeVersion?: string;
  readonly major: string;
  readonly minor: string;
  /** `group/version`, online also `group/version/Kind`. */
  readonly apiVersions: readonly string[];
  readonly helmVersion: string;
  readonly gitCommit?: string;
  readonly gitTreeState?: string;
  readonly goVersion?: string;
  readonly kubeClientVersion?: string;
}

function capabilityTypes(dialect: Dialect) {
  const owner = owners[dialect];
  const isHelm3 = dialect === "helm3";
  const kubeVersion: GoType = {
    kind: "struct",
    name: `${owner}.KubeVersion`,
    fields: [
      textField("Version"),
      ...(isHelm3 ? [] : [textField("normalizedVersion", { isPrivate: true })]),
      textField("Major"),
      textField("Minor"),
    ],
    hidesString: true,
    methods: {
      GitVersion: func([], string, (_, ...receiver) => versionOf(receiver, "Version")),
      String: func(
        [],
        string,
        (_, ...receiver) => versionOf(receiver, "normalizedVersion") || versionOf(receiver, "Version"),
      ),
    },
  };
  const apiVersions: GoType = namedType(`${owner}.VersionSet`, strings, {
    methods: {
      Has: method([string], bool, (_, versions: GoSlice, version) => versions.items?.includes(version) ?? false),
    },
  });
  const helmVersion: GoType = {
    kind: "struct",
    name: "version.BuildInfo",
    fields: [
      textField("Version", { json: "version", omitEmpty: true }),
      textField("GitCommit", { json: "git_commit", omitEmpty: true }),
      textField("GitTreeState", { json: "git_tree_state", omitEmpty: true }),
      textField("GoVersion", { json: "go_version", omitEmpty: true }),
      ...(isHelm3 ? [] : [textField("KubeClientVersion", { json: "kube_client_version" })]),
    ],
  };
  const capabilities: GoType = {
    kind: "struct",
    name: `${owner}.Capabilities`,
    fields: [
      { name: "KubeVersion", type: kubeVersion },
      { name: "APIVersions", type: apiVersions },
      { name: "HelmVersion", type: helmVersion },
    ],
    methods: {
      Copy: method(
        [],
        { kind: "ptr", name: `*${owner}.Capabilities` },
        (_, receiver: GoStruct) => new GoStruct(receiver.type, receiver.fields),
      ),
    },
  };
  return { kubeVersion, apiVersions, helmVersion, capabilities: pointerType(capabilities) };
}

/** A text field of a receiver; "" where the dialect has none. */
function versionOf(receiver: readonly unknown[], field: string): string {
  return ((receiver[0] as GoStruct).fields?.[field] as string | undefined) ?? "";
}

const typesOfCapabilities = { "helm3": capabilityTypes("helm3"), "helm4.2.4": capabilityTypes("helm4.2.4") } as const;

/** `.Capabilities` */
export function capabilitiesObject(values: CapabilityValues, dialect: Dialect): GoStruct {
  const types = typesOfCapabilities[dialect];
  return new GoStruct(types.capabilities, {
    KubeVersion: new GoStruct(types.kubeVersion, {
      Version: values.kubeVersion,
      normalizedVersion: values.normalizedKubeVersion ?? values.kubeVersion,
      Major: values.major,
      Minor: values.minor,
    }),
    APIVersions: new GoSlice(values.apiVersions, types.apiVersions),
    HelmVersion: new GoStruct(types.helmVersion, {
      Version: values.helmVersion,
      GitCommit: values.gitCommit ?? "",
      GitTreeState: values.gitTreeState ?? "",
      GoVersion: values.goVersion ?? "",
      KubeClientVersion: values.kubeClientVersion ?? "",
    }),
  });
}
