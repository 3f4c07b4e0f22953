/**
 * Tree of a template. `start` counts UTF-16 units from the beginning of the source; it is where Go reports a fault of the
 * node. The Go syntax of each node stands above it.
 *
 * @module
 */
import { quoteText } from "./go_quote.ts";

/** Value of a number literal in each form that it fits. */
export interface NumberLiteral {
  readonly int?: bigint;
  readonly uint?: bigint;
  readonly float?: number;
  readonly complex?: { readonly re: number; readonly im: number };
}

/** What can be an argument or a command's first word. */
export type Operand =
  /** `printf` */
  | { readonly kind: "identifier"; readonly start: number; readonly name: string }
  /** `$x.a.b`; `$x` alone has no fields */
  | { readonly kind: "variable"; readonly start: number; readonly name: string; readonly fields: readonly string[] }
  /** `.a.b` */
  | { readonly kind: "field"; readonly start: number; readonly fields: readonly string[] }
  /** `(pipeline).a.b`, `now.Year` */
  | { readonly kind: "chain"; readonly start: number; readonly base: Operand; readonly fields: readonly string[] }
  /** `.` */
  | { readonly kind: "dot"; readonly start: number }
  /** `nil` */
  | { readonly kind: "nil"; readonly start: number }
  /** `true` */
  | { readonly kind: "bool"; readonly start: number; readonly value: boolean }
  /** `1_000`, `0x1p-2`, `'a'` */
  | { readonly kind: "number"; readonly start: number; readonly text: string; readonly value: NumberLiteral }
  /** `"text"` */
  | { readonly kind: "string"; readonly start: number; readonly quoted: string; readonly text: string }
  | Pipeline;

/** `a b | c` with declarations `$x, $y :=` or assignments `$x =` before it. */
export interface Pipeline {
  readonly kind: "pipeline";
  readonly start: number;
  readonly isAssignment: boolean;
  readonly variables: readonly string[];
  readonly commands: readonly Command[];
}

/** `printf "%d" 3`: the first word and its arguments. */
export interface Command {
  readonly kind: "command";
  readonly start: number;
  readonly args: readonly Operand[];
}

/** Pieces of a template's body. */
export type Statement =
  | { readonly kind: "text"; readonly start: number; readonly text: string }
  /** `{{ pipeline }}` */
  | { readonly kind: "action"; readonly start: number; readonly pipeline: Pipeline }
  | Branch
  /** `{{ template "name" pipeline }}` */
  | { readonly kind: "template"; readonly start: number; readonly name: string; readonly pipeline?: Pipeline }
  /** `{{ break }}` */
  | { readonly kind: "break"; readonly start: number }
  /** `{{ continue }}` */
  | { readonly kind: "continue"; readonly start: number };

/** `{{ if pipeline }} body {{ else }} otherwise {{ end }}`, and the same for `range` and `with`. */
export interface Branch {
  readonly kind: "if" | "range" | "with";
  readonly start: number;
  readonly pipeline: Pipeline;
  readonly body: readonly Statement[];
  readonly otherwise?: readonly Statement[];
}

/** A named template as it was parsed. */
export interface Tree {
  readonly name: string;
  /** Source that holds it: its name is what errors show. */
  readonly source: { readonly name: string; readonly text: string };
  readonly body: readonly Statement[];
}

/** A node that a fault can point at. */
export type AnyNode = Statement | Operand | Command;

/** Whether a body holds nothing but blanks: such a definition never replaces another. */
export function isBlank(body: readonly Statement[]): boolean {
  return body.every((node) => node.kind === "text" && /^[\s\u0085]*$/.test(node.text) && !node.text.includes("\ufeff"));
}

/** A node printed as Go prints it in errors. */
export function nodeText(node: AnyNode): string {
  switch (node.kind) {
    case "text":
      return node.text;
    case "action":
      return `{{${nodeText(node.pipeline)}}}`;
    case "if":
    case "range":
    case "with": {
      const otherwise = node.otherwise === undefined ? "" : `{{else}}${listText(node.otherwise)}`;
      return `{{${node.kind} ${nodeText(node.pipeline)}}}${listText(node.body)}${otherwise}{{end}}`;
    }
    case "template":
      return `{{template ${quoteText(node.name)}${node.pipeline === undefined ? "" : ` ${nodeText(node.pipeline)}`}}}`;
    case "break":
    case "continue":
      return `{{${node.kind}}}`;
    case "pipeline": {
      const variables = node.variables.length === 0
        ? ""
        : `${node.variables.join(", ")} ${node.isAssignment ? "=" : ":="} `;
      return variables + node.commands.map(nodeText).join(" | ");
    }
    case "command":
      return node.args.map((arg) => arg.kind === "pipeline" ? `(${nodeText(arg)})` : nodeText(arg)).join(" ");
    case "identifier":
      return node.name;
    case "variable":
      return [node.name, ...node.fields].join(".");
    case "field":
      return `.${node.fields.join(".")}`;
    case "chain": {
      const base = nodeText(node.base);
      return `${node.base.kind === "pipeline" ? `(${base})` : base}.${node.fields.join(".")}`;
    }
    case "dot":
      return ".";
    case "nil":
      return "nil";
    case "bool":
      return String(node.value);
    case "number":
      return node.text;
    case "string":
      return node.quoted;
  }
}

function listText(nodes: readonly Statement[]): string {
  return nodes.map(nodeText).join("");
}
