/**
 * What Helm asks a cluster about manifests before it installs them (pkg/kube `Client.Build`, pkg/action `validate.go`, and
 * kubectl's resource builder below them): each object has a kind that is served, and what exists already is the release's
 * own. Fields are not looked at: servers do that themselves when something is applied.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { canonicalJson, isJsonObject } from "../../../core/json.ts";
import { jsonKind } from "../chart/go_struct.ts";
import type { ClusterDoor } from "./cluster_door.ts";
import type { Dialect } from "../dialect.ts";
import { isHelm3 } from "../dialect.ts";
import { RefusedInput } from "../render_tools.ts";
import { quoteText } from "../template/go_quote.ts";

/** What is checked. */
export interface ClusterCheck {
  /** Documents in the order in which they would be installed; `null` for one of comments alone. */
  readonly documents: readonly JsonValue[];
  readonly release: { readonly name: string; readonly namespace: string; readonly isUpgrade: boolean };
  readonly dialect: Dialect;
  /** Whoever owns what exists, it may be taken over. */
  readonly takesOwnership: boolean;
  /** Says plainly which of `apiVersion` and `kind` are missing. */
  readonly validates: boolean;
}

/** Manifests that the cluster would not take; the message is Helm's. */
export class ClusterCheckError extends Error {
  override readonly name = "ClusterCheckError";
}

/** One object to install. */
interface Item {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** "" for what stands in no namespace. */
  readonly namespace: string;
  readonly value: JsonObject;
}

/** Checks manifests against a cluster. @throws {ClusterCheckError} with Helm's text */
export async function checkWithCluster(check: ClusterCheck, cluster: ClusterDoor, signal?: AbortSignal): Promise<void> {
  const items = await itemsOf(check, cluster, signal);
  if (check.release.isUpgrade) return;
  for (const item of items) {
    const fault = await existingFault(item, check, { cluster, signal });
    if (fault === undefined) continue;
    const head = isHelm3(check.dialect) ? "Unable to continue with install" : "unable to continue with install";
    throw new ClusterCheckError(`${head}: ${fault}`);
  }
}

async function itemsOf(check: ClusterCheck, cluster: ClusterDoor, signal?: AbortSignal): Promise<readonly Item[]> {
  const items: Item[] = [];
  const faults: string[] = [];
  for (const value of check.documents) {
    if (!isJsonObject(value)) continue;
    const wrong = check.validates ? headFaults(value) : [];
    if (wrong.length > 0) {
      // Nothing behind such a document is looked at.
      faults.push(`error validating "": error validating data: ${joined(wrong)}`);
      break;
    }
    const fault = decodeFault(value);
    if (fault !== undefined) faults.push(`unable to decode "": ${fault}`);
    else await addItems(value, { check, cluster, signal, items, faults });
  }
  if (faults.length > 0) {
    throw new ClusterCheckError(`unable to build kubernetes objects from release manifest: ${joined(faults)}`);
  }
  return items;
}

interface Gathering {
  readonly check: ClusterCheck;
  readonly cluster: ClusterDoor;
  readonly signal: AbortSignal | undefined;
  readonly items: Item[];
  readonly faults: string[];
}

async function addItems(value: JsonObject, gathering: Gathering, isInList = false): Promise<void> {
  const { check, cluster, signal, items, faults } = gathering;
  const apiVersion = text(value.apiVersion);
  const kind = text(value.kind);
  const isList = Array.isArray(value.items);
  const metadata = isJsonObject(value.metadata) ? value.metadata : {};
  const served = await servedAs({ apiVersion, kind, isList }, gathering, signal);
  if (served === undefined) {
    const unknown = `no matches for kind ${quoteText(kind)} in version ${quoteText(apiVersion)}`;
    faults.push(
      isInList
        ? `unable to recognize ${unknown}`
        : `resource mapping not found for name: ${quoteText(text(metadata.name))} namespace: ${
          quoteText(text(metadata.namespace))
        } from "": ${unknown}\nensure CRDs are installed first`,
    );
  } else if (isList) {
    for (const item of value.items as readonly JsonValue[]) {
      if (isJsonObject(item)) await addItems(item, { check, cluster, signal, items, faults }, true);
    }
  } else {
    const namespace = served.isNamespaced ? text(metadata.namespace) || check.release.namespace : "";
    items.push({ apiVersion: apiVersion || "v1", kind, name: text(metadata.name), namespace, value });
  }
}

/** How a kind is served; lists go with the kind that they are lists of. */
async function servedAs(
  what: { readonly apiVersion: string; readonly kind: string; readonly isList: boolean },
  { cluster }: Gathering,
  signal: AbortSignal | undefined,
): Promise<{ readonly isNamespaced: boolean } | undefined> {
  const { kind, isList } = what;
  const apiVersion = what.apiVersion || "v1";
  if (isList && kind === "List" && apiVersion === "v1") return { isNamespaced: false };
  const found = await cluster.kindOf({ apiVersion, kind }, signal);
  if (found !== undefined || !isList || !kind.endsWith("List")) return found;
  return await cluster.kindOf({ apiVersion, kind: kind.slice(0, -4) }, signal);
}

function headFaults(value: JsonObject): readonly string[] {
  const faults: string[] = [];
  for (const field of ["apiVersion", "kind"]) {
    const written = value[field];
    if (written === undefined || written === null) faults.push(`${field} not set`);
    else if (typeof written !== "string") faults.push(`${field} isn't string type`);
  }
  const apiVersion = text(value.apiVersion);
  if (faults.length === 0 && apiVersion.split("/").length > 2) {
    faults.push(`unexpected GroupVersion string: ${apiVersion}`);
  }
  if (faults.length > 0 || value.kind !== "List" || !Array.isArray(value.items)) return faults;
  return value.items.flatMap((item) => isJsonObject(item) ? headFaults(item) : []);
}

/** What keeps a document from being read as an object, in the words of Go's JSON. */
function decodeFault(value: JsonObject): string | undefined {
  if (text(value.kind) === "") return `Object 'Kind' is missing in '${canonicalJson(value)}'`;
  const { metadata } = value;
  if (!isJsonObject(metadata)) return undefined;
  const wrong = (field: string, found: JsonValue, type: string) =>
    `json: cannot unmarshal ${jsonKind(found)} into Go struct field ObjectMeta.metadata.${field} of type ${type}`;
  for (const field of ["name", "namespace"]) {
    const written = metadata[field];
    if (written !== undefined && written !== null && typeof written !== "string") {
      return wrong(field, written, "string");
    }
  }
  for (const field of ["labels", "annotations"]) {
    const map = metadata[field];
    if (map === undefined || map === null) continue;
    if (!isJsonObject(map)) return wrong(field, map, "map[string]string");
    const item = Object.values(map).find((each) => each !== null && typeof each !== "string");
    if (item !== undefined) return wrong(field, item, "string");
  }
  return undefined;
}

async function existingFault(
  item: Item,
  check: ClusterCheck,
  { cluster, signal }: { readonly cluster: ClusterDoor; readonly signal: AbortSignal | undefined },
): Promise<string | undefined> {
  const { apiVersion, kind, name, namespace } = item;
  // Helm 4 leaves out what gets its name from the server.
  const generated = isJsonObject(item.value.metadata) ? text(item.value.metadata.generateName) : "";
  if (name === "" && generated !== "" && !isHelm3(check.dialect)) return undefined;
  const shown = `${kind} ${quoteText(name)} in namespace ${quoteText(namespace)}`;
  const unknown = (why: string) => `could not get information about the resource ${shown}: ${why}`;
  const fault = nameFault(name);
  if (fault !== undefined) return unknown(fault);
  let existing: JsonValue;
  try {
    existing = await cluster.lookup({ kind: "lookup", apiVersion, resourceKind: kind, namespace, name }, signal);
  } catch (error) {
    if (!(error instanceof RefusedInput)) throw error;
    return unknown(error.message);
  }
  if (!isJsonObject(existing) || existing.metadata === undefined || check.takesOwnership) return undefined;
  const faults = ownerFaults(existing, check.release);
  if (faults.length === 0) return undefined;
  return `${shown} exists and cannot be imported into the current release: invalid ownership metadata; ${
    faults.join("; ")
  }`;
}

/** What client-go refuses before it asks. */
function nameFault(name: string): string | undefined {
  if (name === "") return "resource name may not be empty";
  const wrong = name === "." || name === ".."
    ? [`may not be '${name}'`]
    : ["/", "%"].filter((sign) => name.includes(sign)).map((sign) => `may not contain '${sign}'`);
  return wrong.length === 0 ? undefined : `invalid resource name ${quoteText(name)}: [${wrong.join(" ")}]`;
}

function ownerFaults(
  existing: JsonObject,
  release: { readonly name: string; readonly namespace: string },
): readonly string[] {
  const metadata = isJsonObject(existing.metadata) ? existing.metadata : {};
  const wanted = [
    ["label", metadata.labels, "app.kubernetes.io/managed-by", "Helm"],
    ["annotation", metadata.annotations, "meta.helm.sh/release-name", release.name],
    ["annotation", metadata.annotations, "meta.helm.sh/release-namespace", release.namespace],
  ] as const;
  return wanted.flatMap(([what, map, key, value]) => {
    const found = isJsonObject(map) ? map[key] : undefined;
    if (found === value) return [];
    return [
      found === undefined
        ? `${what} validation error: missing key ${quoteText(key)}: must be set to ${quoteText(value)}`
        : `${what} validation error: key ${quoteText(key)} must equal ${quoteText(value)}: current value is ${
          quoteText(text(found))
        }`,
    ];
  });
}

/** Several faults as one text; the same one is told once (apimachinery `Aggregate`). */
function joined(faults: readonly string[]): string {
  const different = [...new Set(faults)];
  return different.length === 1 ? different[0] as string : `[${different.join(", ")}]`;
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
