import {
  configureSync,
  getLogger,
  getTextFormatter,
  jsonLinesFormatter,
  type LogRecord,
  resetSync,
} from "@logtape/logtape";
import type { Log, LogFields } from "../core/log.ts";

/** How log lines look and which are written. */
export interface LogSettings {
  readonly format: "json" | "text";
  readonly level: "debug" | "info" | "warn" | "error";
  /** Where lines go; standard error where absent. */
  readonly write?: (line: string) => void;
}

/** A log that writes lines: JSON objects for machines, or one readable line each. Only one at a time. */
export function openLog(settings: LogSettings): Log & Disposable {
  const encoder = new TextEncoder();
  const write = settings.write ?? ((line: string) => void Deno.stderr.writeSync(encoder.encode(line)));
  const format = settings.format === "json" ? jsonLinesFormatter : textLine;
  configureSync({
    sinks: { lines: (record: LogRecord) => write(format(record)) },
    loggers: [
      {
        category: ["pilotfish"],
        lowestLevel: settings.level === "warn" ? "warning" : settings.level,
        sinks: ["lines"],
      },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
    ],
    reset: true,
  });
  const logger = getLogger(["pilotfish"]);
  // Fields are passed as values: a message is never a template, so nothing in it is expanded.
  const clean = (fields: LogFields | undefined) =>
    Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined));
  return {
    debug: (message, fields) => logger.debug(escaped(message), clean(fields)),
    info: (message, fields) => logger.info(escaped(message), clean(fields)),
    warn: (message, fields) => logger.warn(escaped(message), clean(fields)),
    error: (message, fields) => logger.error(escaped(message), clean(fields)),
    [Symbol.dispose]: () => resetSync(),
  };
}

const textHead = getTextFormatter({
  timestamp: "rfc3339",
  level: "abbr",
  category: () => "",
  format: ({ timestamp, level, message }) => `${timestamp} ${level} ${message}`,
});

function textLine(record: LogRecord): string {
  const fields = Object.entries(record.properties).map(([key, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return ` ${key}=${/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)}`;
  });
  return `${textHead(record).trimEnd()}${fields.join("")}\n`;
}

function escaped(message: string): string {
  return message.replaceAll("{", "{{").replaceAll("}", "}}");
}
