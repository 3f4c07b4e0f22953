import { StageError } from "../../../core/stage_error.ts";
import type { CallContext, Dialect, TemplateCalls } from "../functions/registry.ts";
import type { RenderTools } from "../render_tools.ts";
import type { GoError } from "./go_error.ts";
import type { AnyNode, Tree } from "./node.ts";
import { executionError, lineOf } from "./template_error.ts";
import type { Value } from "./value.ts";

/** How much a render may use. Each limit ends the render with a coded error that names it and the place. */
export interface RenderLimits {
  /** Statements, calls and turns of loops, and a measure for work on long texts and lists. Default 50 million: some seconds. */
  readonly steps?: number;
  /** Characters of all outputs together. Default 32 Mi: reading them as YAML takes some 50 bytes for each at worst. */
  readonly outputLength?: number;
  /** Characters of texts that functions make, and a measure for lists and maps, together. Default 256 Mi: ten times what charts take. */
  readonly madeLength?: number;
  /** Characters of the longest text, or items of the longest list, that one call may make. Default 16 Mi. */
  readonly callLength?: number;
  /**
   * Milliseconds that keys, certificates and passwords' hashes take on a usual machine, together: 480 RSA keys of 2048 bits,
   * 800 hashes of bcrypt. Default 60 000.
   */
  readonly slowMs?: number;
  /** Milliseconds of the render, where the tools have a clock. Default 60 000. */
  readonly timeMs?: number;
}

/** A render that reached one of its {@linkcode RenderLimits}. */
export class RenderLimitError extends StageError {
  constructor(message: string) {
    super("BuildFailed", message, { hint: "Look for a loop or a text that grows without end in this template" });
  }
}

/** A template that is ready to run: executes its body on a run whose dot and variables are set. */
export type Body = (run: Run) => void;

/** A named template, compiled. */
export interface Template {
  readonly tree: Tree;
  /** Replaced by the compiled body when it first runs. */
  body: Body;
}

/** What a run needs from outside. */
export interface RunOptions {
  readonly tools: RenderTools;
  readonly dialect: Dialect;
  /** A missing key is an error (`--strict`). */
  readonly isStrict: boolean;
  readonly limits?: RenderLimits;
}

/** Nesting of `template` that Go allows. */
const maxDepth = 100_000;
/**
 * Nesting from which a full stack is taken for a template that calls itself without end, and gets Go's error.
 * `Differs:` Go's stack holds all 100000 levels, ours some thousands.
 */
const deepDepth = 500;
const mebi = 1024 * 1024;
/** Steps between two looks at the clock. */
const stepsPerLook = 1000;
/** A text or list of this size is work to make, and counts as steps too. */
const largeLength = 4096;

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
  /** Where the innermost `template` stands. */
  #caller: { readonly tree: Tree | undefined; readonly node: AnyNode | undefined } | undefined;
  #steps: number;
  /** Steps left at which the clock is looked at again. */
  #look: number;
  readonly #deadline: number;
  #outputLeft: number;
  #madeLeft: number;
  #slowLeft: number;
  /** Name of the source that runs: where a text of `tpl` stands. */
  source = "";
  readonly #limits: Required<RenderLimits>;

  constructor(options: RunOptions, templates: TemplateCalls, find: (name: string) => Template | undefined) {
    this.tools = options.tools;
    this.dialect = options.dialect;
    this.isStrict = options.isStrict;
    this.templates = templates;
    this.find = find;
    this.#limits = {
      steps: 50_000_000,
      outputLength: 32 * mebi,
      madeLength: 256 * mebi,
      callLength: 16 * mebi,
      slowMs: 60_000,
      timeMs: 60_000,
      ...options.limits,
    };
    this.#steps = this.#limits.steps;
    this.#look = this.#steps;
    this.#deadline = (this.tools.monotonicMs?.() ?? 0) + this.#limits.timeMs;
    this.#outputLeft = this.#limits.outputLength;
    this.#madeLeft = this.#limits.madeLength;
    this.#slowLeft = this.#limits.slowMs;
  }

  spend(cost: number): void {
    this.#steps -= cost;
    if (this.#steps < this.#look) this.#checkSteps();
  }

  #checkSteps(): void {
    if (this.#steps < 0) throw this.#exceeded(`it takes more than ${this.#limits.steps} steps`);
    this.#look = Math.max(0, this.#steps - stepsPerLook);
    this.checkTime();
  }

  checkTime(): void {
    const now = this.tools.monotonicMs?.() ?? 0;
    if (now >= this.#deadline) throw this.#exceeded(`it takes more than ${this.#limits.timeMs / 1000} s`);
  }

  made(length: number): void {
    this.#madeLeft -= length;
    if (this.#madeLeft < 0) {
      throw this.#exceeded(`its functions make more than ${this.#limits.madeLength} characters`);
    }
    if (length > largeLength) this.spend(length >> 5);
  }

  reserve(name: string, length: number): void {
    const { callLength } = this.#limits;
    if (length <= callLength) return;
    throw new RenderLimitError(
      `Cannot call "${name}" in ${this.#place()}: its result would have ${length} characters or items, ` +
        `the limit is ${callLength}`,
    );
  }

  slow(ms: number): void {
    this.#slowLeft -= ms;
    if (this.#slowLeft < 0) {
      throw this.#exceeded(`its keys and hashes take more than ${this.#limits.slowMs / 1000} s`);
    }
    this.checkTime();
  }

  #exceeded(what: string): RenderLimitError {
    return new RenderLimitError(`Cannot finish ${this.#place()}: ${what}`);
  }

  /** The template that runs, for people. */
  #place(): string {
    const { tree, node, source } = this;
    if (tree === undefined) return `template "${source}"`;
    const line = node === undefined ? "" : ` at line ${lineOf(tree.source.text, node.start)}`;
    const { name } = tree.source;
    return name === "gotpl" ? `a text of "tpl"${line} in template "${source}"` : `template "${name}"${line}`;
  }

  /** Appends to the output. */
  write(text: string): void {
    this.text += text;
    this.#outputLeft -= text.length;
    if (this.#outputLeft < 0) {
      throw this.#exceeded(`the output has more than ${this.#limits.outputLength} characters`);
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

  /** Refuses to go deeper than Go does. */
  checkDepth(): void {
    if (this.#depth >= maxDepth) this.fail(`exceeded maximum template depth (${maxDepth})`);
  }

  /**
   * Runs a template on `data`; its output is appended. Variables of the caller are out of sight. One frame of the
   * machine's stack for each nested template counts here: a thousand must fit. `site` is the statement that calls.
   */
  call(template: Template, data: Value, site: AnyNode): void {
    const { dot, isDotHeld, base, tree, node } = this;
    const mark = this.names.length;
    if (++this.#depth > deepDepth) this.#caller = { tree, node: site };
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
    const { dot, isDotHeld, base, tree, node, text } = this;
    const mark = this.names.length;
    const depth = this.#depth;
    this.#depth = 0;
    this.text = "";
    this.dot = data;
    this.isDotHeld = false;
    this.base = mark;
    this.tree = template.tree;
    this.node = undefined;
    this.push("$", data, false);
    try {
      template.body(this);
    } catch (error) {
      const caller = this.#caller;
      const isEndless = error instanceof RangeError && this.#depth > deepDepth && caller !== undefined;
      // Whoever called words the error at a place of its own template.
      this.tree = tree;
      if (!isEndless) throw error;
      throw executionError(caller.tree as Tree, caller.node, `exceeded maximum template depth (${maxDepth})`);
    }
    this.popTo(mark);
    const result = this.text;
    this.text = text;
    this.#depth = depth;
    this.dot = dot;
    this.isDotHeld = isDotHeld;
    this.base = base;
    this.tree = tree;
    this.node = node;
    return result;
  }
}
