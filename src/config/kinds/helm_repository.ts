import type { HelmRepositorySpec } from "../../core/specs.ts";
import { defineKind } from "../kind.ts";
import { checkProvider, cloud, interval, localRef, off, oldForm, texts, without } from "../parts.ts";
import { flag, ignored, list, may, need, object, oneOf, preset, text } from "../schema.ts";
import { span } from "../span.ts";
import { urlOf } from "./oci_repository.ts";

const schema = object({
  url: need(
    text({ minLength: 1, maxLength: 2048, type: 'text that starts with "oci://"' }),
    "`oci://host[:port]/path`; charts are repositories below it",
  ),
  type: preset(
    oneOf("default", "oci"),
    "default",
    "Only `oci` is supported: a repository of type `default` is refused",
  ),
  provider: preset(cloud, "generic", "Login by the cloud's identity where no Secret is given"),
  secretRef: may(localRef, "Secret with `username` and `password`, or of type `kubernetes.io/dockerconfigjson`"),
  certSecretRef: may(localRef, "Secret with `ca.crt`, `tls.crt`, `tls.key`"),
  interval: preset(interval, 60_000, "Time between two looks", { preset: "`1m`" }),
  timeout: preset(span({ hours: false }), 60_000, "Longest time of one look and pull", { preset: "`60s`" }),
  insecure: off("Plain HTTP is allowed"),
  suspend: off("Rest: no looks; charts that were pulled stay usable"),
  passCredentials: ignored(flag(), "It is for chart repositories over HTTP, which are not supported"),
  accessFrom: ignored(
    object({ namespaceSelectors: need(list(object({ matchLabels: may(texts, "Labels") })), "Namespaces") }),
    "Flux does not act on it either",
  ),
});

/** `source.toolkit.fluxcd.io/v1` HelmRepository of `type: oci` (source-controller 1.9.1). */
export const helmRepository = defineKind({
  kind: "HelmRepository",
  apiVersion: "source.toolkit.fluxcd.io/v1",
  oldVersions: ["source.toolkit.fluxcd.io/v1beta2", "source.toolkit.fluxcd.io/v1beta1"],
  role: "object",
  summary: "A place in a registry where charts are. Flux advises an OCIRepository and `chartRef` instead.",
  schema,
  body: "spec",
  translate(body, path, report) {
    if (body.type !== undefined || typeof body.url !== "string" || !body.url.startsWith("oci://")) return body;
    oldForm(report, [...path, "url"], "an OCI repository needs its type", 'Write "type: oci"');
    return { ...body, type: "oci" };
  },
  toSpec(input, owner, report): HelmRepositorySpec | undefined {
    if (input.type !== "oci") {
      report({
        severity: "error",
        path: ["spec", "type"],
        message: 'Cannot use "spec.type" "default": chart repositories over HTTP are not supported, only "oci"',
        hint: 'Write "type: oci" with an "oci://" URL, or use an OCIRepository and chartRef',
      });
      return undefined;
    }
    const url = urlOf(
      input.url.replace(/\/+$/, ""),
      { kind: owner.kind, namespace: owner.namespace, name: owner.name },
      report,
    );
    if (url === undefined) return undefined;
    checkProvider(input.provider, url, report);
    return {
      ...without(input, "interval", "timeout", "type"),
      url,
      intervalMs: input.interval,
      timeoutMs: input.timeout,
    };
  },
  example: `apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata:
  name: podinfo
  namespace: default
spec:
  type: oci
  interval: 10m
  url: oci://ghcr.io/stefanprodan/charts
`,
});
