import type { Dialect } from "../dialect.ts";

/**
 * What nulls in values do: each rule by its own name, because they changed from version to version and will again
 * (helm/helm#31644, #32132, #32522).
 */
export interface NullRules {
  /** A null in a chart's own values.yaml is dropped, at any depth, where the user says nothing of the key (since 4.2.0). */
  readonly dropsDefaultNulls: boolean;
  /**
   * Nulls of a parent's block for a sub-chart are dropped like any default null, so that the sub-chart's default comes
   * back, unless the user sets something in that block (since 4.2.0).
   */
  readonly dropsNullsForSubcharts: boolean;
}

/** The rules of a dialect. */
export function nullRulesOf(dialect: Dialect): NullRules {
  const isNew = dialect === "helm4.2.4";
  return { dropsDefaultNulls: isNew, dropsNullsForSubcharts: isNew };
}
