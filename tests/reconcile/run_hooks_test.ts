import type { Dialect } from "../../src/build/helm/dialect.ts";
import { sortManifests } from "../../src/build/helm/release/manifests.ts";
import type { HookResource } from "../../src/core/builder.ts";
import { refOfEntry } from "../../src/core/inventory.ts";
import type { Resource, ResourceRef } from "../../src/core/resource.ts";
import { runHooks } from "../../src/reconcile/run_hooks.ts";
import type { Target } from "../../src/core/target.ts";
import { runCases } from "../build/helm/vector_suite.ts";
import { vectorsFolder } from "../support/paths.ts";

const folder = vectorsFolder();
const dialects = ["helm4.2.4", "helm3"] as const satisfies readonly Dialect[];

const reason = "an object without a name is refused before anything is sent; Helm finds that out from the API server";
const skips = { "helm4.2.4 no name install": reason, "helm3 no name install": reason };

/** Hooks, operations on their release, and what the real Helm did to the hooks' objects in each. */
interface HookCase {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly ops: readonly { readonly op: string }[];
  /** Name of the object that fails. */
  readonly fail: string | null;
  readonly "helm4.2.4": HookAnswer;
  readonly helm3: HookAnswer;
}

interface HookAnswer {
  readonly outcomes: readonly { readonly trace: readonly string[] }[];
}

function hooksOf(each: HookCase, dialect: Dialect): readonly HookResource[] {
  const files = new Map(Object.entries(each.files).map(([path, text]) => [`app/templates/${path}`, text]));
  return sortManifests(files, { dialect, notify: () => {} }).hooks.map((
    { value, events, weight, deletePolicies, path },
  ) => (
    { resource: value as unknown as Resource, events, weight, deletePolicies, path }
  ));
}

/** A target where all works but the object that fails, and that writes down what it is asked for in Helm's words. */
function tracingTarget(trace: string[], fail: string | null): Target {
  const textOf = ({ kind, name }: Pick<ResourceRef, "kind" | "name">) => `${kind}/${name}`;
  const end = (ref: Pick<ResourceRef, "kind" | "name">) => {
    trace.push(`${ref.name === fail ? "failed" : "ready"} ${textOf(ref)}`);
    if (ref.name === fail) throw new Error("fails as asked");
  };
  const isAwaited = (kind: string) => kind === "Job" || kind === "Pod";
  return {
    kind: "cluster",
    name: "trace",
    plan: () => Promise.resolve([]),
    apply: ({ resources, previous }) => {
      for (const { kind, metadata: { name } } of resources) {
        trace.push(`create ${textOf({ kind, name })}`);
        if (!isAwaited(kind)) end({ kind, name });
      }
      return Promise.resolve({ inventory: previous, changes: [] });
    },
    wait: ({ refs }) => {
      for (const ref of refs) end(ref);
      return Promise.resolve([]);
    },
    remove: (_owner, entries) => {
      for (const entry of entries) trace.push(`delete ${textOf(refOfEntry(entry))}`);
      return Promise.resolve({ removed: [], kept: [], released: [] });
    },
    remembered: () => Promise.resolve(undefined),
  };
}

async function traceOf(each: HookCase, op: string, dialect: Dialect): Promise<readonly string[]> {
  const trace: string[] = [];
  const target = tracingTarget(trace, each.fail);
  const hooks = hooksOf(each, dialect);
  const verb = op === "uninstall" ? "delete" : op;
  for (const event of [`pre-${verb}`, `post-${verb}`]) {
    const order = {
      key: { apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease", namespace: "default", name: "app" },
      hooks,
      event,
      options: {},
      timeoutMs: 1000,
    };
    const tools = {
      signal: new AbortController().signal,
      progress: () => {},
      offWorker: <T>(work: () => Promise<T>) => work(),
    };
    const isFine = await runHooks(target, order, tools).then(() => true, () => false);
    if (!isFine) break;
  }
  return trace;
}

Deno.test({
  name: folder === undefined
    ? "hooks run as in Helm (skipped: no shared vectors)"
    : "runHooks does to the objects of hooks what Helm does, in its order",
  ignore: folder === undefined,
  fn: async () => {
    const { cases } = JSON.parse(await Deno.readTextFile(`${folder}/helm-release/hooks.json`)) as {
      readonly cases: readonly HookCase[];
    };
    await runCases(
      "helm-release hook courses",
      cases.flatMap((each) =>
        dialects.flatMap((dialect) =>
          each.ops.flatMap(({ op }, index) => ({
            name: `${dialect} ${each.name} ${op}`,
            run: async () => {
              // Logs of hooks are shown by the history of a release, and the rest of a removal is the target's.
              const wanted = each[dialect].outcomes[index]?.trace.filter((line) => !/^(?:logs|remove) /.test(line));
              const got = await traceOf(each, op, dialect);
              return got.join("\n") === wanted?.join("\n") ? undefined : `\n got ${got}\n wanted ${wanted}`;
            },
          }))
        )
      ),
      skips,
    );
  },
});
