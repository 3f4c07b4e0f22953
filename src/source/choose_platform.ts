import type { Descriptor, Index, Platform } from "../core/descriptor.ts";
import { StageError } from "../core/stage_error.ts";

/** Variants of ARM that run what stands behind them, best first (containerd `platforms.Only`). */
const runnableArm: Readonly<Record<string, readonly string[]>> = {
  v8: ["v8", "v7", "v6", "v5", ""],
  v7: ["v7", "v6", "v5", ""],
  v6: ["v6", "v5", ""],
  v5: ["v5", ""],
};

/**
 * The entry of an index for a platform: the one with the same system and architecture (variants: exactly the wanted one,
 * then none written, then lower ones of 32-bit ARM), else the only entry that is an artifact at all. Build attestations
 * (`unknown/unknown`) never count.
 *
 * Differs: Flux always takes `linux/amd64`, whatever it runs on.
 *
 * @throws {StageError} OCIArtifactPullFailed when several entries are left and none is for the platform
 */
export function choosePlatform(index: Index, wanted: Platform): Descriptor {
  const entries = index.manifests.filter((entry) => !isAttestation(entry));
  const fitting = entries.filter((entry) =>
    entry.platform?.os === wanted.os && entry.platform.architecture === wanted.architecture
  );
  for (const variant of variantsFor(wanted)) {
    const match = fitting.find((entry) => (entry.platform?.variant ?? "") === variant);
    if (match !== undefined) return match;
  }
  const [only] = entries;
  if (only !== undefined && entries.length === 1) return only;
  const known = [...new Set(entries.map((entry) => platformText(entry.platform)))].join(", ");
  throw new StageError(
    "OCIArtifactPullFailed",
    entries.length === 0
      ? "Cannot choose from index: it has no entries"
      : `Cannot choose from index: no entry is for ${platformText(wanted)}, there are ${known}`,
    { hint: "Push the artifact for this platform, or name the digest of the entry wanted" },
  );
}

/** `os/architecture[/variant]`, or `none` where nothing is written. */
function platformText(platform: Platform | undefined): string {
  if (platform === undefined) return "none";
  const variant = platform.variant === undefined ? "" : `/${platform.variant}`;
  return `${platform.os}/${platform.architecture}${variant}`;
}

function isAttestation(entry: Descriptor): boolean {
  return entry.annotations?.["vnd.docker.reference.type"] === "attestation-manifest" ||
    (entry.platform?.os === "unknown" && entry.platform.architecture === "unknown");
}

function variantsFor(wanted: Platform): readonly string[] {
  const variant = wanted.variant ?? "";
  if (wanted.architecture === "arm") return runnableArm[variant === "" ? "v7" : variant] ?? [variant, ""];
  if (wanted.architecture === "arm64") return ["", "v8"].includes(variant) ? ["v8", ""] : [variant, "", "v8"];
  if (wanted.architecture === "amd64" && /^v[2-4]$/.test(variant)) {
    return ["v4", "v3", "v2"].filter((other) => other <= variant).concat("v1", "");
  }
  return variant === "" ? ["", "v1"] : [variant, ""];
}
