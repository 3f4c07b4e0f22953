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

/** Whether a word is a keyword. Asked for every word of every template: the length decides for most. */
export function isKeyword(word: string): word is Keyword {
  switch (word.length) {
    case 2:
      return word === "if";
    case 3:
      return word === "end" || word === "nil";
    case 4:
      return word === "else" || word === "with";
    case 5:
      return word === "range" || word === "block" || word === "break";
    case 6:
      return word === "define";
    case 8:
      return word === "template" || word === "continue";
  }
  return false;
}
