/**
 * Joining words: `camelcase`, `snakecase`, `kebabcase` (huandu/xstrings 1.5: ToPascalCase, ToSnakeCase, ToKebabCase).
 *
 * @module
 */
import { hasRawBytes, rejoin, withoutRawBytes } from "../template/go_string.ts";
import { isGoSpace, lowerCharacter, mapCharacters, upperCharacter } from "./letter_case.ts";

type WordKind = "none" | "number" | "upper" | "letters" | "connector" | "punctuation" | "other";

interface Word {
  readonly kind: WordKind;
  readonly text: string;
}

function isConnector(character: string): boolean {
  return character === "-" || character === "_" || isGoSpace(character);
}

function isUpper(character: string): boolean {
  return /^\p{Lu}$/u.test(character);
}

/** Letters of scripts with words; Chinese characters are not. */
function isAlphabet(character: string): boolean {
  if (!/^\p{L}$/u.test(character)) return false;
  const code = character.codePointAt(0) as number;
  return !(code >= 0x4e00 && code <= 0x9fcc || code >= 0x3400 && code <= 0x4d85 || code >= 0x20000 && code <= 0x2b81d);
}

function isNumber(character: string): boolean {
  return /^\p{N}$/u.test(character);
}

function isPunctuation(character: string): boolean {
  return /^\p{P}$/u.test(character);
}

/** Characters of a text; bytes that are none stand with the character behind them, or count like the one before them. */
function unitsOf(text: string): { readonly texts: readonly string[]; readonly all: readonly string[] } {
  const texts: string[] = [];
  const all: string[] = [];
  let pending = "";
  for (const character of text) {
    if (hasRawBytes(character) || character === "\ufffd") pending += character;
    else {
      texts.push(pending + character);
      all.push(character);
      pending = "";
    }
  }
  if (pending !== "") {
    texts.push(pending);
    all.push(all.at(-1) ?? "");
  }
  return { texts, all };
}

/** Words of a text in order, each a run of one kind of characters. */
function* wordsOf(text: string): Generator<Word, void> {
  const { texts, all } = unitsOf(text);
  let index = 0;
  const run = (holds: (character: string) => boolean) => {
    const start = index;
    while (index < all.length && holds(all[index] as string)) index++;
    return texts.slice(start, index).join("");
  };
  while (index < all.length) {
    const first = all[index] as string;
    if (first === "") {
      yield { kind: "other", text: texts.slice(index++).join("") };
    } else if (isConnector(first)) yield { kind: "connector", text: run(isConnector) };
    else if (isPunctuation(first)) yield { kind: "punctuation", text: run(isPunctuation) };
    else if (isUpper(first)) yield { kind: "upper", text: upperWord() };
    else if (isAlphabet(first)) yield { kind: "letters", text: run((c) => isAlphabet(c) && !isUpper(c)) };
    else if (isNumber(first)) yield { kind: "number", text: run(isNumber) };
    else {
      yield {
        kind: "other",
        text: run((c) => !isConnector(c) && !isAlphabet(c) && !isNumber(c) && !isPunctuation(c)),
      };
    }
  }

  /** `Http`, `HTTP`; in `HTTPStatus` the S belongs to the next word. */
  function upperWord(): string {
    const start = index++;
    if (index < all.length && isUpper(all[index] as string)) {
      while (index < all.length && isUpper(all[index] as string)) index++;
      if (index < all.length && isAlphabet(all[index] as string)) index--;
    } else while (index < all.length && isAlphabet(all[index] as string) && !isUpper(all[index] as string)) index++;
    return texts.slice(start, index).join("");
  }
}

const nothing: Word = { kind: "none", text: "" };

/** `snakecase` with `_`, `kebabcase` with `-`: words in lower case, joined; a number sticks to the letters that follow it. */
export function joinWords(text: string, connector: "_" | "-"): string {
  const words = wordsOf(rejoin(text));
  const next = (): Word => words.next().value ?? nothing;
  let result = "";
  const write = ({ kind, text }: Word) => {
    if (kind !== "upper" && kind !== "connector") result += text;
    else result += mapCharacters(text, (c) => isConnector(c) ? connector : isUpper(c) ? lowerCharacter(c) : c);
  };
  const separates = (word: Word) => word.kind !== "none" && word.kind !== "punctuation" && word.kind !== "connector";

  let word = next();
  let following = next();
  while (following.kind !== "none") {
    if (word.kind !== "connector") write(word);
    const previous = word;
    word = following;
    following = next();
    /** Writes letters and numbers that go on without a connector. */
    const glue = () => {
      while (word.kind === "letters" || word.kind === "number") {
        write(word);
        word = following;
        following = next();
      }
    };
    if (previous.kind === "number") {
      glue();
      if (separates(word)) result += connector;
    } else if (previous.kind === "connector") write(previous);
    else if (previous.kind === "punctuation") continue;
    else if (word.kind !== "number") {
      if (word.kind !== "connector" && word.kind !== "punctuation") result += connector;
    } else if (following.kind !== "none") {
      const number = word;
      word = following;
      following = next();
      if (word.kind === "letters") {
        // Letters follow the number, so it starts a word: "HTTP2xx" is "http_2xx".
        result += connector;
        write(number);
        glue();
        if (separates(word)) result += connector;
      } else {
        write(number);
        if (word.kind !== "connector" && word.kind !== "punctuation") result += connector;
      }
    }
  }
  write(word);
  return result;
}

/** `camelcase`: `http_server` is `HttpServer`. */
export function pascalCase(text: string): string {
  const all = [...withoutRawBytes(text)];
  let index = 0;
  let result = "";
  while (index < all.length && isConnector(all[index] as string)) result += all[index++];
  // A text of connectors alone ends with its last one twice.
  if (index === all.length) return result + (all.at(-1) ?? "");
  let wasUpper = isUpper(all[index] as string);
  let current = upperCharacter(all[index++] as string);
  if (index === all.length) return result + current;
  for (; index < all.length; index++) {
    const previous = current;
    current = all[index] as string;
    if (isConnector(current) && isConnector(previous)) {
      result += previous;
      continue;
    }
    if (isConnector(previous)) {
      wasUpper = isUpper(current);
      current = upperCharacter(current);
    } else {
      if (wasUpper) {
        if (isUpper(current)) current = lowerCharacter(current);
        else wasUpper = false;
      }
      result += previous;
    }
  }
  return result + current;
}
