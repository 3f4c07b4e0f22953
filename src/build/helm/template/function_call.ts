import type { FunctionRecord } from "../functions/registry.ts";
import type { Evaluate } from "./closure.ts";
import { GoError } from "./go_error.ts";
import type { AnyNode, Operand } from "./node.ts";
import type { Run } from "./run.ts";
import { GoSlice } from "./value.ts";
import type { Value } from "./value.ts";

/** What is called, and what an error about it names. */
export interface Callee {
  readonly record: FunctionRecord;
  readonly name: string;
  /** The command or operand that calls. */
  readonly node: AnyNode;
  /** The name as it stands in the template; `undefined` for a method, which is handed `run.receiver` first. */
  readonly identifier: Operand | undefined;
}

/** A call: the arguments from left to right, then the function; what it is handed and gives counts against the render. */
export function functionCall({ record, name, node, identifier }: Callee, all: readonly Evaluate[]): Evaluate {
  const { call } = record;
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

/** Why a call has the wrong number of arguments. */
export function arityFault(name: string, record: FunctionRecord, given: number, hasFinal: boolean): string | undefined {
  const count = given + (hasFinal ? 1 : 0);
  const wanted = record.params.length;
  if (record.rest !== undefined) {
    return count < wanted ? `wrong number of args for ${name}: want at least ${wanted} got ${given}` : undefined;
  }
  return count === wanted ? undefined : `wrong number of args for ${name}: want ${wanted} got ${count}`;
}

/** Counts what a function is handed against the steps of a render: a long text or list costs work each time it is read. */
function weigh(run: Run, value: Value): void {
  if (typeof value === "string") {
    if (value.length > 4096) run.spend(Math.floor(value.length / 32));
  } else if (value instanceof GoSlice && (value.items?.length ?? 0) > 256) run.spend(8 * (value.items?.length ?? 0));
}

/** Counts a function's result against what a render may make. */
export function count(run: Run, value: Value): void {
  if (typeof value === "string") run.made(value.length + 16);
  else if (value instanceof GoSlice) {
    const { elem } = value.type;
    // Texts and numbers are made with their list.
    run.made(50 + (elem?.kind === "interface" ? 8 : 32) * (value.items?.length ?? 0));
  }
}

/** A call whose errors are told with its name and place. */
export function guarded(run: Run, name: string, node: AnyNode, call: () => Value): Value {
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
