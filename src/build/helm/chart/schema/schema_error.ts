/** A schema that cannot be used; the message is what Helm shows below the chart's name. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
}
