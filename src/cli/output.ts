import type { JsonValue } from "../core/json.ts";
import { printYaml } from "../format/yaml.ts";
import { UsageError } from "./command.ts";

/** Forms in which lists are printed. */
export type OutputForm = "table" | "json" | "yaml";

/** Reads `--output`. @throws {UsageError} for another word */
export function outputForm(text: string | undefined): OutputForm {
  if (text === undefined || text === "table" || text === "json" || text === "yaml") return text ?? "table";
  throw new UsageError(`Cannot print as "${text}": --output is table, json or yaml`);
}

/** Text of a value as JSON or YAML. */
export function printValue(value: JsonValue, form: "json" | "yaml"): string {
  if (form === "yaml") return printYaml(value);
  return `${JSON.stringify(value, (_, member) => typeof member === "bigint" ? Number(member) : member, 2)}\n`;
}

/** A table as kubectl prints it: upper-case heads, columns three blanks apart, nothing after the last. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)).join("   ")
      .trimEnd();
  return [heads, ...rows].map(line).join("\n") + "\n";
}

/** Bytes for people: `512 B`, `1.4 KiB`, `20.0 MiB`. */
export function sizeText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return unit === 0 ? `${size} B` : `${size.toFixed(1)} ${units[unit]}`;
}
