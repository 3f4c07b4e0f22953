import type { FormatError } from "../../../format/format_error.ts";

/** Go's words for an expression that could not be compiled. */
export function regexpFault(error: FormatError): string {
  const { cause } = error;
  const why = cause instanceof Error ? cause.message : error.message;
  // Go shows the part that is wrong even where it is empty.
  return why.endsWith("trailing backslash at end of expression") ? `${why}: \`\`` : why;
}
