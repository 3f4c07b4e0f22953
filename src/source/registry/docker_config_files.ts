import type { Clock } from "../../core/clock.ts";
import type { FileSystem } from "../../core/file_system.ts";
import type { Processes } from "../../core/process.ts";
import { StageError } from "../../core/stage_error.ts";
import type { Credential, CredentialSource, LoginTarget } from "./credential.ts";
import type { DockerConfig } from "./docker_config.ts";
import { loginOf, matchDockerConfig, parseDockerConfig } from "./docker_config.ts";

/** What reading the machine's own logins needs. */
export interface DockerConfigTools {
  readonly fileSystem: Pick<FileSystem, "readText" | "stat">;
  /** Environment, and credential helpers. */
  readonly processes: Processes;
  readonly clock: Pick<Clock, "after">;
}

/** How long a helper may take. */
const helperTimeoutMs = 30_000;
const helperName = /^[A-Za-z0-9._-]{1,64}$/;
/** Name of Docker Hub in docker's own files. */
const dockerHubKey = "https://index.docker.io/v1/";

/**
 * Logins that docker, podman or crane left on this machine: `$DOCKER_CONFIG/config.json` (else `~/.docker/config.json`),
 * `$REGISTRY_AUTH_FILE`, `$XDG_RUNTIME_DIR/containers/auth.json`, with their credential helpers. Files are read again when
 * they change; what is missing is passed over.
 */
export function dockerConfigCredentials(tools: DockerConfigTools): CredentialSource {
  const kept = new Map<
    string,
    { readonly modifiedAt: number; readonly sizeBytes: number; readonly config: DockerConfig }
  >();
  const read = async (path: string): Promise<DockerConfig | undefined> => {
    const info = await tools.fileSystem.stat(path);
    if (info === undefined) return undefined;
    const old = kept.get(path);
    // A link's own time says nothing about what it points to.
    if (
      old !== undefined && info.kind === "file" && old.modifiedAt === info.modifiedAt &&
      old.sizeBytes === info.sizeBytes
    ) {
      return old.config;
    }
    const text = await tools.fileSystem.readText(path);
    if (text === undefined) return undefined;
    const config = parseDockerConfig(text, `"${path}"`);
    kept.set(path, { modifiedAt: info.modifiedAt, sizeBytes: info.sizeBytes, config });
    return config;
  };
  return async (target, signal) => {
    const found: Credential[] = [];
    for (const path of dockerConfigPaths((name) => tools.processes.env(name))) {
      const config = await read(path);
      if (config === undefined) continue;
      const helped = await askHelpers(config, target, tools, signal);
      if (helped !== undefined) found.push(helped);
      found.push(...matchDockerConfig(config, target));
    }
    return found;
  };
}

/** Paths of docker config files, in the order in which they count. */
export function dockerConfigPaths(env: (name: string) => string | undefined): readonly string[] {
  const set = (name: string) => env(name) || undefined;
  const home = set("HOME") ?? set("USERPROFILE");
  const folder = set("DOCKER_CONFIG") ?? (home === undefined ? undefined : `${home}/.docker`);
  const runtime = set("XDG_RUNTIME_DIR");
  return [
    ...(folder === undefined ? [] : [`${folder}/config.json`]),
    ...(set("REGISTRY_AUTH_FILE") === undefined ? [] : [set("REGISTRY_AUTH_FILE") ?? ""]),
    ...(runtime === undefined ? [] : [`${runtime}/containers/auth.json`]),
  ];
}

async function askHelpers(
  config: DockerConfig,
  target: LoginTarget,
  tools: DockerConfigTools,
  signal: AbortSignal | undefined,
): Promise<Credential | undefined> {
  const server = target.registry === "docker.io" ? dockerHubKey : target.registry;
  const named = config.credHelpers.get(server) ?? config.credHelpers.get(target.registry);
  const suffix = named ?? config.credsStore;
  if (suffix === undefined) return undefined;
  if (!helperName.test(suffix)) {
    throw new StageError(
      "AuthenticationFailed",
      `Cannot log in to "${target.registry}": helper name "${
        suffix.slice(0, 80)
      }" may hold letters, digits, ".", "_" and "-" only`,
    );
  }
  const program = `docker-credential-${suffix}`;
  const fail = (why: string, cause?: unknown) =>
    new StageError("AuthenticationFailed", `Cannot log in to "${target.registry}": ${program} ${why}`, {
      hint: `Run it by hand: echo ${server} | ${program} get`,
      ...(cause === undefined ? {} : { cause }),
    });
  const limit = new AbortController();
  const cancel = tools.clock.after(helperTimeoutMs, () => limit.abort(new Error("it took longer than 30 s")));
  let result;
  try {
    result = await tools.processes.run([program, "get"], {
      stdin: server,
      signal: signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]),
    });
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    // A store for all registries that is not installed here must not stop registries that need no login.
    if (named === undefined) return undefined;
    throw fail("cannot be run", cause);
  } finally {
    cancel();
  }
  if (result.code !== 0) {
    // "credentials not found in native keychain" is how helpers say that they know nothing.
    if (/not found|no credentials/i.test(`${result.stdout}${result.stderr}`)) return undefined;
    if (named === undefined) return undefined;
    throw fail(`ended with code ${result.code}`);
  }
  try {
    const answer = JSON.parse(result.stdout) as { readonly Username?: unknown; readonly Secret?: unknown };
    if (typeof answer.Secret !== "string" || answer.Secret === "") return undefined;
    return loginOf(typeof answer.Username === "string" ? answer.Username : "", answer.Secret);
  } catch {
    throw fail("gave no usable answer");
  }
}
