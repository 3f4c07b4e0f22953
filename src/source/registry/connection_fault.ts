/** What a person does about a connection that fails the same way at each try; the runtime's words (rustls, OpenSSL) decide. */
const lasting: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [
    /certificate (?:has )?expired|CERT_HAS_EXPIRED/i,
    "The registry's certificate has run out: renew it; also check the clock of this machine",
  ],
  [
    /not valid yet|NotValidYet|CERT_NOT_YET_VALID/i,
    "Check the clock of this machine: the registry's certificate begins later",
  ],
  [
    /not valid for name|NotValidForName|ALTNAME_INVALID|does not match certificate/i,
    "Write the host as the registry's certificate has it, or give the registry a certificate for this name",
  ],
  [
    /UnknownIssuer|unable to (?:verify|get)|self.signed|CaUsedAsEndEntity|invalid peer certificate/i,
    "Give the registry's certificate authority as ca.crt in spec.certSecretRef (commands: --ca-file); spec.insecure accepts any certificate",
  ],
  [
    /BadCertificate|CertificateRequired|certificate required|HandshakeFailure/i,
    "The registry wants a client certificate: give tls.crt and tls.key in spec.certSecretRef",
  ],
  [
    /InvalidContentType|corrupt message|wrong version number|invalid HTTP version/i,
    "The registry seems to speak plain HTTP: set spec.insecure to true (commands: --insecure)",
  ],
];

/** Hint for a connection that another try would not mend: certificates, and plain HTTP on a TLS address. `undefined` for faults that pass. */
export function lastingFaultHint(message: string): string | undefined {
  return lasting.find(([pattern]) => pattern.test(message))?.[1];
}
