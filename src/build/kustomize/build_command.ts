import type { FileTree } from "../../core/file_tree.ts";
import { messageOf } from "../../core/stage_error.ts";
import { printYaml } from "../../format/yaml_print.ts";
import { nearest } from "../../format/nearest.ts";
import type { RenderChart } from "./generators/helm_chart.ts";
import { effectiveNamespace, idOfNode, noNamespace } from "./identity.ts";
import type { BuildOptions, KustomizeResult } from "./kustomize.ts";
import { build } from "./kustomize.ts";
import type { FetchFile } from "./load.ts";
import { nodeToJson } from "../../format/yaml_node/node_json.ts";

/** A folder that is to be built. */
export interface OpenFolder {
  readonly tree: FileTree;
  /** The folder's path in the tree. */
  readonly path: string;
  /** Folder of the tree from which messages count paths. Default: its root. */
  readonly shownFrom?: string;
}

/** What `pilotfish build` is handed of the outside. */
export interface BuildTools {
  /**
   * The folder that is to be built: a tree that also holds what the kustomization may refer to outside of it, and the
   * folder's path in that tree. `undefined` when there is no such folder.
   */
  openFolder(
    path: string,
    reach: BuildReach,
  ): Promise<OpenFolder | undefined>;
  /** Whether `--output` names a folder that is there. */
  isFolder(path: string): Promise<boolean>;
  /** Renders charts for a kustomization of a tree. */
  readonly renderChart?: (tree: FileTree, reach: BuildReach) => RenderChart;
  /** Reads files of http(s) addresses where `--allow-http` allows it. */
  readonly fetchFile?: FetchFile;
}

/** How a build reaches registries and other hosts: our own flags beside kustomize's. */
export interface BuildReach {
  /** `--allow-http`: files of http(s) addresses and charts of https repositories. */
  readonly allowHttp: boolean;
  /** `--creds USER:PASSWORD`. */
  readonly credentials?: string;
  /** `--insecure`, `--plain-http`: registries by plain HTTP. */
  readonly insecure: boolean;
  /** `--ca-file`: PEM file of a certificate authority. */
  readonly caFile?: string;
}

/** What the command says and writes; the caller does the writing. */
export interface BuildOutcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
  /** Files to write, by path, in order. */
  readonly written: ReadonlyMap<string, string>;
}

interface Arguments {
  path: string;
  output: string | undefined;
  reorder: "legacy" | "none" | undefined;
  restriction: "root-only" | "none";
  enableHelm: boolean;
  kubeVersion: string;
  apiVersions: string[];
  reach: { -readonly [Key in keyof BuildReach]: BuildReach[Key] };
  notes: string[];
}

/** Flags that say nothing here, because no programs and containers are run; their number of values. */
const idleFlags: Readonly<Record<string, 0 | 1>> = {
  "--as-current-user": 0,
  "--enable-alpha-plugins": 0,
  "--enable-exec": 0,
  "--helm-command": 1,
  "--helm-debug": 0,
  "--env": 1,
  "--mount": 1,
  "--network": 0,
  "--network-name": 1,
  "--stack-trace": 0,
};
const valueFlags = [
  "--output",
  "--reorder",
  "--load-restrictor",
  "--helm-kube-version",
  "--helm-api-versions",
  "--creds",
  "--ca-file",
];
const switches = ["--enable-helm", "--allow-http", "--insecure", "--plain-http"];
const flags = [...valueFlags, ...switches, ...Object.keys(idleFlags)];
const shortFlags: Readonly<Record<string, string>> = { "-o": "--output", "-e": "--env" };
const restrictions = { LoadRestrictionsRootOnly: "root-only", LoadRestrictionsNone: "none" } as const;

/**
 * `kustomize build` with its flags (5.8.1): the same text on standard output or in files. Flags for programs and
 * containers are taken and said to do nothing. Our own are `--allow-http`, `--creds`, `--insecure`, `--plain-http` and
 * `--ca-file`. Exit code 0, 1 when the build failed, 2 for wrong usage.
 * Differs: wrong usage exits with 2 (there 1), as all commands of Pilotfish do.
 */
export async function runBuild(args: readonly string[], tools: BuildTools): Promise<BuildOutcome> {
  let parsed: Arguments;
  try {
    parsed = parseArguments(args);
  } catch (error) {
    return { stdout: "", stderr: `Error: ${messageOf(error)}\n`, exitCode: 2, written: new Map() };
  }
  const notes = parsed.notes.map((note) => `${note}\n`).join("");
  const failed = (message: string): BuildOutcome => ({
    stdout: "",
    stderr: `${notes}Error: ${message}\n`,
    exitCode: 1,
    written: new Map(),
  });
  const opened = await tools.openFolder(parsed.path, parsed.reach);
  if (opened === undefined) return failed(`must build at directory: "${parsed.path}" is no folder`);
  try {
    const result = await build(opened.tree, opened.path, optionsOf(parsed, tools, opened));
    const warnings = result.warnings.map((warning) => `${warning}\n`).join("");
    const stderr = notes + warnings;
    if (parsed.output === undefined) return { stdout: result.text(), stderr, exitCode: 0, written: new Map() };
    const written = await tools.isFolder(parsed.output)
      ? filesOf(result, parsed.output)
      : new Map([[parsed.output, result.text()]]);
    return { stdout: "", stderr, exitCode: 0, written };
  } catch (error) {
    return failed(messageOf(error));
  }
}

function optionsOf(parsed: Arguments, tools: BuildTools, opened: OpenFolder): BuildOptions {
  return {
    loadRestriction: parsed.restriction,
    reorder: parsed.reorder ?? "legacy",
    isReorderAsked: parsed.reorder !== undefined,
    enableHelm: parsed.enableHelm,
    ...(opened.shownFrom === undefined ? {} : { shownFrom: opened.shownFrom }),
    chartDefaults: { kubeVersion: parsed.kubeVersion, apiVersions: parsed.apiVersions },
    ...(tools.renderChart === undefined ? {} : { renderChart: tools.renderChart(opened.tree, parsed.reach) }),
    ...(tools.fetchFile === undefined || !parsed.reach.allowHttp ? {} : { fetchFile: tools.fetchFile }),
  };
}

function parseArguments(args: readonly string[]): Arguments {
  const parsed: Arguments = {
    path: ".",
    output: undefined,
    reorder: undefined,
    restriction: "root-only",
    enableHelm: false,
    kubeVersion: "",
    apiVersions: [],
    reach: { allowHttp: false, insecure: false },
    notes: [],
  };
  const paths: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] as string;
    if (!argument.startsWith("-") || argument === "-") {
      paths.push(argument);
      continue;
    }
    if (argument === "--") {
      paths.push(...args.slice(at + 1));
      break;
    }
    const equal = argument.indexOf("=");
    const written = equal < 0 ? argument : argument.slice(0, equal);
    const short = !written.startsWith("--") && written.length > 2 ? written.slice(0, 2) : written;
    const flag = shortFlags[short] ?? written;
    if (!flags.includes(flag)) {
      const near = nearest(flag, flags);
      throw new Error(`unknown flag: ${written}${near === undefined ? "" : `, did you mean ${near}?`}`);
    }
    const inline = short !== written ? argument.slice(2) : equal < 0 ? undefined : argument.slice(equal + 1);
    const takesValue = valueFlags.includes(flag) || idleFlags[flag] === 1;
    const value = takesValue ? inline ?? args[++at] : inline;
    if (takesValue && value === undefined) throw new Error(`flag needs an argument: ${flag}`);
    setFlag(parsed, flag, value);
  }
  if (paths.length > 1) throw new Error("specify one path to kustomization.yaml");
  if (paths[0] !== undefined) parsed.path = paths[0];
  return parsed;
}

function setFlag(parsed: Arguments, flag: string, value: string | undefined): void {
  switch (flag) {
    case "--output":
      parsed.output = value;
      return;
    case "--reorder":
      if (value !== "legacy" && value !== "none") {
        throw new Error(`illegal flag value --reorder ${value}; legal values: [legacy none]`);
      }
      parsed.reorder = value;
      parsed.notes.push(
        "Flag --reorder has been deprecated, use the new 'sortOptions' field in kustomization.yaml instead.",
      );
      return;
    case "--load-restrictor": {
      const known = Object.entries(restrictions).find(([name]) => name === value);
      if (known === undefined) {
        const legal = Object.keys(restrictions).join(" ");
        throw new Error(`illegal flag value --load-restrictor ${value}; legal values: [${legal}]`);
      }
      parsed.restriction = known[1];
      return;
    }
    case "--helm-kube-version":
      parsed.kubeVersion = value ?? "";
      return;
    case "--helm-api-versions":
      parsed.apiVersions.push(value ?? "");
      return;
    case "--enable-helm":
      parsed.enableHelm = isOn(flag, value);
      return;
    case "--allow-http":
      parsed.reach.allowHttp = isOn(flag, value);
      return;
    case "--insecure":
    case "--plain-http":
      parsed.reach.insecure = isOn(flag, value);
      return;
    case "--creds":
      if (value?.includes(":") !== true) throw new Error("cannot use --creds: write USER:PASSWORD");
      parsed.reach.credentials = value;
      return;
    case "--ca-file":
      parsed.reach.caFile = value ?? "";
      return;
    default:
      if (idleFlags[flag] === 0 && !isOn(flag, value)) return;
      parsed.notes.push(`# Note: '${flag}' does nothing here: no programs and no containers are run.`);
  }
}

function isOn(flag: string, value: string | undefined): boolean {
  if (value === undefined || /^(?:1|t|T|true|True|TRUE)$/.test(value)) return true;
  if (/^(?:0|f|F|false|False|FALSE)$/.test(value)) return false;
  throw new Error(`invalid argument "${value}" for "${flag}" flag: it must be true or false`);
}

/** One file per resource, named by namespace (where there are several), group, version, kind and name. */
function filesOf(result: KustomizeResult, folder: string): Map<string, string> {
  const rows = result.documents.map((node) => {
    const id = idOfNode(node);
    return { id, namespace: effectiveNamespace(id), text: printYaml(nodeToJson(node)) };
  });
  const namespaces = new Set(rows.map((row) => row.namespace).filter((namespace) => namespace !== noNamespace));
  const written = new Map<string, string>();
  for (const { id, namespace, text } of rows) {
    const gvk = [id.group, id.version, id.kind].filter((part) => part !== "").join("_");
    const prefix = namespaces.size > 1 && namespace !== noNamespace ? `${namespace.toLowerCase()}_` : "";
    const name = `${prefix}${gvk.toLowerCase()}_${id.name.toLowerCase()}.yaml`;
    written.set(`${folder.replace(/\/+$/, "")}/${name}`, text);
  }
  return written;
}
