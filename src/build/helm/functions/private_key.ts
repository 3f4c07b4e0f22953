/**
 * Private keys of templates: made of the render's chance alone, so that the same seed gives the same key, and written as
 * sprig 3.3.0 writes them (PKCS#1, SEC 1, PKCS#8, OpenSSL's DSA form).
 *
 * @module
 */
import { nodeBuiltin } from "../../../core/node_builtin.ts";
import type { KeyObject } from "node:crypto";
import type { Random } from "../../../core/random.ts";
import { GoError } from "../template/go_error.ts";
import {
  derBits,
  derInteger,
  derOid,
  derSequence,
  derValue,
  numberOf,
  pemText,
  readDer,
  readPem,
  tags,
} from "./der.ts";

/** A private key that can sign, and the PEM text that sprig gives it. */
export interface TemplateKey {
  readonly kind: "rsa" | "ec" | "ed25519" | "dsa";
  readonly pem: string;
  /** Absent for DSA, which no certificate is signed with. */
  readonly key?: KeyObject;
}

const exponent = 65537n;
const smallPrimes = [
  3n,
  5n,
  7n,
  11n,
  13n,
  17n,
  19n,
  23n,
  29n,
  31n,
  37n,
  41n,
  43n,
  47n,
  53n,
  59n,
  61n,
  67n,
  71n,
  73n,
  79n,
  83n,
  89n,
  97n,
];

/** A prime of exactly `bits` bits whose two highest bits are set, so that a product has all its bits. */
function randomPrime(random: Random, bits: number, fits: (prime: bigint) => boolean): bigint {
  while (true) {
    const bytes = random.bytes(bits / 8);
    bytes[0] = (bytes[0] as number) | 0xc0;
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) | 1;
    const start = numberOf(bytes);
    for (let candidate = start; candidate < start + 4096n; candidate += 2n) {
      if (smallPrimes.some((prime) => candidate % prime === 0n)) continue;
      if (candidate >> BigInt(bits) === 0n && nodeBuiltin.crypto().checkPrimeSync(candidate) && fits(candidate)) {
        return candidate;
      }
    }
  }
}

/** x with a·x ≡ 1 (mod m). */
function inverse(a: bigint, m: bigint): bigint {
  let [r0, r1, s0, s1] = [m, a % m, 0n, 1n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1] = [r1, r0 - quotient * r1];
    [s0, s1] = [s1, s0 - quotient * s1];
  }
  return (s0 % m + m) % m;
}

function power(base: bigint, exponentOf: bigint, modulus: bigint): bigint {
  let [result, square] = [1n, base % modulus];
  for (let rest = exponentOf; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = result * square % modulus;
    square = square * square % modulus;
  }
  return result;
}

/** An RSA key (PKCS#1, `RSA PRIVATE KEY`). */
export function makeRsaKey(random: Random, bits: number): TemplateKey {
  const fits = (prime: bigint) => (prime - 1n) % exponent !== 0n;
  const p = randomPrime(random, bits / 2, fits);
  const q = randomPrime(random, bits / 2, (prime) => fits(prime) && prime !== p);
  const d = inverse(exponent, (p - 1n) * (q - 1n));
  const numbers = [0n, p * q, exponent, d, p, q, d % (p - 1n), d % (q - 1n), inverse(q, p)];
  return readKey(pemText("RSA PRIVATE KEY", derSequence(...numbers.map(derInteger))));
}

const p256 = "1.2.840.10045.3.1.7";
const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** A key on P-256 (SEC 1, `EC PRIVATE KEY`). */
export function makeEcKey(random: Random): TemplateKey {
  let secret = random.bytes(32);
  while (numberOf(secret) === 0n || numberOf(secret) >= p256Order) secret = random.bytes(32);
  const curve = nodeBuiltin.crypto().createECDH("prime256v1");
  curve.setPrivateKey(secret);
  const der = derSequence(
    derInteger(1n),
    derValue(tags.octetString, secret),
    derValue(0xa0, derOid(p256)),
    derValue(0xa1, derBits(Uint8Array.from(curve.getPublicKey()))),
  );
  return readKey(pemText("EC PRIVATE KEY", der));
}

/** An Ed25519 key (PKCS#8, `PRIVATE KEY`). */
export function makeEd25519Key(random: Random): TemplateKey {
  const secret = derValue(tags.octetString, derValue(tags.octetString, random.bytes(32)));
  return readKey(pemText("PRIVATE KEY", derSequence(derInteger(0n), derSequence(derOid("1.3.101.112")), secret)));
}

/** A DSA key of 2048 and 256 bits (`DSA PRIVATE KEY`). */
export function makeDsaKey(random: Random): TemplateKey {
  const q = randomPrime(random, 256, () => true);
  let p = 0n;
  while (p === 0n) {
    const bytes = random.bytes(256);
    bytes[0] = (bytes[0] as number) | 0x80;
    const start = numberOf(bytes);
    // p ≡ 1 (mod 2q)
    const candidate = start - start % (2n * q) + 1n;
    for (let step = 0n; step < 4096n && p === 0n; step++) {
      const next = candidate + step * 2n * q;
      if (next >> 2048n !== 0n || smallPrimes.some((prime) => next % prime === 0n)) continue;
      if (next >> 2047n === 1n && nodeBuiltin.crypto().checkPrimeSync(next)) p = next;
    }
  }
  let g = 1n;
  for (let base = 2n; g === 1n; base++) g = power(base, (p - 1n) / q, p);
  const x = numberOf(random.bytes(40)) % (q - 1n) + 1n;
  const numbers = [0n, p, q, g, power(g, x, p), x];
  return { kind: "dsa", pem: pemText("DSA PRIVATE KEY", derSequence(...numbers.map(derInteger))) };
}

/** A key of its PEM text. @throws {GoError} with sprig's text */
export function readKey(pem: string): TemplateKey {
  const block = readPem(pem);
  if (block === undefined) throw new GoError("no PEM data in input");
  const { label, bytes } = block;
  if (label !== "PRIVATE KEY" && !label.endsWith(" PRIVATE KEY")) {
    throw new GoError(`no private key data in PEM block of type ${label}`);
  }
  const forms: Readonly<Record<string, readonly ["pkcs1" | "sec1" | "pkcs8", string]>> = {
    "PRIVATE KEY": ["pkcs8", "decoding PEM as PKCS#8"],
    "RSA PRIVATE KEY": ["pkcs1", "parsing RSA private key from PEM"],
    "EC PRIVATE KEY": ["sec1", "parsing EC private key from PEM"],
  };
  if (label === "DSA PRIVATE KEY") return { kind: "dsa", pem: pemText(label, bytes) };
  const form = Object.hasOwn(forms, label) ? forms[label] : undefined;
  if (form === undefined) throw new GoError(`invalid private key type ${label.slice(0, -" PRIVATE KEY".length)}`);
  try {
    if (readDer(bytes).length !== 1) throw new RangeError("trailing data");
    const key = nodeBuiltin.crypto().createPrivateKey({
      key: bytes as unknown as Buffer,
      format: "der",
      type: form[0],
    });
    const kind = key.asymmetricKeyType;
    if (kind !== "rsa" && kind !== "ec" && kind !== "ed25519") throw new RangeError("unknown algorithm");
    return { kind, pem: pemText(label, bytes), key };
  } catch (error) {
    throw new GoError(`${form[1]}: ${error instanceof Error ? error.message : "malformed"}`);
  }
}

/** The public half as SubjectPublicKeyInfo. */
export function publicInfo(key: KeyObject): Uint8Array {
  return Uint8Array.from(nodeBuiltin.crypto().createPublicKey(key).export({ format: "der", type: "spki" }));
}
