import { Buffer } from "node:buffer";
import type { DesiredState } from "../config/desired.ts";
import type { JsonValue } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import type { ReferencedData, References } from "../core/references.ts";

/** Keys of Secrets whose values everybody may see. */
const openKeys: ReadonlySet<string> = new Set(["username", "ca.crt", "caFile", "tls.crt", "certFile"]);
/** Fields of a docker config that hold secrets. */
const loginFields: ReadonlySet<string> = new Set(["password", "auth", "identitytoken", "registrytoken"]);

/** Notes the values of every Secret among the documents or handed to anybody, so that nothing that is told holds one of them. */
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
        if (found !== undefined && this.#note(`${namespace}/${name}`, found)) this.#tellAll();
        return found;
      },
    };
  }

  /** Notes a value that was made of a Secret's: what an encrypted one holds. */
  add(name: string, value: Uint8Array): void {
    if (this.#note(name, { type: "", data: new Map([["", value]]) })) this.#tellAll();
  }

  /** Notes the Secrets among the documents. */
  take(desired: DesiredState): void {
    const secrets = [...desired.data.values()].filter(({ key }) => key.kind === "Secret");
    const news = secrets.filter(({ key, data }) => this.#note(`${key.namespace}/${key.name}`, data));
    if (news.length > 0) this.#tellAll();
  }

  /** @returns whether there was a new value */
  #note(name: string, data: ReferencedData): boolean {
    const known = this.#bySecret.get(name);
    if (known?.data === data) return false;
    const values = secretValues(data);
    // What the Secret held before may still stand in a status: it is kept while the program runs.
    const all = known === undefined ? values : [...new Set([...known.values, ...values])];
    this.#bySecret.set(name, { data, values: all });
    return all.length !== (known?.values.length ?? 0);
  }

  #tellAll(): void {
    this.#tell([...this.#bySecret.values()].flatMap((one) => one.values));
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
