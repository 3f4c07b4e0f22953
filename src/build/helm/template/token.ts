/** Kinds of tokens. Keywords carry their own name. */
export type TokenType =
  | "error"
  | "eof"
  | "text"
  | "left"
  | "right"
  | "space"
  | "="
  | ":="
  | "|"
  | "("
  | ")"
  | "char"
  | "string"
  | "rawString"
  | "variable"
  | "field"
  | "dot"
  | "identifier"
  | "bool"
  | "number"
  | "complex"
  | "character"
  | Keyword;

/** Words with a meaning of their own. */
export type Keyword =
  | "block"
  | "break"
  | "continue"
  | "define"
  | "else"
  | "end"
  | "if"
  | "nil"
  | "range"
  | "template"
  | "with";

/** A token. `start` counts UTF-16 units from the beginning of the source. The text of an `error` is its message. */
export interface Token {
  readonly type: TokenType;
  readonly text: string;
  readonly start: number;
}

const words: ReadonlySet<string> = new Set<Keyword>([
  "block",
  "break",
  "continue",
  "define",
  "else",
  "end",
  "if",
  "nil",
  "range",
  "template",
  "with",
]);

/** Whether a word is a keyword. */
export function isKeyword(word: string): word is Keyword {
  return words.has(word);
}
