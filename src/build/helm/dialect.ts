/** Which Helm's answers are given: Helm 3.22, 4.1 or 4.2.4. They differ in splitting, nulls, kinds and texts. */
export type Dialect = "helm3" | "helm4.1" | "helm4.2.4";

/** The dialect of a request that names none. */
export const defaultDialect: Dialect = "helm4.2.4";

/** Whether texts and functions are those of Helm 3. */
export function isHelm3(dialect: Dialect): boolean {
  return dialect === "helm3";
}

/** The dialect of the template language, which did not change from Helm 4.1 to 4.2. */
export function languageOf(dialect: Dialect): "helm3" | "helm4.2.4" {
  return dialect === "helm3" ? "helm3" : "helm4.2.4";
}
