/**
 * Room `config`: documents -> desired state.
 * In: texts of files, folders and standard input. Out: checked objects, Secrets and ConfigMaps among the documents,
 * settings. May fail: nothing is thrown for what a person wrote; every problem is a value with its place. Called by
 * `app.ts`. Pure but for `documents.ts` (reads files) and `watch.ts` (waits).
 *
 * @module
 */

/** Steps from the root of a document to a value: names of fields and indexes of lists. */
export type Path = readonly (string | number)[];

/** What is wrong, or doubtful, with a value of a document. */
export interface Finding {
  /** An `error` keeps the document out; a `warning` does not. */
  readonly severity: "error" | "warning";
  readonly path: Path;
  /** What, and what is allowed. Never holds a secret. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
  /** Points at the name of the field, not at its value. */
  readonly atKey?: boolean;
  /** The line may show a secret: it is not printed. */
  readonly isSecret?: boolean;
}

/** Takes findings as they come up. */
export type Report = (finding: Finding) => void;

/** Text of a path: `spec.dependsOn[0].name`; names that are no plain words stand in brackets. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!/^[A-Za-z_][\w-]*$/.test(step)) text += `["${step}"]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}
