import type { JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { KubeCause } from "../../core/kube_api.ts";
import { KubeError } from "../../core/kube_api.ts";

/** Texts in which an API server repeats what it was given. */
const repeated = [
  /(Invalid value: )("(?:[^"\\]|\\.)*"|[^:,\]]+)/g,
  /(Unsupported value: )("(?:[^"\\]|\\.)*"|[^:,\]]+)/g,
  /(Duplicate value: )("(?:[^"\\]|\\.)*"|[^:,\]]+)/g,
  /(, got )(.*?)(?=(?:\.\w|$))/gs,
  /(&\w*(?:\.\w+)?\{)([^}]*)/g,
];

/**
 * The error without the values of the Secret that was sent: values that stand in the body are cut out wherever the
 * server repeats them, encoded or not, and so is whatever it quotes. Errors of other kinds come back as they are
 * (CVE-2025-23216: values of an invalid Secret in an error).
 */
export function scrubSecret(error: KubeError, body: JsonValue | undefined): KubeError {
  if (!isJsonObject(body) || body.kind !== "Secret") return error;
  const values = secretTexts(body).sort((a, b) => b.length - a.length);
  const scrub = (text: string): string => {
    let result = text;
    for (const value of values) result = result.replaceAll(value, "***");
    for (const pattern of repeated) result = result.replace(pattern, "$1***");
    return result;
  };
  const causes: readonly KubeCause[] = error.causes.map((cause) => ({ ...cause, message: scrub(cause.message) }));
  return new KubeError(scrub(error.message), {
    code: error.code,
    reason: error.reason,
    causes,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}

/** Values in all forms in which they may be printed; those of one or two letters are left to the patterns. */
function secretTexts(secret: { readonly [key: string]: JsonValue }): string[] {
  const texts = new Set<string>();
  const add = (value: string) => {
    if (value.length < 3) return;
    texts.add(value);
    texts.add(JSON.stringify(value).slice(1, -1));
  };
  for (const field of ["data", "stringData"]) {
    const values = secret[field];
    if (!isJsonObject(values)) continue;
    for (const value of Object.values(values)) {
      if (typeof value !== "string") add(String(value));
      else {
        add(value);
        if (field === "data") add(decoded(value));
        else add(new TextEncoder().encode(value).toBase64());
      }
    }
  }
  return [...texts];
}

function decoded(value: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(value));
  } catch {
    return "";
  }
}
