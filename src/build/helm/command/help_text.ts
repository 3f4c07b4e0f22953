import type { Dialect } from "../dialect.ts";
import { templateFlags } from "./template_flags.ts";

/** What `template --help` prints: our own words, a line for each flag that is not deprecated. */
export function helpText(dialect: Dialect): string {
  const rows = Object.entries(templateFlags(dialect))
    .filter(([, row]) => row.deprecated === undefined)
    .map(([name, row]) => {
      const short = row.short === undefined ? "    " : `-${row.short}, `;
      const type = row.type === "bool" ? "" : ` ${row.type}`;
      return `  ${short}--${name}${type}`.padEnd(46) + row.summary;
    });
  return [
    "Render a chart's templates locally and print the manifests.",
    "",
    "Usage:",
    "  template [NAME] [CHART] [flags]",
    "",
    "Flags:",
    ...rows,
    "",
  ].join("\n");
}
