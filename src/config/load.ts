import { checkDocuments, type CheckOptions } from "./check.ts";
import type { DesiredState } from "./desired.ts";
import { loadDocuments, type LoadTools } from "./documents.ts";
import { type Problem, sortProblems } from "./problem.ts";

/** What the documents at some paths ask for, and all that is wrong with them. */
export interface LoadedConfig {
  readonly desired: DesiredState;
  readonly problems: readonly Problem[];
}

/** Reads and checks the documents at `paths`: {@linkcode loadDocuments}, then {@linkcode checkDocuments}. */
export async function loadConfig(
  paths: readonly string[],
  tools: LoadTools & Omit<CheckOptions, "unreadable">,
): Promise<LoadedConfig> {
  const { documents, problems, unreadable } = await loadDocuments(paths, tools);
  const checked = checkDocuments(documents, { ...tools, unreadable });
  return { desired: checked.desired, problems: sortProblems([...problems, ...checked.problems]) };
}
