/** One way to log in that a registry offers (RFC 9110, 11.6.1). */
export interface Challenge {
  /** Lower case: `basic`, `bearer`, … */
  readonly scheme: string;
  /** Names in lower case. The first of a name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const blanks = /[ \t]*/y;

/**
 * Reads the value of one or more `WWW-Authenticate` headers, joined with commas. Values may be quoted and hold commas; what
 * cannot be read is skipped up to the next comma, never thrown.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const text = header.slice(0, 16_384);
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? "";
    at += found.length;
    return found;
  };
  while (at < text.length) {
    take(blanks);
    if (text[at] === ",") {
      at++;
      continue;
    }
    const name = take(token);
    if (name === "") {
      at = nextComma(text, at);
      continue;
    }
    take(blanks);
    const current = challenges.at(-1);
    if (text[at] === "=" && text[at + 1] !== "=" && current !== undefined) {
      at++;
      take(blanks);
      const value = text[at] === '"' ? takeQuoted() : takeBare();
      const key = name.toLowerCase();
      if (!current.parameters.has(key)) current.parameters.set(key, value);
    } else {
      challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    }
  }
  return challenges;

  function takeQuoted(): string {
    let value = "";
    for (at++; at < text.length && text[at] !== '"'; at++) {
      if (text[at] === "\\" && at + 1 < text.length) at++;
      value += text[at];
    }
    at++;
    return value;
  }

  function takeBare(): string {
    const end = nextComma(text, at);
    const value = text.slice(at, end).trim();
    at = end;
    return value;
  }
}

function nextComma(text: string, from: number): number {
  const comma = text.indexOf(",", from);
  return comma < 0 ? text.length : comma;
}
