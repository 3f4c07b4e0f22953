import type { JsonValue } from "../../../core/json.ts";
import type { Dialect } from "../dialect.ts";
import type { Notify } from "../notice.ts";
import { fromBytes } from "../template/go_string.ts";
import { typeNameOf } from "../template/value.ts";
import { isTable } from "../values/tables.ts";
import type { Table } from "../values/tables.ts";
import { jsonOf } from "../values/value_json.ts";
import type { Chart } from "./chart.ts";
import { ChartError } from "./metadata.ts";
import { metaSchemaUrl, ownSchemaUrl, SchemaDocuments, SchemaError } from "./schema/schema_documents.ts";
import type { SchemaResource } from "./schema/schema_documents.ts";
import { faultLines, topFaults } from "./schema/schema_error.ts";
import { parseSchemaText } from "./schema/schema_text.ts";
import { validateValues } from "./schema/validate.ts";

/** How values are checked. */
export interface SchemaOptions {
  readonly dialect: Dialect;
  readonly notify: Notify;
}

/**
 * Checks values against the values.schema.json of a chart and of each sub-chart (Helm 4.2.4, `ValidateAgainstSchema`).
 *
 * Differs: nothing is fetched from the network and no file of this machine is read; a schema that needs it is refused.
 * @throws {ChartError} with Helm's text, all charts' faults in it
 */
export function checkSchemas(chart: Chart, values: Table, options: SchemaOptions): void {
  const text = chartFaults(chart, values, options);
  if (text !== "") {
    throw new ChartError(`values don't meet the specifications of the schema(s) in the following chart(s):\n${text}`);
  }
}

function chartFaults(chart: Chart, values: Table, options: SchemaOptions): string {
  const { name } = chart.metadata;
  let text = "";
  if (chart.schema !== undefined) {
    options.notify({ level: "DEBUG", message: "chart name", fields: { "chart-name": name } });
    const faults = schemaFaults(chart.schema, values, options);
    if (faults !== undefined) text += `${name}:\n${faults}`;
  }
  options.notify({
    level: "DEBUG",
    message: "number of dependencies in the chart",
    fields: { chart: name, dependencies: String(chart.dependencies.length) },
  });
  for (const child of chart.dependencies) {
    const inner = values.entries.get(child.metadata.name);
    if (inner === undefined || inner === null) continue;
    text += isTable(inner)
      ? chartFaults(child, inner, options)
      : `${child.metadata.name}:\ninvalid type for values: expected object (map), got ${typeNameOf(inner)}\n`;
  }
  return text;
}

function schemaFaults(schema: Uint8Array, values: Table, options: SchemaOptions): string | undefined {
  try {
    const text = fromBytes(schema);
    const root = parseSchemaText(text);
    options.notify({ level: "DEBUG", message: "unmarshalled JSON schema", fields: { schema: text } });
    const documents = new SchemaDocuments((urn) => {
      options.notify({
        level: "WARN",
        message: "unresolved URN reference ignored; using permissive schema",
        fields: { urn },
        helm3: `jsonschema.go:192: WARNING: unresolved URN reference ignored; using permissive schema: ${urn}`,
      });
    });
    const resource = documents.add(ownSchemaUrl, root);
    checkSchemaItself(documents, resource, root);
    const fault = validateValues(documents, resource, jsonOf(values));
    return fault === undefined ? undefined : `${faultLines(topFaults(fault)).join("\n")}\n`;
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return error.message;
  }
}

/** Checks a schema against the meta-schema of its draft. @throws {SchemaError} with Helm's text */
function checkSchemaItself(documents: SchemaDocuments, resource: SchemaResource, root: JsonValue): void {
  const url = metaSchemaUrl(resource.draft);
  const meta = documents.metaSchema(url);
  const fault = validateValues(documents, meta, root);
  if (fault === undefined) return;
  const lines = faultLines(topFaults(fault)).join("\n");
  throw new SchemaError(
    `"${ownSchemaUrl}#" is not valid against metaschema: jsonschema validation failed with '${url}#'\n${lines}`,
  );
}
