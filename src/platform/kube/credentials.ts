import type { Clock } from "../../core/clock.ts";
import type { FileSystem } from "../../core/file_system.ts";
import { KubeError } from "../../core/kube_api.ts";
import type { KubeConnection } from "./kubeconfig.ts";

/** What a login reads. */
export interface CredentialTools {
  readonly fileSystem: Pick<FileSystem, "readText">;
  readonly clock: Clock;
  /** Headers that a login plugin of the kubeconfig gives. */
  readonly plugin: (isRefused: boolean) => Promise<Readonly<Record<string, string>>>;
}

/** Milliseconds for which a token file is not read again: the kubelet renews it long before it runs out. */
const tokenFreshMs = 10_000;

/** The headers that prove who we are, made anew as tokens change. */
export function authorizer(
  connection: KubeConnection,
  tools: CredentialTools,
): (isRefused: boolean) => Promise<Readonly<Record<string, string>>> {
  const login = loginHeaders(connection, tools);
  const acting = actingHeaders(connection);
  return async (isRefused) => ({ ...await login(isRefused), ...acting });
}

function loginHeaders(
  connection: KubeConnection,
  tools: CredentialTools,
): (isRefused: boolean) => Promise<Readonly<Record<string, string>>> {
  const { login } = connection;
  if (login.kind === "none") return () => Promise.resolve({});
  if (login.kind === "plugin") return tools.plugin;
  if (login.kind === "token") return fixed(`Bearer ${login.token}`);
  if (login.kind === "basic") {
    return fixed(`Basic ${new TextEncoder().encode(`${login.username}:${login.password}`).toBase64()}`);
  }
  let token = "";
  let readAt = -Infinity;
  return async (isRefused) => {
    if (isRefused || tools.clock.monotonic() - readAt >= tokenFreshMs) {
      const text = (await tools.fileSystem.readText(login.path))?.trim() ?? "";
      // A renewal may show an empty file for a moment: what worked goes on.
      if (text !== "") token = text;
      readAt = tools.clock.monotonic();
    }
    if (token === "") {
      throw new KubeError(`Cannot log in: token file "${login.path}" is missing or empty`, {
        code: 0,
        reason: "Unauthorized",
      });
    }
    return { authorization: `Bearer ${token}` };
  };
}

function fixed(authorization: string): () => Promise<Readonly<Record<string, string>>> {
  const headers = { authorization };
  return () => Promise.resolve(headers);
}

/** Header that names a group to act as; there is one for each group. */
export const groupHeader = "impersonate-group";

function actingHeaders(connection: KubeConnection): Readonly<Record<string, string>> {
  const { actAs } = connection;
  if (actAs === undefined) return {};
  return {
    "impersonate-user": actAs.user,
    ...(actAs.groups.length === 0 ? {} : { [groupHeader]: actAs.groups.join(", ") }),
  };
}
