import { Buffer } from "node:buffer";
import { errorAnswer } from "./registry_faults.ts";

/** Somebody who may log in. */
export interface RegistryUser {
  readonly name: string;
  readonly password: string;
  /** Actions by repository, `*` for all others; default: everything. */
  readonly rights?: Readonly<Record<string, readonly ("pull" | "push")[]>>;
}

/** How a {@linkcode ScriptedRegistry} asks who is there. */
export type RegistryLogin =
  | { readonly kind: "none" }
  | { readonly kind: "basic"; readonly users: readonly RegistryUser[] }
  | {
    readonly kind: "bearer";
    readonly users: readonly RegistryUser[];
    /** Where tokens are given; default `/token` of the host that was asked. */
    readonly realm?: string;
    readonly service?: string;
    /** What anybody may do without a login. */
    readonly anonymous?: Readonly<Record<string, readonly ("pull" | "push")[]>>;
    /** Seconds that a token lives; default 300. `undefined` given: the answer does not say, and the token lives 60 s. */
    readonly lifetimeSeconds?: number | undefined;
    /** Refresh tokens (`identitytoken` of a Docker config) and whose they are. */
    readonly refreshTokens?: Readonly<Record<string, string>>;
    /** Field of the answer; default both. */
    readonly field?: "token" | "access_token";
    /** Whether OAuth2's POST is known; default yes. */
    readonly hasPost?: boolean;
    /** Gives tokens for another repository than asked. */
    readonly wrongScope?: boolean;
    /** Order of the challenges; default only Bearer. */
    readonly alsoBasic?: "before" | "after";
  };

interface Grant {
  readonly rights: ReadonlyMap<string, ReadonlySet<string>>;
  readonly expiresAt: number;
}

/** The door of a scripted registry: checks logins, and gives tokens where it is a token server. */
export class LoginDesk {
  readonly #login: RegistryLogin;
  readonly #now: () => number;
  readonly #grants = new Map<string, Grant>();
  /** Tokens given so far. */
  tokensGiven = 0;

  constructor(login: RegistryLogin, now: () => number) {
    this.#login = login;
    this.#now = now;
  }

  /** Makes every token worthless. */
  revoke(): void {
    this.#grants.clear();
  }

  /** A refusal, or nothing when the request may pass. `repository` is absent for `/v2/`. */
  refusal(request: Request, repository: string | undefined, action: "pull" | "push"): Response | undefined {
    const login = this.#login;
    if (login.kind === "none") return undefined;
    const header = request.headers.get("authorization") ?? "";
    if (login.kind === "basic" || (login.alsoBasic !== undefined && /^basic /i.test(header))) {
      const user = this.#user(header);
      if (user === undefined) return this.#unauthorized(request, repository, action);
      if (repository === undefined || may(user.rights, repository, action)) return undefined;
      return errorAnswer(403, "DENIED", "requested access to the resource is denied");
    }
    const grant = this.#grants.get(/^bearer (.+)$/i.exec(header)?.[1] ?? "");
    if (grant === undefined || grant.expiresAt <= this.#now()) {
      return this.#unauthorized(request, repository, action, header === "" ? undefined : "invalid_token");
    }
    if (repository === undefined || grant.rights.get(repository)?.has(action)) return undefined;
    return this.#unauthorized(request, repository, action, "insufficient_scope");
  }

  /** The token server: GET with Basic (distribution `docs/spec/auth/token.md`), POST with a form (`oauth.md`). */
  async token(request: Request): Promise<Response> {
    const login = this.#login;
    if (login.kind !== "bearer") return new Response("no token server", { status: 404 });
    if (request.method === "POST") {
      if (login.hasPost === false) return new Response("not found", { status: 404 });
      const form = new URLSearchParams(await request.text());
      const user = form.get("grant_type") === "refresh_token"
        ? login.users.find(({ name }) => name === login.refreshTokens?.[form.get("refresh_token") ?? ""])
        : login.users.find((one) => one.name === form.get("username") && one.password === form.get("password"));
      if (user === undefined) return Response.json({ error: "invalid_grant" }, { status: 401 });
      return this.#grant(user.rights ?? { "*": ["pull", "push"] }, form.getAll("scope"), form.get("refresh_token"));
    }
    const query = new URL(request.url).searchParams;
    const header = request.headers.get("authorization");
    if (header === null) return this.#grant(login.anonymous ?? {}, query.getAll("scope"));
    const user = this.#user(header);
    if (user === undefined) return errorAnswer(401, "UNAUTHORIZED", "authentication required");
    return this.#grant(user.rights ?? { "*": ["pull", "push"] }, query.getAll("scope"));
  }

  #grant(
    allowed: Readonly<Record<string, readonly string[]>>,
    scopes: readonly string[],
    refreshToken: string | null = null,
  ): Response {
    const login = this.#login;
    if (login.kind !== "bearer") throw new Error("Only a token server gives tokens");
    const rights = new Map<string, Set<string>>();
    for (const scope of scopes.flatMap((text) => text.split(" "))) {
      const [, repository, actions] = /^repository:(.+):([a-z,*]+)$/.exec(scope) ?? [];
      if (repository === undefined || actions === undefined) continue;
      const name = login.wrongScope === true ? `${repository}-other` : repository;
      const given = rights.get(name) ?? new Set();
      for (const action of actions.split(",")) if (may(allowed, repository, action)) given.add(action);
      rights.set(name, given);
    }
    const token = `given-token-${++this.tokensGiven}`;
    const says = !("lifetimeSeconds" in login) || login.lifetimeSeconds !== undefined;
    const lifetime = login.lifetimeSeconds ?? (says ? 300 : 60);
    this.#grants.set(token, { rights, expiresAt: this.#now() + lifetime * 1000 });
    return Response.json({
      ...(login.field === "access_token" ? {} : { token }),
      ...(login.field === "token" ? {} : { access_token: token }),
      ...(says ? { expires_in: lifetime, issued_at: new Date(this.#now()).toISOString() } : {}),
      ...(refreshToken === null ? {} : { refresh_token: refreshToken }),
    });
  }

  #user(header: string): RegistryUser | undefined {
    if (this.#login.kind === "none") return undefined;
    const [, encoded] = /^basic (.+)$/i.exec(header) ?? [];
    const [, name, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? "", "base64").toString()) ?? [];
    return this.#login.users.find((user) => user.name === name && user.password === password);
  }

  #unauthorized(request: Request, repository: string | undefined, action: string, error?: string): Response {
    const login = this.#login;
    const basic = 'Basic realm="scripted registry"';
    const answer = (challenge: string) =>
      errorAnswer(401, "UNAUTHORIZED", "authentication required", { "www-authenticate": challenge });
    if (login.kind !== "bearer") return answer(basic);
    const scope = repository === undefined
      ? ""
      : `,scope="repository:${repository}:${action === "push" ? "pull,push" : "pull"}"`;
    const realm = login.realm ?? new URL("/token", request.url).href;
    const bearer = `Bearer realm="${realm}",service="${login.service ?? "scripted"}"${scope}${
      error === undefined ? "" : `,error="${error}"`
    }`;
    if (login.alsoBasic === undefined) return answer(bearer);
    return answer(login.alsoBasic === "before" ? `${basic}, ${bearer}` : `${bearer}, ${basic}`);
  }
}

function may(
  rights: Readonly<Record<string, readonly string[]>> | undefined,
  repository: string,
  action: string,
): boolean {
  if (rights === undefined) return true;
  return (rights[repository] ?? rights["*"] ?? []).includes(action);
}
