/**
 * JSON functions: Sprig's, with `toJson` and `fromJson` in Helm's form.
 *
 * @module
 */
import { GoError } from "../template/go_error.ts";
import { goTypes } from "../template/go_type.ts";
import { goDict, goList, GoMap, GoSlice, typeNameOf } from "../template/value.ts";
import type { Value } from "../template/value.ts";
import { parseJson, readJson } from "./json_parse.ts";
import { jsonText } from "./json_text.ts";
import type { JsonTextOptions } from "./json_text.ts";
import { func } from "./registry.ts";
import type { FunctionRecord, FunctionTable } from "./registry.ts";

const { any, dict, list, string } = goTypes;

/** Writes JSON; `isStrict` hands errors on, else the text is "" then. */
function writer(isStrict: boolean, options: JsonTextOptions = {}): FunctionRecord {
  return func([any], string, (context, value) => {
    try {
      return jsonText(context, value, options);
    } catch (error) {
      if (!isStrict && error instanceof GoError) return "";
      throw error;
    }
  });
}

const kinds: Readonly<Record<string, string>> = {
  "[]interface {}": "array",
  "map[string]interface {}": "object",
  bool: "bool",
  float64: "number",
};

/** Why a value of JSON does not fit a Go type. */
function cannotUnmarshal(value: Value, type: string): GoError {
  const kind = kinds[typeNameOf(value)] ?? typeNameOf(value);
  return new GoError(`json: cannot unmarshal ${kind} into Go value of type ${type}`);
}

/** Functions by name. */
export const jsonFunctions: FunctionTable = {
  fromJson: func([string], dict, (context, text) => {
    try {
      context.made(16 * text.length);
      const { value, fault } = readJson(text);
      if (value === null && fault !== undefined) throw cannotUnmarshal(0, "map[string]interface {}");
      if (value === null) return new GoMap(null);
      if (!(value instanceof GoMap)) throw cannotUnmarshal(value, "map[string]interface {}");
      if (fault !== undefined) value.entries?.set("Error", fault.message);
      return value;
    } catch (error) {
      if (error instanceof GoError) return goDict([["Error", error.message]]);
      throw error;
    }
  }),
  fromJsonArray: func([string], list, (context, text) => {
    try {
      context.made(16 * text.length);
      const { value, fault } = readJson(text);
      // A number that no float64 holds has no value, but a kind.
      if (value === null && fault !== undefined) throw cannotUnmarshal(0, "[]interface {}");
      if (value === null) return new GoSlice(null);
      if (!(value instanceof GoSlice)) throw cannotUnmarshal(value, "[]interface {}");
      return fault === undefined ? value : goList([fault.message]);
    } catch (error) {
      if (error instanceof GoError) return goList([error.message]);
      throw error;
    }
  }),
  mustFromJson: func([string], any, (context, text) => {
    context.made(16 * text.length);
    return parseJson(text);
  }),
  mustToJson: writer(true),
  mustToPrettyJson: writer(true, { indent: "  " }),
  mustToRawJson: writer(true, { escapesHtml: false }),
  toJson: writer(false),
  toPrettyJson: writer(false, { indent: "  " }),
  toRawJson: writer(true, { escapesHtml: false }),
};
