/**
 * Shape of template functions. A function is a record: Go's parameter types, Go's result type and a JS function. The
 * evaluator checks number and types of the arguments exactly as `text/template` does (and words the errors), so a
 * function only sees what its parameters declare:
 *
 * | parameter | arrives as |
 * |---|---|
 * | `goTypes.string` | string (invalid bytes escaped, see template/go_string.ts) |
 * | `goTypes.int`, `int64`, `uint32`, … | JS number |
 * | `goTypes.float64`, `bool` | number, boolean |
 * | `goTypes.any` | any {@linkcode Value}; nil as `null` |
 * | `goTypes.dict`, `stringMap` | {@linkcode GoMap}, with `entries === null` for nil |
 * | `goTypes.list`, `strings` | {@linkcode GoSlice}, with `items === null` for nil |
 * | a struct type | the value itself |
 *
 * Failing: `throw new GoError("text of the Go error or panic")`. Results: a value of the result type; `null` for nil where
 * the result is `goTypes.any`. Each file exports one record of functions by name; helm_functions.ts joins them.
 *
 * @module
 */
import type { RenderTools } from "../render_tools.ts";

import type { GoType, Native } from "../template/go_type.ts";
import type { Value } from "../template/value.ts";

/** Versions whose behaviour can be chosen (Helm 3.22 and 4.2.4). */
export type Dialect = "helm3" | "helm4.2.4";

/** Running templates from within a template. */
export interface TemplateCalls {
  /** Text of a named template. @throws {GoError} */
  include(name: string, data: Value): string;
  /** Text of a template that is given as text. @throws {GoError} */
  evaluate(text: string, data: Value): string;
}

/** What a function may use beside its arguments. */
export interface CallContext {
  readonly tools: RenderTools;
  readonly dialect: Dialect;
  /** The templates of the render, for `include` and `tpl`. */
  readonly templates: TemplateCalls;
  /**
   * Takes `cost` from the render's budget of steps: call it before work that grows with an argument (a loop of `cost`
   * turns, a text of `cost` characters made).
   *
   * @throws {StageError} BuildFailed when the budget is used up
   */
  spend(cost: number): void;
  /**
   * Counts what a call made: characters of a text, about 50 for each entry of a map or 8 for each item of a list. The
   * evaluator counts results that are texts or slices by itself.
   *
   * @throws {StageError} BuildFailed when a render makes more than its memory should hold
   */
  made(length: number): void;
  /**
   * Refuses a result of one call that would be too long: call it before making a text of `length` characters or a list of
   * `length` items whose size an argument decides. `name` is the function's.
   *
   * @throws {StageError} BuildFailed beyond the render's `callLength`
   */
  reserve(name: string, length: number): void;
  /**
   * Takes `ms` from the time that slow functions may take: milliseconds of the work to come on a usual machine.
   *
   * @throws {StageError} BuildFailed when that time is used up
   */
  slow(ms: number): void;
  /**
   * Looks at the clock: call it in work that takes long and spends nothing.
   *
   * @throws {StageError} BuildFailed when the render's time is used up
   */
  checkTime(): void;
}

/** A function of templates. */
export interface FunctionRecord {
  /** Types of the fixed parameters. */
  readonly params: readonly GoType[];
  /** Type of each further argument, for a variadic function. */
  readonly rest?: GoType;
  readonly result: GoType;
  /** The function; a method gets its receiver before the arguments. Typed by {@linkcode func}, checked by the evaluator. */
  // deno-lint-ignore no-explicit-any
  readonly call: (context: CallContext, ...args: any[]) => Value;
}

/** Functions by name. */
export type FunctionTable = Readonly<Record<string, FunctionRecord>>;

type Natives<P extends readonly GoType[]> = { [K in keyof P]: Native<P[K]> };

/** A function with fixed parameters: `func([goTypes.string, goTypes.int], goTypes.string, (context, text, count) => …)`. */
export function func<const P extends readonly GoType[]>(
  params: P,
  result: GoType,
  call: (context: CallContext, ...args: Natives<P>) => Value,
): FunctionRecord {
  return { params, result, call: call as FunctionRecord["call"] };
}

/** A variadic function: fixed parameters, then any number of `rest`. */
export function variadic<const P extends readonly GoType[], R extends GoType>(
  params: P,
  rest: R,
  result: GoType,
  call: (context: CallContext, ...args: [...Natives<P>, ...Native<R>[]]) => Value,
): FunctionRecord {
  return { params, rest, result, call: call as FunctionRecord["call"] };
}

/** A method: the receiver comes before the arguments. */
export function method<Receiver, const P extends readonly GoType[]>(
  params: P,
  result: GoType,
  call: (context: CallContext, receiver: Receiver, ...args: Natives<P>) => Value,
): FunctionRecord {
  return { params, result, call: call as FunctionRecord["call"] };
}

/** One record of functions from several. @throws {Error} when two of them have the same name */
export function joinFunctions(...tables: readonly FunctionTable[]): FunctionTable {
  const joined: Record<string, FunctionRecord> = Object.create(null);
  for (const table of tables) {
    for (const [name, record] of Object.entries(table)) {
      if (name in joined) throw new Error(`Cannot join functions: "${name}" is there twice`);
      joined[name] = record;
    }
  }
  return joined;
}
