import { digestOf } from "../../core/digest.ts";
import { canonicalRegistry } from "../../format/image_reference.ts";

/** One way to prove who we are to a registry. */
export type Credential =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** A refresh token, exchanged for access tokens at the registry's token server (docker's `identitytoken`). */
  | { readonly kind: "identity-token"; readonly token: string }
  /** An access token, sent as it is (docker's `registrytoken`). */
  | { readonly kind: "registry-token"; readonly token: string };

/** Where a credential is wanted. */
export interface LoginTarget {
  /** Registry as people know it, canonical: `ghcr.io`, `docker.io`, `10.0.0.1:5000`. */
  readonly registry: string;
  readonly repository: string;
}

/**
 * Finds credentials for a repository, best first; all are tried, none means anonymous. Asked again for each request that
 * needs a login, so that a changed secret counts at once; it keeps by itself what is costly to get.
 */
export type CredentialSource = (target: LoginTarget, signal?: AbortSignal) => Promise<readonly Credential[]>;

/** No credentials: anonymous. */
export const anonymous: CredentialSource = () => Promise.resolve([]);

/** Credentials of all sources, in order: each is tried. */
export function joinCredentials(sources: readonly CredentialSource[]): CredentialSource {
  return async (target, signal) => {
    const found: Credential[] = [];
    for (const source of sources) found.push(...await source(target, signal));
    return found;
  };
}

/** Credentials of the first source that has any: the later ones are not even asked. */
export function firstCredentials(sources: readonly CredentialSource[]): CredentialSource {
  return async (target, signal) => {
    for (const source of sources) {
      const found = await source(target, signal);
      if (found.length > 0) return found;
    }
    return [];
  };
}

/** One login for one registry (a command's `--creds user:password`); others, also its mirrors, never get it. */
export function fixedCredential(registry: string, credential: Credential): CredentialSource {
  const wanted = canonicalRegistry(registry);
  return (target) => Promise.resolve(target.registry === wanted ? [credential] : []);
}

/** A text that differs between credentials and does not give them away: a key for caches. */
export function credentialKey(credential: Credential | undefined): string {
  if (credential === undefined) return "anonymous";
  const parts = credential.kind === "basic" ? [credential.username, credential.password] : [credential.token];
  return digestOf(JSON.stringify([credential.kind, ...parts]));
}
