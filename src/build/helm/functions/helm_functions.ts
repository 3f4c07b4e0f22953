/**
 * All functions of Helm's templates beside Go's own: Sprig 3.3.0 without `env` and `expandenv`, and Helm's.
 *
 * @module
 */
import { cryptoFunctions } from "./crypto.ts";
import { dateFunctions } from "./dates.ts";
import { defaultFunctions } from "./defaults.ts";
import { dictFunctions } from "./dicts.ts";
import { encodingFunctions } from "./encoding.ts";
import { ownFunctions } from "./helm.ts";
import { jsonFunctions } from "./json.ts";
import { listFunctions } from "./lists.ts";
import { numberFunctions } from "./numbers.ts";
import { pathFunctions } from "./paths.ts";
import { randomFunctions } from "./random.ts";
import { regexFunctions } from "./regex.ts";
import { joinFunctions } from "./registry.ts";
import type { Dialect, FunctionTable } from "./registry.ts";
import { semverFunctions } from "./semver.ts";
import { stringFunctions } from "./strings.ts";
import { urlFunctions } from "./url.ts";
import { yamlTomlFunctions } from "./yaml_toml.ts";

const all = joinFunctions(
  cryptoFunctions,
  dateFunctions,
  defaultFunctions,
  dictFunctions,
  encodingFunctions,
  jsonFunctions,
  listFunctions,
  numberFunctions,
  ownFunctions,
  pathFunctions,
  randomFunctions,
  regexFunctions,
  semverFunctions,
  stringFunctions,
  urlFunctions,
  yamlTomlFunctions,
);

/** Functions that came with Helm 4. */
const newInHelm4: ReadonlySet<string> = new Set(["mustToToml", "mustToYaml"]);

let helm3: FunctionTable | undefined;

/** Functions by name, as a dialect has them. */
export function helmFunctions(dialect: Dialect): FunctionTable {
  if (dialect !== "helm3") return all;
  return helm3 ??= joinFunctions(Object.fromEntries(Object.entries(all).filter(([name]) => !newInHelm4.has(name))));
}
