import type { ReferencedData } from "../../core/references.ts";
import type { Path, Report } from "../finding.ts";
import { defineKind } from "../kind.ts";
import { flag, mapOf, may, object, preset, type Schema, text } from "../schema.ts";

const keyPattern = /^[-._a-zA-Z0-9]{1,253}$/;

/** Texts and bytes by key; a key that no Secret or ConfigMap may have is refused. Values never enter a message. */
function dataMap(item: Schema<Uint8Array>): Schema<Readonly<Record<string, Uint8Array>>> {
  const map = mapOf(item);
  return {
    type: map.type,
    read(value, path, report) {
      const read = map.read(value, path, report);
      const wrong = Object.keys(read ?? {}).filter((key) => !keyPattern.test(key));
      for (const key of wrong) {
        report({
          severity: "error",
          path: [...path, key],
          message: `Cannot use key "${
            key.slice(0, 60)
          }": it must consist of letters, digits, "-", "_" and ".", at most 253`,
          hint: "Rename the key",
          atKey: true,
          isSecret: true,
        });
      }
      return wrong.length === 0 ? read : undefined;
    },
  };
}

const secretText = text({ isSecret: true });

/** A text as its UTF-8 bytes. */
const plainBytes: Schema<Uint8Array> = {
  type: "text",
  read(value, path, report) {
    const read = secretText.read(value, path, report);
    return read === undefined ? undefined : new TextEncoder().encode(read);
  },
};

/** Base64 (standard alphabet, padded, line breaks allowed) as its bytes. */
const base64Bytes: Schema<Uint8Array> = {
  type: "base64 text",
  read(value, path, report) {
    const read = secretText.read(value, path, report);
    return read === undefined ? undefined : decodeBase64(read, path, report);
  },
};

function decodeBase64(value: string, path: Path, report: Report): Uint8Array | undefined {
  const clean = value.replaceAll(/[\r\n]/g, "");
  if (clean.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(clean)) {
    return Uint8Array.from(atob(clean), (character) => character.charCodeAt(0));
  }
  report({
    severity: "error",
    path,
    message: "Cannot decode the value: it must be base64",
    hint: 'Encode the value, or write it as it is under "stringData"',
    isSecret: true,
  });
  return undefined;
}

/** `v1` Secret: what `secretRef`, `valuesFrom` and their like find before the cluster is asked. */
export const secret = defineKind({
  kind: "Secret",
  apiVersion: "v1",
  oldVersions: [],
  role: "data",
  summary: "Secret values that other documents refer to. It stays in this program: it is not applied to a cluster.",
  schema: object({
    type: preset(text(), "Opaque", "Type, for example `kubernetes.io/dockerconfigjson`"),
    data: preset(dataMap(base64Bytes), {}, "Values in base64", { preset: "none" }),
    stringData: preset(dataMap(plainBytes), {}, "Values as they are; they win over `data`", { preset: "none" }),
    immutable: may(flag(), "Says that the values do not change; they are read anew at each reload all the same"),
  }),
  body: "root",
  toSpec: (input): ReferencedData => ({
    type: input.type,
    data: new Map(Object.entries({ ...input.data, ...input.stringData })),
  }),
  example: `apiVersion: v1
kind: Secret
metadata:
  name: chat-address
  namespace: default
stringData:
  address: https://chat.example.com/hook
`,
});

/** `v1` ConfigMap. */
export const configMap = defineKind({
  kind: "ConfigMap",
  apiVersion: "v1",
  oldVersions: [],
  role: "data",
  summary: "Values that other documents refer to. It stays in this program: it is not applied to a cluster.",
  schema: object({
    data: preset(dataMap(plainBytes), {}, "Texts", { preset: "none" }),
    binaryData: preset(dataMap(base64Bytes), {}, "Bytes in base64", { preset: "none" }),
    immutable: may(flag(), "Says that the values do not change; they are read anew at each reload all the same"),
  }),
  body: "root",
  toSpec: (input): ReferencedData => ({
    type: "",
    data: new Map(Object.entries({ ...input.data, ...input.binaryData })),
  }),
  example: `apiVersion: v1
kind: ConfigMap
metadata:
  name: podinfo-values
  namespace: default
data:
  values.yaml: |
    replicaCount: 2
`,
});
