import { strict as assert } from "node:assert";
import { gunzipSync } from "node:zlib";
import type { FileTree } from "../../../../src/core/file_tree.ts";
import { treeOf } from "../../../../src/core/file_tree.ts";
import type { JsonObject, JsonValue } from "../../../../src/core/json.ts";
import { jsonEqual } from "../../../../src/core/json.ts";
import type { Dialect } from "../../../../src/build/helm/dialect.ts";
import { loadChart } from "../../../../src/build/helm/helm.ts";
import { ChartError } from "../../../../src/build/helm/chart/metadata.ts";
import { defaultCapabilities } from "../../../../src/build/helm/release/capabilities.ts";
import { manifestText } from "../../../../src/build/helm/release/manifest_text.ts";
import {
  decodeRecord,
  encodeRecord,
  recordSecret,
  releaseRecord,
  staleRevisions,
} from "../../../../src/build/helm/release/record.ts";
import type { ReleaseStatus } from "../../../../src/build/helm/release/record.ts";
import { documentsOf, renderFiles } from "../../../../src/build/helm/release/render.ts";
import { seededRandom } from "../../../../src/build/helm/release/seeded_random.ts";
import { fromJson } from "../../../../src/build/helm/template/value.ts";
import type { GoMap } from "../../../../src/build/helm/template/value.ts";
import { vectorsFolder } from "../../../support/paths.ts";
import { runCases } from "../vector_suite.ts";
import "../../../support/load_template_modules.ts";

Deno.test("encodeRecord() and decodeRecord() are each other's inverse", () => {
  const record = { name: "r", version: 3, manifest: "a: <b>\n", info: { status: "deployed" } };
  assert.deepEqual(decodeRecord(encodeRecord(record)), record);
  const secret = recordSecret(record, { stampSeconds: 5, isNew: true, storageNamespace: "ns", labels: { team: "x" } });
  assert.deepEqual(secret.metadata, {
    name: "sh.helm.release.v1.r.v3",
    namespace: "ns",
    labels: { createdAt: "5", name: "r", owner: "helm", status: "deployed", team: "x", version: "3" },
  });
  assert.throws(() =>
    recordSecret(record, { stampSeconds: 5, isNew: true, storageNamespace: "ns", labels: { owner: "x" } })
  );
});

Deno.test("staleRevisions() keeps the deployed one", () => {
  const history = (statuses: readonly ReleaseStatus[]) =>
    statuses.map((status, index) => ({ revision: index + 1, status }));
  assert.deepEqual(staleRevisions(history(["deployed", "failed", "failed"]), 2), [2, 3]);
  assert.deepEqual(staleRevisions(history(["superseded", "deployed"]), 2), [1]);
  assert.deepEqual(staleRevisions(history(["superseded", "deployed"]), 0), []);
});

const folder = vectorsFolder();
const dialects = ["helm4.2.4", "helm3"] as const satisfies readonly Dialect[];
type Answered = (typeof dialects)[number];

interface DecodeCase extends Readonly<Record<Answered, { readonly release?: JsonObject; readonly error?: string }>> {
  readonly name: string;
  readonly data: string;
}

function read<T>(name: string): T {
  return JSON.parse(Deno.readTextFileSync(`${folder}/helm-release/${name}.json`)) as T;
}

Deno.test({
  name: folder === undefined ? "helm-release decode (skipped: no shared vectors)" : "helm-release: decode",
  ignore: folder === undefined,
  fn: () =>
    runCases(
      "helm-release decode",
      read<{ cases: readonly DecodeCase[] }>("decode").cases.map((each) => ({
        name: each.name,
        run() {
          // A crash of Helm 3 is an error here, as in Helm 4.
          const { release, error } = each["helm4.2.4"];
          let got: JsonObject;
          try {
            got = decodeRecord(each.data);
          } catch (fault) {
            if (!(fault instanceof ChartError)) throw fault;
            return error === undefined ? fault.message : undefined;
          }
          if (error !== undefined) return `no error, wanted ${error}`;
          for (const key of ["name", "version", "namespace", "manifest", "config"]) {
            const wanted = release?.[key];
            if (wanted !== undefined && !jsonEqual(got[key], wanted)) return `${key}: ${JSON.stringify(got[key])}`;
          }
          return undefined;
        },
      })),
    ),
});

interface Operation {
  readonly op: string;
  readonly values?: JsonObject;
  readonly resetThenReuse?: boolean;
  readonly to?: number;
}

interface StoredRelease {
  readonly secret: JsonObject & { readonly data: { readonly release: string } };
  readonly decoded: JsonObject;
}

interface RecordCase extends Readonly<Record<Answered, { readonly releases: readonly StoredRelease[] }>> {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly ops: readonly (Operation & { readonly b64?: Readonly<Record<string, string>> })[];
}

function treeOfCase(each: RecordCase): FileTree {
  const files: Record<string, string | Uint8Array> = { ...each.files };
  for (const [path, data] of Object.entries(each.ops[0]?.b64 ?? {})) files[path] = Uint8Array.fromBase64(data);
  return treeOf(files);
}

/** The record that we make of the same chart, values and moment as a stored one. */
function remade(each: RecordCase, stored: JsonObject, dialect: Answered): JsonObject {
  const info = stored.info as Readonly<Record<string, string>>;
  const loaded = loadChart(treeOfCase(each), dialect);
  const values = fromJson((stored.config ?? {}) as JsonObject) as GoMap;
  const revision = stored.version as number;
  const notify = () => {};
  // A record of a rollback holds what the revision before it rendered.
  const origin = /^Rollback to (\d+)$/.exec(info.description ?? "");
  const rendered = renderFiles(
    {
      chart: loaded.chart,
      values,
      release: {
        name: stored.name as string,
        namespace: stored.namespace as string,
        revision: origin === null ? revision : Number(origin[1]),
        isUpgrade: revision > 1 && origin === null,
      },
      dialect,
      capabilities: defaultCapabilities(dialect),
    },
    { nowMs: 0, random: seededRandom("record") },
    { notify },
  );
  const sorted = documentsOf(rendered.files, { dialect, notify });
  const lastRuns = new Map(((stored.hooks ?? []) as readonly JsonObject[]).flatMap((hook) => {
    const run = hook.last_run as Readonly<Record<string, string>>;
    return run.started_at === undefined || run.started_at === "" ? [] : [
      [
        `${hook.kind}/${hook.name}`,
        { startedAt: run.started_at, completedAt: run.completed_at ?? "", phase: run.phase ?? "" },
      ] as const,
    ];
  }));
  return releaseRecord({
    name: stored.name as string,
    namespace: stored.namespace as string,
    revision,
    info: {
      firstDeployed: info.first_deployed ?? "",
      lastDeployed: info.last_deployed ?? "",
      ...(info.deleted === undefined || info.deleted === "" ? {} : { deleted: info.deleted }),
      description: info.description ?? "",
      status: info.status as ReleaseStatus,
      notes: rendered.notes,
    },
    chart: rendered.chart,
    config: values,
    manifest: manifestText(sorted.manifests),
    hooks: sorted.hooks,
    lastRuns,
    ...(stored.apply_method === undefined ? {} : { applyMethod: stored.apply_method as string }),
  }, dialect);
}

Deno.test({
  name: folder === undefined ? "helm-release records (skipped: no shared vectors)" : "helm-release: records",
  ignore: folder === undefined,
  fn: () =>
    runCases(
      "helm-release records",
      read<{ cases: readonly RecordCase[] }>("records").cases.flatMap((each) =>
        dialects.map((dialect) => ({
          name: `${dialect} ${each.name}`,
          run() {
            for (const { secret, decoded } of each[dialect].releases) {
              const got = remade(each, decoded, dialect);
              const [a, b] = [JSON.stringify(got), JSON.stringify(decoded)];
              if (a !== b) return `\n  got    ${a.slice(0, 1500)}\n  wanted ${b.slice(0, 1500)}`;
              // The text inside is what Go prints, escapes and all.
              const stored = new TextDecoder().decode(Uint8Array.fromBase64(secret.data.release));
              const text = new TextDecoder().decode(gunzipSync(Uint8Array.fromBase64(stored)));
              const own = new TextDecoder().decode(gunzipSync(Uint8Array.fromBase64(encodeRecord(got))));
              if (own !== text) return `text differs at ${[...own].findIndex((sign, index) => sign !== text[index])}`;
              const labels = (secret.metadata as JsonObject).labels as Readonly<Record<string, string>>;
              const extra = Object.fromEntries(
                Object.entries(labels).filter(([key]) =>
                  !["name", "owner", "status", "version", "createdAt", "modifiedAt"].includes(key)
                ),
              );
              const isNew = labels.createdAt !== undefined;
              const made = recordSecret(got, {
                labels: extra,
                isNew,
                stampSeconds: Number(labels.createdAt ?? labels.modifiedAt),
                storageNamespace: (secret.metadata as JsonObject).namespace as string,
              });
              const withoutData = ({ data: _, ...rest }: JsonObject): JsonValue => rest;
              const [c, d] = [JSON.stringify(withoutData(made)), JSON.stringify(withoutData(secret))];
              if (c !== d) return `\n  got    ${c}\n  wanted ${d}`;
            }
            return undefined;
          },
        }))
      ),
    ),
});
