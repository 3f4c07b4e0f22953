import { ChartError } from "../chart/metadata.ts";
import type { Dialect } from "../dialect.ts";
import { languageOf } from "../dialect.ts";
import { helmFunctions } from "../functions/helm_functions.ts";
import type { RenderTools } from "../render_tools.ts";
import { GoError } from "../template/go_error.ts";
import { builtins } from "../template/builtins.ts";
import { compileTemplate } from "../template/compile_template.ts";
import { quoteText } from "../template/go_quote.ts";
import { withoutMarks } from "../template/helm_error.ts";
import { parseTemplate } from "../template/parser.ts";
import { Run } from "../template/run.ts";

const namePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * Checks a release name: a DNS-1123 subdomain of at most 53 characters.
 *
 * @throws {ChartError} with Helm's text
 */
export function checkReleaseName(name: string): void {
  const what = name === ""
    ? "no name provided"
    : name.length > 53 || !namePattern.test(name)
    ? `invalid release name, must match regex ${namePattern.source} and the length must not be longer than 53`
    : undefined;
  if (what !== undefined) throw new ChartError(`release name ${quoteText(name)}: ${what}`);
}

/** Functions that Helm adds to Sprig's: a name's template does not have them. */
const helmOnly = new Set(
  ("include tpl required lookup toYaml mustToYaml toYamlPretty fromYaml fromYamlArray fromJsonArray toToml mustToToml " +
    "fromToml mustToDuration durationSeconds durationMilliseconds durationMicroseconds durationNanoseconds " +
    "durationMinutes durationHours durationDays durationWeeks durationRoundTo durationTruncateTo").split(" "),
);

/**
 * Runs `--name-template` with Sprig's functions and no data.
 *
 * @throws {ChartError} with Go's text
 */
export function templatedName(text: string, dialect: Dialect, tools: RenderTools): string {
  const functions = { own: helmFunctions(languageOf(dialect)), builtins };
  const hasFunction = (name: string) =>
    !helmOnly.has(name) && (functions.own[name] !== undefined || Object.hasOwn(builtins, name));
  try {
    const trees = parseTemplate("name-template", text, { hasFunction });
    const templates = new Map(
      [...trees].map(([name, tree]) => [name, { tree, body: compileTemplate(tree, functions) }]),
    );
    const calls = {
      include: (name: string): string => {
        throw new GoError(`no template ${quoteText(name)}`);
      },
      evaluate: (): string => {
        throw new GoError("no templates here");
      },
    };
    const find = (name: string) => templates.get(name);
    const run = new Run({ tools, dialect: languageOf(dialect), isStrict: false }, calls, find);
    const template = templates.get("name-template");
    return template === undefined ? "" : run.capture(template, undefined);
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    throw new ChartError(withoutMarks(error.message), { cause: error });
  }
}
