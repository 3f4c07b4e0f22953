import type { AlertSpec, ObjectPattern, ProviderSpec, ReceiverSpec } from "../../core/specs.ts";
import { defineKind } from "../kind.ts";
import { interval, localRef, namespaceName, objectName, off, type Owner, texts, without } from "../parts.ts";
import { ignored, list, may, need, object, oneOf, preset, text } from "../schema.ts";
import { span } from "../span.ts";

/** Provider types (notification-controller 1.9.3 `api/v1beta3/provider_types.go`). */
const providerTypes = [
  ...["generic", "generic-hmac"],
  ...["slack", "discord", "msteams", "rocket", "googlechat", "webex", "telegram", "lark", "matrix", "zulip", "zoom"],
  ...["alertmanager", "grafana", "sentry", "opsgenie", "pagerduty", "datadog", "incident.io", "otel"],
  ...["nats", "azureeventhub", "googlepubsub", "githubdispatch"],
  ...["github", "gitlab", "gitea", "bitbucket", "bitbucketserver", "azuredevops"],
  ...["githubpullrequestcomment", "gitlabmergerequestcomment", "giteapullrequestcomment"],
] as const;

const commitStatusTypes: readonly string[] = [
  "github",
  "gitlab",
  "gitea",
  "bitbucket",
  "bitbucketserver",
  "azuredevops",
];

/** `notification.toolkit.fluxcd.io/v1beta3` Provider (notification-controller 1.9.3). */
export const provider = defineKind({
  kind: "Provider",
  apiVersion: "notification.toolkit.fluxcd.io/v1beta3",
  oldVersions: ["notification.toolkit.fluxcd.io/v1beta2", "notification.toolkit.fluxcd.io/v1beta1"],
  role: "notification",
  idle: "this version sends no notifications",
  summary: "Where events are sent.",
  schema: object({
    type: need(oneOf(...providerTypes), "Kind of receiver"),
    channel: may(text({ maxLength: 2048 }), "Channel, room or topic"),
    username: may(text({ maxLength: 2048 }), "Name under which events appear"),
    address: may(text({ maxLength: 2048, isSecret: true }), "URL, or what stands for it; better in a Secret"),
    timeout: preset(span({ hours: false }), 15_000, "Longest time of one message", { preset: "`15s`" }),
    secretRef: may(localRef, "Secret with `address`, `token`, `headers`, `username`, `password`"),
    certSecretRef: may(localRef, "Secret with `ca.crt`, `tls.crt`, `tls.key`"),
    proxySecretRef: may(localRef, "Secret with `address`, `username`, `password` of a proxy"),
    serviceAccountName: may(objectName, "Identity at a cloud"),
    commitStatusExpr: may(text({ minLength: 1 }), "CEL for the name of a commit status"),
    suspend: off("Send nothing"),
    interval: ignored(interval, "Flux does not act on it either"),
    proxy: ignored(text({ isSecret: true }), 'Write "proxySecretRef"'),
  }),
  body: "spec",
  toSpec(input, _owner, report): ProviderSpec | undefined {
    if (input.commitStatusExpr !== undefined && !commitStatusTypes.includes(input.type)) {
      report({
        severity: "error",
        path: ["spec", "commitStatusExpr"],
        message: `Cannot use "spec.commitStatusExpr" with type "${input.type}": it goes with ${
          commitStatusTypes.join(", ")
        }`,
        hint: "Remove the field",
        atKey: true,
      });
      return undefined;
    }
    return { ...without(input, "timeout"), timeoutMs: input.timeout };
  },
  example: `apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata:
  name: chat
  namespace: default
spec:
  type: slack
  channel: deployments
  secretRef:
    name: chat-address
`,
});

const kinds = oneOf(
  "OCIRepository",
  "HelmRepository",
  "Kustomization",
  "HelmRelease",
  "Checkout",
  "GitRepository",
  "Bucket",
  "HelmChart",
  "ExternalArtifact",
  "ArtifactGenerator",
  "ImageRepository",
  "ImagePolicy",
  "ImageUpdateAutomation",
);

const patternFields = {
  apiVersion: may(text(), "Group and version; goes with `kind`"),
  kind: need(kinds, "Kind of the objects"),
  name: need(text({ minLength: 1, maxLength: 253 }), "Name, or `*` for all"),
  namespace: may(namespaceName, "Namespace", { preset: "the object's own" }),
  matchLabels: may(texts, "Labels that objects must have, where `name` is `*`"),
};

/** `notification.toolkit.fluxcd.io/v1beta3` Alert (notification-controller 1.9.3). */
export const alert = defineKind({
  kind: "Alert",
  apiVersion: "notification.toolkit.fluxcd.io/v1beta3",
  oldVersions: ["notification.toolkit.fluxcd.io/v1beta2", "notification.toolkit.fluxcd.io/v1beta1"],
  role: "notification",
  idle: "this version sends no notifications",
  summary: "Which events go to which Provider.",
  schema: object({
    providerRef: need(localRef, "Provider"),
    eventSeverity: preset(oneOf("info", "error"), "info", "Least severity"),
    eventSources: need(list(object(patternFields)), "Whose events"),
    inclusionList: preset(list(text()), [], "Regular expressions; a message must match one", {
      preset: "all messages",
    }),
    exclusionList: preset(list(text()), [], "Regular expressions; a message must match none", { preset: "none" }),
    eventMetadata: preset(texts, {}, "Added to the metadata of each event", { preset: "none" }),
    suspend: off("Send nothing"),
    summary: ignored(text({ maxLength: 255 }), 'Write "eventMetadata: {summary: …}"'),
  }),
  body: "spec",
  toSpec: (input, owner): AlertSpec => ({
    ...input,
    eventSources: input.eventSources.map((source) => patternOf(source, owner)),
  }),
  example: `apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata:
  name: all
  namespace: default
spec:
  providerRef:
    name: chat
  eventSources:
    - kind: Kustomization
      name: "*"
`,
});

/** `notification.toolkit.fluxcd.io/v1` Receiver (notification-controller 1.9.3 `api/v1/receiver_types.go`). */
export const receiver = defineKind({
  kind: "Receiver",
  apiVersion: "notification.toolkit.fluxcd.io/v1",
  oldVersions: [
    "notification.toolkit.fluxcd.io/v1beta3",
    "notification.toolkit.fluxcd.io/v1beta2",
    "notification.toolkit.fluxcd.io/v1beta1",
  ],
  role: "notification",
  idle: "this version answers no webhooks",
  summary: "Who may ask for a run by a web request.",
  schema: object({
    type: need(
      oneOf(
        ...["generic", "generic-hmac", "generic-oidc", "github", "gitlab", "bitbucket"],
        ...["harbor", "dockerhub", "quay", "gcr", "nexus", "acr", "cdevents"],
      ),
      "Who sends, and so how it is checked",
    ),
    interval: preset(interval, 600_000, "Time between two looks at the Secret", { preset: "`10m`" }),
    events: preset(list(text()), [], "Events that count", { preset: "all" }),
    resources: need(
      list(object({ ...patternFields, filter: may(text({ minLength: 1 }), "CEL over `req` and `res`") })),
      "Objects that run",
    ),
    resourceFilter: may(text({ minLength: 1 }), "CEL over `req` and `res`, for every object"),
    secretRef: may(localRef, "Secret with `token`"),
    oidcProviders: preset(
      list(object({
        issuerURL: need(text({ pattern: [/^https?:\/\//, 'must start with "https://"'] }), "Issuer of tokens"),
        audience: preset(text(), "notification-controller", "Audience that tokens must have"),
        variables: preset(
          list(object({ name: need(text(), "Name"), expression: need(text(), "CEL") })),
          [],
          "Named CEL expressions",
          { preset: "none" },
        ),
        validations: need(
          list(
            object({
              expression: need(text(), "CEL over `claims` and `vars`"),
              message: need(text(), "Answer when it is false"),
            }),
            {
              minItems: 1,
            },
          ),
          "What tokens must fulfil",
        ),
      })),
      [],
      "Issuers, for `generic-oidc`",
      { preset: "none" },
    ),
    suspend: off("Answer no request"),
  }),
  body: "spec",
  toSpec(input, owner, report): ReceiverSpec | undefined {
    const isOidc = input.type === "generic-oidc";
    const wrong = isOidc && input.oidcProviders.length === 0
      ? ['Missing "spec.oidcProviders": type "generic-oidc" needs at least one', 'Add "oidcProviders"']
      : !isOidc && input.oidcProviders.length > 0
      ? ['Cannot use "spec.oidcProviders": it goes with type "generic-oidc" only', 'Remove "oidcProviders"']
      : !isOidc && input.secretRef === undefined
      ? [`Missing "spec.secretRef": type "${input.type}" needs a token`, 'Add "secretRef"']
      : undefined;
    if (wrong !== undefined) {
      report({ severity: "error", path: ["spec"], message: wrong[0] ?? "", hint: wrong[1] ?? "", atKey: true });
      return undefined;
    }
    return {
      ...without(input, "interval"),
      intervalMs: input.interval,
      resources: input.resources.map((resource) => ({
        ...patternOf(resource, owner),
        ...(resource.filter === undefined ? {} : { filter: resource.filter }),
      })),
    };
  },
  example: `apiVersion: notification.toolkit.fluxcd.io/v1
kind: Receiver
metadata:
  name: registry
  namespace: default
spec:
  type: harbor
  secretRef:
    name: hook-token
  resources:
    - kind: OCIRepository
      name: podinfo
`,
});

function patternOf(
  pattern: {
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
    readonly matchLabels?: Readonly<Record<string, string>>;
  },
  owner: Owner,
): ObjectPattern {
  return {
    kind: pattern.kind,
    namespace: pattern.namespace ?? owner.namespace,
    name: pattern.name,
    ...(pattern.matchLabels === undefined ? {} : { matchLabels: pattern.matchLabels }),
  };
}
