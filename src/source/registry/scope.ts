/** What may be done with a repository, for a token: `pull`, or `pull,push`. */
export type RepositoryActions = "pull" | "pull,push";

/** Scope of a repository (distribution `docs/spec/auth/scope.md`). */
export function repositoryScope(repository: string, actions: RepositoryActions): string {
  return `repository:${repository}:${actions}`;
}

/**
 * Scopes in the order given, each resource once, its actions joined and sorted. What the registry demanded should come
 * first: some token servers read only the first scope.
 */
export function joinScopes(scopes: readonly string[]): readonly string[] {
  const byResource = new Map<string, Set<string>>();
  const other: string[] = [];
  for (const scope of scopes.flatMap((text) => text.split(/\s+/)).filter((text) => text !== "")) {
    const colon = scope.lastIndexOf(":");
    if (colon <= 0) {
      if (!other.includes(scope)) other.push(scope);
      continue;
    }
    const resource = scope.slice(0, colon);
    const actions = byResource.get(resource) ?? new Set<string>();
    for (const action of scope.slice(colon + 1).split(",")) if (action !== "") actions.add(action);
    byResource.set(resource, actions);
  }
  const joined = [...byResource].map(([resource, actions]) =>
    `${resource}:${actions.has("*") ? "*" : [...actions].sort().join(",")}`
  );
  return [...joined, ...other].slice(0, 16);
}
