import type { JsonValue } from "../../core/json.ts";
import type { Network } from "../../core/network.ts";
import { readAll } from "../../core/read_all.ts";
import { messageOf } from "../../core/stage_error.ts";
import type { KeyKind } from "./sops_metadata.ts";

/** What a key provider may use. */
export interface KeyTools {
  /** Keys of the Secret that `spec.decryption.secretRef` names. */
  readonly secret: ReadonlyMap<string, Uint8Array>;
  /** Value of an environment variable, for credentials of the machine. */
  readonly env: (name: string) => string | undefined;
  readonly network: Network;
  /** Wall time in milliseconds, for signed requests. */
  readonly now: () => number;
}

/** Opens data keys that were encrypted with one kind of master key. */
export interface KeyProvider {
  /** Name under which files list such keys. */
  readonly kind: KeyKind;
  /** What the Secret must hold, for the error when it does not. */
  readonly needs: string;
  /**
   * The data key, or `undefined` when no credential for it is there.
   *
   * @throws when a credential is there and does not open it
   */
  open(fields: Readonly<Record<string, JsonValue>>, tools: KeyTools): Promise<Uint8Array | undefined>;
}

/** A field as text; "" when it is absent. */
export function textField(fields: Readonly<Record<string, JsonValue>>, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}

/** Texts of the Secret's keys whose names end in `suffix`. */
export function secretTexts(tools: KeyTools, suffix: string): readonly string[] {
  return [...tools.secret].filter(([name]) => name.endsWith(suffix)).map(([, bytes]) =>
    new TextDecoder().decode(bytes)
  );
}

/** Most bytes of a key service's answer: a data key has 32, and the address of a service may come with the artifact. */
const largestAnswer = 64 * 1024;

/** Answer of a key service as JSON. @throws with the service's status and message, never with what was sent or with a key */
export async function askService(network: Network, request: Request, service: string): Promise<JsonValue> {
  const response = await network(request);
  let text: string;
  try {
    text = new TextDecoder().decode(await readAll(response.body ?? emptyBody(), largestAnswer));
  } catch (error) {
    throw new Error(`cannot read the answer of ${service}: ${messageOf(error)}`);
  }
  if (!response.ok) throw new Error(`${service} answered ${response.status}: ${errorText(text)}`);
  const value = parseSecretJson(text);
  if (value === undefined) throw new Error(`${service} answered with something that is no JSON`);
  return value;
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}

/** Value of a JSON text; `undefined` where it is none. The runtime's own message would hold a piece of the text. */
export function parseSecretJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function errorText(body: string): string {
  try {
    const value = JSON.parse(body) as Record<string, unknown>;
    const error = value.error_description ?? value.message ?? value.Message ?? value.errors ?? value.error ?? "";
    const nested = typeof error === "object" && error !== null && "message" in error ? error.message : error;
    return (typeof nested === "string" ? nested : JSON.stringify(nested)).slice(0, 300);
  } catch {
    return body.slice(0, 120);
  }
}
