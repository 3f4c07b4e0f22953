import type { JsonValue } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import type { DesiredObject, ObjectKey } from "../core/object.ts";
import { keyText, placeText } from "../core/object.ts";
import { isResource, type Resource } from "../core/resource.ts";
import { nearest } from "../format/nearest.ts";
import type { DataDocument, DesiredState } from "./desired.ts";
import { type ParseContext, type ParsedDocument, parseDocument } from "./document.ts";
import type { Finding, Path } from "./finding.ts";
import { isChild, refusedKinds } from "./kinds.ts";
import { cyclesOf, type Link, linksOf } from "./links.ts";
import { type Placed, placeFinding, type Problem, sortProblems } from "./problem.ts";
import { withSourcePaths } from "./source_path.ts";
import type { SettingsInput } from "./settings_table.ts";

/** One document as it was read. */
export interface ConfigDocument extends Placed {
  /** Path as it was given, or `-`. */
  readonly file: string;
  readonly value: JsonValue;
}

/** Circumstances of a check. */
export interface CheckOptions {
  /** Absolute folder that relative paths in a file's documents count from. */
  readonly baseFolderOf: (file: string) => string;
  /** Refuse references to objects of another namespace (Flux: `--no-cross-namespace-refs`). Default `false`. */
  readonly noCrossNamespaceRefs?: boolean;
  /** Files that could not be read, and so may hold any object. */
  readonly unreadable?: readonly string[];
}

/** One document on its way to the desired state. */
interface Entry {
  readonly source: ConfigDocument;
  readonly root: Path;
  readonly parsed: ParsedDocument;
  readonly object: DesiredObject;
  isGood: boolean;
}

/**
 * The desired state of documents, and all that is wrong or doubtful with them. A wrong document is left out and never
 * stops another; of duplicates and of cycles of dependencies all members are left out. An object whose source or
 * dependency is missing stays: an artifact may still bring it. Pure; linear in the number of documents.
 */
export function checkDocuments(
  documents: readonly ConfigDocument[],
  options: CheckOptions,
): { readonly desired: DesiredState; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const entries: Entry[] = [];
  const unreadable = [...options.unreadable ?? []];
  for (const source of documents) {
    for (const { value, root } of itemsOf(source.value)) {
      const baseFolder = options.baseFolderOf(source.file);
      const { parsed, findings } = parseDocument(value, { root, baseFolder });
      const isSecret = isJsonObject(value) && holdsSecrets(value.kind);
      for (const finding of findings) {
        const object = parsed === undefined ? {} : { object: parsed.key };
        problems.push(placeFinding(finding, { document: source, isSecret, ...object }));
      }
      if (parsed === undefined) unreadable.push(placeText(source.placeOf(root)));
      else entries.push(entryOf(source, root, parsed));
    }
  }
  const tell = (entry: Entry, finding: Finding) => {
    const isSecret = holdsSecrets(entry.parsed.key.kind);
    const placed = { ...finding, path: [...entry.root, ...finding.path] };
    problems.push(placeFinding(placed, { document: entry.source, object: entry.parsed.key, isSecret }));
  };
  checkDuplicates(entries, tell);
  checkLinks(entries, options.noCrossNamespaceRefs === true, tell);
  checkCycles(entries, tell);
  return { desired: desiredOf(entries, unreadable), problems: sortProblems(problems) };
}

/** Whether lines of such a document are kept out of messages: a Provider's address is often the secret itself. */
function holdsSecrets(kind: JsonValue | undefined): boolean {
  return kind === "Secret" || kind === "Provider";
}

/** Documents of a document: the items of a `List`, as `kubectl get -o yaml` prints it. */
function itemsOf(value: JsonValue): readonly { readonly value: JsonValue; readonly root: Path }[] {
  if (!isJsonObject(value) || value.kind !== "List" || value.apiVersion !== "v1" || !Array.isArray(value.items)) {
    return [{ value, root: [] }];
  }
  return (value.items as readonly JsonValue[]).map((item, index) => ({ value: item, root: ["items", index] }));
}

function entryOf(source: ConfigDocument, root: Path, parsed: ParsedDocument): Entry {
  const object: DesiredObject = { ...objectOf(parsed), place: source.placeOf(root) };
  return { source, root, parsed, object, isGood: parsed.spec !== undefined };
}

function objectOf(parsed: ParsedDocument): DesiredObject {
  return {
    key: parsed.key,
    apiVersion: parsed.kind.apiVersion,
    labels: parsed.labels,
    annotations: parsed.annotations,
    spec: parsed.spec,
    generation: 1,
    document: parsed.document,
  };
}

/** Objects that several documents name, and Settings beyond the first: all of them are left out. */
function checkDuplicates(entries: readonly Entry[], tell: (entry: Entry, finding: Finding) => void): void {
  const byName = new Map<string, Entry[]>();
  for (const entry of entries) {
    const name = entry.parsed.kind.role === "settings" ? "Settings" : keyText(entry.parsed.key);
    const list = byName.get(name);
    if (list === undefined) byName.set(name, [entry]);
    else list.push(entry);
  }
  for (const [name, list] of byName) {
    if (list.length < 2) continue;
    for (const entry of list) {
      entry.isGood = false;
      const others = list.filter((other) => other !== entry).slice(0, 3);
      const places = others.map((other) => placeText(other.source.placeOf(other.root))).join(", ");
      tell(entry, {
        severity: "error",
        path: ["metadata", "name"],
        message: name === "Settings"
          ? `Cannot use two Settings documents: another stands at ${places}`
          : `Cannot use "${name}" twice: it stands at ${places} too`,
        hint: "Remove or rename all but one; until then none of them counts",
      });
    }
  }
}

/** References: what must be there is there, and namespaces are crossed only where that is allowed. */
function checkLinks(
  entries: readonly Entry[],
  noCrossNamespaceRefs: boolean,
  tell: (entry: Entry, finding: Finding) => void,
): void {
  const known = new Set(entries.map((entry) => keyText(entry.parsed.key)));
  const names = new Map<string, string[]>();
  for (const { parsed: { key } } of entries) {
    const list = names.get(`${key.kind}/${key.namespace}`);
    if (list === undefined) names.set(`${key.kind}/${key.namespace}`, [key.name]);
    else list.push(key.name);
  }
  for (const entry of entries) {
    if (entry.parsed.spec === undefined || entry.parsed.kind.role === "data") continue;
    for (const link of linksOf(entry.object)) {
      const isForeign = link.to.namespace !== entry.parsed.key.namespace;
      if (noCrossNamespaceRefs && isForeign) {
        entry.isGood = false;
        tell(entry, crossing(link, entry.parsed.key));
      } else if (link.role === "source" && refusedKinds[link.to.kind] !== undefined) {
        entry.isGood = false;
        tell(entry, unsupported(link));
      } else if (link.role !== "pattern" && !link.isOptional && !known.has(keyText(link.to))) {
        tell(entry, dangling(link, names.get(`${link.to.kind}/${link.to.namespace}`) ?? []));
      }
    }
  }
}

function crossing(link: Link, owner: ObjectKey): Finding {
  return {
    severity: "error",
    path: link.path,
    message:
      `Cannot refer to ${link.to.kind} "${link.to.namespace}/${link.to.name}": references out of namespace "${owner.namespace}" are not allowed here`,
    hint: "Put both objects into one namespace, or start without --no-cross-namespace-refs",
  };
}

function unsupported(link: Link): Finding {
  return {
    severity: "error",
    path: [...link.path.slice(0, -1), "kind"],
    message: `Cannot use a source of kind "${link.to.kind}": it is not supported`,
    hint: refusedKinds[link.to.kind] ?? "Use an OCIRepository",
  };
}

function dangling(link: Link, names: readonly string[]): Finding {
  const what = `${link.to.kind} "${link.to.namespace}/${link.to.name}"`;
  const near = names.length > 1_000 ? undefined : nearest(link.to.name, names);
  if (link.role === "data") {
    return {
      severity: "warning",
      path: link.path,
      message: `${what} is not among the documents: it must be in the cluster`,
      hint: near === undefined ? `Add the ${link.to.kind}, or make it in the cluster` : `Did you mean "${near}"?`,
    };
  }
  return {
    severity: "error",
    path: link.path,
    message: `Cannot find ${what}${near === undefined ? "" : `: did you mean "${near}"?`}`,
    hint: `Add the ${link.to.kind}, or correct the reference; until an artifact brings it, the object waits`,
  };
}

/** Cycles of dependencies: none of their members could ever run. */
function checkCycles(entries: readonly Entry[], tell: (entry: Entry, finding: Finding) => void): void {
  const byName = new Map<string, Entry>();
  for (const entry of entries) {
    if (entry.isGood && entry.parsed.kind.role === "object") byName.set(keyText(entry.parsed.key), entry);
  }
  const linksByName = new Map(
    [...byName].map(([name, entry]) => [name, linksOf(entry.object).filter((link) => link.role === "dependency")]),
  );
  const edges = new Map([...linksByName].map(([name, links]) => [name, links.map((link) => keyText(link.to))]));
  for (const members of cyclesOf(edges)) {
    const chain = [...members, members[0]].join(" -> ");
    members.forEach((name, index) => {
      const entry = byName.get(name);
      const next = members[(index + 1) % members.length];
      if (entry === undefined) return;
      entry.isGood = false;
      const link = linksByName.get(name)?.find((candidate) => keyText(candidate.to) === next);
      tell(entry, {
        severity: "error",
        path: link?.path ?? ["spec", "dependsOn"],
        message: members.length === 1
          ? `Cannot wait for itself: "${name}" stands in its own "dependsOn"`
          : `Cannot wait in a circle: ${chain}`,
        hint: "Remove one of the dependencies",
      });
    });
  }
}

function desiredOf(entries: readonly Entry[], unreadable: readonly string[]): DesiredState {
  const good = entries.filter((entry) => entry.isGood);
  const broken = new Map(entries.filter((entry) => !entry.isGood).map(({ parsed: { key } }) => [keyText(key), key]));
  const of = (role: string) => good.filter((entry) => entry.parsed.kind.role === role);
  const data = new Map(
    of("data").map(({ parsed, object }) => [
      keyText(parsed.key),
      {
        key: parsed.key,
        data: parsed.spec as DataDocument["data"],
        ...(object.place === undefined ? {} : { place: object.place }),
      },
    ]),
  );
  const [settings] = of("settings");
  return {
    objects: withSourcePaths(of("object").map((entry) => entry.object)),
    notifications: of("notification").map((entry) => entry.object),
    data,
    broken: [...broken.values()],
    unreadable,
    isComplete: broken.size === 0 && unreadable.length === 0,
    ...(settings === undefined ? {} : { settings: settings.parsed.spec as SettingsInput }),
  };
}

/** A Flux object found in a build: the checked child, and what is to say of it. */
export interface ParsedChild {
  /** Absent when something in it is wrong. */
  readonly child?: DesiredObject;
  readonly problems: readonly Problem[];
}

/**
 * The object of ours in a resource that an artifact brought, owned by `parent`; it takes the parent's namespace where
 * it names none. Objects out of an artifact may not name folders or programs of this machine: no Checkout, no OCI
 * layout on disk, no target directory of their own.
 *
 * Call it for resources of which {@linkcode isChildKind} says yes.
 */
export function parseChild(
  resource: Resource,
  parent: DesiredObject,
  options: Pick<CheckOptions, "noCrossNamespaceRefs"> = {},
): ParsedChild {
  const context: ParseContext = { defaultNamespace: parent.key.namespace };
  const { parsed, findings } = parseDocument(resource, context);
  const key: ObjectKey = parsed?.key ?? childKey(resource, parent);
  const tell = (finding: Finding) => placeFinding(finding, { object: key });
  const problems = findings.map(tell);
  if (parsed?.spec === undefined) return { problems };
  if (!isChild(parsed.kind)) {
    const message = `Cannot use ${keyText(key)} out of an artifact: kind "${key.kind}" belongs into the configuration`;
    return {
      problems: [...problems, tell({ severity: "error", path: [], message, hint: "Move it to the configuration" })],
    };
  }
  const child: DesiredObject = { ...objectOf(parsed), parent: parent.key };
  for (const link of linksOf(child)) {
    if (options.noCrossNamespaceRefs === true && link.to.namespace !== key.namespace) {
      return { problems: [...problems, tell(crossing(link, key))] };
    }
    if (link.role === "source" && refusedKinds[link.to.kind] !== undefined) {
      return { problems: [...problems, tell(unsupported(link))] };
    }
    if (link.role === "dependency" && keyText(link.to) === keyText(key)) {
      const message = `Cannot wait for itself: "${keyText(key)}" stands in its own "dependsOn"`;
      const hint = "Remove the dependency";
      return { problems: [...problems, tell({ severity: "error", path: link.path, message, hint })] };
    }
  }
  return { child, problems };
}

function childKey(resource: Resource, parent: DesiredObject): ObjectKey {
  const { kind, metadata } = isResource(resource) ? resource : { kind: "?", metadata: { name: "?" } };
  const namespace = typeof metadata.namespace === "string" ? metadata.namespace : parent.key.namespace;
  return { kind, namespace, name: metadata.name };
}
