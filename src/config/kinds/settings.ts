import { defineKind } from "../kind.ts";
import { absolutePath } from "./oci_repository.ts";
import { type SettingsInput, settingsSchema } from "../settings_table.ts";

/** `pilotfish.dev/v1alpha1` Settings. Its spec stays in the document's form, with absolute paths: flags and variables come over it. */
export const settings = defineKind({
  kind: "Settings",
  apiVersion: "pilotfish.dev/v1alpha1",
  oldVersions: [],
  role: "settings",
  summary: "Settings of the daemon. A flag wins over an environment variable, and that over this document.",
  schema: settingsSchema,
  body: "spec",
  toSpec(input, owner, report): SettingsInput | undefined {
    const { target, store, control } = input;
    if (target !== undefined && (target.directory === undefined) === (target.cluster === undefined)) {
      report({
        severity: "error",
        path: ["spec", "target"],
        message: 'Cannot use "spec.target": it must have exactly one of "directory" and "cluster"',
        hint: "Keep one of them",
      });
      return undefined;
    }
    const base = owner.baseFolder ?? "/";
    const absolute = (path: string) => path.startsWith("~/") ? path : absolutePath(base, path);
    return {
      ...input,
      ...(store?.path === undefined ? {} : { store: { ...store, path: absolute(store.path) } }),
      ...(target?.directory === undefined
        ? {}
        : { target: { directory: { ...target.directory, path: absolute(target.directory.path) } } }),
      ...(target?.cluster?.kubeconfig === undefined
        ? {}
        : { target: { cluster: { ...target.cluster, kubeconfig: absolute(target.cluster.kubeconfig) } } }),
      ...(control === undefined ? {} : {
        control: {
          ...control,
          ...(control.socket === undefined || control.socket === "off" ? {} : { socket: absolute(control.socket) }),
          ...(control.tokenFile === undefined ? {} : { tokenFile: absolute(control.tokenFile) }),
        },
      }),
    };
  },
  example: `apiVersion: pilotfish.dev/v1alpha1
kind: Settings
metadata:
  name: pilotfish
spec:
  store: {path: /var/lib/pilotfish, maxSize: 2Gi, history: 3}
  target: {directory: {path: ./out, layout: tree}}
  listen: 127.0.0.1:9292
  mirrors:
    - {registry: ghcr.io, endpoints: ["http://127.0.0.1:5000"]}
`,
});
