/**
 * Evaluates a parsed expression as cel-go v0.26 does without type checks: every operator looks at the values it gets.
 * Comprehensions, `has`, optional selection and the macros are here; functions are in cel_functions.ts.
 *
 * @module
 */
import type { ASTNode } from "@marcbachmann/cel-js";
import type { JsonObject } from "../core/json.ts";
import { callFunction, hasFunction } from "./cel_functions.ts";
import { binary, negate } from "./cel_operators.ts";
import {
  CelError,
  CelMap,
  CelOptional,
  celTypes,
  CelUint,
  checkSize,
  fail,
  fromJson,
  sizeOf,
  utf8,
  weightOf,
} from "./cel_value.ts";
import type { CelValue } from "./cel_value.ts";

/** Steps of one evaluation: nodes visited. */
const stepLimit = 500_000;
/** Characters, bytes and members that functions and operators of one evaluation look at. */
const workLimit = 32_000_000;

/** Names that an expression sees: the variables, and those that macros bind. */
interface Scope {
  readonly get: (name: string) => CelValue | undefined;
}

/** The value of an expression over variables. @throws {CelError} */
export function evaluateNode(ast: ASTNode, variables: JsonObject): CelValue {
  const converted = new Map<string, CelValue>();
  const get = (name: string): CelValue | undefined => {
    const known = converted.get(name);
    if (known !== undefined || !Object.hasOwn(variables, name)) return known;
    const value = fromJson(variables[name] ?? null);
    converted.set(name, value);
    return value;
  };
  return new Evaluation().run(ast, { get });
}

/** Operators and functions that look into the members of their values. */
const deepOperators: ReadonlySet<string> = new Set(["==", "!=", "in"]);
const deepFunctions: ReadonlySet<string> = new Set([
  ...[".format", ".join", "sets.contains", "sets.equivalent", "sets.intersects"],
]);

/** What is counted while an expression runs. */
class Evaluation {
  #steps = 0;
  #work = 0;

  run(ast: ASTNode, scope: Scope): CelValue {
    if (++this.#steps > stepLimit) throw new CelError(`more than ${stepLimit} steps`, true);
    const value = this.#visit(ast, scope);
    checkSize(sizeOf(value));
    return value;
  }

  /** Counts what is looked at: all that is in the values where it is compared or printed, else the values themselves. */
  #look(values: readonly CelValue[], isDeep: boolean): void {
    for (const value of values) {
      this.#count(isDeep ? weightOf(value, workLimit - this.#work) : sizeOf(value));
    }
  }

  #count(work: number): void {
    this.#work += work;
    if (this.#work > workLimit) throw new CelError(`more than ${workLimit} characters or members looked at`, true);
  }

  #apply(name: string, args: readonly CelValue[]): CelValue {
    this.#look(args, deepFunctions.has(name));
    // Each member of one set is compared with each of the other.
    if (name.startsWith("sets.")) this.#count(weightOf(args[0], workLimit) * sizeOf(args[1]));
    return callFunction(name, args);
  }

  #binary(operator: string, a: CelValue, b: CelValue): CelValue {
    this.#look([a, b], deepOperators.has(operator));
    return binary(operator, a, b);
  }

  #visit(ast: ASTNode, scope: Scope): CelValue {
    switch (ast.op) {
      case "value":
        return ast.args instanceof Uint8Array
          ? bytesOf(ast.input.slice(ast.start, ast.end), ast.args)
          : literal(ast.args);
      case "id":
        return this.#name(ast.args, scope);
      case ".":
      case ".?":
        return this.#select(ast, scope);
      case "[]":
        return index(this.run(ast.args[0], scope), this.run(ast.args[1], scope), false);
      case "[?]":
        return index(this.run(ast.args[0], scope), this.run(ast.args[1], scope), true);
      case "list":
        return ast.args.map((item) => this.run(item, scope));
      case "map":
        return new CelMap(ast.args.map(([key, value]) => [this.run(key, scope), this.run(value, scope)] as const));
      case "?:": {
        const condition = this.run(ast.args[0], scope);
        if (typeof condition !== "boolean") return fail("no such overload");
        return this.run(ast.args[condition ? 1 : 2], scope);
      }
      case "||":
        return this.#logical(ast.args, scope, true);
      case "&&":
        return this.#logical(ast.args, scope, false);
      case "!_": {
        const operand = this.run(ast.args, scope);
        return typeof operand === "boolean" ? !operand : fail("no such overload");
      }
      case "-_":
        return negate(this.run(ast.args, scope));
      case "call":
        return this.#call(ast.args[0], ast.args[1], scope);
      case "rcall":
        return this.#method(ast.args[0], ast.args[1], ast.args[2], scope);
      default:
        return this.#binary(ast.op, this.run(ast.args[0], scope), this.run(ast.args[1], scope));
    }
  }

  #name(name: string, scope: Scope): CelValue {
    const value = scope.get(name);
    if (value !== undefined) return value;
    return celTypes[name] ?? fail(`no such attribute(s): ${name}`);
  }

  #select(ast: ASTNode & { op: "." | ".?" }, scope: Scope): CelValue {
    const qualified = qualifiedName(ast);
    if (qualified !== undefined) {
      const type = celTypes[qualified];
      const root = qualified.slice(0, qualified.indexOf("."));
      if (scope.get(root) === undefined) return type ?? fail(`no such attribute(s): ${qualified}`);
    }
    return index(this.run(ast.args[0], scope), ast.args[1], ast.op === ".?");
  }

  /** A fault on one side counts only when the other side does not decide. */
  #logical(sides: readonly [ASTNode, ASTNode], scope: Scope, decisive: boolean): boolean {
    return this.#decide(sides, decisive, (side) => this.run(side, scope));
  }

  #call(name: string, args: readonly ASTNode[], scope: Scope): CelValue {
    const first = args[0];
    if (name === "has" && first !== undefined && args.length === 1) return this.#has(first, scope);
    return this.#apply(name, args.map((argument) => this.run(argument, scope)));
  }

  #has(argument: ASTNode, scope: Scope): boolean {
    if (argument.op !== "." && argument.op !== ".?") return fail("has() needs a selected field");
    const receiver = this.run(argument.args[0], scope);
    const value = receiver instanceof CelOptional ? receiver.value : receiver;
    if (Array.isArray(value)) return fail("unsupported index type 'string' in list");
    return value instanceof CelMap && value.get(argument.args[1]) !== undefined;
  }

  #method(name: string, receiver: ASTNode, args: readonly ASTNode[], scope: Scope): CelValue {
    const first = args[0];
    const macro = first?.op === "id" ? comprehensions[name]?.find((count) => count === args.length) : undefined;
    if (macro !== undefined && first?.op === "id") {
      return this.#comprehend(name, this.run(receiver, scope), first.args, args.slice(1), scope);
    }
    const namespaced = receiver.op === "id" ? `${receiver.args}.${name}` : undefined;
    if (namespaced !== undefined && hasFunction(namespaced) && scope.get(receiver.args as string) === undefined) {
      return this.#apply(namespaced, args.map((argument) => this.run(argument, scope)));
    }
    const target = this.run(receiver, scope);
    if (target instanceof CelOptional && first !== undefined && (name === "or" || name === "orValue")) {
      if (target.value !== undefined) return name === "or" ? target : target.value;
      const other = this.run(first, scope);
      return name === "orValue" || other instanceof CelOptional ? other : fail("no such overload");
    }
    return this.#apply(`.${name}`, [target, ...args.map((argument) => this.run(argument, scope))]);
  }

  #comprehend(name: string, range: CelValue, variable: string, bodies: readonly ASTNode[], scope: Scope): CelValue {
    const body = bodies[0] as ASTNode;
    const bind = (value: CelValue): Scope => ({ get: (other) => other === variable ? value : scope.get(other) });
    if (name === "optMap" || name === "optFlatMap") {
      if (!(range instanceof CelOptional)) return fail("no such overload");
      if (range.value === undefined) return range;
      const mapped = this.run(body, bind(range.value));
      return name === "optMap" ? new CelOptional(mapped) : mapped;
    }
    const items = Array.isArray(range)
      ? range
      : range instanceof CelMap
      ? range.keys()
      : fail("expected iterable type");
    this.#look([items], false);
    if (name === "all" || name === "exists") {
      return this.#decide(items, name === "exists", (item) => this.run(body, bind(item)));
    }
    const test = (node: ASTNode, inner: Scope): boolean => {
      const value = this.run(node, inner);
      return typeof value === "boolean" ? value : fail("no such overload");
    };
    if (name === "exists_one") return items.filter((item) => test(body, bind(item))).length === 1;
    if (name === "filter") return items.filter((item) => test(body, bind(item)));
    const transform = bodies[1];
    if (transform === undefined) return items.map((item) => this.run(body, bind(item)));
    return items.filter((item) => test(body, bind(item))).map((item) => this.run(transform, bind(item)));
  }

  /** Whether a test gives what decides for any item. Faults count only where none decides. */
  #decide<Item>(items: readonly Item[], decisive: boolean, test: (item: Item) => CelValue): boolean {
    let fault: CelError | undefined;
    for (const item of items) {
      try {
        const value = test(item);
        if (value === decisive) return decisive;
        if (typeof value !== "boolean") fault ??= new CelError("no such overload");
      } catch (error) {
        if (!(error instanceof CelError) || error.isLimit) throw error;
        fault ??= error;
      }
    }
    if (fault !== undefined) throw fault;
    return !decisive;
  }
}

/** Macros with a variable, and how many arguments they may have. */
const comprehensions: Readonly<Record<string, readonly number[]>> = {
  all: [2],
  exists: [2],
  exists_one: [2],
  filter: [2],
  map: [2, 3],
  optMap: [2],
  optFlatMap: [2],
};

function literal(value: unknown): CelValue {
  if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
    return new CelUint((value as { readonly value: bigint }).value);
  }
  return value as CelValue;
}

/** The parser takes each character of a bytes literal for a byte; CEL has UTF-8 there. */
function bytesOf(source: string, parsed: Uint8Array): Uint8Array {
  const plain = /^[bB](?:[rR])?("""|'''|"|')([^\\]*)\1$/su.exec(source);
  return plain === null ? parsed : utf8(plain[2] ?? "");
}

/** `a.b.c` of plain names; `undefined` for anything else. */
function qualifiedName(ast: ASTNode): string | undefined {
  if (ast.op === "id") return ast.args;
  if (ast.op !== ".") return undefined;
  const left = qualifiedName(ast.args[0]);
  return left === undefined ? undefined : `${left}.${ast.args[1]}`;
}

/** Selection and indexing. On an optional, or where it is asked for, what is missing gives an empty optional. */
function index(target: CelValue, key: CelValue, optionally: boolean): CelValue {
  const isOptional = optionally || target instanceof CelOptional;
  const value = target instanceof CelOptional ? target.value : target;
  if (value === undefined) return target;
  const found = find(value, key);
  if (isOptional) return new CelOptional(found);
  if (found !== undefined) return found;
  return Array.isArray(value) ? fail(`index out of bounds: ${show(key)}`) : fail(`no such key: ${show(key)}`);
}

function find(value: CelValue, key: CelValue): CelValue | undefined {
  if (value instanceof CelMap) return value.get(key);
  if (!Array.isArray(value)) return undefined;
  const place = typeof key === "bigint" ? Number(key) : key instanceof CelUint ? Number(key.value) : key;
  if (typeof place !== "number") return fail("unsupported index type in list");
  if (!Number.isInteger(place)) return fail(`unsupported index value ${place} in list`);
  return value[place];
}

function show(key: CelValue): string {
  return key instanceof CelUint ? String(key.value) : typeof key === "object" ? "value" : String(key);
}
