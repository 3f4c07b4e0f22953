import type { DesiredObject } from "../core/object.ts";
import type { ReferencedData, References } from "../core/references.ts";
import type { KustomizationSpec } from "../core/specs.ts";
import { asStageError, StageError } from "../core/stage_error.ts";
import type { Run } from "./pipeline.ts";

/** With what an object's encrypted values are opened. */
export interface Decryption {
  readonly spec: NonNullable<KustomizationSpec["decryption"]>;
  /** Content of `secretRef`; absent where none is named: then only keys of the machine count. */
  readonly keys?: ReferencedData;
}

/** A value of a Secret that may be an encrypted file. */
export interface SealedValue {
  /** Key in the Secret: its ending says the format of the file. */
  readonly key: string;
  readonly bytes: Uint8Array;
  /** Absent: the object has no keys, and what is encrypted must be refused. */
  readonly decryption?: Decryption;
}

/** Opens a value: what is not encrypted comes back as it is. @throws {StageError} DecryptionFailed */
export type OpenValue = (sealed: SealedValue, signal: AbortSignal) => Promise<Uint8Array>;

/** Decryption of a Kustomization; `undefined` where its document names none. @throws {StageError} DecryptionFailed when the Secret with keys is not there */
export async function decryptionOf(
  object: DesiredObject<KustomizationSpec>,
  references: References,
): Promise<Decryption | undefined> {
  const { decryption } = object.spec;
  if (decryption === undefined) return undefined;
  const name = decryption.secretRef?.name;
  if (name === undefined) return { spec: decryption };
  const keys = await references.secret(object.key.namespace, name);
  if (keys === undefined) {
    throw new StageError("DecryptionFailed", `cannot get decryption Secret '${object.key.namespace}/${name}'`);
  }
  return { spec: decryption, keys };
}

/** Decryption of the Kustomization that brought an object; `undefined` for a document of the config, or where it has none. */
export async function parentDecryption(
  run: Pick<Run<unknown>, "find" | "object">,
  referencesOf: (object: DesiredObject) => References,
): Promise<Decryption | undefined> {
  const { parent } = run.object;
  const found = parent?.kind === "Kustomization" ? run.find(parent)?.object : undefined;
  return found === undefined
    ? undefined
    : await decryptionOf(found as DesiredObject<KustomizationSpec>, referencesOf(found));
}

/**
 * The same look-up with the values of Secrets opened.
 *
 * Differs: Flux hands on the text of an encrypted value as it is; here it is decrypted, or the object fails.
 */
export function withOpenValues(
  references: References,
  options: {
    readonly openValue: OpenValue;
    /** Keys of the object; asked for when the first Secret is. */
    readonly decryption: () => Promise<Decryption | undefined>;
    /** Whether a key of a Secret is used: others stay as they are. Default: all. */
    readonly isUsed?: (secret: string, key: string) => boolean;
    readonly signal: AbortSignal;
  },
): References {
  return {
    ...references,
    async secret(namespace, name) {
      const found = await references.secret(namespace, name);
      if (found === undefined) return undefined;
      const decryption = await options.decryption();
      const data = new Map<string, Uint8Array>();
      for (const [key, bytes] of found.data) {
        const isUsed = options.isUsed?.(name, key) ?? true;
        data.set(key, isUsed ? await open(`Secret '${namespace}/${name}'`, { key, bytes, ...of(decryption) }) : bytes);
      }
      return { ...found, data };
    },
  };

  function of(decryption: Decryption | undefined): Pick<SealedValue, "decryption"> {
    return decryption === undefined ? {} : { decryption };
  }

  async function open(name: string, sealed: SealedValue): Promise<Uint8Array> {
    try {
      return await options.openValue(sealed, options.signal);
    } catch (error) {
      options.signal.throwIfAborted();
      const stage = asStageError(error, "DecryptionFailed", "Cannot decrypt");
      throw new StageError(stage.reason, `${name}, key '${sealed.key}': ${stage.message}`, {
        cause: stage.cause,
        hint: stage.hint,
      });
    }
  }
}
