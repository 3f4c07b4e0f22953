import type { FileTree, TreeFile } from "../../../core/file_tree.ts";
import { isJsonObject } from "../../../core/json.ts";
import { quoteText } from "../template/go_quote.ts";
import { compareStrings, fromBytes } from "../template/go_string.ts";
import type { Dialect } from "../dialect.ts";
import { dependencyAdvice, isHelm3 } from "../dialect.ts";
import type { Notify } from "../notice.ts";
import { plainNotice } from "../notice.ts";
import type { GoMap } from "../template/value.ts";
import { maxChartBytes, maxFileBytes, readChartArchive, withoutMark } from "./archive.ts";
import type { Chart, ChartFile } from "./chart.ts";
import { readStruct, UnmarshalError } from "./go_struct.ts";
import type { StructShape, StructValue } from "./go_struct.ts";
import { keptFiles, parseIgnoreRules } from "./ignore.ts";
import { ChartError, checkIsMapping, checkMetadata, readMetadata } from "./metadata.ts";
import type { RawMetadata } from "./metadata.ts";
import { readValues, readYaml, YamlConversionError } from "./read_yaml.ts";

/** How a chart is loaded. */
export interface LoadOptions {
  readonly dialect: Dialect;
  /** Takes what Helm would log while loading. */
  readonly notify: Notify;
}

/** Deepest nesting of charts in `charts/`. Differs: Helm has no limit and ends when memory does. */
const maxDepth = 32;

/**
 * Chart of a folder (Helm 4.2.4, `loader.LoadDir`): `.helmignore` counts, files are read in the order of a walk.
 *
 * @throws {ChartError | UnmarshalError | YamlConversionError | IgnoreSyntaxError} with Helm's text
 */
export function loadChartFolder(tree: FileTree, options: LoadOptions): Chart {
  const rulesFile = tree.read(".helmignore");
  const rules = parseIgnoreRules(rulesFile === undefined ? "" : fromBytes(rulesFile), options.dialect);
  const listed = inOrderOfWalk(tree);
  const files: ChartFile[] = [];
  let total = 0;
  for (const file of keptFiles(listed, rules)) {
    if (file.sizeBytes > maxFileBytes) {
      const name = file.path.slice(file.path.lastIndexOf("/") + 1);
      throw new ChartError(`chart file ${quoteText(name)} is larger than the maximum file size ${maxFileBytes}`);
    }
    total += file.sizeBytes;
    if (total > maxChartBytes) throw new ChartError(`chart is larger than the maximum size ${maxChartBytes}`);
    const data = tree.read(file.path);
    if (data !== undefined) files.push({ name: file.path, data: withoutMark(data) });
  }
  return chartOf(files, options, 0, true);
}

/**
 * Chart of a packed archive. `.helmignore` does not count there.
 *
 * @throws {ChartError | UnmarshalError | YamlConversionError} with Helm's text
 */
export function loadChartArchive(bytes: Uint8Array, options: LoadOptions): Chart {
  const files = readChartArchive(bytes);
  if (!isHelm3(options.dialect) && !files.some((file) => file.name === "Chart.yaml")) {
    throw new ChartError("unable to detect chart version, no Chart.yaml found");
  }
  return chartOf(files, options, 0, true);
}

/** Files in the order of a walk through folders: element by element, so that a slash comes before all else. */
function inOrderOfWalk(tree: FileTree): readonly TreeFile[] {
  return [...tree.files()]
    .map((file) => ({ file, key: file.path.replaceAll("/", "\0") }))
    .sort((a, b) => compareStrings(a.key, b.key))
    .map(({ file }) => file);
}

function chartOf(files: readonly ChartFile[], options: LoadOptions, depth: number, isRoot = false): Chart {
  if (depth > maxDepth) throw new ChartError(`charts are nested deeper than ${maxDepth} levels`);
  let raw: RawMetadata | undefined;
  for (const file of files) {
    if (file.name !== "Chart.yaml") continue;
    const read = prefixed("cannot load Chart.yaml", () => readMetadata(readYaml(file.data), options.dialect, isRoot));
    raw = { ...raw, ...read };
    if (isRoot) checkApiVersion(raw, options.dialect);
    if ((raw.apiVersion ?? "") === "") raw = { ...raw, apiVersion: "v1" };
  }
  const made = sortFiles(files, raw, options);
  if (made.raw === undefined) throw new ChartError("Chart.yaml file is missing");
  const metadata = checkMetadata(made.raw);
  const dependencies: Chart[] = [];
  for (const [name, parts] of made.charts) {
    const child = subChart(name, parts, metadata.name, options, depth);
    if (child !== undefined) dependencies.push(child);
  }
  return {
    metadata,
    templates: made.templates,
    files: made.files,
    values: made.values,
    dependencies,
    ...(made.schema === undefined ? {} : { schema: made.schema }),
  };
}

/**
 * What Helm 4 looks at before it walks a folder: whether Chart.yaml is YAML, and its apiVersion.
 *
 * @throws {ChartError} with Helm's text
 */
export function checkChartHead(bytes: Uint8Array, dialect: Dialect): void {
  const head = prefixed("cannot load Chart.yaml", () => {
    const read = readYaml(withoutMark(bytes));
    checkIsMapping(read);
    return read;
  });
  if (isJsonObject(head) && typeof head.apiVersion === "string") checkApiVersion(head as RawMetadata, dialect);
}

/** Helm 4 chooses a loader by the apiVersion before anything else; charts of apiVersion v3 are not installable. */
function checkApiVersion(raw: RawMetadata, dialect: Dialect): void {
  if (isHelm3(dialect)) return;
  const version = raw.apiVersion ?? "";
  if (version === "v3") {
    const hasDependencies = Array.isArray(raw.dependencies) && raw.dependencies.length > 0;
    throw new ChartError(
      hasDependencies ? `${dependencyAdvice(dialect)}: unsupported chart dependency type` : "invalid chart apiVersion",
    );
  }
  if (version !== "" && version !== "v1" && version !== "v2") throw new ChartError("unsupported chart version");
}

interface Sorted {
  readonly raw: RawMetadata | undefined;
  readonly values: GoMap | undefined;
  readonly schema: Uint8Array | undefined;
  readonly templates: readonly ChartFile[];
  readonly files: readonly ChartFile[];
  readonly charts: ReadonlyMap<string, readonly ChartFile[]>;
}

/** Says what each file is. */
function sortFiles(all: readonly ChartFile[], metadata: RawMetadata | undefined, options: LoadOptions): Sorted {
  let raw = metadata;
  let values: GoMap | undefined;
  let schema: Uint8Array | undefined;
  const templates: ChartFile[] = [];
  const files: ChartFile[] = [];
  const charts = new Map<string, ChartFile[]>();
  for (const file of all) {
    const { name, data } = file;
    if (name === "Chart.yaml") continue;
    if (name === "Chart.lock") checkLock(file, options.dialect);
    else if (name === "values.yaml") {
      values = prefixed("cannot load values.yaml", () => readValues(data, options.dialect));
    } else if (name === "values.schema.json") schema = data;
    else if (name === "requirements.yaml") {
      raw ??= {};
      if (raw.apiVersion !== "v1") {
        options.notify(plainNotice(
          'Warning: Dependencies are handled in Chart.yaml since apiVersion "v2". We recommend migrating dependencies to Chart.yaml.',
          "load.go:120",
        ));
      }
      const added = prefixed("cannot load requirements.yaml", () => readMetadata(readYaml(data), options.dialect));
      raw = { ...raw, ...added, ...addedDependencies(raw, added) };
      if (raw.apiVersion === "v1") files.push(file);
    } else if (name === "requirements.lock") {
      checkLock(file, options.dialect);
      raw ??= {};
      if (raw.apiVersion !== "v1") {
        options.notify(plainNotice(
          'Warning: Dependency locking is handled in Chart.lock since apiVersion "v2". We recommend migrating to Chart.lock.',
          "load.go:138",
        ));
      } else files.push(file);
    } else if (name.startsWith("templates/")) templates.push(file);
    else if (name.startsWith("charts/")) {
      if (name.endsWith(".prov")) files.push(file);
      else {
        const inner = name.slice("charts/".length);
        const child = inner.split("/", 1)[0] as string;
        const parts = charts.get(child);
        if (parts === undefined) charts.set(child, [{ name: inner, data }]);
        else parts.push({ name: inner, data });
      }
    } else files.push(file);
  }
  return { raw, values, schema, templates, files, charts };
}

function subChart(
  name: string,
  parts: readonly ChartFile[],
  parent: string,
  options: LoadOptions,
  depth: number,
): Chart | undefined {
  if (name.startsWith("_") || name.startsWith(".")) return undefined;
  const first = parts[0];
  if (name.endsWith(".tgz") && first !== undefined && first.name !== name) {
    throw new ChartError(`error unpacking subchart tar in ${parent}: expected ${name}, got ${first.name}`);
  }
  return prefixed(`error unpacking subchart ${name} in ${parent}`, () => {
    if (name.endsWith(".tgz") && first !== undefined) return chartOf(readChartArchive(first.data), options, depth + 1);
    const inside = parts.filter((part) => part.name.includes("/"))
      .map((part) => ({ name: part.name.slice(name.length + 1), data: part.data }));
    return chartOf(inside, options, depth + 1);
  });
}

/** Dependencies of requirements.yaml over those of Chart.yaml: place by place, fields that are not written stay. */
function addedDependencies(raw: RawMetadata, added: RawMetadata): RawMetadata {
  const before = raw.dependencies as readonly (StructValue | null)[] | undefined;
  const after = added.dependencies as readonly (StructValue | null)[] | undefined;
  if (before === undefined || after === undefined) return {};
  return { dependencies: after.map((item, index) => item === null ? null : { ...before[index], ...item }) };
}

/** Runs a step; what it refuses gets Helm's words in front. */
function prefixed<T>(prefix: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof ChartError || error instanceof UnmarshalError || error instanceof YamlConversionError) {
      throw new ChartError(`${prefix}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function lockShape(dialect: Dialect): StructShape {
  const owner = isHelm3(dialect) ? "chart" : "v2";
  return {
    name: "Lock",
    typeName: `${owner}.Lock`,
    fields: {
      generated: { kind: "time" },
      digest: { kind: "string" },
      dependencies: {
        kind: "list",
        item: {
          kind: "struct",
          shape: {
            name: "Dependency",
            typeName: `${owner}.Dependency`,
            fields: { name: { kind: "string" }, version: { kind: "string" }, repository: { kind: "string" } },
          },
        },
      },
    },
  };
}

/** A lock decides nothing here; one that cannot be read is refused, as Helm does. */
function checkLock({ name, data }: ChartFile, dialect: Dialect): void {
  prefixed(`cannot load ${name}`, () => {
    const json = readYaml(data);
    if (json !== null) readStruct(json, lockShape(dialect));
  });
}
