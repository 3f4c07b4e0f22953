import type { AnyNode } from "./node.ts";
import type { Run } from "./run.ts";
import type { Value } from "./value.ts";

/** Evaluates something; `final` is the value that a pipeline hands on. */
export type Evaluate = (run: Run, final?: Value) => Value;

/** Marks a node, then evaluates. */
export function marked(node: AnyNode, evaluate: Evaluate): Evaluate {
  return (run) => {
    run.node = node;
    return evaluate(run);
  };
}

/** A value that is known when the template is compiled. */
export function constant(node: AnyNode, value: Value): Evaluate {
  return (run) => {
    run.node = node;
    run.isHeld = false;
    return value;
  };
}

/** What is known to fail when the template is compiled: it fails when it runs, as in Go. */
export function failing(node: AnyNode, message: string): Evaluate {
  return (run) => {
    run.node = node;
    return run.fail(message);
  };
}
