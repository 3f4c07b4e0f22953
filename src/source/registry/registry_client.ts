/**
 * Part `source/registry`: the client of OCI registries (distribution-spec 1.1), on one `fetch`-shaped door.
 * In: references, credentials, connection options. Out: {@linkcode OciDestination}s, one per repository. May fail: StageError
 * AuthenticationFailed, OCIArtifactPullFailed, each with the registry's own words. Called by sources, verification and the
 * artifact commands. Connections, tokens and pauses are shared by all repositories of one client.
 *
 * @module
 */
import type { NetworkOptions, OpenNetwork } from "../../core/network.ts";
import type { ImageReference } from "../../format/image_reference.ts";
import { registryHost } from "../../format/image_reference.ts";
import { addressClass } from "./address_class.ts";
import { BearerTokens } from "./bearer_tokens.ts";
import type { CredentialSource } from "./credential.ts";
import { anonymous } from "./credential.ts";
import { HostGate } from "./host_gate.ts";
import { mirrorEndpoints } from "./mirror_endpoints.ts";
import { dropBody, readLimited, TransientFault } from "./registry_answer.ts";
import { RegistryRepository } from "./registry_repository.ts";
import type { LoginMemory } from "./registry_session.ts";
import { RegistrySession } from "./registry_session.ts";
import type { RegistryLimits, RegistryTools } from "./registry_tools.ts";
import { defaultLimits } from "./registry_tools.ts";
import type { Wire } from "./wire.ts";
import { openWire } from "./wire.ts";

/** How one repository is reached. */
export interface RepositoryOptions {
  /** Default: anonymous. */
  readonly credentials?: CredentialSource;
  readonly network?: NetworkOptions;
  /**
   * Allow plain HTTP, and any certificate where `network.caCerts` names none (Flux's `spec.insecure`). Loopback registries
   * may always speak plain HTTP. Which one a registry speaks is asked once.
   */
  readonly insecure?: boolean;
  /** Told what the registry wants people to know (`Warning` header); the same text may come again. */
  readonly onWarning?: (text: string) => void;
}

/** Time for finding out whether a registry speaks TLS. */
const probeTimeoutMs = 10_000;
/** Networks with different options that stay open. */
const networksAtMost = 32;

/** Speaks to registries. Keep one for the life of the program; dispose it to close its connections. */
export class RegistryClient implements Disposable {
  readonly #tools: RegistryTools;
  readonly #limits: RegistryLimits;
  readonly #gate: HostGate;
  readonly #memory: LoginMemory = { tokens: new BearerTokens(), known: new Map() };
  readonly #networks = new Map<string, OpenNetwork>();
  /** What a registry was found to speak, by host and options. */
  readonly #schemes = new Map<string, "http:" | "https:">();
  /** Monotonic time until which a mirror is passed over, by its origin. */
  readonly #resting = new Map<string, number>();

  constructor(tools: RegistryTools) {
    this.#tools = tools;
    this.#limits = { ...defaultLimits, ...tools.limits };
    this.#gate = new HostGate(tools.clock, this.#limits);
  }

  /** A repository. Goes outside only when it is asked something. @throws {StageError} InvalidDocument for a mirror that is no URL */
  repository(reference: ImageReference, options: RepositoryOptions = {}): RegistryRepository {
    const mirrors = mirrorEndpoints(this.#tools.mirrors ?? [], reference);
    const session = (endpoint: RegistrySession["endpoint"], wire: Wire) =>
      new RegistrySession(endpoint, wire, {
        credentials: options.credentials ?? anonymous,
        memory: this.#memory,
        onWarning: options.onWarning,
      });
    return new RegistryRepository(reference, {
      client: this,
      mirrors: () => {
        const { clientCert: _, ...shared } = options.network ?? {};
        return mirrors
          .filter((endpoint) => (this.#resting.get(endpoint.origin.origin) ?? 0) <= this.#tools.clock.monotonic())
          .map((endpoint) => session(endpoint, this.#wire(shared)));
      },
      origin: async (signal) => {
        const { origin, wire } = await this.#origin(reference.registry, options, signal);
        return session({
          origin,
          registry: reference.registry,
          repository: reference.repository,
          isMirror: false,
        }, wire);
      },
      onFailed: (failed) => {
        if (!failed.endpoint.isMirror) return this.#forgetScheme(failed.endpoint.origin.host);
        this.#resting.set(failed.endpoint.origin.origin, this.#tools.clock.monotonic() + this.#limits.mirrorRestMs);
      },
    });
  }

  [Symbol.dispose](): void {
    for (const network of this.#networks.values()) network[Symbol.dispose]();
    this.#networks.clear();
  }

  /** Address of a registry: TLS, unless plain HTTP is allowed and that is what it speaks. */
  async #origin(
    registry: string,
    options: RepositoryOptions,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly origin: URL; readonly wire: Wire }> {
    const host = registryHost(registry);
    const network = options.network ?? {};
    const hasOwnAuthority = (network.caCerts?.length ?? 0) > 0;
    const isLoopback = addressClass(new URL(`http://${host}`).hostname) === "loopback";
    const tlsWire = () =>
      this.#wire(options.insecure === true && !hasOwnAuthority ? { ...network, skipVerify: true } : network);
    const tls = () => ({ origin: new URL(`https://${host}`), wire: tlsWire() });
    // What is said of certificates means nothing here, and without it connections are shared with others.
    const { skipVerify: _, ...plainNetwork } = network;
    const plain = () => ({ origin: new URL(`http://${host}`), wire: this.#wire(plainNetwork) });
    if (options.insecure !== true && (!isLoopback || hasOwnAuthority)) return tls();

    const key = JSON.stringify([host, options.insecure === true, hasOwnAuthority]);
    const known = this.#schemes.get(key);
    if (known !== undefined) return known === "https:" ? tls() : plain();
    const spoken = await this.#answers(tls(), signal)
      ? "https:"
      : await this.#answers(plain(), signal)
      ? "http:"
      : undefined;
    if (spoken !== undefined) this.#schemes.set(key, spoken);
    return spoken === "http:" ? plain() : tls();
  }

  /** What failed may speak something else when it is back. */
  #forgetScheme(host: string): void {
    for (const key of this.#schemes.keys()) if (JSON.parse(key)[0] === host) this.#schemes.delete(key);
  }

  /** Whether something at an address answers what a registry's port is asked. */
  async #answers(
    address: { readonly origin: URL; readonly wire: Wire },
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    try {
      const { response } = await address.wire.once({
        method: "GET",
        url: new URL("/v2/", address.origin),
        action: `Cannot reach "${address.origin.host}"`,
        signal,
        headTimeoutMs: probeTimeoutMs,
      });
      if (response.status !== 400 || address.origin.protocol === "https:") {
        await dropBody(response);
        return true;
      }
      // A TLS port that is spoken to in plain HTTP says so in words.
      const text = new TextDecoder().decode(await readLimited(response, this.#limits.errorBytes));
      return !/https|tls|ssl/i.test(text);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      return error instanceof TransientFault && error.status !== undefined;
    }
  }

  #wire(options: NetworkOptions): Wire {
    const key = JSON.stringify(options);
    let network = this.#networks.get(key);
    if (network === undefined) {
      if (this.#networks.size >= networksAtMost) this.#closeOldest();
      network = this.#tools.connect(options);
    } else this.#networks.delete(key);
    this.#networks.set(key, network);
    return openWire(network.send, this.#tools, this.#limits, this.#gate);
  }

  #closeOldest(): void {
    const [key] = this.#networks.keys();
    if (key === undefined) return;
    this.#networks.get(key)?.[Symbol.dispose]();
    this.#networks.delete(key);
  }
}
