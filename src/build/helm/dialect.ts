/** Every dialect, oldest first. */
export const dialects = ["helm3", "helm4.1", "helm4.2.4"] as const;

/** Which Helm's answers are given: Helm 3.22, 4.1 or 4.2.4. They differ in splitting, nulls, kinds and texts. */
export type Dialect = (typeof dialects)[number];

/** The dialect of a request that names none. */
export const defaultDialect: Dialect = "helm4.2.4";

/** Whether texts and functions are those of Helm 3. */
export function isHelm3(dialect: Dialect): boolean {
  return dialect === "helm3";
}

/**
 * The dialect of the template language, which did not change from Helm 4.1 to 4.2. Differs: `mustToToml`, which came with
 * 4.2, is there for 4.1, too.
 */
export function languageOf(dialect: Dialect): "helm3" | "helm4.2.4" {
  return dialect === "helm3" ? "helm3" : "helm4.2.4";
}

/** What each Helm says before it names a fault of dependencies. */
export function dependencyAdvice(dialect: Dialect): string {
  const start = isHelm3(dialect) ? "An" : "an";
  const command = dialect === "helm4.2.4" ? "'helm dependency build'" : "`helm dependency build`";
  return `${start} error occurred while checking for chart dependencies. You may need to run ${command} to fetch missing dependencies`;
}
