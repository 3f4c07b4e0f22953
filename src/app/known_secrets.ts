import { Buffer } from "node:buffer";
import type { JsonValue } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import type { ReferencedData, References } from "../core/references.ts";

/** Keys of Secrets whose values everybody may see. */
const openKeys: ReadonlySet<string> = new Set(["username", "ca.crt", "caFile", "tls.crt", "certFile"]);
/** Fields of a docker config that hold secrets. */
const loginFields: ReadonlySet<string> = new Set(["password", "auth", "identitytoken", "registrytoken"]);

/** Notes the values of every Secret that is handed to anybody, so that nothing that is told holds one of them. */
export class KnownSecrets {
  readonly #bySecret = new Map<string, { readonly data: ReferencedData; readonly values: readonly string[] }>();
  readonly #tell: (values: readonly string[]) => void;

  /** @param tell hears all values known so far, each time one is new */
  constructor(tell: (values: readonly string[]) => void) {
    this.#tell = tell;
  }

  /** The same look-up; what it gives is noted. */
  noting(references: References): References {
    return {
      ...references,
      secret: async (namespace, name) => {
        const found = await references.secret(namespace, name);
        if (found !== undefined) this.#note(`${namespace}/${name}`, found);
        return found;
      },
    };
  }

  #note(name: string, data: ReferencedData): void {
    const known = this.#bySecret.get(name);
    if (known?.data === data) return;
    const values = secretValues(data);
    // What the Secret held before may still stand in a status: it is kept while the program runs.
    const all = known === undefined ? values : [...new Set([...known.values, ...values])];
    this.#bySecret.set(name, { data, values: all });
    if (all.length !== known?.values.length) this.#tell([...this.#bySecret.values()].flatMap((one) => one.values));
  }
}

/** Texts of a Secret that must not be told: its values, and the logins in a docker config. Bytes that are no text are left out. */
export function secretValues(secret: ReferencedData): readonly string[] {
  const values: string[] = [];
  for (const [key, bytes] of secret.data) {
    if (openKeys.has(key)) continue;
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      continue;
    }
    values.push(text);
    if (key === ".dockerconfigjson" || key === ".dockercfg") values.push(...loginValues(text));
  }
  return values;
}

function loginValues(text: string): readonly string[] {
  const found: string[] = [];
  const visit = (value: JsonValue): void => {
    if (!isJsonObject(value)) return;
    for (const [name, field] of Object.entries(value)) {
      if (typeof field !== "string") visit(field ?? null);
      else if (loginFields.has(name)) {
        found.push(field);
        if (name === "auth") found.push(Buffer.from(field, "base64").toString().replace(/^[^:]*:/, ""));
      }
    }
  };
  try {
    visit(JSON.parse(text) as JsonValue);
  } catch {
    // No docker config: its text as a whole is hidden already.
  }
  return found;
}
