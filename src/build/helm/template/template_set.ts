/**
 * The templates of a chart and its sub-charts: one name space. Parsed once, kept by the caller (by chart digest), run
 * many times.
 *
 * In: sources by name, each with the scope (root value) of its chart. Out: the text of each. May fail: `StageError`
 * with Helm's text. Called by the door of build/helm.
 *
 * @module
 */
import { StageError } from "../../../core/stage_error.ts";
import type { Dialect } from "../functions/registry.ts";
import { builtins } from "./builtins.ts";
import { compileTemplate } from "./compile_template.ts";
import type { Functions } from "./expression.ts";
import { GoError } from "./go_error.ts";
import { quoteText } from "./go_quote.ts";
import { compareStrings, rejoin } from "./go_string.ts";
import { executionFailure, parseFailure } from "./helm_error.ts";
import { isBlank } from "./node.ts";
import type { Tree } from "./node.ts";
import { parseTemplate } from "./parser.ts";
import { Run } from "./run.ts";
import type { RunOptions, Template } from "./run.ts";
import { valuesTypes } from "./root/values_object.ts";
import { ExecutionError, ParseError } from "./template_error.ts";
import { GoMap } from "./value.ts";
import type { Value } from "./value.ts";
import { helmFunctions } from "../functions/helm_functions.ts";

/** Source of a template. `name` is its full path, for example `chart/charts/sub/templates/a.yaml`. */
export interface TemplateSource {
  readonly name: string;
  readonly text: string;
}

/** Root values of the chart that a template belongs to. `.Template` is set in `scope` before each of its templates runs. */
export interface TemplateScope {
  /** `Values`, `Chart`, `Release`, `Capabilities`, `Files`, `Subcharts`; one object per chart, changed by `set`. */
  readonly scope: GoMap;
  /** `.Template.BasePath`, for example `chart/templates`. */
  readonly basePath: string;
}

/** Templates by name, with the functions they were compiled for. */
export interface TemplateSet {
  readonly dialect: Dialect;
  /** Names of the sources in the order in which they run. */
  readonly order: readonly string[];
  readonly templates: ReadonlyMap<string, Template>;
}

/** Nested `include`s of one name that Helm allows. */
const maxIncludes = 1000;

/** Bytes, by estimate, of parsed texts of `tpl` that are kept for one set. */
const maxKeptBytes = 16 * 1024 * 1024;
/** What an action takes once it is parsed and compiled, by estimate. */
const bytesPerAction = 4096;
/** What a text of `tpl` takes from the budgets, per character: parsing it, and what is made of it. */
const parseSteps = 0.5;
const parseMade = 8;

/**
 * Parses sources into one name space. Order is Helm's: deepest path first, then descending by name; a later definition
 * of a name replaces an earlier one unless it is blank.
 *
 * @throws {StageError} BuildFailed with Helm's text, `parse error at (FILE:LINE): …`
 */
export function parseTemplates(sources: readonly TemplateSource[], dialect: Dialect): TemplateSet {
  const functions = functionsOf(dialect);
  const sorted = [...sources].sort((a, b) => depthOf(b.name) - depthOf(a.name) || compareStrings(b.name, a.name));
  const trees = new Map<string, Tree>();
  for (const { name, text } of sorted) {
    try {
      define(trees, parseTemplate(name, text, { hasFunction: (word) => hasFunction(functions, word) }));
    } catch (error) {
      if (error instanceof GoError) throw new StageError("BuildFailed", parseFailure(name, error), { cause: error });
      throw error;
    }
  }
  const templates = new Map<string, Template>();
  for (const [name, tree] of trees) templates.set(name, lazyTemplate(tree, functions));
  return { dialect, order: sorted.map((source) => source.name), templates };
}

function depthOf(name: string): number {
  return name.split("/").length;
}

function functionsOf(dialect: Dialect): Functions {
  return { own: helmFunctions(dialect), builtins };
}

function hasFunction(functions: Functions, name: string): boolean {
  return functions.own[name] !== undefined || Object.hasOwn(functions.builtins, name);
}

/** Adds definitions to a name space. */
function define(trees: Map<string, Tree>, added: ReadonlyMap<string, Tree>): void {
  for (const [name, tree] of added) {
    if (!trees.has(name) || !isBlank(tree.body)) trees.set(name, tree);
  }
}

/** A template that is compiled when it first runs: most charts define more than they use. */
function lazyTemplate(tree: Tree, functions: Functions): Template {
  const template: Template = {
    tree,
    body: (run) => {
      template.body = compileTemplate(tree, functions);
      template.body(run);
    },
  };
  return template;
}

/**
 * Runs every source whose name does not start with `_` and gives its text, in the set's order. Sources without a scope
 * are left out.
 *
 * @throws {StageError} BuildFailed with Helm's text
 * @throws {MissingInput} when a tool has no answer yet
 */
export function executeTemplates(
  set: TemplateSet,
  scopeOf: (name: string) => TemplateScope | undefined,
  options: Omit<RunOptions, "dialect">,
): ReadonlyMap<string, string> {
  const outputs = new Map<string, string>();
  const space = new NameSpace(set, functionsOf(set.dialect));
  const run = new Run({ ...options, dialect: set.dialect }, space, (name) => space.find(name));
  for (const name of set.order) {
    const scope = scopeOf(name);
    if (scope === undefined || name.slice(name.lastIndexOf("/") + 1).startsWith("_")) continue;
    space.run = run;
    scope.scope.entries?.set(
      "Template",
      new GoMap(new Map([["Name", name], ["BasePath", scope.basePath]]), valuesTypes[set.dialect]),
    );
    run.source = name;
    outputs.set(name, executeOne(space, run, name, scope.scope));
  }
  return outputs;
}

function executeOne(space: NameSpace, run: Run, name: string, data: GoMap): string {
  try {
    const template = space.find(name);
    if (template === undefined) {
      throw new GoError(`template: no template ${quoteText(name)} associated with template "gotpl"`);
    }
    return withoutNoValue(rejoin(run.capture(template, data)));
  } catch (error) {
    if (error instanceof GoError) {
      // The text says it all, in Helm's words: the chain behind it holds marks that are for nobody's eyes.
      throw new StageError("BuildFailed", executionFailure(name, error, run.dialect));
    }
    if (error instanceof RangeError) {
      throw new StageError("BuildFailed", `Cannot render "${name}": its templates are nested too deep`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** Helm drops every `<no value>` of an output, written by Go or by the template's author. */
function withoutNoValue(text: string): string {
  return text.includes("<no value>") ? text.replaceAll("<no value>", "") : text;
}

/**
 * Names that templates can see: those of the set and, inside `tpl`, those that its text and the texts around it define.
 * Definitions of a `tpl` are visible to everything that runs inside it and gone after it.
 */
class NameSpace {
  readonly #set: TemplateSet;
  readonly #functions: Functions;
  /** Definitions of the running `tpl` texts, outermost first. */
  #overlays: ReadonlyMap<string, Template>[] = [];
  readonly #includes = new Map<string, number>();
  run: Run | undefined;

  constructor(set: TemplateSet, functions: Functions) {
    this.#set = set;
    this.#functions = functions;
  }

  find(name: string): Template | undefined {
    for (let index = this.#overlays.length - 1; index >= 0; index--) {
      const template = this.#overlays[index]?.get(name);
      if (template !== undefined) return template;
    }
    return this.#set.templates.get(name);
  }

  include(name: string, data: Value): string {
    const count = this.#includes.get(name) ?? 0;
    if (count > maxIncludes) {
      throw new GoError(`rendering template has a nested reference name: ${name}: unable to execute template`);
    }
    this.#includes.set(name, count + 1);
    const template = this.find(name);
    if (template === undefined) {
      throw new GoError(`template: no template ${quoteText(name)} associated with template "gotpl"`);
    }
    const text = (this.run as Run).capture(template, data);
    this.#includes.set(name, count);
    return text;
  }

  evaluate(text: string, data: Value): string {
    const run = this.run as Run;
    if (!text.includes("{{")) return withoutNoValue(text);
    let parsed: ReadonlyMap<string, Template>;
    try {
      parsed = this.#parse(text);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      throw new GoError(`cannot parse template ${quoteText(text)}: ${error.message}`, error);
    }
    // A blank definition replaces nothing that is there already.
    const overlay = new Map<string, Template>();
    for (const [name, template] of parsed) {
      if (name === "gotpl" || !isBlank(template.tree.body) || this.find(name) === undefined) {
        overlay.set(name, template);
      }
    }
    this.#overlays.push(overlay);
    try {
      return withoutNoValue(run.capture(parsed.get("gotpl") as Template, data));
    } catch (error) {
      if (!(error instanceof ExecutionError)) throw error;
      throw new GoError(`error during tpl function execution for ${quoteText(text)}: ${error.message}`, error);
    } finally {
      this.#overlays.pop();
    }
  }

  #parse(text: string): ReadonlyMap<string, Template> {
    const kept = keptTexts(this.#set);
    let parsed = kept.get(text);
    if (parsed === undefined) {
      const run = this.run as Run;
      run.spend(Math.floor(text.length * parseSteps));
      run.made(text.length * parseMade);
      const trees = parseTemplate("gotpl", text, { hasFunction: (word) => hasFunction(this.#functions, word) });
      parsed = new Map([...trees].map(([name, tree]) => [name, lazyTemplate(tree, this.#functions)]));
      kept.set(text, parsed);
    }
    return parsed;
  }
}

/** Parsed texts of `tpl`, kept as long as their set. */
const parsedTexts = new WeakMap<TemplateSet, KeptTexts>();

function keptTexts(set: TemplateSet): KeptTexts {
  let kept = parsedTexts.get(set);
  if (kept === undefined) parsedTexts.set(set, kept = new KeptTexts());
  return kept;
}

/** Parsed texts, the oldest going first when they are too many. */
class KeptTexts {
  readonly #parsed = new Map<string, ReadonlyMap<string, Template>>();
  #bytes = 0;

  get(text: string): ReadonlyMap<string, Template> | undefined {
    return this.#parsed.get(text);
  }

  set(text: string, parsed: ReadonlyMap<string, Template>): void {
    const bytes = sizeOf(text);
    if (bytes > maxKeptBytes) return;
    this.#parsed.set(text, parsed);
    this.#bytes += bytes;
    for (const oldest of this.#parsed.keys()) {
      if (this.#bytes <= maxKeptBytes) break;
      this.#parsed.delete(oldest);
      this.#bytes -= sizeOf(oldest);
    }
  }
}

/** Bytes of a text and what is parsed of it, by estimate. */
function sizeOf(text: string): number {
  let actions = 0;
  for (let at = text.indexOf("{{"); at >= 0; at = text.indexOf("{{", at + 2)) actions++;
  return 2 * text.length + bytesPerAction * actions;
}
