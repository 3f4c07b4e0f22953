import { messageOf, StageError } from "../../core/stage_error.ts";
import type { KeyProvider, KeyTools } from "./key_provider.ts";
import { ageKeys } from "./keys/age.ts";
import { awsKeys } from "./keys/aws.ts";
import { azureKeys } from "./keys/azure.ts";
import { gcpKeys } from "./keys/gcp.ts";
import { pgpKeys } from "./keys/pgp.ts";
import { vaultKeys } from "./keys/vault.ts";
import { combineShares } from "./shamir.ts";
import type { KeyEntry, SopsMetadata } from "./sops_metadata.ts";

/** Every kind of master key, in the order in which they are tried: a new one is a file and a line here. */
const providers: readonly KeyProvider[] = [ageKeys, pgpKeys, vaultKeys, awsKeys, gcpKeys, azureKeys];

/** Length of a data key in bytes. */
const keyLength = 32;

/**
 * The data key of a file: one master key of each of `threshold` groups must open its copy.
 *
 * @throws {StageError} DecryptionFailed that says what was tried and what the Secret lacks; it never shows a key
 */
export async function openDataKey(metadata: SopsMetadata, tools: KeyTools): Promise<Uint8Array> {
  const { groups, threshold } = metadata;
  if (groups.length === 0) throw new StageError("DecryptionFailed", "Cannot decrypt: the sops block names no keys");
  const faults: string[] = [];
  const shares: Uint8Array[] = [];
  for (const group of groups) {
    const share = await openGroup(group, tools, faults);
    if (share !== undefined) shares.push(share);
    if (shares.length === threshold) break;
  }
  if (shares.length < threshold) {
    throw new StageError(
      "DecryptionFailed",
      `Cannot get the data key (${shares.length} of ${threshold} needed): ${faults.join("; ")}`,
    );
  }
  const [only] = shares;
  const key = groups.length === 1 && only !== undefined ? only : combineShares(shares);
  if (key.length !== keyLength) {
    throw new StageError(
      "DecryptionFailed",
      `Cannot decrypt: the data key has ${key.length} bytes instead of ${keyLength}`,
    );
  }
  return key;
}

async function openGroup(
  group: readonly KeyEntry[],
  tools: KeyTools,
  faults: string[],
): Promise<Uint8Array | undefined> {
  for (const provider of providers) {
    for (const entry of group.filter((one) => one.kind === provider.kind)) {
      try {
        const key = await provider.open(entry.fields, tools);
        if (key !== undefined) return key;
        const lack = `${provider.kind}: the Secret has not ${provider.needs}`;
        if (!faults.includes(lack)) faults.push(lack);
      } catch (error) {
        faults.push(`${provider.kind}: ${messageOf(error)}`);
      }
    }
  }
  return undefined;
}
