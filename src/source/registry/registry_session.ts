import { StageError } from "../../core/stage_error.ts";
import { warningTexts } from "./answer_headers.ts";
import type { BearerTokens } from "./bearer_tokens.ts";
import { basicAuthorization } from "./bearer_tokens.ts";
import type { Challenge } from "./challenge.ts";
import { parseChallenges } from "./challenge.ts";
import type { Credential, CredentialSource } from "./credential.ts";
import { credentialKey } from "./credential.ts";
import { answerError, dropBody, registryMessage } from "./registry_answer.ts";
import type { RepositoryActions } from "./scope.ts";
import { joinScopes, repositoryScope } from "./scope.ts";
import type { Wire, WireAnswer, WireRequest } from "./wire.ts";
import { withRetries } from "./wire.ts";

/** One repository at one address: the registry itself, or a mirror of it. */
export interface Endpoint {
  /** `scheme://host[:port]`. */
  readonly origin: URL;
  /** Registry for which credentials are looked up. */
  readonly registry: string;
  /** Path at this address; a mirror may have a prefix before the registry's own. */
  readonly repository: string;
  readonly isMirror: boolean;
}

/** What a registry demanded before, so that the next request carries its login at once. */
export interface KnownLogin {
  readonly challenge: Challenge;
  /** Scopes demanded beside our own. */
  readonly scopes: readonly string[];
  /** The credential that was taken. */
  readonly credentialKey: string;
}

/** State that all sessions of a client share. */
export interface LoginMemory {
  readonly tokens: BearerTokens;
  /** By address, repository and actions; and by address alone. */
  readonly known: Map<string, KnownLogin>;
}

const knownAtMost = 4096;

/** One request of a repository. `path` is what stands after `/v2/<repository>/`; `url` replaces it for uploads and pages. */
export interface SessionRequest extends Omit<WireRequest, "url" | "authorization"> {
  readonly path?: string;
  readonly url?: URL;
  /** Default `pull`. */
  readonly actions?: RepositoryActions;
  /** Further scopes, for a mount. */
  readonly scopes?: readonly string[];
}

/** Sends requests of one repository to one address, logged in. */
export class RegistrySession {
  readonly endpoint: Endpoint;
  readonly wire: Wire;
  readonly #credentials: CredentialSource;
  readonly #memory: LoginMemory;
  readonly #onWarning: ((text: string) => void) | undefined;

  constructor(
    endpoint: Endpoint,
    wire: Wire,
    options: {
      readonly credentials: CredentialSource;
      readonly memory: LoginMemory;
      readonly onWarning?: ((text: string) => void) | undefined;
    },
  ) {
    this.endpoint = endpoint;
    this.wire = wire;
    this.#credentials = options.credentials;
    this.#memory = options.memory;
    this.#onWarning = options.onWarning;
  }

  /** URL of a path below the repository. */
  url(path: string): URL {
    return new URL(`/v2/${this.endpoint.repository}/${path}`, this.endpoint.origin);
  }

  /**
   * An answer with any status but 401, 403 and those that pass.
   *
   * @throws {StageError} AuthenticationFailed, OCIArtifactPullFailed
   */
  send(request: SessionRequest): Promise<WireAnswer> {
    return withRetries(this.wire, request.action, request.signal, () => this.once(request));
  }

  /** The same with one try. @throws {TransientFault} for a fault that passes */
  async once(request: SessionRequest): Promise<WireAnswer> {
    const { path, url, actions = "pull", scopes = [], ...rest } = request;
    const plain: WireRequest = { ...rest, url: url ?? this.url(path ?? "") };
    const own = [repositoryScope(this.endpoint.repository, actions), ...scopes];
    const memoryKey = JSON.stringify([this.endpoint.origin.origin, own]);
    // Another repository of the registry tells which login is wanted, though not with which scopes.
    const known = this.#memory.known.get(memoryKey) ?? this.#memory.known.get(this.endpoint.origin.origin);
    const first = known === undefined ? undefined : await this.#authorizationAgain(known, own, plain);

    let answer = await this.wire.once({ ...plain, authorization: first });
    this.#warn(answer);
    if (answer.response.status !== 401 && (answer.response.status !== 403 || known === undefined)) {
      return await this.#checked(answer, request);
    }
    // Answers from elsewhere (a download host) say nothing about our login.
    if (answer.url.origin !== plain.url.origin) return await this.#checked(answer, request);

    const header = answer.response.headers.get("www-authenticate") ?? "";
    const challenge = chosenChallenge(parseChallenges(header)) ?? (known?.challenge);
    if (challenge === undefined) return await this.#checked(answer, request);
    const candidates = await this.#candidates(request.signal);
    let refused = first;
    for (const credential of candidates) {
      const demanded = (challenge.parameters.get("scope") ?? "").split(/\s+/).filter((scope) => scope !== "");
      let authorization: string | undefined;
      try {
        authorization = await this.#authorization(challenge, [...demanded, ...own], credential, plain, refused);
      } catch (error) {
        if (
          error instanceof StageError && error.reason === "AuthenticationFailed" && credential !== candidates.at(-1)
        ) {
          continue;
        }
        throw error;
      }
      if (authorization === undefined || authorization === refused) continue;
      await dropBody(answer.response);
      answer = await this.wire.once({ ...plain, authorization });
      this.#warn(answer);
      if (answer.response.status !== 401 && answer.response.status !== 403) {
        const login = { challenge, scopes: demanded, credentialKey: credentialKey(credential) };
        this.#remember(memoryKey, login);
        this.#remember(this.endpoint.origin.origin, { ...login, scopes: [] });
        return answer;
      }
      refused = authorization;
    }
    this.#memory.known.delete(memoryKey);
    return await this.#checked(answer, request);
  }

  /** Credentials to try: those that are found, or none at all. */
  async #candidates(signal: AbortSignal | undefined): Promise<readonly (Credential | undefined)[]> {
    const found = await this.#credentials(
      { registry: this.endpoint.registry, repository: this.endpoint.repository },
      signal,
    );
    return found.length === 0 ? [undefined] : found;
  }

  async #authorizationAgain(
    known: KnownLogin,
    own: readonly string[],
    request: WireRequest,
  ): Promise<string | undefined> {
    const candidates = await this.#candidates(request.signal);
    const same = candidates.findIndex((candidate) => credentialKey(candidate) === known.credentialKey);
    const credential = candidates[Math.max(0, same)];
    try {
      return await this.#authorization(known.challenge, [...known.scopes, ...own], credential, request, undefined);
    } catch (error) {
      // Without it the registry asks anew, and all credentials have their turn.
      if (error instanceof StageError && error.reason === "AuthenticationFailed") return undefined;
      throw error;
    }
  }

  async #authorization(
    challenge: Challenge,
    scopes: readonly string[],
    credential: Credential | undefined,
    request: WireRequest,
    refused: string | undefined,
  ): Promise<string | undefined> {
    if (challenge.scheme === "basic") {
      return credential?.kind === "basic" ? basicAuthorization(credential) : undefined;
    }
    const token = await this.#memory.tokens.get(this.wire, {
      registry: this.endpoint.origin,
      challenge,
      scopes: joinScopes(scopes),
      credential,
      signal: request.signal,
      action: request.action,
    }, refused?.replace(/^Bearer /, ""));
    return `Bearer ${token}`;
  }

  #remember(key: string, login: KnownLogin): void {
    const { known } = this.#memory;
    known.delete(key);
    if (known.size >= knownAtMost) {
      const [oldest] = known.keys();
      if (oldest !== undefined) known.delete(oldest);
    }
    known.set(key, login);
  }

  async #checked(answer: WireAnswer, request: SessionRequest): Promise<WireAnswer> {
    const { status } = answer.response;
    if (status !== 401 && status !== 403) return answer;
    const message = await registryMessage(answer.response, this.wire.limits.errorBytes);
    throw answerError(answer.response, request.action, message);
  }

  #warn(answer: WireAnswer): void {
    if (this.#onWarning === undefined || answer.url.origin !== this.endpoint.origin.origin) return;
    for (const text of warningTexts(answer.response.headers.get("warning"))) this.#onWarning(text);
  }
}

/** The challenge that we can answer; Bearer first. */
function chosenChallenge(challenges: readonly Challenge[]): Challenge | undefined {
  return challenges.find((challenge) => challenge.scheme === "bearer" && challenge.parameters.has("realm")) ??
    challenges.find((challenge) => challenge.scheme === "basic");
}
