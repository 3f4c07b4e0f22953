/**
 * Paths with `/` (Go's path; path/filepath on Linux is the same).
 *
 * @module
 */
import { basePath, cleanPath } from "../chart/go_path.ts";
import { goTypes } from "../template/go_type.ts";
import { func } from "./registry.ts";
import type { FunctionTable } from "./registry.ts";

const { bool, string } = goTypes;

const base = func([string], string, (_, path) => basePath(path));
const clean = func([string], string, (_, path) => cleanPath(path));
const dir = func([string], string, (_, path) => cleanPath(path.slice(0, path.lastIndexOf("/") + 1)));
const ext = func([string], string, (_, path) => {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return name.includes(".") ? name.slice(name.lastIndexOf(".")) : "";
});
const isAbs = func([string], bool, (_, path) => path.startsWith("/"));

/** Functions by name. */
export const pathFunctions: FunctionTable = {
  base,
  clean,
  dir,
  ext,
  isAbs,
  osBase: base,
  osClean: clean,
  osDir: dir,
  osExt: ext,
  osIsAbs: isAbs,
};
