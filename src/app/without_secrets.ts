import type { Log, LogFields } from "../core/log.ts";
import type { Checkpoints } from "../reconcile/checkpoint.ts";

/** Takes secrets out of a text. */
export type CleanText = (text: string) => string;

/** A log whose texts are cleaned: errors of registries and API servers may quote what they were sent. */
export function logWithoutSecrets(log: Log, clean: CleanText): Log {
  const cleaned = (fields: LogFields | undefined): LogFields | undefined =>
    fields &&
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? clean(value) : value]),
    );
  return {
    debug: (message, fields) => log.debug(message, cleaned(fields)),
    info: (message, fields) => log.info(message, cleaned(fields)),
    warn: (message, fields) => log.warn(message, cleaned(fields)),
    error: (message, fields) => log.error(message, cleaned(fields)),
  };
}

/** Records whose messages are cleaned before they are kept: they are shown again after the next start. */
export function checkpointsWithoutSecrets(checkpoints: Checkpoints, clean: CleanText): Checkpoints {
  return {
    get: (key) => checkpoints.get(key),
    all: () => checkpoints.all(),
    forget: (key) => checkpoints.forget(key),
    save: (record) =>
      checkpoints.save({
        ...record,
        conditions: record.conditions.map((one) => {
          const message = clean(one.message);
          return message === one.message ? one : { ...one, message };
        }),
      }),
  };
}
