import { treeOf } from "../../../../src/core/file_tree.ts";
import type { JsonObject } from "../../../../src/core/json.ts";
import type { Dialect } from "../../../../src/build/helm/dialect.ts";
import { loadChart } from "../../../../src/build/helm/loaded_chart.ts";
import { defaultCapabilities } from "../../../../src/build/helm/release/capabilities.ts";
import { sortByKind } from "../../../../src/build/helm/release/kind_order.ts";
import { manifestText } from "../../../../src/build/helm/release/manifest_text.ts";
import { sortManifests } from "../../../../src/build/helm/release/manifests.ts";
import type { HookManifest } from "../../../../src/build/helm/release/manifests.ts";
import { documentsOf, renderFiles } from "../../../../src/build/helm/release/render.ts";
import { seededRandom } from "../../../../src/build/helm/release/seeded_random.ts";
import { splitManifests } from "../../../../src/build/helm/release/split.ts";
import { fromJson } from "../../../../src/build/helm/template/value.ts";
import type { GoMap } from "../../../../src/build/helm/template/value.ts";
import { vectorsFolder } from "../../../support/paths.ts";
import { runCases } from "../vector_suite.ts";
import type { SuiteCase } from "../vector_suite.ts";
import "../../../support/load_template_modules.ts";

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
  type Case = Readonly<Record<Answered, { readonly install: readonly string[] }>> & {
    readonly documents: readonly [string, string][];
  };
  const { cases } = read<{ cases: readonly Case[] }>("kinds");
  return cases.flatMap((each, index) =>
    dialects.map((dialect) => ({
      name: `${dialect} ${index}`,
      run: () => {
        const sorted = sortByKind(each.documents, ([kind]) => kind, dialect);
        return differs(sorted.map(([kind, name]) => `${kind}/${name}`), each[dialect].install);
      },
    }))
  );
});

suite("order", () => {
  const order = read<Readonly<Record<Answered, { readonly installOrder: readonly string[] }>>>("order");
  return dialects.map((dialect) => {
    const { installOrder } = order[dialect];
    return {
      name: dialect,
      run: () => differs(sortByKind(installOrder.toReversed(), (kind) => kind, dialect), installOrder),
    };
  });
});

interface HookCase {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly "helm4.2.4": HookAnswer;
  readonly helm3: HookAnswer;
}

interface HookAnswer {
  readonly hooks: readonly JsonObject[] | null;
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
  };
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
        return differs(sorted.hooks.map(hookRow), (answer.hooks ?? []).map(wantedRow));
      },
    }))
  );
});

interface StoredRelease {
  readonly name: string;
  readonly namespace: string;
  readonly version: number;
  readonly info: { readonly description?: string; readonly notes?: string };
  readonly config?: JsonObject;
  readonly manifest?: string;
  readonly hooks?: readonly JsonObject[];
}

interface RecordCase extends Readonly<Record<Answered, { readonly releases: readonly { decoded: StoredRelease }[] }>> {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly ops: readonly { readonly b64?: Readonly<Record<string, string>> }[];
}

/** What a chart gives for the values and the revision of a release that Helm stored. */
function rendered(each: RecordCase, stored: StoredRelease, dialect: Answered): unknown {
  const binary = Object.entries(each.ops[0]?.b64 ?? {}).map(([path, data]) => [path, Uint8Array.fromBase64(data)]);
  const { chart } = loadChart(treeOf({ ...each.files, ...Object.fromEntries(binary) }), dialect);
  // A rollback stores what the revision before it rendered.
  const origin = /^Rollback to (\d+)$/.exec(stored.info.description ?? "");
  const revision = origin === null ? stored.version : Number(origin[1]);
  const release = {
    name: stored.name,
    namespace: stored.namespace,
    revision,
    isUpgrade: stored.version > 1 && origin === null,
  };
  const values = fromJson(stored.config ?? {}) as GoMap;
  const notify = () => {};
  const { files, notes } = renderFiles(
    { chart, values, release, dialect, capabilities: defaultCapabilities(dialect) },
    { nowMs: 0, random: seededRandom("record") },
    { notify },
  );
  const { manifests, hooks } = documentsOf(files, { dialect, notify });
  return { manifest: manifestText(manifests), notes, hooks: hooks.map(hookRow) };
}

suite(
  "records",
  () =>
    read<{ cases: readonly RecordCase[] }>("records").cases.flatMap((each) =>
      dialects.flatMap((dialect) =>
        each[dialect].releases.map(({ decoded }) => ({
          name: `${dialect} ${each.name} ${decoded.version}`,
          run: () => {
            const { manifest = "", info: { notes = "" }, hooks = [] } = decoded;
            return differs(rendered(each, decoded, dialect), { manifest, notes, hooks: hooks.map(wantedRow) });
          },
        }))
      )
    ),
);
