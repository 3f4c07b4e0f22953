import type { Artifact, ArtifactContent, ArtifactRecipe } from "../core/artifact.ts";
import type { Clock } from "../core/clock.ts";
import { timeText } from "../core/clock.ts";
import type { Descriptor, Manifest, Platform } from "../core/descriptor.ts";
import { mediaTypes } from "../core/descriptor.ts";
import type { Digest } from "../core/digest.ts";
import { shortDigest } from "../core/digest.ts";
import { canonicalJson } from "../core/json.ts";
import type { References } from "../core/references.ts";
import type { PullResult } from "../core/source.ts";
import type { VerifySpec } from "../core/specs.ts";
import { StageError } from "../core/stage_error.ts";
import { type ArtifactVerifier, type VerificationNeed, verificationNeed } from "./artifact_verifier.ts";
import { choosePlatform } from "./choose_platform.ts";
import { giveWayEvery } from "./give_way.ts";
import { parseManifestDocument } from "./manifest_document.ts";
import type { OciSource } from "./oci_source.ts";
import type { Look, ReferenceLooks } from "./reference_looks.ts";
import { accessKey, type RepositoryAccess } from "./repository_access.ts";
import type { WantedReference } from "./resolve.ts";
import { selectLayer } from "./select_layer.ts";
import type { SharedWork } from "./shared_work.ts";
import type { Store } from "./store/store.ts";

/** Bytes of a layer between two turns of others, while it arrives faster than it is written. */
const turnBytes = 1024 * 1024;

/** What sources of artifacts are handed. */
export interface SourceTools {
  readonly store: Store;
  readonly clock: Clock;
  /** Opens a repository of a registry, or a layout on disk. Cheap: connections and logins are shared behind it. */
  readonly open: (access: RepositoryAccess) => OciSource;
  /** For Secrets and ServiceAccounts of the document. */
  readonly references: References;
  /** One of the whole program. */
  readonly looks: ReferenceLooks;
  /** Layers that are being pulled; one of the whole program. */
  readonly layers: SharedWork<void>;
  /** Entry to take from an index. */
  readonly platform: Platform;
  /** Absent: documents that ask for verification fail. */
  readonly verifier?: ArtifactVerifier;
}

/** What one pull wants. */
export interface PullOrder {
  readonly access: RepositoryAccess;
  readonly wanted: WantedReference;
  /** Media type of the layer; absent: the first one. */
  readonly selector?: string;
  readonly operation: ArtifactRecipe["operation"];
  readonly ignore: ArtifactRecipe["ignore"];
  readonly verify?: VerifySpec;
  /** Path of the field that `verify` stands in, for messages. */
  readonly verifyField: string;
  readonly namespace: string;
  readonly timeoutMs: number;
  readonly warnings: readonly string[];
}

/** Manifest of an artifact and all manifests on the way to it. */
interface FoundManifest {
  /** What the reference named. */
  readonly top: Descriptor;
  readonly manifest: Manifest;
  readonly digests: readonly Digest[];
}

/**
 * Looks at a reference and brings what is new into the store: manifest, signatures, layer, tree, in this order, each by
 * digest. Nothing is read of a layer before the manifest is verified. What is in the store already is not fetched again.
 * With an unchanged revision and recipe nothing is done after the look.
 *
 * @throws {StageError} see {@linkcode Source.pull}
 */
export async function pullArtifact(
  tools: SourceTools,
  order: PullOrder,
  previous: Artifact | undefined,
  signal: AbortSignal,
): Promise<PullResult> {
  const timeout = new AbortController();
  const cancelTimeout = tools.clock.after(order.timeoutMs, () => timeout.abort(timedOut(order)));
  try {
    return await pull(tools, order, previous, AbortSignal.any([signal, timeout.signal]));
  } catch (error) {
    // Whatever form an aborted call gives its error: what people need is why it was aborted.
    if (!signal.aborted && timeout.signal.aborted) throw timeout.signal.reason;
    throw error;
  } finally {
    cancelTimeout();
  }
}

function timedOut(order: PullOrder): StageError {
  return new StageError(
    "OCIArtifactPullFailed",
    `Cannot pull ${order.access.url}: it took longer than ${order.timeoutMs} ms`,
    {
      hint: "Raise spec.timeout, or look at what is slow",
    },
  );
}

async function pull(
  tools: SourceTools,
  order: PullOrder,
  previous: Artifact | undefined,
  signal: AbortSignal,
): Promise<PullResult> {
  const { warnings } = order;
  const policy = { spec: order.verify, namespace: order.namespace, field: order.verifyField };
  // Before anything is asked of the registry: a check that cannot be made ends it here.
  await verificationNeed(tools.verifier, policy, undefined);
  const source = tools.open(order.access);
  const look = await tools.looks.look(source, accessKey(order.access), order.wanted, signal);
  const revision = look.tag === undefined ? look.digest : `${look.tag}@${look.digest}`;
  const isSame = previous !== undefined && previous.revision === revision && previous.url === source.name &&
    recipeKey(previous.recipe) === recipeKey(order) && await tools.store.has(previous);
  const need = await verificationNeed(tools.verifier, policy, isSame ? previous.verification : undefined);
  if (isSame && need.kind !== "verify") {
    return { artifact: previous, changed: false, ...verifiedText(need), warnings };
  }
  const found = await findManifest(tools, source, look, signal);
  const checked = await verify(need, order, source, found.top, signal);
  const blobs = [...new Set([...found.digests, ...checked.blobs])];
  const verified = checked.verification === undefined ? {} : { verified: checked.verification.message };
  const verification = checked.verification === undefined ? {} : { verification: checked.verification };
  if (isSame) {
    const artifact = { ...previous, blobs: [...new Set([...previous.blobs, ...blobs])], ...verification };
    return { artifact, changed: false, ...verified, warnings };
  }
  const layer = selectLayer(found.manifest, order.selector);
  await pullLayer(tools, source, layer, order.access, signal);
  const recipe: ArtifactRecipe = {
    layer: plain(layer),
    operation: order.operation,
    ...(order.selector === undefined ? {} : { selector: order.selector }),
    ignore: order.ignore,
  };
  const content = await makeContent(tools.store, recipe, layer, signal);
  const artifact: Artifact = {
    revision,
    digest: look.digest,
    content,
    metadata: found.manifest.annotations ?? {},
    sizeBytes: layer.size,
    lastUpdateTime: timeText(tools.clock.now()),
    url: source.name,
    blobs: [...new Set([...blobs, layer.digest])],
    recipe,
    ...verification,
  };
  const changed = previous === undefined || previous.revision !== revision ||
    contentKey(previous.content) !== contentKey(content);
  return {
    artifact: changed ? artifact : { ...artifact, lastUpdateTime: previous.lastUpdateTime },
    changed,
    ...verified,
    warnings,
  };
}

/** What decides the content, given the manifest. */
function recipeKey(recipe: Pick<ArtifactRecipe, "selector" | "operation" | "ignore"> | undefined): string {
  if (recipe === undefined) return "";
  return canonicalJson([
    recipe.operation,
    recipe.selector ?? null,
    recipe.operation === "copy" ? null : { ...recipe.ignore },
  ]);
}

function contentKey(content: ArtifactContent): string {
  return content.kind === "tree" ? `tree ${content.digest}` : `blob ${content.descriptor.digest} ${content.fileName}`;
}

function verifiedText(need: VerificationNeed): { readonly verified?: string } {
  return need.kind === "verified" ? { verified: need.verification.message } : {};
}

async function verify(
  need: VerificationNeed,
  order: PullOrder,
  source: OciSource,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<Pick<Artifact, "verification" | "blobs">> {
  if (need.kind === "none") return { blobs: [] };
  if (need.kind === "verified") return { verification: need.verification, blobs: [] };
  const { spec, trust, verifier } = need;
  const { message, blobs } = await verifier.verify({ spec, namespace: order.namespace, source, descriptor }, signal);
  return { verification: { message, trust }, blobs };
}

/** Reads the manifest that a look named, through an index where it is one, and keeps every document on the way. */
async function findManifest(
  tools: SourceTools,
  source: OciSource,
  look: Look,
  signal: AbortSignal,
): Promise<FoundManifest> {
  const top = await readManifest(tools.store, source, look.digest, look.content, signal);
  if (top.document.kind === "manifest") {
    return { top: top.descriptor, manifest: top.document.manifest, digests: [look.digest] };
  }
  const entry = choosePlatform(top.document.index, tools.platform);
  const child = await readManifest(tools.store, source, entry.digest, undefined, signal);
  if (child.document.kind === "manifest") {
    return { top: top.descriptor, manifest: child.document.manifest, digests: [look.digest, entry.digest] };
  }
  throw new StageError(
    "OCIArtifactPullFailed",
    `Cannot pull ${source.name}: index ${look.digest} names another index`,
    {
      hint: "Name the digest of the manifest wanted in spec.ref.digest",
    },
  );
}

async function readManifest(
  store: Store,
  source: OciSource,
  digest: Digest,
  known: Uint8Array | undefined,
  signal: AbortSignal,
) {
  const bytes = known ?? await storedManifest(store, digest) ?? (await source.manifest(digest, { signal })).bytes;
  const document = parseManifestDocument(bytes);
  await store.putBlob(bytes, digest);
  return { document, descriptor: { mediaType: document.mediaType, digest, size: bytes.length } };
}

/** A manifest that the store has; `undefined` when it has none or a damaged one. */
async function storedManifest(store: Store, digest: Digest): Promise<Uint8Array | undefined> {
  try {
    return await store.readBlob(digest);
  } catch (error) {
    if (error instanceof StageError && error.reason === "StorageOperationFailed") return undefined;
    throw error;
  }
}

async function pullLayer(
  tools: SourceTools,
  source: OciSource,
  layer: Descriptor,
  access: RepositoryAccess,
  signal: AbortSignal,
): Promise<void> {
  if (await tools.store.hasBlob(layer)) return;
  // Shared by those who may pull it with the same credentials: one that is refused must not fail another.
  await tools.layers.run(`${accessKey(access)} ${layer.digest}`, signal, async (shared) => {
    await using blob = await tools.store.createBlob(layer);
    const takeTurns = giveWayEvery(turnBytes);
    for await (const chunk of await source.blob(layer, { signal: shared })) {
      shared.throwIfAborted();
      blob.write(chunk);
      await takeTurns(chunk.length);
    }
    await blob.commit();
  });
}

async function makeContent(
  store: Store,
  recipe: ArtifactRecipe,
  layer: Descriptor,
  signal: AbortSignal,
): Promise<ArtifactContent> {
  if (recipe.operation === "copy") return { kind: "blob", descriptor: plain(layer), fileName: fileNameOf(layer) };
  return { kind: "tree", ...await store.makeTree(recipe, signal) };
}

/** A descriptor without what only the registry's answer needs. */
function plain({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

/** Name of a layer that is kept as one file: its title where that is a plain name, else by digest and media type. */
function fileNameOf(layer: Descriptor): string {
  const title = layer.annotations?.["org.opencontainers.image.title"] ?? "";
  if (/^[A-Za-z0-9_][A-Za-z0-9._+-]{0,199}$/.test(title)) return title;
  const isArchive = layer.mediaType === mediaTypes.helmChart || /tar\+gzip|\.tar\.gzip/.test(layer.mediaType);
  return `${shortDigest(layer.digest)}${isArchive ? ".tgz" : ""}`;
}
