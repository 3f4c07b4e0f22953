import type { Field, Fields } from "./schema.ts";
import type { Kind } from "./kind.ts";
import { kinds, refusedKinds } from "./kinds.ts";
import { settingsTable } from "./settings_table.ts";

/** The reference page of all kinds and settings, as Markdown: made from the schemas that check documents. */
export function kindReference(): string {
  const sections = [
    "# Documents",
    "Every kind of document that Pilotfish reads, field by field. This page is made from the schemas that check documents.",
    'Durations are numbers with the units `ms`, `s`, `m`, `h`: `1h30m`. A field "as Flux" means what it means there; ' +
    "“no effect” is taken with a warning.",
    ...kinds.map(kindSection),
    "## Settings by flag and variable",
    "A flag wins over an environment variable, that over a Settings document, and that over the default.",
    settingsRows(),
    "## Kinds that are refused",
    [
      "| Kind | What to do instead |",
      "|---|---|",
      ...Object.entries(refusedKinds).map(([kind, hint]) => row([kind, hint])),
    ]
      .join("\n"),
  ];
  return `${sections.join("\n\n")}\n`;
}

function kindSection(kind: Kind): string {
  const old = kind.oldVersions.length === 0
    ? ""
    : ` Read with a warning: ${kind.oldVersions.map((version) => `\`${version}\``).join(", ")}.`;
  const prefix = kind.body === "spec" ? "spec" : "";
  return [
    `## ${kind.kind}`,
    `\`${kind.apiVersion}\`. ${kind.summary}${old}${
      kind.idle === undefined ? "" : ` **No effect yet**: ${kind.idle}.`
    }`,
    [
      "| Field | Type | Default | What it does | Stance |",
      "|---|---|---|---|---|",
      ...fieldRows(kind.schema.fields ?? {}, prefix),
    ]
      .join("\n"),
    `\`\`\`yaml\n${kind.example}\`\`\``,
  ].join("\n\n");
}

function fieldRows(fields: Fields, prefix: string): readonly string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    const isList = field.schema.type.startsWith("list");
    return [
      row([`\`${path}${isList ? "[]" : ""}\``, field.schema.type, presetOf(field), field.doc, field.stance]),
      ...fieldRows(field.schema.fields ?? {}, `${path}${isList ? "[]" : ""}`),
    ];
  });
}

function presetOf(field: Field): string {
  if (field.presetText !== undefined) return field.presetText;
  if (field.presence === "required") return "**required**";
  return field.presence === "defaulted" ? `\`${String(field.preset)}\`` : "";
}

function settingsRows(): string {
  return [
    "| Flag | Variable | Field | Default | What it does |",
    "|---|---|---|---|---|",
    ...settingsTable.map((setting) =>
      row([
        `\`--${setting.flag}${setting.value === undefined ? "" : ` ${setting.value}`}\``,
        `\`${setting.env}\``,
        `\`spec.${setting.path.join(".")}\``,
        setting.preset === null
          ? ""
          : `\`${typeof setting.preset === "object" ? JSON.stringify(setting.preset) : setting.preset}\``,
        setting.doc,
      ])
    ),
  ].join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}
