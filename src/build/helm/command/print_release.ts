import { compilePattern, joinPaths } from "../chart/go_path.ts";
import type { Dialect } from "../dialect.ts";
import { documentText, manifestText } from "../release/manifest_text.ts";
import type { HookManifest, SortedManifests } from "../release/manifests.ts";
import type { RenderedFiles } from "../release/render.ts";
import { RenderError } from "../release/render.ts";
import { splitManifests, trim } from "../release/split.ts";
import { fromBytes } from "../template/go_string.ts";
import { CommandError } from "./command_error.ts";
import type { ParsedFlags } from "./parse_flags.ts";
import type { TemplateCall } from "./template_call.ts";

/** What a release is made of. */
export interface PrintedRelease {
  readonly name: string;
  readonly rendered: RenderedFiles;
  readonly sorted: SortedManifests;
}

/** Prints a release; with `--output-dir` its documents go into `call.printout.written`, and lines about that are printed. */
export async function printRelease({ name, rendered, sorted }: PrintedRelease, call: TemplateCall): Promise<void> {
  const { flags } = call;
  const crds = flags.isOn("include-crds") ? rendered.crds : [];
  const hooks = wantedHooks(sorted.hooks, flags);
  const folder = flags.text("output-dir", "");
  if (folder === "") {
    printText({ text: manifestText(sorted.manifests, crds), hooks }, call);
    return;
  }
  const below = flags.isOn("release-name") ? joinPaths(folder, name) : folder;
  const writer = new FolderWriter(call, (await call.doors.files.stat(folder))?.kind === "file");
  for (const crd of crds) writer.write(folder, crd.path, fromBytes(crd.data));
  for (const { path, text } of sorted.manifests) writer.write(below, path, text);
  for (const { path, text } of hooks) await writer.append(below, path, text);
  printText({ text: "", hooks: [] }, call);
}

/** Prints documents, or those of them that `--show-only` names. @throws `failure` where what it names is not there */
export function printText(
  documents: { readonly text: string; readonly hooks: readonly HookManifest[]; readonly failure?: Error },
  { flags, dialect, printout }: TemplateCall,
): void {
  const { hooks, failure } = documents;
  const text = `${trim(documents.text)}\n${hooks.map((hook) => documentText(hook.path, hook.text)).join("")}`;
  const patterns = flags.list("show-only");
  printout.out(patterns.length === 0 ? text : shownOnly(text, { patterns, dialect, failure }));
}

function wantedHooks(hooks: readonly HookManifest[], flags: ParsedFlags): readonly HookManifest[] {
  if (flags.isOn("no-hooks")) return [];
  return flags.isOn("skip-tests") ? hooks.filter(({ events }) => !events.includes("test")) : hooks;
}

/** Documents of templates that a pattern names, in the order of the patterns. */
function shownOnly(
  text: string,
  { patterns, dialect, failure }: {
    readonly patterns: readonly string[];
    readonly dialect: Dialect;
    readonly failure: Error | undefined;
  },
): string {
  const documents = splitManifests(text, dialect).map((document) => ({
    document,
    path: /# Source: [^/\n]+\/([^\n]+)/.exec(document)?.[1],
  }));
  let shown = "";
  for (const pattern of patterns) {
    const matches = compilePattern(pattern) ?? (() => false);
    const found = documents.filter(({ path }) => path !== undefined && matches(path));
    if (found.length === 0) {
      // Before 4.2.4 Helm tells that nothing is shown, and not why nothing was rendered.
      if (failure !== undefined && dialect === "helm4.2.4") throw failure;
      throw new CommandError(`could not find template ${pattern} in chart`);
    }
    for (const { document } of found) shown += `---\n${document}\n`;
  }
  return shown;
}

/** Files below `--output-dir`. */
class FolderWriter {
  readonly #call: TemplateCall;
  /** Whether a file stands where the folder should. */
  readonly #isBlocked: boolean;
  readonly #begun = new Set<string>();

  constructor(call: TemplateCall, isBlocked: boolean) {
    this.#call = call;
    this.#isBlocked = isBlocked;
  }

  /** Writes a document; one of the same path goes behind it. */
  write(root: string, path: string, text: string): void {
    this.#add(root, path, { text, isBehind: this.#begun.has(path) });
    this.#begun.add(path);
  }

  /** Writes a hook: Helm adds it to whatever stands there, also from an earlier run. */
  async append(root: string, path: string, text: string): Promise<void> {
    const { doors: { files }, printout: { written } } = this.#call;
    const file = `${root}/${path}`;
    if (!written.has(file)) {
      const old = await files.read(joinPaths(root, path));
      if (old !== undefined) written.set(file, fromBytes(old));
    }
    this.#add(root, path, { text, isBehind: true });
  }

  #add(root: string, path: string, document: { readonly text: string; readonly isBehind: boolean }): void {
    const file = `${root}/${path}`;
    if (this.#isBlocked) {
      throw new RenderError("manifests", `stat ${file.slice(0, file.lastIndexOf("/"))}: not a directory`);
    }
    const { printout } = this.#call;
    const before = document.isBehind ? printout.written.get(file) ?? "" : "";
    printout.written.set(file, before + documentText(path, document.text));
    printout.out(`wrote ${file}\n`);
  }
}
