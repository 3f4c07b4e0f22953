import type { AfterChange, CheckoutSpec } from "../../core/specs.ts";
import type { Path, Report } from "../finding.ts";
import { defineKind } from "../kind.ts";
import {
  artifactPath,
  dependencies,
  dependsOnOf,
  interval,
  namespaceName,
  objectName,
  off,
  sourceRefOf,
  without,
} from "../parts.ts";
import { list, may, need, object, oneOf, preset, quoted, refine, text } from "../schema.ts";
import { span } from "../span.ts";
import { absolutePath } from "./oci_repository.ts";

const ours = { stance: "ours" } as const;

/** Permission bits in octal, as a text: YAML would read `0644` as another number than the one meant. */
const permissions = refine(
  text({ pattern: [/^0?[0-7]{3}$/, 'must be three or four octal digits, such as "0644"'], type: "octal text" }),
  (value) => parseInt(value, 8),
);

const owner = refine(
  text({
    pattern: [/^[0-9]{1,10}:[0-9]{1,10}$/, 'must be two numbers, such as "65532:65532"'],
    type: "text `uid:gid`",
  }),
  (value) => {
    const [uid = 0, gid = 0] = value.split(":").map(Number);
    return { uid, gid };
  },
);

const afterChange = refine(
  object({
    command: may(list(text(), { minItems: 1 }), "Program and arguments, run without a shell", ours),
    signal: may(
      object({
        pidFile: need(text({ minLength: 1 }), "File with the number of the process", ours),
        name: preset(
          text({ pattern: [/^SIG[A-Z0-9]+$/, 'must be a signal such as "SIGHUP"'] }),
          "SIGHUP",
          "Signal",
          ours,
        ),
      }),
      "Signal to a process",
      ours,
    ),
    http: may(
      object({
        url: need(
          text({ pattern: [/^https?:\/\/./, 'must start with "http://" or "https://"'], isSecret: true }),
          "URL",
          ours,
        ),
        method: preset(oneOf("GET", "POST", "PUT", "PATCH", "DELETE"), "POST", "Method", ours),
      }),
      "Web request",
      ours,
    ),
  }),
  (value, path: Path, report: Report): AfterChange | undefined => {
    const { command, signal, http } = value;
    if (command !== undefined && signal === undefined && http === undefined) return { kind: "command", command };
    if (signal !== undefined && command === undefined && http === undefined) return { kind: "signal", ...signal };
    if (http !== undefined && command === undefined && signal === undefined) return { kind: "http", ...http };
    report({
      severity: "error",
      path,
      message: `Cannot use ${quoted(path)}: it must have exactly one of "command", "signal" and "http"`,
      hint: "Keep one of them",
    });
    return undefined;
  },
);

/** `pilotfish.dev/v1alpha1` Checkout. */
export const checkout = defineKind({
  kind: "Checkout",
  apiVersion: "pilotfish.dev/v1alpha1",
  oldVersions: [],
  role: "object",
  summary: "Puts the files of an artifact into a folder, swapped at once.",
  schema: object({
    sourceRef: need(
      object({
        apiVersion: may(text(), "Group and version; goes with `kind`", ours),
        kind: need(oneOf("OCIRepository"), "Kind of the source", ours),
        name: need(objectName, "Name of the source", ours),
        namespace: may(namespaceName, "Its namespace", { ...ours, preset: "the object's own" }),
      }),
      "Source of the files",
      ours,
    ),
    path: need(
      text({ minLength: 1, pattern: [/^[^\0]+$/, "must not hold a NUL"] }),
      "Link (or file, for a copied layer) that is switched; relative paths count from the document",
      ours,
    ),
    subPath: preset(artifactPath, "", "Folder in the artifact", { ...ours, preset: "the root" }),
    mode: preset(
      object({
        files: preset(permissions, 0o644, "Permissions of files", { ...ours, preset: '`"0644"`' }),
        folders: preset(permissions, 0o755, "Permissions of folders", { ...ours, preset: '`"0755"`' }),
        owner: may(owner, "Owner of files and folders", { ...ours, preset: "who runs the daemon" }),
      }),
      { files: 0o644, folders: 0o755 },
      "Permissions and owner",
      { ...ours, preset: "none" },
    ),
    afterChange: may(afterChange, "What is done after the switch", ours),
    interval: preset(interval, 600_000, "Time between two runs when nothing changes", { ...ours, preset: "`10m`" }),
    timeout: preset(span(), 300_000, "Longest time of one run", { ...ours, preset: "`5m`" }),
    dependsOn: preset(dependencies, [], "Objects that must be ready first", { ...ours, preset: "none" }),
    suspend: off("Rest: the files stay as they are", "ours"),
  }),
  body: "spec",
  toSpec(input, owner, report): CheckoutSpec | undefined {
    if (owner.baseFolder === undefined) {
      report({
        severity: "error",
        path: ["spec", "path"],
        message: "Cannot use a Checkout out of an artifact: an artifact may not name folders of this machine",
        hint: "Put the Checkout into the configuration",
      });
      return undefined;
    }
    const path = absolutePath(owner.baseFolder, input.path);
    if (path === "/") {
      report({
        severity: "error",
        path: ["spec", "path"],
        message: 'Cannot use "spec.path": it must name a path below "/"',
        hint: 'Write a path such as "/srv/site"',
      });
      return undefined;
    }
    return {
      ...without(input, "interval", "timeout"),
      sourceRef: sourceRefOf(input.sourceRef, owner),
      dependsOn: dependsOnOf(input.dependsOn, owner),
      path,
      intervalMs: input.interval,
      timeoutMs: input.timeout,
    };
  },
  example: `apiVersion: pilotfish.dev/v1alpha1
kind: Checkout
metadata:
  name: site
  namespace: default
spec:
  sourceRef:
    kind: OCIRepository
    name: site
  path: /srv/site
  subPath: ./public
  afterChange:
    command: ["nginx", "-s", "reload"]
`,
});
