import type { JsonObject, JsonValue, MutableJson } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import { StageError } from "../../core/stage_error.ts";
import { compileRegexp, type GoRegexp } from "../../format/go_regexp.ts";

/** Kinds of master keys, by the name under which a file lists them, in the order in which they are tried. */
const keyKinds = ["age", "pgp", "hc_vault", "kms", "gcp_kms", "azure_kv"] as const;

/** A kind of master key. */
export type KeyKind = typeof keyKinds[number];

/** One encrypted copy of a file's data key: what its kind needs to open it. */
export interface KeyEntry {
  readonly kind: KeyKind;
  readonly fields: Readonly<Record<string, JsonValue>>;
}

/** The `sops` block of an encrypted file (getsops/sops 3.13, `stores/stores.go`). */
export interface SopsMetadata {
  /** Groups of master keys; the data key needs `threshold` of the groups, one key of each. */
  readonly groups: readonly (readonly KeyEntry[])[];
  readonly threshold: number;
  readonly lastModified: string;
  readonly mac: string;
  readonly macOnlyEncrypted: boolean;
  /** Whether the value at a path is encrypted; `undefined`: its form tells (rules about comments). */
  isEncrypted(path: readonly string[]): boolean | undefined;
}

/** Whether a document has a `sops` block with a MAC: what Flux takes for encrypted. */
export function hasSopsBlock(document: JsonValue): boolean {
  return isJsonObject(document) && isJsonObject(document.sops) && typeof document.sops.mac === "string";
}

/** Reads a `sops` block. @throws {StageError} DecryptionFailed naming the field that is wrong */
export function readMetadata(block: JsonObject): SopsMetadata {
  const text = (name: string): string => {
    const value = block[name];
    if (value === undefined || value === null) return "";
    if (typeof value === "string") return value;
    throw new StageError("DecryptionFailed", `Cannot read sops.${name}: it must be a text`);
  };
  const groups = groupsOf(block);
  const threshold = Number(block.shamir_threshold ?? 0);
  return {
    groups,
    threshold: Number.isInteger(threshold) && threshold > 0 ? Math.min(threshold, groups.length) : groups.length,
    lastModified: text("lastmodified"),
    mac: text("mac"),
    macOnlyEncrypted: block.mac_only_encrypted === true || block.mac_only_encrypted === "true",
    isEncrypted: ruleOf({
      unencryptedSuffix: text("unencrypted_suffix"),
      encryptedSuffix: text("encrypted_suffix"),
      unencryptedRegex: text("unencrypted_regex"),
      encryptedRegex: text("encrypted_regex"),
      hasCommentRule: text("encrypted_comment_regex") !== "" || text("unencrypted_comment_regex") !== "",
    }),
  };
}

function groupsOf(block: JsonObject): readonly (readonly KeyEntry[])[] {
  const listed = block.key_groups;
  if (Array.isArray(listed) && listed.length > 0) {
    return listed.filter(isJsonObject).map(keysOf).filter((group) => group.length > 0);
  }
  const group = keysOf(block);
  return group.length === 0 ? [] : [group];
}

function keysOf(block: JsonObject): readonly KeyEntry[] {
  return keyKinds.flatMap((kind) => {
    const listed = block[kind];
    return Array.isArray(listed) ? listed.filter(isJsonObject).map((fields) => ({ kind, fields })) : [];
  });
}

/** Which values are encrypted (sops.go, `shouldBeEncrypted`): an encrypted rule wins over an unencrypted one. */
function ruleOf(rule: {
  readonly unencryptedSuffix: string;
  readonly encryptedSuffix: string;
  readonly unencryptedRegex: string;
  readonly encryptedRegex: string;
  readonly hasCommentRule: boolean;
}): (path: readonly string[]) => boolean | undefined {
  if (rule.hasCommentRule) return () => undefined;
  const compile = (pattern: string): GoRegexp | undefined => pattern === "" ? undefined : compileRegexp(pattern);
  const unencrypted = compile(rule.unencryptedRegex);
  const encrypted = compile(rule.encryptedRegex);
  return (path) => {
    let result = true;
    if (rule.unencryptedSuffix !== "" && path.some((part) => part.endsWith(rule.unencryptedSuffix))) result = false;
    if (rule.encryptedSuffix !== "") result = path.some((part) => part.endsWith(rule.encryptedSuffix));
    if (unencrypted !== undefined && path.some((part) => unencrypted.test(part))) result = false;
    if (encrypted !== undefined) result = path.some((part) => encrypted.test(part));
    return result;
  };
}

/** Joins of flattened names: `age__list_0__map_enc` is `age[0].enc` (dotenv and INI files). */
const listMark = "__list_";
const mapMark = "__map_";

/** Puts flattened metadata back into its tree. Line ends are written `\n` in it. */
export function unflatten(flat: ReadonlyMap<string, string>): JsonObject {
  const root: { [key: string]: MutableJson } = {};
  for (const [name, value] of flat) {
    const steps = name.split(new RegExp(`(?=${listMark}\\d+|${mapMark})`)).map((step): string | number => {
      if (step.startsWith(listMark)) return Number(step.slice(listMark.length));
      return step.startsWith(mapMark) ? step.slice(mapMark.length) : step;
    });
    put(root, steps, value.replaceAll("\\n", "\n"));
  }
  return root;
}

function put(root: { [key: string]: MutableJson }, steps: readonly (string | number)[], value: string): void {
  let here: MutableJson = root;
  steps.forEach((step, index) => {
    const next = steps[index + 1];
    const fresh = (): MutableJson => next === undefined ? value : typeof next === "number" ? [] : {};
    if (typeof step === "number") {
      if (!Array.isArray(here) || step > 1_000) {
        throw new StageError("DecryptionFailed", "Cannot read the sops metadata");
      }
      here = here[step] ??= fresh();
    } else {
      if (typeof here !== "object" || here === null || Array.isArray(here)) {
        throw new StageError("DecryptionFailed", "Cannot read the sops metadata");
      }
      here = Object.hasOwn(here, step) ? here[step] as MutableJson : here[step] = fresh();
    }
  });
}
