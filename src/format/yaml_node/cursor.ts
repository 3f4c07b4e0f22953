import { cr, dash, dot, isBlankOrEnd, isBreak, lf } from "./characters.ts";
import type { YamlNode } from "./node.ts";
import { YamlSyntaxError } from "./syntax_error.ts";

/** A place in a YAML text that moves on while the text is read. */
export class Cursor {
  readonly text: string;
  pos = 0;
  /** Number of the line that `pos` stands in. */
  line: number;
  lineStart = 0;

  constructor(text: string, firstLine: number) {
    this.text = text;
    this.line = firstLine;
  }

  /** The character `offset` places on; NaN behind the end. */
  code(offset: number): number {
    return this.text.charCodeAt(this.pos + offset);
  }

  /** Place in the line, from 0. */
  column(): number {
    return this.pos - this.lineStart;
  }

  /** Where the line ends that `pos` stands in. */
  lineEnd(): number {
    let end = this.pos;
    const text = this.text;
    while (end < text.length && !isBreak(text.charCodeAt(end))) end++;
    return end;
  }

  /** @throws {YamlSyntaxError} always, with the place that is being read */
  fail(message: string, node?: YamlNode): never {
    throw new YamlSyntaxError(message, this.line, this.column() + 1, node);
  }

  /** Whether a line begins here with three of a character: a document's start or end. */
  isMarker(code: number): boolean {
    return this.column() === 0 && this.code(0) === code && this.code(1) === code && this.code(2) === code &&
      isBlankOrEnd(this.code(3));
  }

  /** Whether the text or the document ends here. */
  atEnd(): boolean {
    return this.pos >= this.text.length || this.isMarker(dash) || this.isMarker(dot);
  }

  /** Steps over one line break (CR LF is one). */
  lineBreak(): void {
    this.pos += this.code(0) === cr && this.code(1) === lf ? 2 : 1;
    this.line++;
    this.lineStart = this.pos;
  }
}
