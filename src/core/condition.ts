/** A condition as Kubernetes writes it (`metav1.Condition`). */
export interface Condition {
  /** `Ready`, `Reconciling`, `Stalled`, `Healthy`, `FetchFailed`, … */
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
  /** RFC 3339, seconds. */
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
}

/** Conditions with one set or replaced; the transition time stays while the status stays. */
export function setCondition(conditions: readonly Condition[], next: Condition): readonly Condition[] {
  const old = conditions.find((condition) => condition.type === next.type);
  const merged = old !== undefined && old.status === next.status
    ? { ...next, lastTransitionTime: old.lastTransitionTime }
    : next;
  return old === undefined
    ? [...conditions, merged]
    : conditions.map((condition) => (condition.type === next.type ? merged : condition));
}

/** Conditions without one. */
export function dropCondition(conditions: readonly Condition[], type: string): readonly Condition[] {
  return conditions.some((condition) => condition.type === type)
    ? conditions.filter((condition) => condition.type !== type)
    : conditions;
}

/** One condition by type. */
export function condition(conditions: readonly Condition[], type: string): Condition | undefined {
  return conditions.find((candidate) => candidate.type === type);
}

/** Whether a condition is there and true. */
export function isTrue(conditions: readonly Condition[], type: string): boolean {
  return condition(conditions, type)?.status === "True";
}
