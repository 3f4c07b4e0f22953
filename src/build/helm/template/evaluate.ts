/**
 * Makes closures of a template's tree: compiled once, run many times. Order of evaluation, checks and error texts are
 * those of Go 1.26 text/template (exec.go). A closure marks the node that an error would name (`run.node`) at the same
 * moments as Go does, because messages show the node that was marked last.
 *
 * @module
 */
import type { FunctionRecord, FunctionTable } from "../functions/registry.ts";
import { callee } from "./builtins.ts";
import { GoError } from "./go_error.ts";
import { quoteText } from "./go_quote.ts";
import { sortedKeys } from "./go_string.ts";
import { floatText } from "./go_number.ts";
import { canBeNil, goTypes, isAssignable } from "./go_type.ts";
import type { GoField, GoType } from "./go_type.ts";
import { nodeText } from "./node.ts";
import type { AnyNode, Branch, Command, Operand, Pipeline, Statement, Tree } from "./node.ts";
import { textOf } from "./printf.ts";
import type { Body, Run, Template } from "./run.ts";
import {
  GoBytes,
  GoComplex,
  GoInt,
  goInt,
  GoMap,
  GoSlice,
  GoStruct,
  isTrue,
  typeNameOf,
  typeOf,
  zeroOf,
} from "./value.ts";
import type { Value } from "./value.ts";

/** The functions that a template may name. Go's own come after Helm's. */
export interface Functions {
  readonly own: FunctionTable;
  readonly builtins: FunctionTable;
}

/** Evaluates something; `final` is the value that a pipeline hands on. */
type Evaluate = (run: Run, final?: Value) => Value;

/** Runs a statement; the result says whether a loop must end or go on with its next turn. */
type Execute = (run: Run) => Flow;

type Flow = 0 | 1 | 2;
const onward: Flow = 0;
const leaving: Flow = 1;
const skipping: Flow = 2;

/** What a template of a tree does when it runs. */
export function compileTemplate(tree: Tree, functions: Functions): Body {
  return new Compiler(functions).list(tree.body) as unknown as Body;
}

class Compiler {
  readonly #functions: Functions;

  constructor(functions: Functions) {
    this.#functions = functions;
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
    const pipeline = this.#pipeline(node.pipeline);
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
    const evaluate = second === undefined && only !== undefined ? this.#command(only, false) : pipeline;
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
    const pipeline = this.#pipeline(node.pipeline);
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
    const pipeline = this.#pipeline(node.pipeline);
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
    const pipeline = node.pipeline === undefined ? undefined : this.#pipeline(node.pipeline);
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

  #pipeline(node: Pipeline): Evaluate {
    const { variables, isAssignment } = node;
    const [first, ...rest] = node.commands.map((command, index) => this.#command(command, index > 0));
    const start = first as Evaluate;
    if (rest.length === 0 && variables.length === 0) {
      return (run) => {
        run.node = node;
        return start(run) ?? undefined;
      };
    }
    const [only] = rest;
    if (only !== undefined && rest.length === 1 && variables.length === 0) {
      return (run) => {
        run.node = node;
        return only(run, start(run) ?? undefined) ?? undefined;
      };
    }
    return (run) => {
      run.node = node;
      let value = start(run) ?? undefined;
      for (const stage of rest) value = stage(run, value) ?? undefined;
      for (const name of variables) {
        if (isAssignment) assign(run, name, value, false);
        else run.push(name, value, false);
      }
      return value;
    };
  }

  #command(node: Command, hasFinal: boolean): Evaluate {
    const word = node.args[0] as Operand;
    const hasArgs = node.args.length > 1 || hasFinal;
    switch (word.kind) {
      case "field":
      case "variable":
      case "chain":
        return this.#access(word, node.args.slice(1), hasFinal);
      case "identifier":
        return this.#function(word.name, word, node, node.args.slice(1), hasFinal);
      case "pipeline": {
        const pipeline = this.#pipeline(word);
        return hasArgs ? refuseArguments(word) : pipeline;
      }
    }
    const value = this.#word(word);
    const refuse = refuseArguments(word);
    return (run) => {
      run.node = word;
      return hasArgs ? refuse(run) : value(run);
    };
  }

  /** A literal or dot as the first word of a command. */
  #word(word: Operand): Evaluate {
    switch (word.kind) {
      case "dot":
        return (run) => {
          run.isHeld = run.isDotHeld;
          return run.dot;
        };
      case "nil":
        return (run) => run.fail("nil is not a command");
      default:
        return this.#literal(word);
    }
  }

  /** A literal where its own syntax decides the type. */
  #literal(node: Operand): Evaluate {
    switch (node.kind) {
      case "bool":
        return constant(node, node.value);
      case "string":
        return constant(node, node.text);
      case "number": {
        const { text, value } = node;
        const isHex = /^0[xX]./.test(text) && !/[pP]/.test(text);
        if (value.complex !== undefined) return constant(node, new GoComplex(value.complex.re, value.complex.im));
        if (value.float !== undefined && !isHex && text[0] !== "'" && /[.eEpP]/.test(text)) {
          return constant(node, value.float);
        }
        if (value.int !== undefined) return constant(node, goInt(value.int));
        return failing(node, `${text} overflows int`);
      }
    }
    return failing(node, `can't handle assignment of ${nodeText(node)} to empty interface argument`);
  }

  /** Fields of dot, of a variable or of what stands in parentheses. */
  #access(
    node: Operand & { readonly kind: "field" | "variable" | "chain" },
    args: readonly Operand[],
    hasFinal: boolean,
  ): Evaluate {
    const { fields } = node;
    const hasArgs = args.length > 0 || hasFinal;
    const last = fields.at(-1);
    const walk = (run: Run, receiver: Value, isHeld: boolean, final: Value): Value => {
      let value = receiver;
      let wasHeld = isHeld;
      const end = fields.length - 1;
      for (let index = 0; index < end; index++) {
        value = this.#field(run, value, wasHeld, fields[index] as string, node, [], false, undefined);
        wasHeld = run.isHeld;
      }
      return this.#field(run, value, wasHeld, last as string, node, args, hasFinal, final);
    };
    if (node.kind === "field") {
      const only = fields.length === 1 ? fields[0] : undefined;
      if (only !== undefined && !hasArgs) {
        return (run) => {
          run.node = node;
          return this.#field(run, run.dot, run.isDotHeld, only, node, [], false, undefined);
        };
      }
      return (run, final) => {
        run.node = node;
        return walk(run, run.dot, run.isDotHeld, final);
      };
    }
    if (node.kind === "variable") {
      const { name } = node;
      const refuse = refuseArguments(node);
      if (fields.length === 0) {
        return (run) => {
          run.node = node;
          const index = run.indexOf(name);
          if (hasArgs) refuse(run);
          run.isHeld = run.held[index] as boolean;
          return run.values[index];
        };
      }
      return (run, final) => {
        run.node = node;
        const index = run.indexOf(name);
        return walk(run, run.values[index], run.held[index] as boolean, final);
      };
    }
    const base = this.#base(node.base);
    return (run, final) => {
      run.node = node;
      const value = base(run);
      return walk(run, value, run.isHeld, final);
    };
  }

  /** What stands before the fields of a chain. */
  #base(node: Operand): Evaluate {
    if (node.kind === "pipeline") {
      const pipeline = this.#pipeline(node);
      return (run) => {
        run.node = node;
        const value = pipeline(run);
        run.isHeld = false;
        return value;
      };
    }
    if (node.kind === "identifier") {
      const call = this.#function(node.name, node, node, [], false);
      const isHeld =
        (this.#functions.own[node.name] ?? this.#functions.builtins[node.name])?.result.kind === "interface";
      return (run) => {
        run.node = node;
        const value = call(run);
        run.isHeld = isHeld;
        return value;
      };
    }
    return failing(node, `can't evaluate command ${quoteText(nodeText(node))}`);
  }

  /** One field, key or method of a value. */
  #field(
    run: Run,
    receiver: Value,
    isHeld: boolean,
    name: string,
    node: AnyNode,
    args: readonly Operand[],
    hasFinal: boolean,
    final: Value,
  ): Value {
    if (receiver instanceof GoMap && receiver.type.methods === undefined && args.length === 0 && !hasFinal) {
      const value = receiver.entries?.get(name);
      const elem = receiver.type.elem as GoType;
      run.isHeld = elem.kind === "interface";
      if (value !== undefined) return value;
      if (run.isStrict) run.fail(`map has no entry for key ${quoteText(name)}`);
      return zeroOf(elem);
    }
    if (receiver === undefined) {
      if (run.isStrict) run.fail(`nil data; no entry for key ${quoteText(name)}`);
      run.isHeld = false;
      return undefined;
    }
    if (receiver === null) return run.fail(`nil pointer evaluating interface {}.${name}`);
    const type = typeOf(receiver) as GoType;
    const typeName = isHeld ? "interface {}" : type.name;
    const method = type.methods?.[name];
    if (method !== undefined) {
      const value = this.#callMethod(run, method, receiver, name, node, args, hasFinal, final);
      run.isHeld = method.result.kind === "interface";
      return value;
    }
    const hasArgs = args.length > 0 || hasFinal;
    if (receiver instanceof GoMap) {
      if (hasArgs) run.fail(`${name} is not a method but has arguments`);
      const elem = type.elem as GoType;
      run.isHeld = elem.kind === "interface";
      const value = receiver.entries?.get(name);
      if (value === undefined && run.isStrict) run.fail(`map has no entry for key ${quoteText(name)}`);
      return value === undefined ? zeroOf(elem) : value;
    }
    const found = receiver instanceof GoStruct ? fieldOf(receiver, name) : undefined;
    if (found !== undefined) {
      if (found.owner.fields === null) run.fail(`nil pointer evaluating ${typeName}.${name}`);
      if (found.field.isPrivate) run.fail(`${name} is an unexported field of struct type ${typeName}`);
      if (hasArgs) run.fail(`${name} has arguments but cannot be invoked as function`);
      run.isHeld = found.field.type.kind === "interface";
      return found.owner.fields?.[name] ?? null;
    }
    return run.fail(`can't evaluate field ${name} in type ${typeName}`);
  }

  readonly #methodCalls = new Map<AnyNode, { readonly record: FunctionRecord; readonly call: Evaluate }>();

  #callMethod(
    run: Run,
    record: FunctionRecord,
    receiver: Value,
    name: string,
    node: AnyNode,
    args: readonly Operand[],
    hasFinal: boolean,
    final: Value,
  ): Value {
    run.spend(1);
    if (args.length === 0 && !hasFinal && record.params.length === 0 && record.rest === undefined) {
      const value = guarded(run, name, node, () => record.call(run, receiver));
      count(run, value);
      return value;
    }
    let known = this.#methodCalls.get(node);
    if (known?.record !== record) {
      known = { record, call: this.#arguments(record, name, node, args, hasFinal, undefined) };
      this.#methodCalls.set(node, known);
    }
    const outer = run.receiver;
    run.receiver = receiver;
    const value = known.call(run, final);
    count(run, value);
    run.receiver = outer;
    return value;
  }

  #function(
    name: string,
    identifier: Operand,
    node: AnyNode,
    args: readonly Operand[],
    hasFinal: boolean,
  ): Evaluate {
    const own = this.#functions.own[name];
    const record = own ?? this.#functions.builtins[name];
    if (record === undefined) return failing(identifier, `${quoteText(name)} is not a defined function`);
    const isBuiltin = own === undefined;
    if (isBuiltin && (name === "and" || name === "or")) {
      return enter(identifier, this.#shortCircuit(name, record, args, hasFinal));
    }
    if (isBuiltin && name === "call") return enter(identifier, this.#call(node, args, hasFinal, record));
    return this.#arguments(record, name, node, args, hasFinal, identifier);
  }

  /** `and`, `or`: the first operand that decides, or the last. */
  #shortCircuit(name: "and" | "or", record: FunctionRecord, args: readonly Operand[], hasFinal: boolean): Evaluate {
    const fault = arityFault(name, record, args.length, hasFinal);
    if (fault !== undefined) return (run) => run.fail(fault);
    const operands = args.map((arg) => this.#argument(arg, goTypes.reflect));
    const isDeciding = name === "or";
    return (run, final) => {
      let value: Value;
      for (const operand of operands) {
        value = operand(run);
        if (isTrue(value) === isDeciding) return value;
      }
      return hasFinal ? final : value;
    };
  }

  /** `call`: no value of a template is a function, so only its errors are left. */
  #call(node: AnyNode, args: readonly Operand[], hasFinal: boolean, record: FunctionRecord): Evaluate {
    const fault = arityFault("call", record, args.length, hasFinal);
    if (fault !== undefined) return (run) => run.fail(fault);
    const operands = args.map((arg) => this.#argument(arg, goTypes.reflect));
    return (run, final) => {
      const values = operands.map((operand) => operand(run));
      const target = operands.length > 0 ? values[0] : final;
      const name = args[0] === undefined ? reflectText(final) : nodeText(args[0]);
      return guarded(run, "call", node, () => callee(name, target));
    };
  }

  /** A call: arity first, then the arguments from left to right, then the value that is handed on. */
  #arguments(
    record: FunctionRecord,
    name: string,
    node: AnyNode,
    args: readonly Operand[],
    hasFinal: boolean,
    identifier: Operand | undefined,
  ): Evaluate {
    const fault = arityFault(name, record, args.length, hasFinal);
    if (fault !== undefined) return identifier === undefined ? (run) => run.fail(fault) : failing(identifier, fault);
    const typeAt = (index: number) => (record.params[index] ?? record.rest) as GoType;
    const operands = args.map((arg, index) => nativeOf(this.#argument(arg, typeAt(index)), typeAt(index)));
    const finalType = hasFinal ? typeAt(args.length) : undefined;
    const last: Evaluate | undefined = finalType === undefined
      ? undefined
      : nativeOf((run, final) => validated(run, final, finalType), finalType);
    const { call } = record;
    const all = last === undefined ? operands : [...operands, last];
    const counts = record.result.kind === "string" || record.result.kind === "slice";
    if (identifier === undefined) {
      return (run, final) => {
        const { receiver } = run;
        const values = all.map((operand) => operand(run, final));
        return guarded(run, name, node, () => call(run, receiver, ...values));
      };
    }
    const [a, b, c] = all as [Evaluate, Evaluate, Evaluate];
    // Frequent numbers of arguments without a list of them.
    switch (all.length) {
      case 1:
        return (run, final) => {
          run.spend(1);
          run.node = identifier;
          const x = a(run, final);
          try {
            weigh(run, x);
            const value = call(run, x);
            if (counts) count(run, value);
            return value;
          } catch (error) {
            throw wrapped(run, name, node, error);
          }
        };
      case 2:
        return (run, final) => {
          run.spend(1);
          run.node = identifier;
          const x = a(run, final);
          const y = b(run, final);
          try {
            weigh(run, x);
            weigh(run, y);
            const value = call(run, x, y);
            if (counts) count(run, value);
            return value;
          } catch (error) {
            throw wrapped(run, name, node, error);
          }
        };
      case 3:
        return (run, final) => {
          run.spend(1);
          run.node = identifier;
          const x = a(run, final);
          const y = b(run, final);
          const z = c(run, final);
          try {
            weigh(run, x);
            weigh(run, y);
            weigh(run, z);
            const value = call(run, x, y, z);
            if (counts) count(run, value);
            return value;
          } catch (error) {
            throw wrapped(run, name, node, error);
          }
        };
    }
    return (run, final) => {
      run.spend(1);
      run.node = identifier;
      const values = new Array<Value>(all.length);
      for (let index = 0; index < all.length; index++) values[index] = (all[index] as Evaluate)(run, final);
      try {
        for (const one of values) weigh(run, one);
        const value = call(run, ...values);
        if (counts) count(run, value);
        return value;
      } catch (error) {
        throw wrapped(run, name, node, error);
      }
    };
  }

  /** An argument, checked against the parameter's type. */
  #argument(node: Operand, type: GoType): Evaluate {
    switch (node.kind) {
      case "nil": {
        const zero = canBeNil(type) ? zeroOf(type) : undefined;
        return canBeNil(type) ? marked(node, () => zero) : failing(node, `cannot assign nil to ${type.name}`);
      }
      case "dot":
        return marked(node, (run) => validated(run, run.dot, type));
      case "field":
      case "variable":
      case "chain": {
        const access = this.#access(node, [], false);
        return marked(node, (run) => validated(run, access(run), type));
      }
      case "pipeline": {
        const pipeline = this.#pipeline(node);
        return marked(node, (run) => validated(run, pipeline(run), type));
      }
      case "identifier": {
        const call = this.#function(node.name, node, node, [], false);
        return marked(node, (run) => validated(run, call(run), type));
      }
    }
    if (type.kind === "interface" || type === goTypes.reflect) return this.#literal(node);
    return literalFor(node, type);
  }
}

/** A field by name, also one of an embedded struct. */
function fieldOf(owner: GoStruct, name: string): { readonly owner: GoStruct; readonly field: GoField } | undefined {
  const { fields } = owner.type.kind === "ptr" ? owner.type.elem as GoType : owner.type;
  const field = fields?.find((candidate) => candidate.name === name);
  if (field !== undefined) return { owner, field };
  for (const embedded of fields ?? []) {
    const inner = embedded.isEmbedded ? owner.fields?.[embedded.name] : undefined;
    const found = inner instanceof GoStruct ? fieldOf(inner, name) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A literal where the parameter decides the type. */
function literalFor(node: Operand & { readonly kind: "bool" | "number" | "string" }, type: GoType): Evaluate {
  const { kind } = type;
  if (kind === "bool") {
    return node.kind === "bool" ? constant(node, node.value) : failing(node, `expected bool; found ${nodeText(node)}`);
  }
  if (kind === "string") {
    return node.kind === "string"
      ? constant(node, node.text)
      : failing(node, `expected string; found ${nodeText(node)}`);
  }
  const number = node.kind === "number" ? node.value : {};
  if (kind === "float64") {
    return number.float === undefined
      ? failing(node, `expected float; found ${nodeText(node)}`)
      : constant(node, number.float);
  }
  if (kind.startsWith("uint")) {
    return number.uint === undefined
      ? failing(node, `expected unsigned integer; found ${nodeText(node)}`)
      : constant(node, new GoInt(type, wrapTo(type, number.uint)));
  }
  if (kind.startsWith("int") && kind !== "interface") {
    return number.int === undefined
      ? failing(node, `expected integer; found ${nodeText(node)}`)
      : constant(node, new GoInt(type, wrapTo(type, number.int)));
  }
  return failing(node, `can't handle ${nodeText(node)} for arg of type ${type.name}`);
}

function wrapTo(type: GoType, value: bigint): number | bigint {
  const bits = Number(/\d+$/.exec(type.kind)?.[0] ?? 64);
  const wrapped = type.kind.startsWith("uint") ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
  return Number.isSafeInteger(Number(wrapped)) ? Number(wrapped) : wrapped;
}

/** Counts what a function is handed against the steps of a render: a long text or list costs work each time it is read. */
function weigh(run: Run, value: Value): void {
  if (typeof value === "string") {
    if (value.length > 4096) run.spend(Math.floor(value.length / 32));
  } else if (value instanceof GoSlice && (value.items?.length ?? 0) > 256) run.spend(8 * (value.items?.length ?? 0));
}

/** Counts a function's result against what a render may make. */
function count(run: Run, value: Value): void {
  if (typeof value === "string") run.made(value.length + 16);
  else if (value instanceof GoSlice) {
    const { elem } = value.type;
    // Texts and numbers are made with their list.
    run.made(50 + (elem?.kind === "interface" ? 8 : 32) * (value.items?.length ?? 0));
  }
}

/** A call of a function that the evaluator runs itself. */
function enter(identifier: Operand, call: Evaluate): Evaluate {
  return (run, final) => {
    run.spend(1);
    run.node = identifier;
    return call(run, final);
  };
}

function marked(node: AnyNode, evaluate: Evaluate): Evaluate {
  return (run) => {
    run.node = node;
    return evaluate(run);
  };
}

function constant(node: AnyNode, value: Value): Evaluate {
  return (run) => {
    run.node = node;
    run.isHeld = false;
    return value;
  };
}

function failing(node: AnyNode, message: string): Evaluate {
  return (run) => {
    run.node = node;
    return run.fail(message);
  };
}

function refuseArguments(word: Operand): (run: Run) => never {
  const shown = word.kind === "pipeline" ? nodeText(word) : nodeText(word);
  return (run) => run.fail(`can't give argument to non-function ${shown}`);
}

function assign(run: Run, name: string, value: Value, isHeld: boolean): void {
  const index = run.indexOf(name);
  run.values[index] = value;
  run.held[index] = isHeld;
}

/** Why a call has the wrong number of arguments. */
function arityFault(name: string, record: FunctionRecord, given: number, hasFinal: boolean): string | undefined {
  const count = given + (hasFinal ? 1 : 0);
  const wanted = record.params.length;
  if (record.rest !== undefined) {
    return count < wanted ? `wrong number of args for ${name}: want at least ${wanted} got ${given}` : undefined;
  }
  return count === wanted ? undefined : `wrong number of args for ${name}: want ${wanted} got ${count}`;
}

/** A value where a type is wanted: nil becomes the type's zero, a pointer may be followed once. */
function validated(run: Run, value: Value, type: GoType): Value {
  if (type === goTypes.any) return value ?? null;
  if (type === goTypes.reflect) return value;
  if (type === goTypes.string && typeof value === "string") return value;
  if (value === undefined) {
    if (canBeNil(type)) return zeroOf(type);
    return run.fail(`invalid value; expected ${type.name}`);
  }
  if (value === null) return run.fail(`wrong type for value; expected ${type.name}; got interface {}`);
  const actual = typeOf(value) as GoType;
  if (isAssignable(actual, type)) return value;
  if (actual.kind === "ptr" && actual.elem !== undefined && isAssignable(actual.elem, type)) return pointed(value);
  return run.fail(`wrong type for value; expected ${type.name}; got ${actual.name}`);
}

/** The form in which functions get their arguments: numbers for integers, maps and slices under the parameter's type. */
function nativeOf(evaluate: Evaluate, type: GoType): Evaluate {
  switch (type.kind) {
    case "interface":
    case "string":
    case "bool":
    case "float64":
      return evaluate;
    case "map":
    case "slice":
      return (run, final) => {
        const value = evaluate(run, final);
        if (value instanceof GoMap && value.type !== type) return new GoMap(value.entries, type);
        if (value instanceof GoSlice && value.type !== type) return new GoSlice(value.items, type, value.room);
        return value;
      };
  }
  if (!/^u?int/.test(type.kind)) return evaluate;
  return (run, final) => {
    const value = evaluate(run, final);
    return value instanceof GoInt ? Number(value.value) : value;
  };
}

/** What a pointer points at; any other value as it is. */
function pointed(value: Value): Value {
  if (value instanceof GoStruct && value.type.kind === "ptr" && value.fields !== null) {
    return value.as(value.type.elem as GoType);
  }
  return value;
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

/** `reflect.Value.String`: the text of a string, else the type. */
function reflectText(value: Value): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "<invalid Value>" : `<${typeNameOf(value)} Value>`;
}

function guarded(run: Run, name: string, node: AnyNode, call: () => Value): Value {
  try {
    return call();
  } catch (error) {
    throw wrapped(run, name, node, error);
  }
}

/** A function's error with its place; what is not Go's passes through. */
function wrapped(run: Run, name: string, node: AnyNode, error: unknown): unknown {
  if (!(error instanceof GoError)) return error;
  run.node = node;
  try {
    return run.fail(`error calling ${name}: ${error.message}`, error);
  } catch (failure) {
    return failure;
  }
}
