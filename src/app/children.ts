import { isChildKind } from "../config/kinds.ts";
import { parseChild } from "../config/check.ts";
import { withSourcePaths } from "../config/source_path.ts";
import { problemText } from "../config/problem.ts";
import type { DesiredObject } from "../core/object.ts";
import type { Resource } from "../core/resource.ts";

/** Takes the objects of ours out of what a build gave: they become objects of the loop, the rest goes to the target. */
export function takeChildren(
  resources: readonly Resource[],
  parent: DesiredObject,
  options: { readonly noCrossNamespaceRefs: boolean },
): {
  readonly children: readonly DesiredObject[];
  readonly rest: readonly Resource[];
  readonly problems: readonly string[];
} {
  const children: DesiredObject[] = [];
  const rest: Resource[] = [];
  const problems: string[] = [];
  for (const resource of resources) {
    if (!isChildKind(resource.apiVersion, resource.kind)) {
      rest.push(resource);
      continue;
    }
    const parsed = parseChild(resource, parent, options);
    problems.push(...parsed.problems.map(problemText));
    if (parsed.child !== undefined) children.push(parsed.child);
  }
  return { children: withSourcePaths(children), rest, problems };
}
