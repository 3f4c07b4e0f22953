import { settingsTable } from "../config/settings_table.ts";

/** The settings as flags: what `--help` lists. */
export const settingsHelp: readonly {
  readonly name: string;
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
  readonly value?: string;
  readonly help: string;
}[] = settingsTable.map((row) => ({
  name: row.flag,
  type: row.value === undefined ? "boolean" : "string",
  ...(row.isList === true ? { multiple: true } : {}),
  ...(row.value === undefined ? {} : { value: row.value }),
  help: `${row.doc} (${row.env}${
    row.preset === null || typeof row.preset === "object" ? "" : `, default ${row.preset}`
  })`,
}));
