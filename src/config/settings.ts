import type { JsonObject, JsonValue } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import type { Settings, TargetSettings } from "../core/specs.ts";
import type { Finding } from "./finding.ts";
import { pathText } from "./finding.ts";
import type { Problem } from "./problem.ts";
import { type SettingRow, type SettingsInput, settingsSchema, settingsTable } from "./settings_table.ts";

/** Where settings come from, strongest first. */
export interface SettingsSources {
  /** Flags by name without dashes: texts, lists of texts, `true` for a switch. */
  readonly flags: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  /** Value of an environment variable. */
  readonly env: (name: string) => string | undefined;
  /** What a Settings document says ({@linkcode DesiredState.settings}). */
  readonly document?: SettingsInput;
}

/**
 * Settings by flag > environment > document > default, each row of {@linkcode settingsTable} for itself; only a target
 * that is named stronger replaces the weaker one whole. What is wrong is told with the flag or variable that it came
 * from, and the next weaker source counts in its place, so that `settings` is always whole.
 */
export function readSettings(
  sources: SettingsSources,
): { readonly settings: Settings; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  let said: JsonObject = rawOf(sources.document ?? {});
  for (const layer of ["env", "flag"] as const) {
    for (const row of settingsTable) {
      const texts = layer === "flag" ? flagTexts(sources.flags[row.flag]) : envTexts(sources.env(row.env));
      if (texts === undefined) continue;
      const where = layer === "flag" ? `--${row.flag}` : row.env;
      const next = withRow(said, row, texts, where, problems);
      if (next !== undefined) said = next;
    }
  }
  const input = settingsSchema.read(said, [], () => {}) ?? {};
  return { settings: settingsOf(input, sources.env("HOME")), problems };
}

/** The spec with one row set from texts; `undefined` after a problem was told. */
function withRow(
  said: JsonObject,
  row: SettingRow,
  texts: readonly string[],
  where: string,
  problems: Problem[],
): JsonObject | undefined {
  const refuse = (message: string, hint: string): undefined => {
    problems.push({ severity: "error", path: where, message, hint });
  };
  const value = row.parse(texts);
  const shown = JSON.stringify((texts.at(-1) ?? "").slice(0, 120));
  if (value === undefined) {
    return refuse(`Cannot use ${where} ${shown}`, row.correction?.(texts.at(-1) ?? "") ?? "Write true or false");
  }
  const [first, other] = row.path;
  const target = isJsonObject(said.target) ? said.target : {};
  if (first === "target" && other !== undefined && Object.keys(target).some((name) => name !== other)) {
    return refuse(
      `Cannot use ${where}: the target is no ${other}`,
      `Say --target ${other === "cluster" ? other : `${other}:PATH`}`,
    );
  }
  if (first === "target" && other === "directory" && !isJsonObject(target.directory)) {
    return refuse(`Cannot use ${where}: no folder is named`, "Say --target directory:PATH");
  }
  const next = withPath(said, row.path, value);
  const findings: Finding[] = [];
  settingsSchema.read(next, [], (finding) => findings.push(finding));
  const finding = findings.find((one) => one.severity === "error");
  if (finding === undefined) return next;
  return refuse(finding.message.replaceAll(`"${pathText(finding.path)}"`, where), finding.hint);
}

function withPath(object: JsonObject, path: readonly string[], value: JsonValue): JsonObject {
  const [first = "", ...rest] = path;
  const inner = object[first];
  return { ...object, [first]: rest.length === 0 ? value : withPath(isJsonObject(inner) ? inner : {}, rest, value) };
}

/** A read document in the form in which it was written; sizes are numbers of bytes then. */
function rawOf(input: SettingsInput): JsonObject {
  return input as unknown as JsonObject;
}

function flagTexts(given: string | boolean | readonly string[] | undefined): readonly string[] | undefined {
  if (given === undefined || (Array.isArray(given) && given.length === 0)) return undefined;
  return typeof given === "string"
    ? [given]
    : typeof given === "boolean"
    ? [String(given)]
    : given as readonly string[];
}

function envTexts(given: string | undefined): readonly string[] | undefined {
  return given === undefined || given === "" ? undefined : [given];
}

function presetOf(path: string): JsonValue {
  return settingsTable.find((row) => row.path.join(".") === path)?.preset ?? null;
}

function settingsOf(input: SettingsInput, home: string | undefined): Settings {
  const { control } = input;
  const expand = (path: string) => path.startsWith("~/") && home !== undefined ? `${home}${path.slice(1)}` : path;
  const storePath = expand(input.store?.path ?? presetOf("store.path") as string);
  const defaults = settingsSchema.read({ store: { maxSize: presetOf("store.maxSize") } }, [], () => {});
  return {
    store: {
      path: storePath,
      maxSizeBytes: input.store?.maxSize ?? defaults?.store?.maxSize ?? 2 ** 31,
      history: input.store?.history ?? presetOf("store.history") as number,
    },
    target: targetOf(input, expand),
    listen: input.listen ?? presetOf("listen") as string,
    mirrors: input.mirrors ?? [],
    concurrency: input.concurrency ?? presetOf("concurrency") as number,
    control: {
      socket: control?.socket === undefined ? `${storePath.replace(/\/+$/, "")}/control.sock` : expand(control.socket),
      ...(control?.listen === undefined || control.listen === "off" ? {} : { listen: control.listen }),
      ...(control?.tokenFile === undefined ? {} : { tokenFile: expand(control.tokenFile) }),
    },
    log: {
      format: input.log?.format ?? presetOf("log.format") as "json",
      level: input.log?.level ?? presetOf("log.level") as "info",
    },
    noCrossNamespaceRefs: input.noCrossNamespaceRefs ?? false,
    ...(input.allowHttp === true ? { allowHttp: true } : {}),
    ...(input.allowDns === true ? { allowDns: true } : {}),
  };
}

function targetOf(input: SettingsInput, expand: (path: string) => string): TargetSettings {
  const { directory, cluster } = input.target ?? {};
  if (directory !== undefined) {
    return {
      kind: "directory",
      path: expand(directory.path),
      layout: directory.layout ?? presetOf("target.directory.layout") as "tree",
    };
  }
  return {
    kind: "cluster",
    ...(cluster?.kubeconfig === undefined ? {} : { kubeconfig: expand(cluster.kubeconfig) }),
    ...(cluster?.context === undefined ? {} : { context: cluster.context }),
    ...(cluster?.events === true ? { events: true } : {}),
    ...(cluster?.status === true ? { status: true } : {}),
    ...(cluster?.noPruneGuards === true ? { noPruneGuards: true } : {}),
    ...(cluster?.noLease === true ? { noLease: true } : {}),
    ...(cluster?.ownership === undefined ? {} : { ownership: cluster.ownership }),
    ...(cluster?.defaultServiceAccount === undefined ? {} : { defaultServiceAccount: cluster.defaultServiceAccount }),
  };
}
