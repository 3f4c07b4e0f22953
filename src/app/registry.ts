import type { OpenNetwork } from "../core/network.ts";
import type { Settings } from "../core/specs.ts";
import type { ImageReference } from "../format/image_reference.ts";
import { parseImageReference } from "../format/image_reference.ts";
import type { OciDestination } from "../source/oci_source.ts";
import {
  type CredentialSource,
  firstCredentials,
  fixedCredential,
  joinCredentials,
} from "../source/registry/credential.ts";
import { loginOf, secretCredentials } from "../source/registry/docker_config.ts";
import { dockerConfigCredentials } from "../source/registry/docker_config_files.ts";
import { openLogin } from "../source/registry/login/login_provider.ts";
import { RegistryClient } from "../source/registry/registry_client.ts";
import type { RepositoryAccess } from "../source/repository_access.ts";
import type { Doors } from "./doors.ts";

/** How a command logs in: by flags, else as the docker client would. */
export interface RegistryLogin {
  /** `user:password`. */
  readonly credentials?: string;
  /** Plain HTTP. */
  readonly insecure: boolean;
  /** PEM of a certificate authority. */
  readonly caCert?: string;
}

/** Registries of the whole program: connections and logins are shared. */
export interface Registries extends Disposable {
  /** A repository as a document reaches it. */
  ofDocument(access: RepositoryAccess): OciDestination;
  /** A repository as a command reaches it. */
  ofCommand(reference: ImageReference, login: RegistryLogin): OciDestination;
}

/** Opens the registry client. `onWarning` hears what registries want people to know. */
export function openRegistries(
  doors: Doors,
  options: { readonly mirrors?: Settings["mirrors"]; readonly onWarning?: (text: string) => void } = {},
): Registries {
  const client = new RegistryClient({
    connect: doors.connect,
    clock: doors.clock,
    random: doors.random,
    lookup: doors.lookup,
    ...(options.mirrors === undefined ? {} : { mirrors: options.mirrors }),
  });
  const ofMachine = dockerConfigCredentials(doors);
  const cloud = cloudLogins(doors);
  const warn = options.onWarning === undefined ? {} : { onWarning: options.onWarning };
  return {
    ofDocument(access) {
      return client.repository(parseImageReference(access.url), {
        credentials: firstCredentials([
          joinCredentials(access.logins.map(({ secret, name }) => secretCredentials(secret, name))),
          cloud.of(access.provider),
          ofMachine,
        ]),
        network: access.network,
        insecure: access.insecure,
        ...warn,
      });
    },
    ofCommand(reference, login) {
      return client.repository(reference, {
        credentials: login.credentials === undefined ? ofMachine : flagLogin(reference.registry, login.credentials),
        network: login.caCert === undefined ? {} : { caCerts: [login.caCert] },
        insecure: login.insecure,
        ...warn,
      });
    },
    [Symbol.dispose]() {
      client[Symbol.dispose]();
      cloud[Symbol.dispose]();
    },
  };
}

/** Logins of clouds, each opened at its first use and kept with its tokens. */
function cloudLogins(doors: Doors): Disposable & { of(provider: RepositoryAccess["provider"]): CredentialSource } {
  const opened = new Map<string, CredentialSource>();
  let network: OpenNetwork | undefined;
  const tools = {
    network: (request: Request) => (network ??= doors.connect({})).send(request),
    clock: doors.clock,
    env: doors.processes.env,
    readText: (path: string) => doors.fileSystem.readText(path),
  };
  return {
    of(provider) {
      const login = opened.get(provider) ?? openLogin(provider, tools);
      opened.set(provider, login);
      return login;
    },
    [Symbol.dispose]: () => network?.[Symbol.dispose](),
  };
}

function flagLogin(registry: string, credentials: string): CredentialSource {
  const colon = credentials.indexOf(":");
  const login = loginOf(credentials.slice(0, colon), credentials.slice(colon + 1));
  return login === undefined ? () => Promise.resolve([]) : fixedCredential(registry, login);
}
