import type { JsonValue } from "./json.ts";
import { isJsonObject } from "./json.ts";

/**
 * How another cluster is reached without a secret: with tokens that our own cluster issues for one of its ServiceAccounts
 * and that the other one trusts (Flux `spec.kubeConfig.configMapRef`, provider `generic`).
 */
export interface ClusterLogin {
  /** `https://host:port`. */
  readonly server: string;
  /** PEM of the certificate authority; absent: the host's own ones. */
  readonly ca?: string;
  /** Whom the tokens are for. */
  readonly audiences: readonly string[];
  /** The account, in our own cluster. */
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** First line of a login's text. No kubeconfig begins like this, and none from a Secret may. */
const mark = "#pilotfish-cluster-login\n";

/** Text that stands for a login wherever a kubeconfig's text is asked for. */
export function clusterLoginText(login: ClusterLogin): string {
  return mark + JSON.stringify(login);
}

/** Whether a text is one of {@linkcode clusterLoginText}, or pretends to be. */
export function isClusterLogin(text: string): boolean {
  return text.startsWith(mark);
}

/** The login of a text. @throws {SyntaxError} when it is none */
export function parseClusterLogin(text: string): ClusterLogin {
  const value = isClusterLogin(text) ? JSON.parse(text.slice(mark.length)) as JsonValue : undefined;
  if (!isJsonObject(value)) throw new SyntaxError("Cannot read cluster login");
  return value as unknown as ClusterLogin;
}
