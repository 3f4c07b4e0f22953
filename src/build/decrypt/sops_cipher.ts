import { Buffer } from "node:buffer";
import { createDecipheriv } from "node:crypto";
import { StageError } from "../../core/stage_error.ts";

/** A value as it was before encryption. */
export type PlainValue = string | number | bigint | boolean | Uint8Array;

/** What an encrypted value holds: its plain bytes (they go into the MAC) and what they stand for. */
export interface Decrypted {
  readonly bytes: Uint8Array;
  readonly value: PlainValue;
  readonly isComment: boolean;
}

const form = /^ENC\[AES256_GCM,data:([^,\]]*),iv:([^,\]]+),tag:([^,\]]+),type:(\w+)\]$/;

/** Whether a text has the form of an encrypted value. */
export function isEncryptedText(text: string): boolean {
  return text.startsWith("ENC[") && form.test(text);
}

/**
 * Decrypts one value (AES-256-GCM with a nonce of 32 bytes). `path` is authenticated with it: a value that was moved
 * to another key does not open. Errors never show the value.
 *
 * @throws {StageError} DecryptionFailed
 */
export function decryptValue(text: string, key: Uint8Array, path: readonly string[]): Decrypted {
  return decryptWith(text, key, path.length === 0 ? "" : `${path.join(":")}:`, path.join("."));
}

/** The same with any authenticated text: the MAC is bound to the time of the last change. */
export function decryptWith(text: string, key: Uint8Array, authenticated: string, shownPath: string): Decrypted {
  const match = form.exec(text);
  if (match === null) {
    throw new StageError(
      "DecryptionFailed",
      `Cannot decrypt "${shownPath}": the value has not the form ENC[AES256_GCM,…]`,
      {
        hint: "Something added it to a part that sops encrypts: encrypt it too, or keep it out with encrypted_regex",
      },
    );
  }
  const [, data = "", iv = "", tag = "", type = ""] = match;
  let bytes: Uint8Array;
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(iv, "base64"), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(authenticated, "utf8"));
    decipher.setAuthTag(Buffer.from(tag, "base64"));
    bytes = Buffer.concat([decipher.update(Buffer.from(data, "base64")), decipher.final()]);
  } catch {
    throw new StageError(
      "DecryptionFailed",
      `Cannot decrypt "${shownPath}": it was changed, moved, or encrypted with another key`,
    );
  }
  return { bytes, value: valueOf(bytes, type, shownPath), isComment: type === "comment" };
}

function valueOf(bytes: Uint8Array, type: string, path: string): PlainValue {
  const text = new TextDecoder().decode(bytes);
  const refuse = (why: string): never => {
    throw new StageError("DecryptionFailed", `Cannot decrypt "${path}": ${why}`);
  };
  switch (type) {
    case "str":
    case "comment":
    case "time":
      return text;
    case "bytes":
      return bytes;
    case "bool":
      return text.toLowerCase() === "true";
    // The type is not authenticated: whoever writes the file may put it before any value, and an error must not show that.
    case "int": {
      if (!/^[+-]?\d{1,40}$/.test(text)) return refuse("it is no whole number, as its type says");
      const integer = BigInt(text.replace(/^\+/, ""));
      return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer;
    }
    case "float":
      return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)
        ? Number(text)
        : refuse("it is no number, as its type says");
    default:
      return refuse(`unknown type "${type}"`);
  }
}
