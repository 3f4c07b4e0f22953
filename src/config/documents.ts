import type { FileSystem } from "../core/file_system.ts";
import { messageOf } from "../core/stage_error.ts";
import { FormatError } from "../format/format_error.ts";
import { parseYamlDocuments, yamlText } from "../format/yaml.ts";
import { splitYaml, type YamlPart } from "../format/yaml_split.ts";
import type { ConfigDocument } from "./check.ts";
import type { Path } from "./finding.ts";
import { type Problem, sortProblems } from "./problem.ts";

/** What is read from, beside the paths. */
export interface LoadTools {
  readonly fileSystem: FileSystem;
  /** Text of standard input, for the path `-`. */
  readonly stdin?: () => Promise<string>;
}

/** Documents as they were read. */
export interface LoadedDocuments {
  readonly documents: readonly ConfigDocument[];
  readonly problems: readonly Problem[];
  /** Files, folders and parts of files that could not be read: they may hold any object. */
  readonly unreadable: readonly string[];
}

/** Longest file that is read. */
const longestFileBytes = 16 * 1024 * 1024;
/** How deep folders are gone into, so that a circle of links ends. */
const deepestFolder = 16;

/**
 * Reads documents: files, folders (with their folders; names ending in `.yaml`, `.yml`, `.json`; hidden ones are left
 * out, and so the `..data` of a mounted ConfigMap, whose files are links into it), `-` for standard input. A fault in one
 * document does not hide the others. A path that is missing or empty is a problem, never an empty configuration.
 */
export async function loadDocuments(paths: readonly string[], tools: LoadTools): Promise<LoadedDocuments> {
  const documents: ConfigDocument[] = [];
  const problems: Problem[] = [];
  const unreadable: string[] = [];
  const fail = (file: string, message: string, hint: string) => {
    problems.push({ severity: "error", place: { file, line: 1, column: 1 }, path: "", message, hint });
    unreadable.push(file);
  };
  const seen = new Set<string>();
  for (const path of paths) {
    const [documentsBefore, failuresBefore] = [documents.length, unreadable.length];
    const files = path === "-" ? ["-"] : await filesOf(path, tools.fileSystem, fail);
    for (const file of files) {
      if (seen.has(file)) continue;
      seen.add(file);
      const text = await readFile(file, tools, fail);
      if (text !== undefined) parseText(text, file, { documents, problems, unreadable });
    }
    const isFruitless = documents.length === documentsBefore && unreadable.length === failuresBefore;
    if (isFruitless && !documents.some((document) => files.includes(document.file))) {
      fail(
        path,
        `Cannot find a document in "${path}"`,
        "Add a .yaml, .yml or .json file with documents, or name another path",
      );
    }
  }
  return { documents, problems: sortProblems(problems), unreadable };
}

type Fail = (file: string, message: string, hint: string) => void;

/** Files at a path, in order of name. */
async function filesOf(path: string, fileSystem: FileSystem, fail: Fail): Promise<readonly string[]> {
  try {
    const isFolder = await fileSystem.list(path).catch(() => undefined);
    if (isFolder === undefined) return [path];
    return await filesBelow(path.replace(/(?<=.)\/+$/, ""), fileSystem, 0);
  } catch (error) {
    fail(path, `Cannot read "${path}": ${messageOf(error)}`, "Check that the path exists and may be read");
    return [];
  }
}

/** Record of an owner in a folder that a directory target writes (`target/directory`). */
const outputRecord = /^\.pilotfish-.*_.*_.*\.json$/;
/** What the link of a Checkout names (`target/checkout`). */
const checkoutLink = /^\.[^/]+\.pilotfish\//;

/**
 * Files of documents at or below a folder. OCI layouts and stores of our own hold JSON too, and none of it is ours to read;
 * nor is what a target of ours wrote or a Checkout shows below it: content is no order.
 */
async function filesBelow(folder: string, fileSystem: FileSystem, depth: number): Promise<readonly string[]> {
  const files: string[] = [];
  const entries = await fileSystem.list(folder) ?? [];
  const has = (name: string, kind: string) => entries.some((entry) => entry.name === name && entry.kind === kind);
  if (depth > 0 && has("oci-layout", "file") && has("blobs", "folder")) return [];
  if (depth > 0 && entries.some(({ name, kind }) => kind === "file" && outputRecord.test(name))) return [];
  const isStore = has("store", "folder") && has("state", "folder") &&
    (await fileSystem.list(`${folder}/store`))?.some((entry) => entry.name === "oci-layout") === true;
  for (const { name, kind } of entries) {
    if (name.startsWith(".") || (isStore && (name === "store" || name === "state"))) continue;
    const path = folder === "/" ? `/${name}` : `${folder}/${name}`;
    if (kind === "link" && checkoutLink.test(await fileSystem.readLink(path) ?? "")) continue;
    const isLinkToFolder = kind === "link" && await fileSystem.list(path).catch(() => undefined) !== undefined;
    if (kind === "folder" || isLinkToFolder) {
      if (depth < deepestFolder) files.push(...await filesBelow(path, fileSystem, depth + 1));
    } else if (kind !== "other" && /\.(?:ya?ml|json)$/.test(name)) files.push(path);
  }
  return files;
}

async function readFile(file: string, tools: LoadTools, fail: Fail): Promise<string | undefined> {
  try {
    if (file === "-") {
      if (tools.stdin !== undefined) return await tools.stdin();
      fail(file, 'Cannot read "-": there is no standard input here', "Name a file");
      return undefined;
    }
    const bytes = await tools.fileSystem.read(file);
    if (bytes === undefined) {
      fail(file, `Cannot read "${file}": there is no such file or folder`, "Check the path");
    } else if (bytes.length > longestFileBytes) {
      fail(file, `Cannot read "${file}": it is larger than ${longestFileBytes / 1024 / 1024} MiB`, "Split the file");
    } else return yamlText(bytes);
  } catch (error) {
    fail(
      file,
      `Cannot read "${file}": ${messageOf(error)}`,
      "Check that the file may be read, and that it is UTF-8 text",
    );
  }
  return undefined;
}

/** Documents of a text, each part for itself: a fault in one does not hide the others. */
function parseText(
  text: string,
  file: string,
  found: { readonly documents: ConfigDocument[]; readonly problems: Problem[]; readonly unreadable: string[] },
): void {
  if (text.trim() === "") {
    found.problems.push({
      severity: "warning",
      place: { file, line: 1, column: 1 },
      path: "",
      message: `File "${file}" is empty: while it is, no object counts as removed`,
      hint: "Remove the file, or write its documents",
    });
    found.unreadable.push(file);
  }
  for (const part of splitYaml(text)) {
    try {
      for (const document of parseYamlDocuments(part.text, { file, strict: true })) {
        if (document.value === null) continue;
        const start = contentLine(document.text);
        found.documents.push({
          file,
          value: document.value,
          text: document.text,
          firstLine: part.line,
          placeOf(path: Path, options = {}) {
            if (path.length === 0) return { file, line: part.line + start, column: 1 };
            const place = document.placeOf(path, options);
            return { ...place, line: place.line + part.line - 1 };
          },
        });
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      found.problems.push(syntaxProblem(error, part, file));
      found.unreadable.push(`${file}:${part.line}`);
    }
  }
}

/** A fault of syntax. The line is not shown where the text around it looks like a Secret. */
function syntaxProblem(error: FormatError, part: YamlPart, file: string): Problem {
  const line = (error.line ?? 1) + part.line - 1;
  const isSecret = /Secret\b|stringData/.test(part.text);
  const [shown, caret] = isSecret ? [] : (error.excerpt ?? "").split("\n");
  const wider = String(line).length - String(error.line ?? 1).length;
  return {
    severity: "error",
    place: { file, line, column: error.column ?? 1 },
    path: "",
    message: error.what,
    hint: hintFor(error.what, part.text.split("\n")[(error.line ?? 1) - 1] ?? ""),
    ...(caret === undefined || shown === undefined
      ? {}
      : { excerpt: `${shown.replace(/^\d+/, String(line))}\n${" ".repeat(wider)}${caret}` }),
  };
}

function hintFor(what: string, line: string): string {
  if (/^\s*\t/.test(line)) return "Indent with blanks instead of tabs";
  if (what.includes("already set")) return "Remove one of the two";
  if (/\{\{/.test(line)) return "Render templates first, or put the value in quotes";
  return "Check indentation, quotes and colons around this place";
}

/** Lines before the first one that holds more than blanks, a comment or a directive. */
function contentLine(text: string): number {
  const lines = text.split("\n");
  const index = lines.findIndex((line) => !/^\s*(?:#.*|%.*|---\s*)?$/.test(line));
  return Math.max(0, index);
}
