/**
 * Release records as Helm's storage keeps them: what `helm list`, `history`, `get` and `rollback` read. A record is a JSON
 * object in Helm's own order of fields; its Secret holds it as base64 of gzip.
 *
 * @module
 */
import { nodeBuiltin } from "../../../core/node_builtin.ts";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import type { Chart } from "../chart/chart.ts";
import type { ChartMetadata } from "../chart/metadata.ts";
import { ChartError } from "../chart/metadata.ts";
import type { Dialect } from "../dialect.ts";
import { isHelm3 } from "../dialect.ts";
import { compareStrings } from "../template/go_string.ts";
import type { GoMap } from "../template/value.ts";
import { jsonOf } from "../values/value_json.ts";
import type { HookManifest } from "./manifests.ts";

/** Where a release stands (Helm 4.2.4, `pkg/release/common/status.go`). */
export type ReleaseStatus =
  | "unknown"
  | "deployed"
  | "uninstalled"
  | "superseded"
  | "failed"
  | "uninstalling"
  | "pending-install"
  | "pending-upgrade"
  | "pending-rollback";

/** What a record is made of. */
export interface RecordInput {
  readonly name: string;
  readonly namespace: string;
  /** `version` in the record. */
  readonly revision: number;
  readonly info: {
    /** RFC 3339 with nanoseconds where there are some. */
    readonly firstDeployed: string;
    readonly lastDeployed: string;
    readonly deleted?: string;
    readonly description: string;
    readonly status: ReleaseStatus;
    readonly notes?: string;
  };
  /** The chart after its dependencies were decided: its values hold what it imports. Sub-charts are not stored. */
  readonly chart: Chart;
  /** The user's values; empty ones are left out. */
  readonly config: GoMap;
  readonly manifest: string;
  readonly hooks: readonly HookManifest[];
  /** How a hook's last run ended, by `kind/name`. */
  readonly lastRuns?: ReadonlyMap<
    string,
    { readonly startedAt: string; readonly completedAt: string; readonly phase: string }
  >;
  /** `ssa` or `csa`; Helm 3 has none. */
  readonly applyMethod?: string;
}

/** A record of a release. */
export function releaseRecord(input: RecordInput, dialect: Dialect): JsonObject {
  const { info } = input;
  const old = isHelm3(dialect);
  const config = sortedJson(jsonOf(input.config)) as JsonObject;
  return {
    name: input.name,
    info: {
      ...(info.firstDeployed === "" && !old ? {} : { first_deployed: info.firstDeployed }),
      ...(info.lastDeployed === "" && !old ? {} : { last_deployed: info.lastDeployed }),
      ...(info.deleted === undefined ? (old ? { deleted: "" } : {}) : { deleted: info.deleted }),
      ...present("description", info.description),
      status: info.status,
      ...present("notes", info.notes ?? ""),
    },
    chart: chartRecord(input.chart, old),
    ...(Object.keys(config).length === 0 ? {} : { config }),
    ...present("manifest", input.manifest),
    ...(input.hooks.length === 0 ? {} : { hooks: input.hooks.map((hook) => hookRecord(hook, input, old)) }),
    version: input.revision,
    ...present("namespace", input.namespace),
    ...(old ? {} : present("apply_method", input.applyMethod ?? "")),
  };
}

function chartRecord(chart: Chart, old: boolean): JsonObject {
  const files = (list: Chart["files"]): JsonValue =>
    list.length === 0 ? null : list.map((file) => ({ name: file.name, data: file.data.toBase64() }));
  return {
    metadata: metadataRecord(chart.metadata),
    lock: chart.lock === undefined
      ? null
      : { ...chart.lock, dependencies: chart.lock.dependencies.map((each) => ({ ...each })) },
    templates: files(chart.templates),
    values: chart.values === undefined ? null : sortedJson(jsonOf(chart.values)),
    schema: chart.schema === undefined ? null : chart.schema.toBase64(),
    ...(old ? {} : { schemamodtime: "0001-01-01T00:00:00Z" }),
    files: files(chart.files),
  };
}

function metadataRecord(metadata: ChartMetadata): JsonObject {
  const list = (key: string, items: readonly JsonValue[] | undefined): JsonObject =>
    items === undefined || items.length === 0 ? {} : { [key]: items };
  return {
    ...present("name", metadata.name),
    ...present("home", metadata.home),
    ...list("sources", metadata.sources),
    ...present("version", metadata.version),
    ...present("description", metadata.description),
    ...list("keywords", metadata.keywords),
    ...list(
      "maintainers",
      metadata.maintainers?.map((person) => ({
        ...present("name", person.name),
        ...present("email", person.email),
        ...present("url", person.url),
      })),
    ),
    ...present("icon", metadata.icon),
    ...present("apiVersion", metadata.apiVersion),
    ...present("condition", metadata.condition),
    ...present("tags", metadata.tags),
    ...present("appVersion", metadata.appVersion),
    ...(metadata.deprecated ? { deprecated: true } : {}),
    ...(metadata.annotations === undefined || metadata.annotations.size === 0
      ? {}
      : { annotations: sortedJson(Object.fromEntries(metadata.annotations)) }),
    ...present("kubeVersion", metadata.kubeVersion),
    ...list(
      "dependencies",
      metadata.dependencies?.map((dependency) => ({
        name: dependency.name,
        ...present("version", dependency.version),
        repository: dependency.repository,
        ...present("condition", dependency.condition),
        ...list("tags", dependency.tags),
        ...(dependency.enabled ? { enabled: true } : {}),
        ...list("import-values", dependency.importValues),
        ...present("alias", dependency.alias),
      })),
    ),
    ...present("type", metadata.type),
  };
}

function hookRecord(hook: HookManifest, input: RecordInput, old: boolean): JsonObject {
  const run = input.lastRuns?.get(`${hook.kind}/${hook.name}`);
  const list = (key: string, items: readonly string[]): JsonObject => items.length === 0 ? {} : { [key]: items };
  return {
    ...present("name", hook.name),
    ...present("kind", hook.kind),
    ...present("path", hook.path),
    ...present("manifest", hook.text),
    ...list("events", hook.events),
    last_run: {
      ...(run === undefined ? (old ? { started_at: "" } : {}) : { started_at: run.startedAt }),
      ...(run === undefined ? (old ? { completed_at: "" } : {}) : { completed_at: run.completedAt }),
      phase: run?.phase ?? "",
    },
    ...(hook.weight === 0 ? {} : { weight: hook.weight }),
    ...list("delete_policies", hook.deletePolicies),
    ...list("output_log_policies", hook.outputLogPolicies),
  };
}

function present(key: string, text: string): JsonObject {
  return text === "" ? {} : { [key]: text };
}

/** Maps by key, as Go prints them. */
function sortedJson(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sortedJson);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value).sort(compareStrings).map((key) => [key, sortedJson(value[key] as JsonValue)]),
  );
}

/** Value of `data.release` before the API adds its own base64: gzip at level 9, in base64. */
export function encodeRecord(record: JsonObject): string {
  return new Uint8Array(nodeBuiltin.zlib().gzipSync(new TextEncoder().encode(jsonText(record)), { level: 9 }))
    .toBase64();
}

/** JSON as Go prints it: `<`, `>`, `&` and the line separators are escaped; integers beyond 2^53 keep their digits. */
function jsonText(value: JsonValue): string {
  if (typeof value === "bigint") return value.toString();
  if (Object.is(value, -0)) return "-0";
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (isJsonObject(value)) {
    const members = Object.keys(value).map((key) => `${jsonText(key)}:${jsonText(value[key] as JsonValue)}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Most bytes that a record may unpack to. Differs: Helm has no limit. */
const maxRecordBytes = 64 * 1024 * 1024;

/**
 * The record of a value of `data.release` (after the API's own base64). A value that is not zipped is taken, too.
 *
 * @throws {ChartError} for what is no base64, gzip or JSON object
 */
export function decodeRecord(data: string): JsonObject {
  const bytes = unpacked(decodedBase64(data));
  let json: JsonValue;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes)) as JsonValue;
  } catch (cause) {
    throw new ChartError("cannot read release record: it is no JSON", { cause });
  }
  if (json === null) return {};
  if (!isJsonObject(json)) throw new ChartError("cannot read release record: it is no JSON object");
  checkRecord(json);
  return json;
}

function decodedBase64(data: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(data.replace(/[\r\n]/g, ""));
  } catch (cause) {
    throw new ChartError("cannot read release record: it is no base64", { cause });
  }
}

function unpacked(bytes: Uint8Array): Uint8Array {
  if (!(bytes.length > 3 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8)) return bytes;
  try {
    return nodeBuiltin.zlib().gunzipSync(bytes, { maxOutputLength: maxRecordBytes });
  } catch (cause) {
    throw new ChartError("cannot read release record: its gzip is damaged", { cause });
  }
}

/** What everybody who reads a record relies on. */
function checkRecord(record: JsonObject): void {
  const wrong = (field: string) => new ChartError(`cannot read release record: field "${field}" has another type`);
  if (record.name !== undefined && typeof record.name !== "string") throw wrong("name");
  if (record.version !== undefined && typeof record.version !== "number") throw wrong("version");
  const { info } = record;
  if (info === undefined || info === null) return;
  if (!isJsonObject(info)) throw wrong("info");
  for (const key of ["first_deployed", "last_deployed", "deleted"]) {
    const time = info[key];
    if (time === undefined || time === null || time === "") continue;
    if (typeof time !== "string" || !/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(time)) {
      throw wrong(`info.${key}`);
    }
  }
}

/** What the Secret of a record is called. */
function recordName(release: string, revision: number): string {
  return `sh.helm.release.v1.${release}.v${revision}`;
}

/** Labels that Helm keeps for itself. */
const systemLabels: readonly string[] = ["name", "owner", "status", "version", "createdAt", "modifiedAt"];

/**
 * Secret of a record. `stampSeconds` is written as `createdAt` for a new record, as `modifiedAt` for one that changes.
 *
 * @throws {ChartError} for a label that Helm keeps for itself
 */
export function recordSecret(
  record: JsonObject,
  options: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly stampSeconds: number;
    readonly isNew: boolean;
    readonly storageNamespace: string;
  },
): JsonObject {
  const reserved = Object.keys(options.labels ?? {}).find((label) => systemLabels.includes(label));
  if (reserved !== undefined) throw new ChartError(`label "${reserved}" is kept for Helm itself`);
  const name = String(record.name ?? "");
  const revision = Number(record.version ?? 0);
  const status = isJsonObject(record.info) ? String(record.info.status ?? "") : "";
  return {
    kind: "Secret",
    apiVersion: "v1",
    metadata: {
      name: recordName(name, revision),
      namespace: options.storageNamespace,
      labels: sortedJson({
        ...options.labels,
        [options.isNew ? "createdAt" : "modifiedAt"]: String(options.stampSeconds),
        name,
        owner: "helm",
        status,
        version: String(revision),
      }),
    },
    data: { release: new TextEncoder().encode(encodeRecord(record)).toBase64() },
    type: "helm.sh/release.v1",
  };
}

/**
 * Revisions to delete before a new one is stored: the oldest until `max` − 1 are left, never the one that is deployed last.
 * `max` 0: none.
 */
export function staleRevisions(
  records: readonly { readonly revision: number; readonly status: ReleaseStatus }[],
  max: number,
): readonly number[] {
  if (max <= 0 || records.length < max) return [];
  const sorted = [...records].sort((a, b) => a.revision - b.revision);
  const deployed = sorted.findLast((record) => record.status === "deployed")?.revision;
  const excess = sorted.length - (max - 1);
  return sorted.filter((record) => record.revision !== deployed).slice(0, excess).map((record) => record.revision);
}
