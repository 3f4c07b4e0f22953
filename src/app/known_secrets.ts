import { Buffer } from "node:buffer";
import type { DesiredState } from "../config/desired.ts";
import { digestOf } from "../core/digest.ts";
import type { JsonValue } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import type { ReferencedData, References } from "../core/references.ts";
import type { Resource } from "../core/resource.ts";

/** Keys of Secrets whose values everybody may see. */
const openKeys: ReadonlySet<string> = new Set(["username", "ca.crt", "caFile", "tls.crt", "certFile"]);
/** Shorter texts are in too many names by chance. */
const shortestName = 4;
/** Values of a Secret that were replaced and are kept: a token that is renewed each hour must not take memory for ever. */
const mostReplaced = 100;
/** Keys that say that their value is a secret, wherever else the same text stands. */
const tellingKey = /pass|token|secret|cred|auth|key|cert|pem|private|identity|docker|sops/i;
/** Fields of a docker config that hold secrets. */
const loginFields: ReadonlySet<string> = new Set(["password", "auth", "identitytoken", "registrytoken"]);

/** A text that must not be told. */
export interface SecretValue {
  readonly text: string;
  /** Whether it counts as no secret once it stands in the open: a variable such as a region, that somebody keeps in a Secret. */
  readonly mayBeOpen: boolean;
}

/**
 * Notes the values of every Secret among the documents or handed to anybody, so that nothing that is told holds one of them.
 * A value under a key that does not name a secret is let go when it stands in the open as well: as a whole text of another
 * document, or as namespace or name of a resource. Whoever reads it there learns nothing here, and messages stay readable.
 */
export class KnownSecrets {
  readonly #bySecret = new Map<string, { readonly data: ReferencedData; readonly values: readonly SecretValue[] }>();
  readonly #tell: (values: readonly string[]) => void;
  /** Texts of the documents that are no Secrets, and names of resources. */
  #open: ReadonlySet<string> = new Set();
  readonly #openNames = new Set<string>();

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
    // Many Secrets have a key of this name: each value is one of its own.
    const key = `${name} ${digestOf(value)}`;
    if (this.#note(key, { type: "", data: new Map([["", value]]) })) this.#tellAll();
  }

  /** Notes the Secrets among the documents, and what stands in the open there. */
  take(desired: DesiredState): void {
    const secrets = [...desired.data.values()].filter(({ key }) => key.kind === "Secret");
    const news = secrets.filter(({ key, data }) => this.#note(`${key.namespace}/${key.name}`, data));
    const before = this.#open;
    this.#open = openTexts(desired);
    const changes = this.#values().some((one) => one.mayBeOpen && before.has(one.text) !== this.#open.has(one.text));
    if (news.length > 0 || changes) this.#tellAll();
  }

  /** Notes the names of built resources: everybody who may look at the target sees them. */
  seeNames(resources: Iterable<Resource>): void {
    const closed = this.#values().filter((one) => one.mayBeOpen && !this.#openNames.has(one.text)).map((one) =>
      one.text
    );
    if (closed.length === 0) return;
    let found = false;
    for (const { metadata: { name, namespace = "" } } of resources) {
      for (const text of closed) {
        if (text.length < shortestName || (!name.includes(text) && !namespace.includes(text))) continue;
        this.#openNames.add(text);
        found = true;
      }
    }
    if (found) this.#tellAll();
  }

  /** @returns whether there was a new value */
  #note(name: string, data: ReferencedData): boolean {
    const known = this.#bySecret.get(name);
    if (known?.data === data) return false;
    const values = secretValues(data);
    // What the Secret held before may still stand in a status: it is kept for long.
    const replaced = (known?.values ?? []).filter((old) => !values.some((value) => value.text === old.text));
    this.#bySecret.set(name, { data, values: [...replaced.slice(-mostReplaced), ...values] });
    return values.some((value) => known?.values.some((old) => old.text === value.text) !== true);
  }

  #values(): readonly SecretValue[] {
    return [...this.#bySecret.values()].flatMap((one) => one.values);
  }

  #tellAll(): void {
    // A text that one Secret keeps for a password is hidden, whatever it is in another one.
    const values = this.#values();
    const strict = new Set(values.filter((one) => !one.mayBeOpen).map((one) => one.text));
    const isOpen = (text: string) => this.#open.has(text) || this.#openNames.has(text);
    this.#tell(values.map((one) => one.text).filter((text) => strict.has(text) || !isOpen(text)));
  }
}

/** Texts of a Secret that must not be told: its values, and the logins in a docker config. Bytes that are no text are left out. */
export function secretValues(secret: ReferencedData): readonly SecretValue[] {
  const values: SecretValue[] = [];
  for (const [key, bytes] of secret.data) {
    if (openKeys.has(key)) continue;
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      continue;
    }
    values.push({ text, mayBeOpen: key !== "" && !tellingKey.test(key) });
    if (key === ".dockerconfigjson" || key === ".dockercfg") {
      values.push(...loginValues(text).map((found) => ({ text: found, mayBeOpen: false })));
    }
  }
  return values;
}

/** Whole texts of the documents, and the parts of addresses and lists in them. */
function openTexts(desired: DesiredState): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (text: string) => {
    found.add(text);
    for (const part of text.split(/[\s/:@,?&=]+/)) found.add(part);
  };
  const visit = (value: JsonValue): void => {
    if (typeof value === "string") add(value);
    else if (Array.isArray(value)) value.forEach(visit);
    else if (isJsonObject(value)) Object.values(value).forEach((member) => visit(member ?? null));
  };
  for (const { document } of [...desired.objects, ...desired.notifications]) visit(document);
  for (const { key, data } of desired.data.values()) {
    if (key.kind === "ConfigMap") { for (const bytes of data.data.values()) add(new TextDecoder().decode(bytes)); }
  }
  return found;
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
