import type { DesiredObject } from "../core/object.ts";
import type { References } from "../core/references.ts";
import type { HelmReleaseSpec, ValuesReference } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";

/** A text that `valuesFrom` found, with the reference that asked for it. */
export interface ResolvedValues {
  readonly reference: ValuesReference;
  readonly text: string;
}

/** Texts of `valuesFrom` in order. @throws {StageError} ValuesError for a reference or key that is missing and not optional */
export async function resolveValues(
  object: DesiredObject<HelmReleaseSpec>,
  references: References,
): Promise<readonly ResolvedValues[]> {
  const resolved: ResolvedValues[] = [];
  for (const reference of object.spec.valuesFrom) {
    const name =
      `could not resolve ${reference.kind} chart values reference '${object.key.namespace}/${reference.name}' with key '${reference.valuesKey}'`;
    const found = reference.kind === "Secret"
      ? await references.secret(object.key.namespace, reference.name)
      : await references.configMap(object.key.namespace, reference.name);
    const value = found?.data.get(reference.valuesKey);
    if (value === undefined) {
      if (reference.optional) continue;
      throw new StageError(
        "ValuesError",
        found === undefined
          ? `${name}: ${reference.kind.toLowerCase()}s "${reference.name}" not found`
          : `${name}: key not found`,
      );
    }
    resolved.push({ reference, text: new TextDecoder().decode(value) });
  }
  return resolved;
}
