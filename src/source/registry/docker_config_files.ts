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
  readonly clock: Pick<Clock, "after" | "monotonic">;
}

/** How long a helper may take. */
const helperTimeoutMs = 30_000;
/** How long a helper's answer is used again: a program per request would be too much. */
const helperKeptMs = 60_000;
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
  const helped = new Map<string, { readonly until: number; readonly answer: Credential | undefined }>();
  const ask = async (config: DockerConfig, target: LoginTarget, signal: AbortSignal | undefined) => {
    const helper = helperOf(config, target.registry);
    if (helper === undefined) return undefined;
    const key = JSON.stringify([helper.suffix, helper.server]);
    const known = helped.get(key);
    if (known !== undefined && known.until > tools.clock.monotonic()) return known.answer;
    const answer = await askHelper(helper, target, tools, signal);
    helped.set(key, { until: tools.clock.monotonic() + helperKeptMs, answer });
    return answer;
  };
  return async (target, signal) => {
    const found: Credential[] = [];
    for (const path of dockerConfigPaths((name) => tools.processes.env(name))) {
      const config = await read(path);
      if (config === undefined) continue;
      const answer = await ask(config, target, signal);
      if (answer !== undefined) found.push(answer);
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

interface Helper {
  readonly suffix: string;
  /** What the helper knows the registry by. */
  readonly server: string;
  /** Whether it stands for this registry by name, and not for all. */
  readonly isNamed: boolean;
}

function helperOf(config: DockerConfig, registry: string): Helper | undefined {
  const server = registry === "docker.io" ? dockerHubKey : registry;
  const named = config.credHelpers.get(server) ?? config.credHelpers.get(registry);
  const suffix = named ?? config.credsStore;
  return suffix === undefined ? undefined : { suffix, server, isNamed: named !== undefined };
}

async function askHelper(
  helper: Helper,
  target: LoginTarget,
  tools: DockerConfigTools,
  signal: AbortSignal | undefined,
): Promise<Credential | undefined> {
  const { suffix, server, isNamed } = helper;
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
    if (!isNamed) return undefined;
    throw fail("cannot be run", cause);
  } finally {
    cancel();
  }
  if (result.code !== 0) {
    // "credentials not found in native keychain" is how helpers say that they know nothing.
    if (/not found|no credentials/i.test(`${result.stdout}${result.stderr}`)) return undefined;
    if (!isNamed) return undefined;
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
