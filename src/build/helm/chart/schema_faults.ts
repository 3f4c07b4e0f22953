import { fromBytes } from "../template/go_string.ts";
import type { Table } from "../values/tables.ts";
import { jsonOf } from "../values/value_json.ts";
import { ownSchemaUrl, SchemaDocuments } from "./schema/schema_documents.ts";
import { SchemaError } from "./schema/schema_error.ts";
import { faultLines, topFaults } from "./schema/schema_fault.ts";
import { parseSchemaText } from "./schema/schema_text.ts";
import { checkSchema, validateValues } from "./schema/validate.ts";
import type { SchemaOptions } from "./values_schema.ts";

/**
 * What is wrong with values by one chart's values.schema.json, a line each; `undefined` when nothing is. A schema that is
 * wrong itself is told in the same way (Helm 4.2.4, `ValidateAgainstSingleSchema`).
 */
export function schemaFaults(
  schema: Uint8Array,
  values: Table,
  options: SchemaOptions,
): string | undefined {
  try {
    const text = fromBytes(schema);
    const root = parseSchemaText(text);
    options.notify({ level: "DEBUG", message: "unmarshalled JSON schema", fields: { schema: text } });
    const { readSchema } = options;
    const documents = new SchemaDocuments({
      onUrn: (urn) =>
        options.notify({
          level: "WARN",
          message: "unresolved URN reference ignored; using permissive schema",
          fields: { urn },
          helm3: `jsonschema.go:192: WARNING: unresolved URN reference ignored; using permissive schema: ${urn}`,
        }),
      ...(readSchema === undefined ? {} : {
        read(url) {
          const answer = readSchema({ kind: "schema", url });
          if ("fault" in answer) throw new SchemaError(answer.fault);
          return parseSchemaText(answer.text);
        },
      }),
    });
    const resource = documents.add(ownSchemaUrl, root);
    checkSchema(documents, root, {
      document: resource.document,
      pointer: "",
      draft: resource.draft,
      dialect: options.dialect,
    });
    const fault = validateValues(documents, resource, jsonOf(values), options);
    return fault === undefined ? undefined : `${faultLines(topFaults(fault)).join("\n")}\n`;
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return error.message;
  }
}
