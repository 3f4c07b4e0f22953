import type { JsonObject } from "../../../../src/core/json.ts";
import type { Dialect } from "../../../../src/build/helm/dialect.ts";
import { hookActions, planHooks } from "../../../../src/build/helm/release/hook_plan.ts";
import { kindOrder, sortByKind } from "../../../../src/build/helm/release/kind_order.ts";
import { sortManifests } from "../../../../src/build/helm/release/manifests.ts";
import type { HookManifest, Manifest } from "../../../../src/build/helm/release/manifests.ts";
import { planRemoval } from "../../../../src/build/helm/release/removal.ts";
import { splitManifests } from "../../../../src/build/helm/release/split.ts";
import { vectorsFolder } from "../../../support/paths.ts";
import { runCases } from "../vector_suite.ts";
import type { SuiteCase } from "../vector_suite.ts";

const folder = vectorsFolder();
const dialects = ["helm4.2.4", "helm3"] as const satisfies readonly Dialect[];
type Answered = (typeof dialects)[number];

function read<T>(name: string): T {
  return JSON.parse(Deno.readTextFileSync(`${folder}/helm-release/${name}.json`)) as T;
}

function differs(got: unknown, wanted: unknown): string | undefined {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  return a === b ? undefined : `\n  got    ${a}\n  wanted ${b}`;
}

function suite(name: string, cases: () => readonly SuiteCase[]): void {
  Deno.test({
    name: folder === undefined ? `helm-release ${name} (skipped: no shared vectors)` : `helm-release: ${name}`,
    ignore: folder === undefined,
    fn: () => runCases(`helm-release ${name}`, cases()),
  });
}

suite("split", () => {
  const { cases } = read<{ cases: readonly (Readonly<Record<Answered, string[]>> & { readonly text: string })[] }>(
    "split",
  );
  return cases.flatMap((each) =>
    dialects.map((dialect) => ({
      name: `${dialect} ${JSON.stringify(each.text)}`,
      run: () => differs(splitManifests(each.text, dialect), each[dialect]),
    }))
  );
});

suite("kinds", () => {
  type Case = Readonly<Record<Answered, Readonly<Record<"install" | "uninstall", string[]>>>> & {
    readonly documents: readonly [string, string][];
  };
  const { cases } = read<{ cases: readonly Case[] }>("kinds");
  return cases.flatMap((each, index) =>
    dialects.flatMap((dialect) =>
      (["install", "uninstall"] as const).map((direction) => ({
        name: `${dialect} ${direction} ${index}`,
        run: () => {
          const sorted = sortByKind(each.documents, ([kind]) => kind, { direction, dialect });
          return differs(sorted.map(([kind, name]) => `${kind}/${name}`), each[dialect][direction]);
        },
      }))
    )
  );
});

suite("order", () => {
  const order = read<Readonly<Record<Answered, Readonly<Record<"installOrder" | "uninstallOrder", string[]>>>>>(
    "order",
  );
  return dialects.flatMap((dialect) =>
    (["install", "uninstall"] as const).map((direction) => ({
      name: `${dialect} ${direction}`,
      run: () => differs(kindOrder(direction, dialect), order[dialect][`${direction}Order`]),
    }))
  );
});

interface HookCase {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly ops: readonly { readonly op: string }[];
  readonly fail: string | null;
  readonly "helm4.2.4": HookAnswer;
  readonly helm3: HookAnswer;
}

interface HookAnswer {
  readonly hooks: readonly JsonObject[] | null;
  readonly manifests: readonly JsonObject[];
  readonly outcomes: readonly { readonly op: string; readonly trace: readonly string[]; readonly error?: string }[];
  readonly error?: string;
}

function hookRow(hook: HookManifest): unknown {
  return {
    name: hook.name,
    kind: hook.kind,
    path: hook.path,
    manifest: hook.text,
    events: hook.events,
    weight: hook.weight,
    delete_policies: hook.deletePolicies,
    output_log_policies: hook.outputLogPolicies,
  };
}

function wantedRow(hook: JsonObject): unknown {
  return {
    name: hook.name ?? "",
    kind: hook.kind ?? "",
    path: hook.path,
    manifest: hook.manifest,
    events: hook.events ?? [],
    weight: hook.weight ?? 0,
    delete_policies: hook.delete_policies ?? [],
    output_log_policies: hook.output_log_policies ?? [],
  };
}

/** The course of an operation as the vectors tell it. */
function trace(
  op: string,
  hooks: readonly HookManifest[],
  manifests: readonly Manifest[],
  each: HookCase,
  dialect: Dialect,
): readonly string[] {
  const verbs: Readonly<Record<string, string>> = { uninstall: "delete" };
  const verb = verbs[op] ?? op;
  const lines: string[] = [];
  const runs = (event: string): boolean => {
    let isFine = true;
    for (const action of hookActions(planHooks(hooks, event), (hook) => hook.name === each.fail)) {
      if (action.kind === "failed") isFine = false;
      const { kind, name } = action.hook;
      const logs = kind === "Job" ? `job-name=${name}` : `metadata.name=${name}`;
      lines.push(`${action.kind} ${action.kind === "logs" ? logs : `${kind}/${name}`}`);
    }
    return isFine;
  };
  if (op === "test") {
    runs("test");
    return lines;
  }
  if (!runs(`pre-${verb}`)) return lines;
  if (op === "uninstall") {
    for (const manifest of planRemoval(manifests, dialect).removed) {
      lines.push(`remove ${manifest.kind}/${manifest.name}`);
    }
  }
  runs(`post-${verb}`);
  return lines;
}

suite("hooks", () => {
  const { cases } = read<{ cases: readonly HookCase[] }>("hooks");
  return cases.flatMap((each) =>
    dialects.map((dialect) => ({
      name: `${dialect} ${each.name}`,
      run: () => {
        const answer = each[dialect];
        const files = new Map(Object.entries(each.files).map(([path, text]) => [`app/templates/${path}`, text]));
        const sorted = sortManifests(files, { dialect, notify: () => {} });
        return differs(sorted.hooks.map(hookRow), (answer.hooks ?? []).map(wantedRow)) ??
          answer.outcomes.map((outcome, index) =>
            differs(trace(each.ops[index]?.op ?? "", sorted.hooks, sorted.manifests, each, dialect), outcome.trace)
          ).find((difference) => difference !== undefined);
      },
    }))
  );
});
