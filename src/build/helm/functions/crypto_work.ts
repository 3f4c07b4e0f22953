/**
 * The work behind crypto.ts: passwords, ciphers, keys and certificates (sprig 3.3.0 crypto.go). Loaded by the first template
 * that asks for it.
 *
 * @module
 */
import { nodeBuiltin } from "../../../core/node_builtin.ts";
import { encodeBase64, hashSync } from "bcryptjs";
import { GoError, nilDereference } from "../template/go_error.ts";
import { fromBytes, toBytes } from "../template/go_string.ts";
import { GoStruct, itemsOf } from "../template/value.ts";
import type { GoObject, GoSlice, Value } from "../template/value.ts";
import { makeCertificate, readCertificate } from "./certificate.ts";
import type { CertificateRequest, Issuer } from "./certificate.ts";
import { certificateType } from "./certificate_type.ts";
import { decodeBase64 } from "./go_base64.ts";
import { isAddress } from "./ip_address.ts";
import { makeDsaKey, makeEcKey, makeEd25519Key, makeRsaKey, readKey } from "./private_key.ts";
import type { TemplateKey } from "./private_key.ts";
import type { CallContext } from "./registry.ts";
import { strval } from "./text_value.ts";

/** Milliseconds that slow work takes on a usual machine: what counts against the render's `slowMs`. */
const slowMs = { bcrypt: 75, scrypt: 150, rsa2048: 125, rsa4096: 1000, dsa: 1500, certificate: 5, curve: 1 } as const;

function certificate(cert: string, key: string): GoStruct {
  return new GoStruct(certificateType, { Cert: cert, Key: key });
}

function field(value: GoObject, name: "Cert" | "Key"): string {
  const text = value instanceof GoStruct ? value.fields?.[name] : undefined;
  if (typeof text !== "string") throw new GoError(nilDereference);
  return text;
}

function bcryptText(context: CallContext, password: string): string {
  context.slow(slowMs.bcrypt);
  if (toBytes(password).length > 72) {
    return "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes";
  }
  return hashSync(password, `$2a$10$${encodeBase64([...context.tools.random.bytes(16)], 16)}`);
}

// derivePassword

const templates: Readonly<Record<string, readonly string[]>> = {
  basic: ["aaanaaan", "aannaaan", "aaannaaa"],
  long: [
    ...["CvcvnoCvcvCvcv", "CvcvCvcvnoCvcv", "CvcvCvcvCvcvno", "CvccnoCvcvCvcv", "CvccCvcvnoCvcv", "CvccCvcvCvcvno"],
    ...["CvcvnoCvccCvcv", "CvcvCvccnoCvcv", "CvcvCvccCvcvno", "CvcvnoCvcvCvcc", "CvcvCvcvnoCvcc", "CvcvCvcvCvccno"],
    ...["CvccnoCvccCvcv", "CvccCvccnoCvcv", "CvccCvccCvcvno", "CvcvnoCvccCvcc", "CvcvCvccnoCvcc", "CvcvCvccCvccno"],
    ...["CvccnoCvcvCvcc", "CvccCvcvnoCvcc", "CvccCvcvCvccno"],
  ],
  maximum: ["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
  medium: ["CvcnoCvc", "CvcCvcno"],
  pin: ["nnnn"],
  short: ["Cvcn"],
};
const letters = "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
const alphabets: Readonly<Record<string, string>> = {
  A: "AEIOUBCDFGHJKLMNPQRSTVWXYZ",
  C: "BCDFGHJKLMNPQRSTVWXYZ",
  V: "AEIOU",
  a: letters,
  c: "bcdfghjklmnpqrstvwxyz",
  n: "0123456789",
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  v: "aeiou",
  x: `${letters}0123456789!@#$%^&*()`,
};

/** A text behind its scope's name and its length in four bytes, as the Master Password algorithm salts. */
function salted(text: string, ...more: readonly number[]): Uint8Array {
  const bytes = toBytes(text);
  return Uint8Array.of(...toBytes("com.lyndir.masterpassword"), ...bigEndian(bytes.length), ...bytes, ...more);
}

function bigEndian(value: number): readonly number[] {
  return [value >>> 24 & 0xff, value >>> 16 & 0xff, value >>> 8 & 0xff, value & 0xff];
}

// AES

function aesKey(password: string): Uint8Array {
  const key = new Uint8Array(32);
  key.set(toBytes(password).subarray(0, 32));
  return key;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

// Certificates

function addressBytes(text: string): Uint8Array {
  const version = isAddress(text);
  if (version === undefined || text.includes("%")) throw new GoError(`error parsing ip: ${text}`);
  if (version === 4) return Uint8Array.from(text.split("."), Number);
  // An IPv4 tail becomes two groups; "::" stands for the groups that are missing.
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = [], tail] = plain.split("::").map((half) => half === "" ? [] : half.split(":"));
  const missing = tail === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array(missing).fill("0"), ...tail ?? []];
  const bytes = Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]),
  );
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? bytes.subarray(12) : bytes;
}

function textsOrFail(context: CallContext, items: GoSlice, refusal: string): readonly string[] {
  return itemsOf(items).map((item: Value) => {
    if (typeof item === "string") return item;
    throw new GoError(
      `${refusal}: ${item === null || item === undefined ? "<nil>" : strval(context, item)} is not a string`,
    );
  });
}

function hostRequest(
  context: CallContext,
  commonName: string,
  ips: GoSlice,
  names: GoSlice,
  days: number,
): CertificateRequest {
  const addresses = textsOrFail(context, ips, "error parsing ip").map(addressBytes);
  const dnsNames = textsOrFail(context, names, "error processing alternate dns name");
  return { commonName, addresses, dnsNames, days, isAuthority: false };
}

function issue(context: CallContext, request: CertificateRequest, key: TemplateKey, issuer?: Issuer): GoStruct {
  context.slow(slowMs.certificate);
  const { random, nowMs } = context.tools;
  return certificate(
    makeCertificate(request, key, { random, nowMs, ...(issuer === undefined ? {} : { issuer }) }),
    key.pem,
  );
}

function authority(commonName: string, days: number): CertificateRequest {
  return { commonName, addresses: [], dnsNames: [], days, isAuthority: true };
}

function rsa2048(context: CallContext): TemplateKey {
  context.slow(slowMs.rsa2048);
  return makeRsaKey(context.tools.random, 2048);
}

/** Runs something whose error sprig words with a text in front. */
function worded<T>(text: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof GoError ? new GoError(`${text}: ${error.message}`) : error;
  }
}

function givenKey(pem: string): TemplateKey {
  return worded("parsing private key", () => readKey(pem));
}

function issuerOf(ca: GoObject): Issuer {
  const parsed = readCertificate(field(ca, "Cert"));
  return { ...parsed, key: worded("error parsing private key", () => readKey(field(ca, "Key"))) };
}

function decodedOrFail(text: string, refusal: string): string {
  const decoded = decodeBase64(toBytes(text));
  if (typeof decoded === "number") throw new GoError(refusal);
  return fromBytes(decoded);
}

/** What each function does. */
export const cryptoWork = {
  bcrypt: bcryptText,
  buildCustomCert(_: CallContext, cert64: string, key64: string): GoStruct {
    const cert = decodedOrFail(cert64, "unable to decode base64 certificate");
    const key = decodedOrFail(key64, "unable to decode base64 private key");
    readCertificate(cert);
    worded("error parsing private key", () => readKey(key));
    return certificate(cert, key);
  },
  decryptAES(context: CallContext, password: string, text: string): string {
    if (text === "") return "";
    context.spend(text.length);
    const bytes = decodeBase64(toBytes(text));
    if (typeof bytes === "number") throw new GoError(`illegal base64 data at input byte ${bytes}`);
    if (bytes.length < 16) {
      throw new GoError(`runtime error: slice bounds out of range [:16] with capacity ${bytes.length}`);
    }
    if (bytes.length % 16 !== 0) throw new GoError("crypto/cipher: input not full blocks");
    const cipher = nodeBuiltin.crypto().createDecipheriv("aes-256-cbc", aesKey(password), bytes.subarray(0, 16))
      .setAutoPadding(false);
    const plain = joined(cipher.update(bytes.subarray(16)), cipher.final());
    if (plain.length === 0) throw new GoError("runtime error: index out of range [-1]");
    const end = plain.length - (plain[plain.length - 1] as number);
    if (end < 0) throw new GoError(`runtime error: slice bounds out of range [:${end}]`);
    return fromBytes(plain.subarray(0, end));
  },
  derivePassword(
    context: CallContext,
    counter: number,
    kind: string,
    password: string,
    user: string,
    site: string,
  ): string {
    const known = Object.hasOwn(templates, kind) ? templates[kind] : undefined;
    if (known === undefined) return `cannot find password template ${kind}`;
    context.slow(slowMs.scrypt);
    const key = nodeBuiltin.crypto().scryptSync(toBytes(password), salted(user), 64, {
      N: 32768,
      r: 8,
      p: 2,
      maxmem: 128 * 1024 * 1024,
    });
    const seed = nodeBuiltin.crypto().createHmac("sha256", key).update(salted(site, ...bigEndian(counter))).digest();
    const template = known[(seed[0] as number) % known.length] as string;
    return [...template].map((kindOf, index) => {
      const alphabet = alphabets[kindOf] as string;
      return alphabet[(seed[index + 1] as number) % alphabet.length];
    }).join("");
  },
  encryptAES(context: CallContext, password: string, text: string): string {
    if (text === "") return "";
    context.spend(text.length);
    const vector = context.tools.random.bytes(16);
    const cipher = nodeBuiltin.crypto().createCipheriv("aes-256-cbc", aesKey(password), vector);
    return joined(vector, cipher.update(toBytes(text)), cipher.final()).toBase64();
  },
  genCA: (context: CallContext, name: string, days: number): GoStruct =>
    issue(context, authority(name, days), rsa2048(context)),
  genCAWithKey: (context: CallContext, name: string, days: number, pem: string): GoStruct =>
    issue(context, authority(name, days), givenKey(pem)),
  genPrivateKey(context: CallContext, kind: string): string {
    const { random } = context.tools;
    switch (kind) {
      case "":
      case "rsa":
        context.slow(slowMs.rsa4096);
        return makeRsaKey(random, 4096).pem;
      case "dsa":
        context.slow(slowMs.dsa);
        return makeDsaKey(random).pem;
      case "ecdsa":
        context.slow(slowMs.curve);
        return makeEcKey(random).pem;
      case "ed25519":
        context.slow(slowMs.curve);
        return makeEd25519Key(random).pem;
      default:
        return `Unknown type ${kind}`;
    }
  },
  genSelfSignedCert: (context: CallContext, name: string, ips: GoSlice, names: GoSlice, days: number): GoStruct =>
    issue(context, hostRequest(context, name, ips, names, days), rsa2048(context)),
  genSelfSignedCertWithKey(
    context: CallContext,
    name: string,
    ips: GoSlice,
    names: GoSlice,
    days: number,
    pem: string,
  ): GoStruct {
    const key = givenKey(pem);
    return issue(context, hostRequest(context, name, ips, names, days), key);
  },
  genSignedCert(
    context: CallContext,
    name: string,
    ips: GoSlice,
    names: GoSlice,
    days: number,
    ca: GoObject,
  ): GoStruct {
    const issuer = issuerOf(ca);
    return issue(context, hostRequest(context, name, ips, names, days), rsa2048(context), issuer);
  },
  genSignedCertWithKey(
    context: CallContext,
    name: string,
    ips: GoSlice,
    names: GoSlice,
    days: number,
    ca: GoObject,
    pem: string,
  ): GoStruct {
    const key = givenKey(pem);
    const issuer = issuerOf(ca);
    return issue(context, hostRequest(context, name, ips, names, days), key, issuer);
  },
  htpasswd: (context: CallContext, user: string, password: string): string =>
    user.includes(":") ? `invalid username: ${user}` : `${user}:${bcryptText(context, password)}`,
} as const;
