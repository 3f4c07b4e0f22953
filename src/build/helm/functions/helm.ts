/**
 * Functions that only Helm has: templates within templates, errors of the author, questions to the outside.
 *
 * @module
 */
import { GoError } from "../template/go_error.ts";
import { goTypes } from "../template/go_type.ts";
import { authorsError } from "../template/helm_error.ts";
import { fromJson, goDict } from "../template/value.ts";
import { func } from "./registry.ts";
import type { FunctionTable } from "./registry.ts";

const { any, dict, string } = goTypes;

/** Functions by name. */
export const ownFunctions: FunctionTable = {
  fail: func([string], string, (_, message) => {
    throw authorsError(message);
  }),
  getHostByName: func([string], string, ({ tools }, host) => {
    const address = tools.resolveHost?.({ kind: "host", host });
    // What Sprig says when there is no address to choose from.
    if (address === "") throw new GoError("invalid argument to Intn");
    return address ?? "";
  }),
  hello: func([], string, () => "Hello!"),
  include: func([string, any], string, ({ templates }, name, data) => templates.include(name, data ?? undefined)),
  lookup: func([string, string, string, string], dict, ({ tools }, apiVersion, resourceKind, namespace, name) => {
    const answer = tools.lookup?.({ kind: "lookup", apiVersion, resourceKind, namespace, name });
    return answer === undefined || answer === null ? goDict() : fromJson(answer);
  }),
  required: func([string, any], any, (_, message, value) => {
    if (value === null || value === "") throw authorsError(message);
    return value;
  }),
  tpl: func([string, any], string, ({ templates }, text, data) => templates.evaluate(text, data ?? undefined)),
};
