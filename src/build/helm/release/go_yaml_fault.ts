import type { FormatError } from "../../../format/format_error.ts";

/** What go-yaml says of a text that is no YAML. */
export function goYamlFault(_text: string, error: FormatError): string {
  return `yaml: line ${error.line ?? 1}: ${error.what}`;
}
