import type { JsonObject, JsonValue } from "../core/json.ts";
import { keyText } from "../core/object.ts";
import { printYaml } from "../format/yaml.ts";
import { type Command, UsageError } from "./command.ts";
import { readyOf } from "./get.ts";
import { kindOf } from "./object_names.ts";
import { outputForm, printValue } from "./output.ts";
import { outputFlag, passFlags, passOf, timeIsOver } from "./shared_flags.ts";

/** `pilotfish render`: what would be applied, by the daemon's own engine. */
export const render: Command = {
  name: "render",
  usage: "[KIND [NAME]]",
  summary: "Print what would be applied, per object; offline where the store has it",
  details: "Example: pilotfish render --config examples/quickstart ks site\n" +
    "Exit code 0: all of it; 1: something could not be built; 2: something is wrong with a document, and its object is left out.\n" +
    "Values of Secrets are masked unless --show-secrets is given, also where variables or templates put them elsewhere.",
  positionals: [0, 2],
  flags: [
    ...passFlags("5m"),
    { name: "namespace", short: "n", type: "string", value: "NAME", help: "Only objects of this namespace" },
    { name: "show-secrets", type: "boolean", help: "Print the values of Secrets" },
    { name: "explain", type: "string", value: "WHAT", help: "values: where each value of a HelmRelease came from" },
    outputFlag,
  ],
  async run(invocation, { app, console, signal }) {
    const explain = invocation.text("explain");
    if (explain !== undefined && explain !== "values") {
      throw new UsageError(`Cannot explain "${explain}": only values can be explained`);
    }
    const form = outputForm(invocation.text("output"));
    const outcome = await app.preview({
      ...passOf(invocation, "5m"),
      plans: false,
      showsSecrets: invocation.flag("show-secrets"),
    }, signal);
    if (outcome.kind === "refused") throw new UsageError(outcome.message);
    const [kindWord, name] = invocation.positionals;
    const kind = kindWord === undefined || kindWord === "all" ? undefined : kindOf(kindWord);
    const namespace = invocation.text("namespace");
    const fits = (key: { readonly kind: string; readonly namespace: string; readonly name: string }) =>
      (kind === undefined || key.kind === kind) && (name === undefined || key.name === name) &&
      (namespace === undefined || key.namespace === namespace);
    if (explain === "values") {
      for (const one of outcome.explained.filter((explained) => fits(explained.owner))) {
        console.out(`# ${keyText(one.owner)}\n${one.text}`);
      }
    } else {
      const rendered = outcome.rendered.filter((one) => fits(one.owner));
      const mask = (resource: JsonObject): JsonObject => invocation.flag("show-secrets") ? resource : masked(resource);
      if (form === "json") {
        console.out(printValue(rendered.flatMap((one) => one.resources.map(mask)) as unknown as JsonValue, "json"));
      } else {
        for (const one of rendered) {
          for (const resource of one.resources) {
            console.out(`---\n# ${keyText(one.owner)}\n${printYaml(mask(resource))}`);
          }
        }
      }
    }
    const shown = outcome.failing.filter((status) => fits(status.key));
    // What a source has to say is the reason of those who wait for it.
    const sources = new Set(shown.flatMap(({ source }) => source === undefined ? [] : [keyText(source)]));
    const failing = outcome.failing.filter((status) => fits(status.key) || sources.has(keyText(status.key)));
    for (const status of failing) {
      console.err(`✗ ${keyText(status.key)}: ${readyOf(status).message}\n`);
      if (status.hint !== undefined) console.err(`  hint: ${status.hint}\n`);
    }
    if (outcome.isCutShort) console.err(`✗ ${timeIsOver(invocation, "5m")}\n`);
    const problems = outcome.problems ?? [];
    for (const problem of problems) console.err(`${problem}\n`);
    if (problems.length > 0) return 2;
    const isKnown = [...outcome.statuses.map((status) => status.key), ...outcome.rendered.map((one) => one.owner)].some(
      fits,
    );
    if (name !== undefined && !isKnown && !outcome.isCutShort) {
      const where = namespace === undefined ? "" : ` in namespace "${namespace}"`;
      throw new UsageError(`Cannot find ${kindWord} "${name}"${where} among the documents and what they bring`);
    }
    return failing.length === 0 && !outcome.isCutShort ? 0 : 1;
  },
};

function masked(resource: JsonObject): JsonObject {
  if (resource.kind !== "Secret") return resource;
  const hide = (value: JsonValue | undefined): JsonValue =>
    Object.fromEntries(Object.keys((value ?? {}) as JsonObject).map((key) => [key, "***"]));
  return {
    ...resource,
    ...(resource.data === undefined ? {} : { data: hide(resource.data) }),
    ...(resource.stringData === undefined ? {} : { stringData: hide(resource.stringData) }),
  };
}
