import { Buffer } from "node:buffer";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { ReferencedData } from "../../core/references.ts";
import { StageError } from "../../core/stage_error.ts";
import { canonicalRegistry } from "../../format/image_reference.ts";
import type { Credential, CredentialSource, LoginTarget } from "./credential.ts";

/** A docker config document: logins by registry, and the helpers that have more. */
export interface DockerConfig {
  /** Best match first for any registry: exact hosts before patterns, longer paths before shorter. */
  readonly logins: readonly DockerLogin[];
  /** Program suffix (`docker-credential-<suffix>`) by registry. */
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore?: string;
}

/** One entry of `auths`. */
export interface DockerLogin {
  /** As written, for errors. */
  readonly key: string;
  /** Canonical host, may hold `*`, `?` and `[…]` per label. */
  readonly host: string;
  readonly port: string;
  /** Repository prefix; "" for all of the registry. */
  readonly path: string;
  readonly entry: JsonObject;
}

/**
 * Reads a docker config: `{"auths": {…}}`, or with `legacy` the old `.dockercfg` form without that level.
 *
 * @param name where it came from, for errors: `Secret "regcred"`
 * @throws {StageError} AuthenticationFailed when it is no such document
 */
export function parseDockerConfig(
  text: string,
  name: string,
  options: { readonly legacy?: boolean } = {},
): DockerConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which holds passwords.
    throw new StageError("AuthenticationFailed", `Cannot read docker config of ${name}: it is no JSON text`);
  }
  if (!isJsonObject(value)) {
    throw new StageError("AuthenticationFailed", `Cannot read docker config of ${name}: it must be a JSON object`);
  }
  const auths = options.legacy === true ? value : value.auths ?? {};
  if (!isJsonObject(auths)) {
    throw new StageError("AuthenticationFailed", `Cannot read docker config of ${name}: "auths" must be an object`);
  }
  const logins = Object.entries(auths).flatMap(([key, entry]) => {
    const place = readKey(key);
    return place === undefined || !isJsonObject(entry) ? [] : [{ key, ...place, entry }];
  });
  return {
    logins: logins.sort(byPrecision),
    credHelpers: new Map(
      Object.entries(isJsonObject(value.credHelpers) ? value.credHelpers : {})
        .filter((pair): pair is [string, string] => typeof pair[1] === "string" && pair[1] !== ""),
    ),
    ...(typeof value.credsStore === "string" && value.credsStore !== "" ? { credsStore: value.credsStore } : {}),
  };
}

/**
 * All logins of a config that fit a repository, best first (kubelet `pkg/credentialprovider/keyring.go`): the ports are the
 * same text, the hosts have as many labels and each label matches, and the path is a prefix.
 *
 * Differs: a path prefix ends at a `/` (kubelet lets `reg/foo` match `reg/foobar`, kubernetes #102472); Docker Hub's names
 * are one registry; all matches are tried (Flux tries the first).
 *
 * @throws {StageError} AuthenticationFailed when a fitting entry cannot be read
 */
export function matchDockerConfig(config: DockerConfig, target: LoginTarget): readonly Credential[] {
  const { host, port } = splitPort(target.registry);
  return config.logins
    .filter((login) =>
      login.port === port && hostMatches(login.host, host) && pathMatches(login.path, target.repository)
    )
    .flatMap((login) => {
      const credential = credentialOf(login.entry, login.key);
      return credential === undefined ? [] : [credential];
    });
}

/** Logins of a Secret of type `kubernetes.io/dockerconfigjson` or `kubernetes.io/dockercfg`. @throws {StageError} AuthenticationFailed */
export function secretCredentials(secret: ReferencedData, name: string): CredentialSource {
  const modern = secret.data.get(".dockerconfigjson");
  const old = secret.data.get(".dockercfg");
  const bytes = modern ?? old;
  if (bytes === undefined) {
    throw new StageError("AuthenticationFailed", `Cannot log in with ${name}: it has no key ".dockerconfigjson"`, {
      hint: "Make it with: kubectl create secret docker-registry",
    });
  }
  const config = parseDockerConfig(new TextDecoder().decode(bytes), name, { legacy: modern === undefined });
  return (target) => Promise.resolve().then(() => matchDockerConfig(config, target));
}

function readKey(key: string): { host: string; port: string; path: string } | undefined {
  const bare = key.trim().replace(/^https?:\/\//i, "");
  const slash = bare.indexOf("/");
  const { host, port } = splitPort(canonicalRegistry(slash < 0 ? bare : bare.slice(0, slash)));
  if (host === "") return undefined;
  const path = (slash < 0 ? "" : bare.slice(slash + 1)).replace(/^v[12]\/?(?=$|.)/, "").replace(/\/+$/, "");
  return { host, port, path: /^v[12]$/.test(path) ? "" : path };
}

function splitPort(registry: string): { host: string; port: string } {
  const [, host = "", port = ""] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(registry) ?? [];
  return { host, port };
}

function byPrecision(a: DockerLogin, b: DockerLogin): number {
  const globs = (login: DockerLogin) => (login.host.match(/[*?[]/g) ?? []).length;
  return globs(a) - globs(b) || b.path.length - a.path.length || b.host.length - a.host.length ||
    (a.key < b.key ? 1 : a.key > b.key ? -1 : 0);
}

function hostMatches(pattern: string, host: string): boolean {
  if (pattern.startsWith("[") || host.startsWith("[")) return pattern === host;
  const patterns = pattern.split(".");
  const labels = host.split(".");
  return patterns.length === labels.length && patterns.every((part, index) => labelMatches(part, labels[index] ?? ""));
}

/** Go's `path/filepath.Match` over one label: `*`, `?`, `[a-z]`, `[^a]`. */
function labelMatches(pattern: string, label: string): boolean {
  if (!/[*?[]/.test(pattern)) return pattern === label;
  let at = 0;
  let text = 0;
  let star = -1;
  let mark = 0;
  while (text < label.length) {
    const step = stepOf(pattern, at, label[text] ?? "");
    if (pattern[at] === "*") {
      star = at++;
      mark = text;
    } else if (step > 0) {
      at += step;
      text++;
    } else if (star >= 0) {
      at = star + 1;
      text = ++mark;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

/** Length of the pattern part at `at` that matches `letter`; 0 when it does not. */
function stepOf(pattern: string, at: number, letter: string): number {
  const sign = pattern[at];
  if (sign === "?") return 1;
  if (sign !== "[") return sign === letter ? 1 : 0;
  const end = pattern.indexOf("]", at + 2);
  if (end < 0) return 0;
  const isNegated = pattern[at + 1] === "^";
  const set = pattern.slice(at + (isNegated ? 2 : 1), end);
  let isIn = false;
  for (let index = 0; index < set.length; index++) {
    const low = set[index] ?? "";
    const high = set[index + 1] === "-" && index + 2 < set.length ? set[index += 2] ?? "" : low;
    if (low <= letter && letter <= high) isIn = true;
  }
  return isIn === isNegated ? 0 : end - at + 1;
}

function pathMatches(prefix: string, repository: string): boolean {
  return prefix === "" || repository === prefix || repository.startsWith(`${prefix}/`);
}

function credentialOf(entry: JsonObject, key: string): Credential | undefined {
  const text = (value: JsonValue | undefined) => typeof value === "string" ? value : "";
  if (text(entry.identitytoken) !== "") return { kind: "identity-token", token: text(entry.identitytoken) };
  if (text(entry.registrytoken) !== "") return { kind: "registry-token", token: text(entry.registrytoken) };
  const auth = text(entry.auth).trim();
  if (auth !== "") {
    const decoded = /^[A-Za-z0-9+/_-]+={0,2}$/.test(auth) ? Buffer.from(auth, "base64").toString("utf8") : "";
    const colon = decoded.indexOf(":");
    if (colon < 0) {
      throw new StageError(
        "AuthenticationFailed",
        `Cannot read docker config: "auth" of "${key}" is not the base64 form of user:password`,
      );
    }
    // Some writers pad with NUL.
    const password = decoded.slice(colon + 1).replace(/\0+$/, "");
    return loginOf(decoded.slice(0, colon), password);
  }
  return loginOf(text(entry.username), text(entry.password));
}

/** The credential of a user and password; user `<token>` means that the password is an identity token (docker's helpers). */
export function loginOf(username: string, password: string): Credential | undefined {
  if (username === "" && password === "") return undefined;
  return username === "<token>" ? { kind: "identity-token", token: password } : { kind: "basic", username, password };
}
