import { pointed } from "./argument_type.ts";
import type { Functions } from "./expression.ts";
import { assign, Expressions } from "./expression.ts";
import { floatText } from "./go_number.ts";
import { quoteText } from "./go_quote.ts";
import { sortedKeys } from "./go_string.ts";
import { goTypes } from "./go_type.ts";
import type { Branch, Statement, Tree } from "./node.ts";
import { textOf } from "./printf.ts";
import type { Body, Run, Template } from "./run.ts";
import { GoBytes, GoInt, goInt, GoMap, GoSlice, GoStruct, isTrue } from "./value.ts";
import type { Value } from "./value.ts";

/** Runs a statement; the result says whether a loop must end or go on with its next turn. */
type Execute = (run: Run) => Flow;

type Flow = 0 | 1 | 2;
const onward: Flow = 0;
const leaving: Flow = 1;
const skipping: Flow = 2;

/** What a template of a tree does when it runs. */
export function compileTemplate(tree: Tree, functions: Functions): Body {
  return new Statements(new Expressions(functions)).list(tree.body) as unknown as Body;
}

/** Compiles statements of one template. */
class Statements {
  readonly #expressions: Expressions;

  constructor(expressions: Expressions) {
    this.#expressions = expressions;
  }

  list(nodes: readonly Statement[]): Execute {
    const steps = nodes.map((node) => this.#statement(node));
    if (steps.length === 1) return steps[0] as Execute;
    return (run) => {
      for (let index = 0; index < steps.length; index++) {
        const flow = (steps[index] as Execute)(run);
        if (flow !== onward) return flow;
      }
      return onward;
    };
  }

  #statement(node: Statement): Execute {
    switch (node.kind) {
      case "text": {
        const { text } = node;
        return (run) => {
          run.node = node;
          run.write(text);
          return onward;
        };
      }
      case "action":
        return this.#action(node);
      case "if":
      case "with":
        return this.#condition(node);
      case "range":
        return this.#range(node);
      case "template":
        return this.#template(node);
      case "break":
        return () => leaving;
      case "continue":
        return () => skipping;
    }
  }

  #action(node: Statement & { readonly kind: "action" }): Execute {
    const pipeline = this.#expressions.pipeline(node.pipeline);
    if (node.pipeline.variables.length > 0) {
      return (run) => {
        run.spend(1);
        run.node = node;
        pipeline(run);
        return onward;
      };
    }
    const [only, second] = node.pipeline.commands;
    // One frame less for the frequent `{{ include … }}`; the pipeline's own mark shows nowhere between.
    const evaluate = second === undefined && only !== undefined ? this.#expressions.command(only, false) : pipeline;
    return (run) => {
      run.spend(1);
      run.node = node.pipeline;
      const value = evaluate(run) ?? undefined;
      run.node = node;
      if (typeof value === "string") run.write(value);
      else if (typeof value === "number") run.write(floatText(value));
      else run.write(shownText(run, value));
      return onward;
    };
  }

  #condition(node: Branch): Execute {
    const pipeline = this.#expressions.pipeline(node.pipeline);
    // Branches are compiled when they are first taken: most never are.
    let body: Execute | undefined;
    let otherwise: Execute | undefined;
    const isWith = node.kind === "with";
    return (run) => {
      run.spend(1);
      run.node = node;
      const mark = run.names.length;
      const value = pipeline(run);
      let flow = onward;
      if (isTrue(value)) {
        if (isWith) {
          const { dot, isDotHeld } = run;
          run.dot = value;
          run.isDotHeld = false;
          flow = (body ??= this.list(node.body))(run);
          run.dot = dot;
          run.isDotHeld = isDotHeld;
        } else flow = (body ??= this.list(node.body))(run);
      } else if (node.otherwise !== undefined) flow = (otherwise ??= this.list(node.otherwise))(run);
      run.popTo(mark);
      return flow;
    };
  }

  #range(node: Branch): Execute {
    const pipeline = this.#expressions.pipeline(node.pipeline);
    let body: Execute | undefined;
    let otherwise: Execute | undefined;
    const { variables, isAssignment } = node.pipeline;
    const [first, second] = variables;

    /** One turn; says whether to go on. */
    const turn = (run: Run, mark: number, index: Value, element: Value, isHeld: boolean): Flow => {
      run.spend(1);
      if (first !== undefined) {
        if (isAssignment) {
          assign(run, first, second === undefined ? element : index, second === undefined && isHeld);
          if (second !== undefined) assign(run, second, element, isHeld);
        } else {
          run.values[mark - 1] = element;
          run.held[mark - 1] = isHeld;
          if (second !== undefined) {
            run.values[mark - 2] = index;
            run.held[mark - 2] = false;
          }
        }
      }
      run.dot = element;
      run.isDotHeld = isHeld;
      const flow = (body ??= this.list(node.body))(run);
      if (run.names.length > mark) run.popTo(mark);
      return flow;
    };

    return (run) => {
      run.spend(1);
      run.node = node;
      const outer = run.names.length;
      const value = pipeline(run);
      const mark = run.names.length;
      const { dot, isDotHeld } = run;
      let turns = 0;
      if (value instanceof GoMap) {
        const { entries } = value;
        const isHeld = value.type.elem?.kind === "interface";
        // All pairs are taken before the first turn: what a turn does to the map is not seen.
        run.spend(entries?.size ?? 0);
        const keys = sortedKeys(entries);
        const elements = keys.map((key) => entries?.get(key));
        for (let index = 0; index < keys.length; index++) {
          turns++;
          if (turn(run, mark, keys[index], elements[index], isHeld) === leaving) break;
        }
      } else if (value instanceof GoSlice) {
        const isHeld = value.type.elem?.kind === "interface";
        const items = value.items ?? [];
        for (let index = 0; index < items.length; index++) {
          turns++;
          if (turn(run, mark, goInt(index), items[index], isHeld) === leaving) break;
        }
      } else if (value instanceof GoBytes) {
        const bytes = value.bytes ?? new Uint8Array();
        for (let index = 0; index < bytes.length; index++) {
          turns++;
          const byte = new GoInt(goTypes.uint8, bytes[index] as number);
          if (turn(run, mark, goInt(index), byte, false) === leaving) break;
        }
      } else if (value instanceof GoInt) {
        if (second !== undefined) {
          run.fail(`can't use ${textOf(run, value)} to iterate over more than one variable`);
        }
        const { type } = value;
        for (let index = 0; index < value.value; index++) {
          turns++;
          if (
            turn(run, mark, undefined, type === goTypes.int ? goInt(index) : new GoInt(type, index), false) === leaving
          ) {
            break;
          }
        }
      } else if (value !== undefined && value !== null) {
        run.fail(`range can't iterate over ${textOf(run, pointed(value))}`);
      }
      run.dot = dot;
      run.isDotHeld = isDotHeld;
      const flow = turns === 0 && node.otherwise !== undefined
        ? (otherwise ??= this.list(node.otherwise))(run)
        : onward;
      run.popTo(outer);
      // `break` in the else part ends an outer loop in Go's parser only; there it is refused.
      return flow;
    };
  }

  #template(node: Statement & { readonly kind: "template" }): Execute {
    const pipeline = node.pipeline === undefined ? undefined : this.#expressions.pipeline(node.pipeline);
    const { name } = node;
    return (run) => {
      run.spend(1);
      run.node = node;
      const template = run.find(name);
      if (template === undefined) run.fail(`template ${quoteText(name)} not defined`);
      run.checkDepth();
      run.call(template as Template, pipeline?.(run), node);
      return onward;
    };
  }
}

/** Text of a value as an action prints it. */
function shownText(run: Run, value: Value): string {
  if (value === undefined) return "<no value>";
  if (value instanceof GoStruct) {
    const record = value.type.methods?.String;
    if (record === undefined) return textOf(run, pointed(value));
    if (value.type.hidesString) return record.call(run, value) as string;
  }
  return textOf(run, value);
}
