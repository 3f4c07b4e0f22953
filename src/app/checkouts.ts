import type { ArtifactStore } from "../core/artifact.ts";
import type { CheckoutTools } from "../reconcile/checkout.ts";
import { runAfterChange } from "../target/checkout/after_change.ts";
import type { Doors } from "./doors.ts";
import { timeLimit } from "./time_limit.ts";
import { checkOut, isCheckedOut, removeCheckout } from "../target/checkout/checkout.ts";

/** What a Checkout's pipeline needs, over the host's disk. A preview touches nothing. */
export function openCheckouts(options: {
  readonly store: ArtifactStore;
  readonly doors: Doors;
  readonly isPreview: boolean;
}): CheckoutTools {
  const { store, doors } = options;
  const { fileSystem } = doors;
  if (options.isPreview) {
    return {
      isCheckedOut: () => Promise.resolve(true),
      checkOut: () => Promise.resolve({ changed: false, fileCount: 0 }),
      afterChange: () => Promise.resolve(),
      remove: () => Promise.resolve(),
    };
  }
  return {
    isCheckedOut: (spec, artifact, version) =>
      isCheckedOut({ place: spec, version, kind: artifact.content.kind }, fileSystem),
    async checkOut({ spec, artifact, version, isOurs }, signal) {
      const order = { place: spec, version, isOurs };
      if (artifact.content.kind === "blob") {
        const bytes = await store.readBlob(artifact.content.descriptor.digest);
        return await checkOut({ ...order, content: { kind: "blob", bytes } }, fileSystem, signal);
      }
      using tree = await store.openTree(artifact);
      return await checkOut({ ...order, content: { kind: "tree", tree } }, fileSystem, signal);
    },
    async afterChange(spec, artifact, signal) {
      if (spec.afterChange === undefined) return;
      using network = doors.connect({});
      const facts = { path: spec.path, revision: artifact.revision };
      using limit = timeLimit(spec.timeoutMs, signal);
      await runAfterChange(spec.afterChange, facts, {
        fileSystem,
        processes: doors.processes,
        network: network.send,
      }, limit.signal);
    },
    remove: (path, kind) => removeCheckout(path, kind, fileSystem),
  };
}
