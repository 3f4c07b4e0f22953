/**
 * Helm's wording of errors of templates (helm pkg/engine, 3.22 and 4.2.4).
 *
 * @module
 */
import type { Dialect } from "../functions/registry.ts";
import { GoError } from "./go_error.ts";
import { ExecutionError } from "./template_error.ts";

/** What `fail` and `required` put around their message, so that it is found again at the top. */
const startMark = "HELM_ERR_START";
const endMark = "HELM_ERR_END";

/** The error that `fail` and `required` return. */
export function authorsError(message: string): GoError {
  return new GoError(`${startMark}${message}${endMark}`);
}

/** A message as Sprig words it, without the marks. */
export function withoutMarks(text: string): string {
  return text.replaceAll(startMark, "").replaceAll(endMark, "");
}

/** Text of a parse error: its place and what follows the last `": "`. */
export function parseFailure(name: string, error: GoError): string {
  const parts = error.message.split(": ");
  if (parts.length === 1) return `parse error in (${name}): ${error.message}`;
  return `parse error at (${parts[1]}): ${parts.at(-1)}`;
}

/** Text of a failed execution. */
export function executionFailure(name: string, error: GoError, dialect: Dialect): string {
  const text = error.message;
  if (!(error instanceof ExecutionError)) return text;
  const first = text.indexOf(": ");
  const second = first < 0 ? -1 : text.indexOf(": ", first + 2);
  if (second < 0) return `execution error in (${name}): ${text}`;
  const place = text.slice(first + 2, second);
  const rest = text.slice(second + 2);
  const start = rest.indexOf(startMark);
  const end = rest.lastIndexOf(endMark);
  if (start >= 0 && end >= start + startMark.length) {
    return `execution error at (${place}): ${rest.slice(start + startMark.length, end)}`;
  }
  return dialect === "helm3" ? text : layered(error) ?? text;
}

/** Helm 4: one block of lines for each error of the chain; `undefined` where one of them has another form. */
function layered(error: GoError): string | undefined {
  const blocks: string[] = [];
  for (let current: unknown = error; current instanceof GoError; current = current.cause) {
    const block = blockOf(current.message);
    if (block === undefined) return undefined;
    if (block !== blocks.at(-1)) blocks.push(block);
  }
  return blocks.join("").replace(/^\s+|\s+$/g, "");
}

function blockOf(text: string): string | undefined {
  const prefix = "template: ";
  if (!text.startsWith(prefix)) return undefined;
  const rest = text.slice(prefix.length);
  if (rest.startsWith("no template ")) return `${text}\n`;
  return executingBlock(rest) ?? simpleBlock(rest);
}

/** `PLACE: executing "NAME" at <NODE>: MESSAGE` */
function executingBlock(rest: string): string | undefined {
  const word = ": executing ";
  const cut = rest.indexOf(word);
  if (cut < 0) return undefined;
  const after = rest.slice(cut + word.length);
  const quote = after[0] === '"' ? after.indexOf('"', 1) : -1;
  if (quote < 0 || !after.startsWith(" at <", quote + 1)) return undefined;
  const node = after.slice(quote + 6);
  const close = node.indexOf(">: ");
  if (close < 0) return undefined;
  const executed = `executing ${after.slice(0, quote + 1)} at <${node.slice(0, close)}>:`;
  return `${rest.slice(0, cut)}\n  ${executed}\n    ${messageLine(node.slice(close + 3))}`;
}

/** `PLACE: MESSAGE` */
function simpleBlock(rest: string): string | undefined {
  const cut = rest.lastIndexOf(": ");
  if (cut < 0) return undefined;
  return `${rest.slice(0, cut)}\n  ${messageLine(rest.slice(cut + 2))}`;
}

/** A message without the error that it wraps. */
function messageLine(message: string): string {
  const cut = message.indexOf(" template:");
  const own = cut < 0 ? message : message.slice(0, cut);
  return own === "" ? "" : `${own}\n`;
}
