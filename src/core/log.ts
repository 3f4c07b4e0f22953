/** Fields of a log line: values for machines. Secrets never enter. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Log of one part of the program. The message is a fixed text; what varies goes into fields. Nothing is logged when nothing changed. */
export interface Log {
  /** Why something was decided. */
  debug(message: string, fields?: LogFields): void;
  /** State changed. */
  info(message: string, fields?: LogFields): void;
  /** It works, but a person should look. */
  warn(message: string, fields?: LogFields): void;
  /** An object stopped being Ready, or we have a fault. */
  error(message: string, fields?: LogFields): void;
}

/** A log that drops everything. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
