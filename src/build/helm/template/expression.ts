/**
 * Makes closures of what a template evaluates: compiled once, run many times. Order of evaluation, checks and error texts are
 * those of Go 1.26 text/template (exec.go). A closure marks the node that an error would name (`run.node`) at the same
 * moments as Go does, because messages show the node that was marked last.
 *
 * @module
 */
import type { FunctionRecord, FunctionTable } from "../functions/registry.ts";
import { nativeOf, validated } from "./argument_type.ts";
import { callee } from "./builtins.ts";
import type { Evaluate } from "./closure.ts";
import { failing, marked } from "./closure.ts";
import { arityFault, count, functionCall, guarded } from "./function_call.ts";
import { quoteText } from "./go_quote.ts";
import { canBeNil, goTypes } from "./go_type.ts";
import type { GoField, GoType } from "./go_type.ts";
import { literal, literalFor } from "./literal.ts";
import { nodeText } from "./node.ts";
import type { AnyNode, Command, Operand, Pipeline } from "./node.ts";
import type { Run } from "./run.ts";
import { GoMap, GoStruct, isTrue, typeNameOf, typeOf, zeroOf } from "./value.ts";
import type { Value } from "./value.ts";

/** The functions that a template may name. Go's own come after Helm's. */
export interface Functions {
  readonly own: FunctionTable;
  readonly builtins: FunctionTable;
}

/** Compiles expressions of one template. */
export class Expressions {
  readonly #functions: Functions;
  readonly #methodCalls = new Map<AnyNode, { readonly record: FunctionRecord; readonly call: Evaluate }>();

  constructor(functions: Functions) {
    this.#functions = functions;
  }

  /** Commands, each handed what the one before it gave; declared variables are set. */
  pipeline(node: Pipeline): Evaluate {
    const { variables, isAssignment } = node;
    const [first, ...rest] = node.commands.map((command, index) => this.command(command, index > 0));
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

  /** A command; `hasFinal` where something is handed on to it. */
  command(node: Command, hasFinal: boolean): Evaluate {
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
        const pipeline = this.pipeline(word);
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
        return literal(word);
    }
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
      const pipeline = this.pipeline(node);
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
    return functionCall({ record, name, node, identifier }, last === undefined ? operands : [...operands, last]);
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
        const pipeline = this.pipeline(node);
        return marked(node, (run) => validated(run, pipeline(run), type));
      }
      case "identifier": {
        const call = this.#function(node.name, node, node, [], false);
        return marked(node, (run) => validated(run, call(run), type));
      }
    }
    if (type.kind === "interface" || type === goTypes.reflect) return literal(node);
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

/** A call of a function that the evaluator runs itself. */
function enter(identifier: Operand, call: Evaluate): Evaluate {
  return (run, final) => {
    run.spend(1);
    run.node = identifier;
    return call(run, final);
  };
}

function refuseArguments(word: Operand): (run: Run) => never {
  const shown = nodeText(word);
  return (run) => run.fail(`can't give argument to non-function ${shown}`);
}

/** Sets a variable that was declared before. */
export function assign(run: Run, name: string, value: Value, isHeld: boolean): void {
  const index = run.indexOf(name);
  run.values[index] = value;
  run.held[index] = isHeld;
}

/** `reflect.Value.String`: the text of a string, else the type. */
function reflectText(value: Value): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "<invalid Value>" : `<${typeNameOf(value)} Value>`;
}
