import { StageError } from "../../../core/stage_error.ts";
import type { CallContext, Dialect, TemplateCalls } from "../functions/registry.ts";
import type { RenderTools } from "../render_tools.ts";
import type { GoError } from "./go_error.ts";
import type { AnyNode, Tree } from "./node.ts";
import { executionError } from "./template_error.ts";
import type { Value } from "./value.ts";

/** How much a render may use. Each limit ends the render with a coded error. */
export interface RenderLimits {
  /** Statements, calls and turns of loops. Default 50 million: some seconds. */
  readonly steps?: number;
  /** Characters of all outputs together. Default 128 Mi. */
  readonly outputLength?: number;
}

/** A template that is ready to run: executes its body on a run whose dot and variables are set. */
export type Body = (run: Run) => void;

/** A named template, compiled. */
export interface Template {
  readonly tree: Tree;
  readonly body: Body;
}

/** What a run needs from outside. */
export interface RunOptions {
  readonly tools: RenderTools;
  readonly dialect: Dialect;
  /** A missing key is an error (`--strict`). */
  readonly isStrict: boolean;
  readonly limits?: RenderLimits;
}

const maxDepth = 100_000;

/**
 * State of one render: what the compiled closures read and write. Dot, variables, output and the node that an error
 * would name are registers, saved and restored around nested templates.
 */
export class Run implements CallContext {
  readonly tools: RenderTools;
  readonly dialect: Dialect;
  readonly isStrict: boolean;
  /** Set by the template set that runs. */
  templates: TemplateCalls;
  /** Finds a named template in the current name space. */
  find: (name: string) => Template | undefined;

  dot: Value = undefined;
  /** Receiver of the method that is about to be called. */
  receiver: Value = undefined;
  /** Whether dot came out of a slot of type `interface {}` (an element of a list or map): some error texts differ. */
  isDotHeld = false;
  /** The same for the value that was evaluated last. */
  isHeld = false;
  /** Variables, innermost last; those below `base` belong to callers. */
  readonly names: string[] = [];
  readonly values: Value[] = [];
  readonly held: boolean[] = [];
  base = 0;
  /** Output of the running template. */
  text = "";
  tree: Tree | undefined;
  node: AnyNode | undefined;
  #depth = 0;
  #steps: number;
  #outputLeft: number;
  readonly #limits: { readonly steps: number; readonly outputLength: number };

  constructor(options: RunOptions, templates: TemplateCalls, find: (name: string) => Template | undefined) {
    this.tools = options.tools;
    this.dialect = options.dialect;
    this.isStrict = options.isStrict;
    this.templates = templates;
    this.find = find;
    this.#limits = { steps: 50_000_000, outputLength: 128 * 1024 * 1024, ...options.limits };
    this.#steps = this.#limits.steps;
    this.#outputLeft = this.#limits.outputLength;
  }

  spend(cost: number): void {
    this.#steps -= cost;
    if (this.#steps < 0) {
      throw new StageError(
        "BuildFailed",
        `Cannot finish template "${this.tree?.source.name}": it takes more than ${this.#limits.steps} steps`,
      );
    }
  }

  /** Appends to the output. */
  write(text: string): void {
    this.text += text;
    this.#outputLeft -= text.length;
    if (this.#outputLeft < 0) {
      throw new StageError(
        "BuildFailed",
        `Cannot finish template "${this.tree?.source.name}": the output has more than ${this.#limits.outputLength} characters`,
      );
    }
  }

  /** Fails at the current node, as `text/template` words it. */
  fail(message: string, cause?: GoError): never {
    throw executionError(this.tree as Tree, this.node, message, cause);
  }

  /** Adds a variable. */
  push(name: string, value: Value, isHeld: boolean): void {
    this.names.push(name);
    this.values.push(value);
    this.held.push(isHeld);
  }

  /** Forgets all variables from `mark` on. */
  popTo(mark: number): void {
    this.names.length = mark;
    this.values.length = mark;
    this.held.length = mark;
  }

  /** Index of a variable. */
  indexOf(name: string): number {
    for (let index = this.names.length - 1; index >= this.base; index--) {
      if (this.names[index] === name) return index;
    }
    return this.fail(`undefined variable: ${name}`);
  }

  /** Runs a template on `data`; its output is appended. Variables of the caller are out of sight. */
  call(template: Template, data: Value): void {
    if (this.#depth >= maxDepth) this.fail(`exceeded maximum template depth (${maxDepth})`);
    const { dot, isDotHeld, base, tree, node } = this;
    const mark = this.names.length;
    this.#depth++;
    this.dot = data;
    this.isDotHeld = false;
    this.base = mark;
    this.tree = template.tree;
    this.node = undefined;
    this.push("$", data, false);
    template.body(this);
    this.popTo(mark);
    this.#depth--;
    this.dot = dot;
    this.isDotHeld = isDotHeld;
    this.base = base;
    this.tree = tree;
    this.node = node;
  }

  /** Output of a template on `data`, as `ExecuteTemplate` gives it: nothing of the caller is seen, depth counts anew. */
  capture(template: Template, data: Value): string {
    const { text } = this;
    const depth = this.#depth;
    this.#depth = 0;
    this.text = "";
    const { tree } = this;
    try {
      this.call(template, data);
    } catch (error) {
      // Whoever called words the error at a place of its own template.
      this.tree = tree;
      throw error;
    }
    const result = this.text;
    this.text = text;
    this.#depth = depth;
    return result;
  }
}
