import { isPrintable, quoteText } from "./template/go_quote.ts";

/** Something Helm would log while it loads or renders. */
export interface Notice {
  readonly level: "DEBUG" | "INFO" | "WARN" | "ERROR";
  /** Helm 4's message. */
  readonly message: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** The whole line as Helm 3 prints it, where it prints one. */
  readonly helm3?: string;
}

/** Takes notices as they come up. */
export type Notify = (notice: Notice) => void;

/** A notice of Helm's plain logger: Helm 3 puts the place in its source in front. */
export function plainNotice(message: string, place: string): Notice {
  return { level: "INFO", message, helm3: `${place}: ${message}` };
}

/** The line that Helm 4 writes (Go's `slog` text form without time). */
export function noticeLine(notice: Notice): string {
  const fields = Object.entries(notice.fields ?? {}).map(([key, value]) => ` ${slogText(key)}=${slogText(value)}`);
  return `level=${notice.level} msg=${slogText(notice.message)}${fields.join("")}`;
}

/** For people: message, then what it speaks of. */
export function noticeText(notice: Notice): string {
  const fields = Object.entries(notice.fields ?? {}).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return fields.length === 0 ? notice.message : `${notice.message} (${fields.join(", ")})`;
}

function slogText(text: string): string {
  if (text === "") return '""';
  for (const symbol of text) {
    if (symbol === '"' || symbol === "=" || symbol === " " || !isPrintable(symbol) || symbol === "\ufffd") {
      return quoteText(text);
    }
  }
  return text;
}
