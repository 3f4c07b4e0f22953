import type { JsonObject } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { OCIRepositorySpec } from "../../core/specs.ts";
import type { Path, Report } from "../finding.ts";
import { defineKind } from "../kind.ts";
import {
  artifactPath,
  checkProvider,
  cloud,
  interval,
  localRef,
  objectName,
  off,
  oldForm,
  type Owner,
  verify,
  without,
} from "../parts.ts";
import { may, need, object, oneOf, preset, text } from "../schema.ts";
import { span } from "../span.ts";

const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
const urlPattern =
  /^oci:\/\/(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?\/[a-z0-9]+(?:(?:\.|_{1,2}|-+|\/)[a-z0-9]+)*$/;

const ref = object({
  digest: may(
    text({ pattern: [digestPattern, 'must be "sha256:" and 64 lower-case hex digits'] }),
    "Exactly this manifest; wins over `semver` and `tag`",
  ),
  semver: may(text({ minLength: 1 }), "Range of versions; the highest tag in it is used; wins over `tag`"),
  semverFilter: may(text({ minLength: 1 }), "Regular expression that tags must match before they are read as versions"),
  tag: may(
    text({ pattern: [tagPattern, 'must be a tag: letters, digits, "_", "." and "-", at most 128'] }),
    "Tag",
    { preset: "`latest`, where nothing else is given" },
  ),
});

const schema = object({
  url: need(
    text({ minLength: 1, type: 'text that starts with "oci://"', maxLength: 2048 }),
    "`oci://host[:port]/repository`, or an OCI layout on disk: `oci-layout:///path`, relative paths count from the document",
    { stance: "more than Flux" },
  ),
  ref: preset(ref, {}, "Which revision", { preset: "tag `latest`" }),
  layerSelector: may(
    object({
      mediaType: may(text({ minLength: 1 }), "First layer of this type", { preset: "the first layer" }),
      operation: preset(oneOf("extract", "copy"), "extract", "Unpack the layer, or keep it byte for byte"),
    }),
    "Which layer, and what is done with it",
  ),
  provider: preset(cloud, "generic", "Login by the cloud's identity where no Secret is given"),
  secretRef: may(localRef, "Secret of type `kubernetes.io/dockerconfigjson`"),
  serviceAccountName: may(objectName, "ServiceAccount whose image pull secrets are used"),
  certSecretRef: may(
    localRef,
    "Secret with `ca.crt`, `tls.crt`, `tls.key` (or the old `caFile`, `certFile`, `keyFile`)",
    {
      stance: "more than Flux",
    },
  ),
  proxySecretRef: may(localRef, "Secret with `address`, `username`, `password` of a proxy"),
  interval: need(interval, "Time between two looks at the registry"),
  timeout: preset(span({ hours: false }), 60_000, "Longest time of one look and pull", { preset: "`60s`" }),
  ignore: may(text(), "Rules in the manner of `.gitignore`, after those of `.sourceignore` files"),
  insecure: off("Plain HTTP is allowed"),
  suspend: off("Rest: no looks; the artifact stays usable"),
  verify: may(verify, "Signature that the artifact must have"),
  path: may(
    artifactPath,
    "Sub-path of the artifact that old documents wrote as `artifact.path`; consumers have a `path` of their own",
    { stance: "ours" },
  ),
});

/** `source.toolkit.fluxcd.io/v1` OCIRepository (source-controller 1.9.1). */
export const ociRepository = defineKind({
  kind: "OCIRepository",
  apiVersion: "source.toolkit.fluxcd.io/v1",
  oldVersions: ["source.toolkit.fluxcd.io/v1beta2", "source.toolkit.fluxcd.io/v1beta1"],
  role: "object",
  summary: "An artifact in a registry, pulled when it changes, verified and kept by digest.",
  schema,
  body: "spec",
  translate: (body, path, report) => translateUrl(translateFields(body, path, report), path, report),
  toSpec(input, owner, report): OCIRepositorySpec | undefined {
    const url = urlOf(input.url, owner, report);
    if (url === undefined) return undefined;
    checkProvider(input.provider, url, report);
    return {
      ...without(input, "interval", "timeout"),
      url,
      intervalMs: input.interval,
      timeoutMs: input.timeout,
    };
  },
  example: `apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata:
  name: podinfo
  namespace: default
spec:
  interval: 5m
  url: oci://ghcr.io/stefanprodan/manifests/podinfo
  ref:
    semver: ">=6.9.0"
`,
});

/** `ref.branch` and `artifact.path`, which were never fields but stand in tutorials. */
function translateFields(body: JsonObject, path: Path, report: Report): JsonObject {
  let result = body;
  const { ref: oldRef, artifact } = body;
  if (isJsonObject(oldRef) && Object.hasOwn(oldRef, "branch")) {
    const { branch, ...rest } = oldRef;
    oldForm(
      report,
      [...path, "ref", "branch"],
      "a repository of artifacts has tags, no branches",
      'Write "tag" in "ref"',
    );
    result = { ...result, ref: rest.tag === undefined && branch !== undefined ? { ...rest, tag: branch } : rest };
  }
  if (isJsonObject(artifact) && Object.keys(artifact).every((name) => name === "path")) {
    oldForm(
      report,
      [...path, "artifact"],
      "it is read as the sub-path of the artifact",
      'Write "path" in the Kustomization',
    );
    const { artifact: _, ...rest } = result;
    result = artifact.path === undefined || rest.path !== undefined ? rest : { ...rest, path: artifact.path };
  }
  return result;
}

/** A tag or digest inside the URL moves to `ref`. */
function translateUrl(body: JsonObject, path: Path, report: Report): JsonObject {
  const { url } = body;
  if (typeof url !== "string" || !url.startsWith("oci://")) return body;
  const match = /^(oci:\/\/[^/@]+\/[^@:]+?)(?::([^:@/]+))?(?:@([^@/]+))?$/.exec(url);
  const [, clean, tag, digest] = match ?? [];
  if (clean === undefined || (tag === undefined && digest === undefined)) return body;
  const given = isJsonObject(body.ref) ? body.ref : undefined;
  const isOverruled = given !== undefined && Object.keys(given).some((name) => name !== "semverFilter");
  const what = digest === undefined ? "tag" : "digest";
  oldForm(
    report,
    [...path, "url"],
    isOverruled ? `the ${what} inside the URL has no effect, because "ref" is given` : `it holds a ${what}`,
    isOverruled ? `Write "${clean}"` : `Write "${clean}" and "ref: {${what}: ${digest ?? tag}}"`,
  );
  if (isOverruled) return { ...body, url: clean };
  return { ...body, url: clean, ref: { ...given, ...(digest === undefined ? { tag: tag ?? "" } : { digest }) } };
}

/** The URL, checked, with an absolute path where it names a layout on disk. */
export function urlOf(url: string, owner: Owner, report: Report): string | undefined {
  const path = ["spec", "url"];
  const refuse = (why: string, hint: string, shown = true): undefined => {
    report({
      severity: "error",
      path,
      message: `Cannot use "spec.url"${shown ? ` "${url.slice(0, 200)}"` : ""}: ${why}`,
      hint,
      ...(shown ? {} : { isSecret: true }),
    });
  };
  if (url.startsWith("oci-layout:")) {
    const layout = /^oci-layout:(?:\/\/)?(.+)$/s.exec(url)?.[1];
    if (layout === undefined || layout.includes("\0")) {
      return refuse("it names no folder", 'Write "oci-layout:///absolute/path" or "oci-layout://relative/path"');
    }
    if (owner.baseFolder === undefined) {
      return refuse(
        "a folder of this machine may be named only by an OCIRepository of the configuration",
        'Name a registry: "oci://host/repository"',
      );
    }
    return `oci-layout://${absolutePath(owner.baseFolder, layout)}`;
  }
  if (/^[a-z-]*:?\/*[^/]*@[^/]*\//i.test(url)) {
    return refuse("it must not hold a user name or password", 'Name a Secret in "secretRef"', false);
  }
  if (urlPattern.test(url) && url.length <= 1024) return url;
  const rest = url.slice("oci://".length);
  return refuse(
    "it must be oci://host[:port]/repository with a repository in lower case",
    !url.startsWith("oci://")
      ? 'Start it with "oci://"'
      : !rest.includes("/")
      ? "Add the repository after the host"
      : /[A-Z]/.test(rest.slice(rest.indexOf("/")))
      ? "Write the repository in lower case"
      : 'Put the tag or digest into "ref"',
  );
}

/** A path made absolute by a folder, and cleaned. */
export function absolutePath(baseFolder: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${baseFolder}/${path}`).split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}
