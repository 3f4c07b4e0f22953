/** Why a text is refused: it is wrong, or it is more than we take. */
export type FormatCode = "syntax" | "limit";

/** Where a {@linkcode FormatError} is and why. Lines and columns count from 1. */
export interface FormatErrorOptions {
  /** Default `syntax`. */
  readonly code?: FormatCode;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** The text that the line and column speak of: its line becomes the excerpt. */
  readonly source?: string;
  readonly cause?: unknown;
}

/**
 * The one error of the room `format`: a text that is not what it should be. `message` is `file:line:column: what`
 * with the parts that are known; it never holds the text itself, which stands in `excerpt` alone, because it may be secret.
 */
export class FormatError extends Error {
  override readonly name = "FormatError";
  readonly code: FormatCode;
  /** The message without the place. */
  readonly what: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** The line of the text with a caret below the column, two lines. May show what is secret. */
  readonly excerpt?: string;

  constructor(what: string, options: FormatErrorOptions = {}) {
    super(`${placePrefix(options)}${what}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.what = what;
    this.code = options.code ?? "syntax";
    if (options.file !== undefined) this.file = options.file;
    if (options.line !== undefined) this.line = options.line;
    if (options.column !== undefined) this.column = options.column;
    if (options.source !== undefined && options.line !== undefined) {
      this.excerpt = excerptOf(options.source, options.line, options.column ?? 1);
    }
  }
}

function placePrefix(options: FormatErrorOptions): string {
  const { file, line, column } = options;
  if (line === undefined) return file === undefined ? "" : `${file}: `;
  if (file === undefined) return `Line ${line}, column ${column ?? 1}: `;
  return `${file}:${line}:${column ?? 1}: `;
}

/** A line of a text with a caret below the column; long lines are cut to the 100 characters around it. */
export function excerptOf(text: string, line: number, column: number): string {
  const content = text.split(/\r\n|\n|\r/, line)[line - 1] ?? "";
  const start = Math.max(0, column - 60);
  const shown = content.slice(start, start + 100).replaceAll("\t", " ");
  const margin = `${line} | `;
  return `${margin}${shown}\n${" ".repeat(margin.length - 2)}| ${" ".repeat(Math.max(0, column - 1 - start))}^`;
}

/** Line and column, from 1, of an offset (UTF-16 code units) in a text. */
export function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1;
  let start = 0;
  for (let next = text.indexOf("\n"); next >= 0 && next < offset; next = text.indexOf("\n", start)) {
    line++;
    start = next + 1;
  }
  return { line, column: Math.max(0, offset - start) + 1 };
}
