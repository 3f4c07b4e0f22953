import type { InventoryEntry } from "../../src/core/inventory.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { ObjectKey } from "../../src/core/object.ts";
import type { Ownership } from "../../src/core/ownership.ts";
import { withOwnerLabels } from "../../src/core/ownership.ts";
import type { Resource } from "../../src/core/resource.ts";
import type { ApplyResult, RemoveResult, TargetOptions, TargetRequest } from "../../src/core/target.ts";
import type { ClusterTarget, ClusterTargetOptions } from "../../src/target/cluster/cluster_target.ts";
import { clusterTarget } from "../../src/target/cluster/cluster_target.ts";
import { FakeClock } from "./fake_clock.ts";
import type { SeenRequest } from "./fake_cluster.ts";
import { FakeCluster } from "./fake_cluster.ts";

const { signal } = new AbortController();
const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };

/** A target over a cluster in memory, and what a scenario does with it. */
export class TargetBench implements Disposable {
  readonly clock = new FakeClock();
  readonly cluster = new FakeCluster(this.clock);
  readonly target: ClusterTarget;
  readonly #open: ClusterTarget[] = [];

  constructor(options: Partial<ClusterTargetOptions> = {}) {
    this.target = this.another(options);
  }

  /** Another target over the same cluster, as a restart or a second program opens. */
  another(options: Partial<ClusterTargetOptions> = {}): ClusterTarget {
    const made = clusterTarget({ api: this.cluster.api(), clock: this.clock, random, ...options });
    this.#open.push(made);
    return made;
  }

  /** Runs the clock until the work is done. */
  async run<Result>(work: Promise<Result>): Promise<Result> {
    let isDone = false;
    const done = work.finally(() => isDone = true);
    done.catch(() => {});
    for (let turn = 0; turn < 2_000 && !isDone; turn++) await this.clock.advance(100);
    return await done;
  }

  /** Applies resources for an owner, labelled as a build labels them. */
  apply(
    owner: ObjectKey,
    resources: readonly Resource[],
    options: TargetOptions = {},
    target = this.target,
  ): Promise<ApplyResult> {
    return this.run(target.apply(requestOf(owner, resources, options, target.ownership), signal));
  }

  /** Whether all that was applied for an owner stands. */
  stands(owner: ObjectKey, inputs = "inputs", target = this.target): Promise<boolean> {
    return this.run(target.stands?.(owner, inputs, signal) ?? Promise.resolve(false));
  }

  /** Removes entries of an owner. */
  remove(
    owner: ObjectKey,
    entries: readonly InventoryEntry[],
    options: TargetOptions = {},
    target = this.target,
  ): Promise<RemoveResult> {
    return this.run(target.remove(owner, entries, options, signal));
  }

  /** Answers the first `times` requests that fit with a status. */
  refuse(times: number, fits: (request: SeenRequest) => boolean, status: JsonObject): void {
    let left = times;
    this.cluster.intercept = (request) => {
      if (left <= 0 || !fits(request)) return undefined;
      left--;
      return Response.json({ kind: "Status", status: "Failure", ...status }, { status: Number(status.code) });
    };
  }

  [Symbol.dispose](): void {
    for (const target of this.#open) target[Symbol.dispose]();
  }
}

/** What an owner wants of a target, with nothing before it. */
export function requestOf(
  owner: ObjectKey,
  resources: readonly Resource[],
  options: TargetOptions = {},
  ownership: Ownership = "flux",
): TargetRequest {
  return {
    owner,
    resources: resources.map((resource) => labelled(owner, resource, ownership)),
    previous: { entries: [] },
    revision: "r",
    inputs: "inputs",
    options,
  };
}

/** A resource with the labels of its owner. */
export function labelled(owner: ObjectKey, resource: Resource, ownership: Ownership = "flux"): Resource {
  return withOwnerLabels(resource, { ...owner, kind: owner.kind.replace("Kept", "") }, ownership);
}

/** A resource of any kind. */
export function thing(
  apiVersion: string,
  kind: string,
  name: string,
  more: JsonObject = {},
  metadata: JsonObject = {},
): Resource {
  return { apiVersion, kind, metadata: { name, ...metadata }, ...more };
}
