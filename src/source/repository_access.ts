import { digestOf } from "../core/digest.ts";
import type { NetworkOptions } from "../core/network.ts";
import type { ReferencedData, References } from "../core/references.ts";
import type { HelmRepositorySpec, OCIRepositorySpec } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";
import { parseRepositoryUrl } from "./resolve.ts";

const dockerConfigKey = ".dockerconfigjson";

/** Everything needed to reach one repository. Holds secrets: never shown or logged. */
export interface RepositoryAccess {
  /** `oci://host[:port]/repository`, or `oci-layout://…`. */
  readonly url: string;
  readonly insecure: boolean;
  /** Cloud whose login is tried where no document below fits. */
  readonly provider: "generic" | "aws" | "azure" | "gcp";
  /** Secrets with a Docker config in `.dockerconfigjson`, in the order in which they are asked. */
  readonly logins: readonly { readonly name: string; readonly secret: ReferencedData }[];
  readonly network: NetworkOptions;
}

/** Fields of a spec that say how its repository is reached. */
export type AccessSpec =
  & Pick<OCIRepositorySpec, "url" | "provider" | "insecure" | "secretRef" | "certSecretRef">
  & Partial<Pick<OCIRepositorySpec, "serviceAccountName" | "proxySecretRef">>;

/**
 * Reads the Secrets that a source names. They are read at each pull, so that a rotated one counts at once.
 * Keys: `.dockerconfigjson` or `.dockercfg` (for a HelmRepository also `username` and `password`); `tls.crt`, `tls.key`,
 * `ca.crt` (or the old `certFile`, `keyFile`, `caFile`); `address`, `username`, `password` of a proxy.
 *
 * @throws {StageError} AuthenticationFailed when a Secret, ServiceAccount or key is missing
 */
export async function readAccess(
  spec: AccessSpec | HelmRepositorySpec,
  namespace: string,
  references: References,
): Promise<RepositoryAccess> {
  const { url } = parseRepositoryUrl(spec.url);
  const secret = async (field: string, name: string): Promise<ReferencedData> => {
    const found = await references.secret(namespace, name);
    if (found !== undefined) return found;
    throw new StageError(
      "AuthenticationFailed",
      `Cannot read Secret "${namespace}/${name}" of spec.${field}: it is not there`,
      {
        hint: `Create the Secret, or correct spec.${field}.name`,
      },
    );
  };
  const logins: { name: string; secret: ReferencedData }[] = [];
  const addLogin = async (field: string, name: string) => {
    logins.push(loginOf(await secret(field, name), url, `Secret "${namespace}/${name}"`));
  };
  if (spec.secretRef !== undefined) await addLogin("secretRef", spec.secretRef.name);
  const serviceAccount = "serviceAccountName" in spec ? spec.serviceAccountName : undefined;
  if (serviceAccount !== undefined) {
    const names = await references.imagePullSecrets(namespace, serviceAccount);
    if (names === undefined) {
      throw new StageError(
        "AuthenticationFailed",
        `Cannot read ServiceAccount "${namespace}/${serviceAccount}" of spec.serviceAccountName: it is not there`,
        { hint: "Create the ServiceAccount, or name the Secret itself in spec.secretRef" },
      );
    }
    for (const name of names) await addLogin("serviceAccountName", name);
  }
  const certs = spec.certSecretRef === undefined ? undefined : await secret("certSecretRef", spec.certSecretRef.name);
  const proxyRef = "proxySecretRef" in spec ? spec.proxySecretRef : undefined;
  const proxy = proxyRef === undefined ? undefined : await secret("proxySecretRef", proxyRef.name);
  return {
    url,
    insecure: spec.insecure,
    provider: spec.provider,
    logins,
    network: {
      ...(certs === undefined ? {} : certOptions(certs, spec.certSecretRef?.name ?? "")),
      ...(proxy === undefined ? {} : { proxy: proxyOptions(proxy, proxyRef?.name ?? "") }),
      // As in Flux: "insecure" also forgives a certificate, unless one is named.
      ...(spec.insecure && certs === undefined ? { skipVerify: true } : {}),
    },
  };
}

/** Tells one access from another without showing it. */
export function accessKey(access: RepositoryAccess): string {
  const logins = access.logins.map(({ secret }) => textOf(secret, dockerConfigKey));
  return digestOf(JSON.stringify({ ...access, logins }));
}

function textOf(data: ReferencedData, ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const bytes = data.data.get(key);
    if (bytes !== undefined && bytes.length > 0) return new TextDecoder().decode(bytes);
  }
  return undefined;
}

/** A Secret as a Docker config, whatever form it has. */
function loginOf(secret: ReferencedData, url: string, name: string): RepositoryAccess["logins"][number] {
  const config = dockerConfigOf(secret, url);
  if (config === undefined) {
    throw new StageError("AuthenticationFailed", `Cannot log in with ${name}: it has no key "${dockerConfigKey}"`, {
      hint: "Make it with: kubectl create secret docker-registry",
    });
  }
  const data = new Map([[dockerConfigKey, new TextEncoder().encode(config)]]);
  return { name, secret: { type: "kubernetes.io/dockerconfigjson", data } };
}

function dockerConfigOf(secret: ReferencedData, url: string): string | undefined {
  const config = textOf(secret, dockerConfigKey);
  if (config !== undefined) return config;
  const old = textOf(secret, ".dockercfg");
  if (old !== undefined) return `{"auths":${old}}`;
  const username = textOf(secret, "username");
  const password = textOf(secret, "password");
  if (username === undefined || password === undefined) return undefined;
  const host = url.replace(/^oci:\/\//, "").split("/", 1)[0] ?? "";
  return JSON.stringify({ auths: { [host]: { username, password } } });
}

function certOptions(secret: ReferencedData, name: string): NetworkOptions {
  const ca = textOf(secret, "ca.crt", "caFile");
  const cert = textOf(secret, "tls.crt", "certFile");
  const key = textOf(secret, "tls.key", "keyFile");
  if ((cert === undefined) !== (key === undefined)) {
    throw new StageError(
      "AuthenticationFailed",
      `Cannot use Secret "${name}" of spec.certSecretRef: "tls.crt" and "tls.key" must both be there`,
      {
        hint: "Put certificate and key into the Secret, or neither",
      },
    );
  }
  if (ca === undefined && cert === undefined) {
    throw new StageError(
      "AuthenticationFailed",
      `Cannot use Secret "${name}" of spec.certSecretRef: it has none of "ca.crt", "tls.crt" and "tls.key"`,
      {
        hint: "Put the certificate authority or the client certificate into the Secret",
      },
    );
  }
  return {
    ...(ca === undefined ? {} : { caCerts: [ca] }),
    ...(cert === undefined || key === undefined ? {} : { clientCert: { cert, key } }),
  };
}

function proxyOptions(secret: ReferencedData, name: string): NonNullable<NetworkOptions["proxy"]> {
  const url = textOf(secret, "address");
  if (url === undefined || !URL.canParse(url.trim())) {
    throw new StageError(
      "AuthenticationFailed",
      `Cannot use Secret "${name}" of spec.proxySecretRef: "address" must be a URL`,
      {
        hint: 'Write the proxy into the key "address", for example http://proxy.example.com:3128',
      },
    );
  }
  const username = textOf(secret, "username");
  const password = textOf(secret, "password");
  return {
    url: url.trim(),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}
