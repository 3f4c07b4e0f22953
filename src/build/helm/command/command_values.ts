import { ChartError } from "../chart/metadata.ts";
import type { Table } from "../values/tables.ts";
import { mergeValueOptions } from "../values/value_options.ts";
import { CommandError } from "./command_error.ts";
import type { TemplateCall, TemplateDoors } from "./template_call.ts";

/** Values that the flags of a call give, with the files that they name. */
export async function commandValues({ flags, dialect, doors }: TemplateCall): Promise<Table> {
  const files: { name: string; bytes: Uint8Array }[] = [];
  for (const name of flags.list("values")) files.push({ name, bytes: await readFile(name, doors) });
  const fromFiles = flags.list("set-file");
  const contents = new Map<string, Uint8Array | Error>();
  // Assignments cannot wait: what may be a path is read before.
  for (const path of fromFiles.flatMap(possiblePaths)) {
    contents.set(path, await readFile(path, doors).catch((error) => error as Error));
  }
  return mergeValueOptions({
    files,
    json: flags.list("set-json"),
    typed: flags.list("set"),
    strings: flags.list("set-string"),
    fromFiles,
    literals: flags.list("set-literal"),
  }, {
    dialect,
    readFile(path) {
      const content = contents.get(path);
      if (content instanceof Uint8Array) return content;
      throw new ChartError(content?.message ?? `open ${path}: no such file or directory`);
    },
  });
}

async function readFile(name: string, { files, readStdin }: TemplateDoors): Promise<Uint8Array> {
  if (name.trim() === "-") return await readStdin?.() ?? new Uint8Array();
  if (/^https?:\/\//.test(name)) {
    throw new CommandError(`cannot read values from ${JSON.stringify(name)}: only files and standard input are read`);
  }
  const info = await files.stat(name);
  if (info?.kind === "folder") throw new CommandError(`read ${name}: is a directory`);
  const bytes = await files.read(name);
  if (bytes === undefined) throw new CommandError(`open ${name}: no such file or directory`);
  return bytes;
}

/** Texts of a `--set-file` that may be paths: whatever stands behind `=`, as the grammar reads it. */
function possiblePaths(text: string): readonly string[] {
  const paths: string[] = [];
  for (const match of text.matchAll(/=((?:\\.|[^,\\])*)/gs)) {
    const path = (match[1] as string).replace(/\\(.)/gs, "$1");
    paths.push(path);
    if (path.startsWith("{")) paths.push(path.slice(1), path.slice(1).replace(/\}$/, ""));
  }
  for (const match of text.matchAll(/[,{]((?:\\.|[^,}\\])*)/gs)) {
    paths.push((match[1] as string).replace(/\\(.)/gs, "$1"));
  }
  return paths;
}
