/**
 * Renders named templates that include themselves, on the main thread and in a worker, and prints what came of it as JSON.
 * A program of its own, because the size of the stack is a flag of the runtime: tests/build/helm/template/deep_include_test.ts.
 *
 * @module
 */
import { renderFiles } from "./template_harness.ts";

/** What each place made of a number of levels: the text, or the error. */
export interface DeepAnswer {
  readonly main: readonly string[];
  readonly worker: readonly string[];
}

/** As charts nest: a context, loops and conditions around the include, its result through pipes. */
const shapes = {
  include: `{{- define "walk" -}}
{{- $ctx := . -}}
{{- with .node }}
{{- if gt (int $ctx.n) 0 }}
{{- range $key, $child := . }}
{{- if eq $key "child" }}
{{- include "walk" (dict "n" (sub (int $ctx.n) 1) "node" $child "root" $ctx.root) | trim | indent 0 }}
{{- end }}
{{- end }}
{{- else }}
end
{{- end }}
{{- end }}
{{- end -}}
{{- $node := dict "child" "x" }}{{ range until (int .Values.levels) }}{{ $node = dict "child" $node }}{{ end -}}
{{ include "walk" (dict "n" (int .Values.levels) "node" $node "root" $) }}`,
  tpl: `{{- define "walk" -}}
{{- if gt (int .n) 0 }}{{ tpl "{{ include \\"walk\\" . }}" (dict "n" (sub .n 1) "Template" .Template) }}{{ else }}end{{ end }}
{{- end -}}
{{ include "walk" (dict "n" (int .Values.levels) "Template" .Template) }}`,
} as const;

/** A shape and how often it nests. */
export type DeepCase = readonly [shape: keyof typeof shapes, levels: number];

function answer([shape, levels]: DeepCase): string {
  const result = renderFiles({
    files: { "Chart.yaml": "apiVersion: v2\nname: chart\nversion: 0.1.0\n", "templates/t.yaml": shapes[shape] },
    values: { levels },
    dialect: "helm4.2.4",
  });
  const text = result.error === undefined ? result.outputs.get("chart/templates/t.yaml") : result.error;
  return (text ?? "").trim().slice(-80);
}

if ("WorkerGlobalScope" in globalThis) {
  const scope = globalThis as unknown as Pick<Worker, "onmessage" | "postMessage">;
  scope.onmessage = ({ data }: MessageEvent<readonly DeepCase[]>) => scope.postMessage(data.map(answer));
} else if (import.meta.main) {
  const cases = JSON.parse(Deno.args[0] ?? "[]") as readonly DeepCase[];
  const worker = new Worker(import.meta.url, { type: "module" });
  const answered = new Promise<readonly string[]>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data as readonly string[]);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.postMessage(cases);
  const result: DeepAnswer = { main: cases.map(answer), worker: await answered };
  worker.terminate();
  console.log(JSON.stringify(result));
}
