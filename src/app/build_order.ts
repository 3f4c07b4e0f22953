import type { Capabilities } from "../build/helm/release/capabilities.ts";
import type { KnownAnswer } from "../build/helm/release/inputs.ts";
import type { InputRequest } from "../build/helm/render_tools.ts";
import type { BuildResult } from "../core/builder.ts";
import type { Reason } from "../core/reason.ts";
import type { KustomizationBuild } from "../reconcile/kustomization.ts";
import type { ReleaseBuild, RenderedRelease } from "../reconcile/release_order.ts";

/** A build as it is sent to another process: values only. */
export type BuildOrder =
  & { readonly storeFolder: string; readonly isDirectory: boolean; readonly allowHttp: boolean }
  & (
    | { readonly kind: "kustomization"; readonly request: KustomizationBuild }
    | { readonly kind: "helmRelease"; readonly request: ReleaseBuild; readonly world: RenderWorld }
  );

/** Everything of the world that a render takes part of: the same in each of its rounds but for the answers. */
export interface RenderWorld {
  readonly nowMs: number;
  readonly seed: Uint8Array<ArrayBuffer>;
  readonly capabilities?: Capabilities;
  /** What may be asked; the rest is answered as where nobody is there. */
  readonly asks: readonly InputRequest["kind"][];
  /** What was asked in earlier rounds. */
  readonly known: readonly KnownAnswer[];
}

/** What comes back; an error loses its class on the way, so its parts are sent. */
export type BuildAnswer =
  | { readonly kind: "built"; readonly result: BuildResult | RenderedRelease }
  /** A template asks for what only the sender can fetch: the render is to be sent again with the answer. */
  | { readonly kind: "missing"; readonly request: InputRequest }
  | { readonly kind: "failed"; readonly reason: Reason; readonly message: string; readonly hint: string };

/** A part of an answer, as it is sent: the answer without its lists of resources, or some items of one of those. */
type Part = BuildAnswer | { readonly kind: "items"; readonly list: ListName; readonly items: readonly unknown[] };

/** Lists that make an answer long. */
const listNames = ["resources", "hooks", "crds"] as const;
type ListName = (typeof listNames)[number];

/** Characters from which on a part is long enough: reading it takes a few milliseconds. */
const partLength = 512 * 1024;

/** An answer in parts that are read one at a time, so that whoever waits for it does other things in between. */
export function partsOf(answer: BuildAnswer): readonly unknown[] {
  if (answer.kind !== "built") return [answer];
  const { result } = answer;
  const parts: Part[] = [];
  for (const list of listNames) {
    let items: unknown[] = [];
    let length = 0;
    for (const item of result[list] ?? []) {
      items.push(item);
      length += lengthOf(item);
      if (length < partLength) continue;
      parts.push({ kind: "items", list, items });
      items = [];
      length = 0;
    }
    if (items.length > 0) parts.push({ kind: "items", list, items });
  }
  const bare = { ...result, resources: [], hooks: [], ...(result.crds === undefined ? {} : { crds: [] }) };
  return [{ kind: "built", result: bare }, ...parts];
}

/** The answer whose parts these are. */
export function answerOf(parts: readonly unknown[]): BuildAnswer {
  const [first, ...rest] = parts as readonly Part[];
  if (first === undefined || first.kind === "items") {
    throw new Error("Cannot read an answer: its first part is missing");
  }
  if (first.kind !== "built") return first;
  const lists: Partial<Record<ListName, unknown[]>> = {};
  for (const part of rest) if (part.kind === "items") (lists[part.list] ??= []).push(...part.items);
  return { kind: "built", result: { ...first.result, ...lists } as BuildResult };
}

/** About how many characters a value has. */
function lengthOf(value: unknown): number {
  if (typeof value === "string") return value.length + 8;
  if (typeof value !== "object" || value === null) return 8;
  let length = 8;
  for (const key in value) length += key.length + lengthOf((value as Record<string, unknown>)[key]);
  return length;
}
