/**
 * X.509 certificates as sprig 3.3.0 has Go 1.26 make them (crypto/x509 CreateCertificate): version 3, random serial number,
 * key usage, both extended usages, constraints, key identifiers, names.
 *
 * @module
 */
import { nodeBuiltin } from "../../../core/node_builtin.ts";
import type { Random } from "../../../core/random.ts";
import { GoError } from "../template/go_error.ts";
import { quoteText } from "../template/go_quote.ts";
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
import { publicInfo } from "./private_key.ts";
import type { TemplateKey } from "./private_key.ts";

/** What a certificate says. */
export interface CertificateRequest {
  readonly commonName: string;
  /** Addresses as 4 or 16 bytes. */
  readonly addresses: readonly Uint8Array[];
  readonly dnsNames: readonly string[];
  readonly days: number;
  readonly isAuthority: boolean;
}

/** Who signs: a certificate that was read, and its key. */
export interface Issuer {
  /** DER of its subject. */
  readonly subject: Uint8Array;
  /** Its key identifier; absent where it has none. */
  readonly keyId?: Uint8Array;
  readonly key: TemplateKey;
}

const encoder = new TextEncoder();

/** PEM text of a certificate. `issuer` absent: it signs itself. @throws {GoError} for a name or key that cannot be used */
export function makeCertificate(
  request: CertificateRequest,
  key: TemplateKey,
  context: { readonly random: Random; readonly nowMs: number; readonly issuer?: Issuer },
): string {
  const signer = context.issuer?.key ?? key;
  if (key.key === undefined || signer.key === undefined) {
    throw new GoError("error creating certificate: x509: certificate private key does not implement crypto.Signer");
  }
  const wrong = request.dnsNames.find((name) => /[^\x00-\x7f]/.test(name));
  if (wrong !== undefined) {
    throw new GoError(`error creating certificate: x509: ${quoteText(wrong)} cannot be encoded as an IA5String`);
  }
  const info = publicInfo(key.key);
  const subject = nameOf(request.commonName);
  const issuer = context.issuer?.subject ?? subject;
  const algorithm = algorithms[signer.kind] as Uint8Array;
  const from = Math.floor(context.nowMs / 1000);
  const body = derSequence(
    derValue(0xa0, derInteger(2n)),
    derInteger(numberOf(context.random.bytes(16)) || 1n),
    algorithm,
    issuer,
    derSequence(timeOf(from), timeOf(from + request.days * 86_400)),
    subject,
    info,
    derValue(0xa3, derSequence(...extensionsOf(request, info, issuer, subject, context.issuer?.keyId))),
  );
  const hash = signer.kind === "ed25519" ? null : "sha256";
  const signature = Uint8Array.from(nodeBuiltin.crypto().sign(hash, body, signer.key));
  return pemText("CERTIFICATE", derSequence(body, algorithm, derBits(signature)));
}

const algorithms: Readonly<Record<string, Uint8Array>> = {
  ec: derSequence(derOid("1.2.840.10045.4.3.2")),
  ed25519: derSequence(derOid("1.3.101.112")),
  rsa: derSequence(derOid("1.2.840.113549.1.1.11"), derValue(tags.null)),
};

/** A name with a common name only; Go prefers PrintableString where the text allows. */
function nameOf(commonName: string): Uint8Array {
  if (commonName === "") return derSequence();
  const tag = /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(commonName) ? tags.printable : tags.utf8;
  const attribute = derSequence(derOid("2.5.4.3"), derValue(tag, encoder.encode(commonName)));
  return derSequence(derValue(tags.set, attribute));
}

function timeOf(seconds: number): Uint8Array {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 || date.getUTCFullYear() < 0) {
    throw new GoError("error creating certificate: asn1: structure error: cannot represent time as GeneralizedTime");
  }
  const text = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  const isShort = date.getUTCFullYear() >= 1950 && date.getUTCFullYear() < 2050;
  return isShort
    ? derValue(tags.utcTime, encoder.encode(text.slice(2)))
    : derValue(tags.generalizedTime, encoder.encode(text));
}

const critical = Uint8Array.of(0x01, 0x01, 0xff);

function extension(oid: string, isCritical: boolean, value: Uint8Array): Uint8Array {
  const content = derValue(tags.octetString, value);
  return isCritical ? derSequence(derOid(oid), critical, content) : derSequence(derOid(oid), content);
}

function extensionsOf(
  request: CertificateRequest,
  info: Uint8Array,
  issuer: Uint8Array,
  subject: Uint8Array,
  issuerKeyId: Uint8Array | undefined,
): readonly Uint8Array[] {
  // digitalSignature and keyEncipherment; keyCertSign for an authority.
  const usage = request.isAuthority ? Uint8Array.of(2, 0xa4) : Uint8Array.of(5, 0xa0);
  const names = [
    ...request.dnsNames.map((name) => derValue(0x82, encoder.encode(name))),
    ...request.addresses.map((address) => derValue(0x87, address)),
  ];
  const isOwn = issuer.toHex() === subject.toHex();
  return [
    extension("2.5.29.15", true, derValue(tags.bitString, usage)),
    extension("2.5.29.37", false, derSequence(derOid("1.3.6.1.5.5.7.3.1"), derOid("1.3.6.1.5.5.7.3.2"))),
    extension("2.5.29.19", true, request.isAuthority ? derSequence(critical) : derSequence()),
    ...(request.isAuthority ? [extension("2.5.29.14", false, derValue(tags.octetString, keyIdOf(info)))] : []),
    ...(isOwn || issuerKeyId === undefined
      ? []
      : [extension("2.5.29.35", false, derSequence(derValue(0x80, issuerKeyId)))]),
    ...(names.length === 0 ? [] : [extension("2.5.29.17", request.commonName === "", derSequence(...names))]),
  ];
}

/** The first 160 bits of the SHA-256 of the public key (RFC 7093, method 1, as Go has it since 1.25). */
function keyIdOf(info: Uint8Array): Uint8Array {
  const bits = readDer(readDer(info)[0]?.content ?? info)[1]?.content.subarray(1) ?? new Uint8Array();
  return Uint8Array.from(nodeBuiltin.crypto().createHash("sha256").update(bits).digest()).subarray(0, 20);
}

/** Subject and key identifier of a certificate's PEM text. @throws {GoError} with sprig's text */
export function readCertificate(pem: string): Omit<Issuer, "key"> {
  const block = readPem(pem);
  if (block === undefined) throw new GoError("unable to decode certificate");
  try {
    const body = readDer(readDer(readDer(block.bytes)[0]?.content ?? new Uint8Array())[0]?.content ?? new Uint8Array());
    const offset = body[0]?.tag === 0xa0 ? 1 : 0;
    const subject = body[offset + 4];
    if (subject?.tag !== tags.sequence || body[offset + 5]?.tag !== tags.sequence) {
      throw new RangeError("malformed certificate");
    }
    const list = body.find((node) => node.tag === 0xa3);
    const extensions = list === undefined ? [] : readDer(readDer(list.content)[0]?.content ?? new Uint8Array());
    const wanted = derOid("2.5.29.14").toHex();
    const found = extensions.map((node) => readDer(node.content)).find(([oid]) => oid?.whole.toHex() === wanted)?.at(
      -1,
    );
    const keyId = found === undefined ? undefined : readDer(found.content)[0]?.content;
    return { subject: subject.whole, ...(keyId === undefined ? {} : { keyId }) };
  } catch (error) {
    if (error instanceof RangeError) {
      throw new GoError("error parsing certificate: decodedCert.Bytes: x509: malformed certificate");
    }
    throw error;
  }
}
