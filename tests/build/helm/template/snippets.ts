import type { Dialect } from "../../../../src/build/helm/functions/registry.ts";
import { fromBytes } from "../../../../src/build/helm/template/go_string.ts";
import { renderFiles } from "../../../support/template_harness.ts";

/** Answer of a real Helm to a snippet. */
export interface SnippetAnswer {
  readonly output?: string;
  readonly outputBase64?: string;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly error?: string;
  readonly errorBase64?: string;
  readonly undetermined?: boolean;
}

/** A small template with what the real Helms make of it. */
export interface Snippet {
  readonly group: string;
  readonly template: string;
  readonly values?: never;
  readonly files?: Readonly<Record<string, string>>;
  readonly filesBase64?: Readonly<Record<string, string>>;
  readonly "helm4.2.4": SnippetAnswer;
  readonly helm3?: SnippetAnswer;
}

/** What snippets have around them. */
export interface SnippetContext {
  readonly chart: { readonly "Chart.yaml": string };
  readonly capabilities: Readonly<Record<Dialect, { readonly APIVersions: readonly string[] }>>;
}

function fromBase64(text: string): string {
  return fromBytes(Uint8Array.fromBase64(text));
}

/** What is wrong about our answer to a snippet; `undefined` when it is right. */
export function faultOf(snippet: Snippet, context: SnippetContext, dialect: Dialect): string | undefined {
  const expected = dialect === "helm3" ? snippet.helm3 ?? snippet["helm4.2.4"] : snippet["helm4.2.4"];
  if (expected.undetermined) return undefined;
  const name = "chart/templates/t.yaml";
  let result;
  try {
    result = renderFiles({
      files: {
        "Chart.yaml": context.chart["Chart.yaml"],
        "templates/t.yaml": snippet.template,
        ...snippet.files,
        ...Object.fromEntries(
          Object.entries(snippet.filesBase64 ?? {}).map(([path, data]) => [path, Uint8Array.fromBase64(data)]),
        ),
      },
      values: snippet.values ?? {},
      dialect,
      apiVersions: context.capabilities[dialect].APIVersions,
    });
  } catch (error) {
    return `threw ${(error as Error).stack}`;
  }
  const error = expected.errorBase64 === undefined ? expected.error : fromBase64(expected.errorBase64);
  if (error !== undefined) {
    if (result.error === error) return undefined;
    return `wanted error ${JSON.stringify(error)}\n     got ${
      result.error === undefined ? JSON.stringify(result.outputs.get(name)) : `error ${JSON.stringify(result.error)}`
    }`;
  }
  if (result.error !== undefined) {
    return `wanted ${JSON.stringify(expected.output ?? expected.outputBase64)}\n     got error ${
      JSON.stringify(result.error)
    }`;
  }
  const output = expected.outputBase64 === undefined ? expected.output ?? "" : fromBase64(expected.outputBase64);
  const wanted: Record<string, string> = { ...expected.outputs };
  if (output !== "" || result.outputs.has(name)) wanted[name] = output;
  for (const [path, text] of Object.entries(wanted)) {
    if (result.outputs.get(path) !== text) {
      return `${path} wanted ${JSON.stringify(text)}\n     got ${JSON.stringify(result.outputs.get(path))}`;
    }
  }
  return undefined;
}
