import type { Clock } from "../../../core/clock.ts";
import type { Dialect } from "../dialect.ts";
import { isHelm3 } from "../dialect.ts";
import type { Notice } from "../notice.ts";
import { noticeLine } from "../notice.ts";

/** A line that `--debug` shows. */
export interface DebugLine {
  /** Helm 4's message. */
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
  /** What Helm 3 says instead, and the place in its source that it shows in front. */
  readonly helm3: { readonly place: string; readonly text: string };
}

/** What the command printed: texts grow in the order in which Helm prints them. */
export class Printout {
  /** Files that are left to write: path as the user wrote it, joined with the template's. */
  readonly written = new Map<string, string>();
  /** Whether `--debug` was asked for. */
  readonly isDebug: boolean;
  readonly #dialect: Dialect;
  readonly #clock: Pick<Clock, "now">;
  #stdout = "";
  #stderr = "";

  constructor(
    options: { readonly dialect: Dialect; readonly isDebug: boolean; readonly clock: Pick<Clock, "now"> },
  ) {
    this.#dialect = options.dialect;
    this.isDebug = options.isDebug;
    this.#clock = options.clock;
  }

  /** Standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** Standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Adds to standard output. */
  out(text: string): void {
    this.#stdout += text;
  }

  /** Adds to standard error. */
  err(text: string): void {
    this.#stderr += text;
  }

  /** Logs what Helm would log, where its version logs it at all. */
  readonly notify = (notice: Notice): void => {
    if (!isHelm3(this.#dialect)) {
      if (notice.level !== "DEBUG" || this.isDebug) this.#stderr += `${noticeLine(notice)}\n`;
    } else if (notice.helm3 !== undefined) this.#stderr += `${notice.helm3}\n`;
  };

  /** Logs a line when `--debug` asks for it. */
  debug({ message, fields, helm3 }: DebugLine): void {
    if (!this.isDebug) return;
    const time = new Date(this.#clock.now()).toISOString().slice(0, 19).replaceAll("-", "/").replace("T", " ");
    this.notify({ level: "DEBUG", message, fields, helm3: `${helm3.place}: ${time} [debug] ${helm3.text}` });
  }
}
