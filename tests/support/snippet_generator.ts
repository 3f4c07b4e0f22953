import type { JsonObject } from "../../src/core/json.ts";
import table from "../vectors/helm_snippet_words.json" with { type: "json" };

/**
 * Templates put together at random, for comparing our engine with another: every function with arguments that fit and
 * arguments that do not, statements around them, formats there and back. The same seed gives the same templates.
 */

type Kind =
  | "s"
  | "i"
  | "l"
  | "d"
  | "f"
  | "b"
  | "r"
  | "v"
  | "w"
  | "u"
  | "t"
  | "."
  | "T"
  | "L"
  | "Z"
  | "D"
  | "y"
  | "j"
  | "c"
  | "p"
  | "n"
  | "a";

const { finishers, members, signatures, values, words } = table as unknown as {
  readonly finishers: readonly string[];
  readonly members: readonly string[];
  /** What each function likes to get, one letter per argument; what is not here gets anything. */
  readonly signatures: Readonly<Record<string, string>>;
  readonly values: JsonObject;
  /** Arguments by letter: texts, integers, lists, dictionaries, formats, expressions, times and so on. */
  readonly words: Readonly<Record<Kind, readonly string[]>>;
};

/** Values that the templates speak of. */
export const snippetValues: JsonObject = values;

const kinds = Object.keys(words) as readonly Kind[];

/** A generator of templates. */
export class SnippetGenerator {
  #state: number;
  readonly #functions: readonly string[];

  /** @param functions names of all functions */
  constructor(seed: number, functions: readonly string[]) {
    this.#state = Math.imul(seed, 2654435761) >>> 0;
    this.#functions = functions;
  }

  random(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state / 2 ** 32;
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)] as T;
  }

  #argument(kind: Kind, depth: number): string {
    if (this.random() < 0.05) return this.pick(words[this.pick(kinds)]);
    if (depth > 0 && this.random() < 0.25) return `(${this.call(depth - 1)})`;
    if (kind === "s" && this.random() < 0.15) {
      return this.pick(words[this.pick(["y", "j", "p", "c", "u", "D"] as const)]);
    }
    return this.pick(words[kind]);
  }

  /** A call of a function, mostly with arguments of its liking. */
  call(depth: number): string {
    const name = this.pick(this.#functions);
    const wanted = [...signatures[name] ?? this.pick(["", "a", "aa", "aaa"])] as Kind[];
    if (this.random() < 0.04) wanted.pop();
    if (this.random() < 0.04) wanted.push("a");
    const values = wanted.map((kind) => this.#argument(kind, depth));
    let text: string;
    if (values.length > 0 && this.random() < 0.3) {
      const last = values.pop();
      text = `${last} | ${[name, ...values].join(" ")}`;
    } else text = [name, ...values].join(" ");
    if (this.random() < 0.12) text += ` | ${this.pick(finishers)}`;
    return this.random() < 0.04 ? `(${text}).${this.pick(members)}` : text;
  }

  /** An action or two, shown with type and JSON. */
  shown(): string {
    return `{{ $r := ${this.call(2)} }}{{ $r }}|{{ typeOf $r }}|{{ toJson $r }}`;
  }

  /** Statements with calls in them. */
  statement(depth: number): string {
    const kind = this.random();
    const expression = () => this.random() < 0.8 ? this.call(1) : this.pick(words.a);
    const text = () => this.pick([" ", "\n", "t ", "\n  ", "", "é"]);
    const open = this.pick(["{{ ", "{{- ", "{{"]);
    const close = this.pick([" }}", " -}}", "}}"]);
    const end = `${open}end${close}`;
    if (depth <= 0 || kind < 0.35) return `${open}${expression()}${close}${text()}`;
    const inner = () => this.statement(depth - 1);
    if (kind < 0.48) {
      const other = this.random() < 0.3 ? `else if ${expression()}` : "else";
      const rest = this.random() < 0.5 ? `${open}${other}${close}${inner()}` : "";
      return `${open}if ${expression()}${close}${inner()}${rest}${end}`;
    }
    if (kind < 0.62) {
      const over = this.pick([
        ".Values.list",
        ".Values.dict",
        ".Values.people",
        "(until 3)",
        "3",
        ".Values.deep",
        expression(),
        ".Files",
        "(int64 2)",
      ]);
      const flow = this.random() < 0.2 ? "{{ break }}" : this.random() < 0.2 ? "{{ continue }}" : "";
      const rest = this.random() < 0.3 ? `{{ else }}${this.statement(0)}` : "";
      return `${open}range ${
        this.pick(["", "$i, $v := ", "$v := "])
      }${over}${close}${text()}{{ . }}${inner()}${flow}${rest}${end}`;
    }
    if (kind < 0.72) {
      const rest = this.random() < 0.3
        ? `{{ else${this.random() < 0.3 ? ` with ${expression()}` : ""} }}${this.statement(0)}`
        : "";
      return `${open}with ${expression()}${close}{{ . }}${inner()}${rest}${end}`;
    }
    if (kind < 0.82) {
      const again = this.random() < 0.3 ? `{{ $x = ${expression()} }}{{ $x }}` : "";
      return `${open}$x := ${expression()}${close}{{ $x }}${again}${inner()}`;
    }
    if (kind < 0.92) {
      const data = this.pick([".", "$", ".Values", ".Values.dict", "nil", ".Values.missing"]);
      const use = this.pick([
        `{{ include "t${depth}" ${data} }}`,
        `{{ template "t${depth}" ${data} }}`,
        `{{ include "t${depth}" ${data} | nindent 2 }}`,
      ]);
      return `{{ define "t${depth}" }}${inner()}{{ end }}${use}`;
    }
    return inner() + inner();
  }

  /** One template of any sort. */
  snippet(): string {
    const kind = this.random();
    if (kind < 0.45) return `{{ ${this.call(2)} }}`;
    if (kind < 0.7) return this.shown();
    return this.statement(3);
  }
}

/** Names of functions whose results differ from run to run, or that take long. */
export const unsteadyFunctions: ReadonlySet<string> = new Set(
  ("now ago genCA genCAWithKey genPrivateKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert " +
    "genSignedCertWithKey buildCustomCert bcrypt htpasswd derivePassword encryptAES decryptAES randAlpha randAlphaNum " +
    "randAscii randBytes randInt randNumeric shuffle uuidv4 getHostByName keys values break continue env expandenv")
    .split(" "),
);
