import type { Clock } from "../../core/clock.ts";
import type { ClusterLogin } from "../../core/cluster_login.ts";
import { isJsonObject } from "../../core/json.ts";
import type { KubeApi } from "../../core/kube_api.ts";
import { KubeError } from "../../core/kube_api.ts";

/** Seconds that a token is asked for; servers may give less. */
const lifeSeconds = 3_600;

/**
 * Tokens for a login, asked of the cluster in which its account lives (TokenRequest) and renewed after four fifths of their
 * life, or at once when one was refused.
 */
export function accountTokens(
  api: KubeApi,
  login: ClusterLogin,
  clock: Clock,
): (isRefused: boolean) => Promise<string> {
  let token = "";
  let freshUntil = -Infinity;
  let asking: Promise<void> | undefined;
  const { namespace, serviceAccount, audiences } = login;
  const ask = async () => {
    const answer = await api.send({
      method: "POST",
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${
        encodeURIComponent(serviceAccount)
      }/token`,
      body: {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { audiences, expirationSeconds: lifeSeconds },
      },
    });
    const status = isJsonObject(answer.status) ? answer.status : {};
    if (typeof status.token !== "string" || status.token === "") {
      throw new KubeError(`Cannot log in: no token was given for ServiceAccount "${namespace}/${serviceAccount}"`, {
        code: 0,
        reason: "Unauthorized",
      });
    }
    token = status.token;
    const lifeMs = Date.parse(String(status.expirationTimestamp)) - clock.now();
    freshUntil = clock.monotonic() + (lifeMs > 0 ? lifeMs * 0.8 : 0);
  };
  return async (isRefused) => {
    if (isRefused || clock.monotonic() >= freshUntil) {
      asking ??= ask().finally(() => asking = undefined);
      await asking;
    }
    return token;
  };
}
