import { equal, match, ok, rejects, throws } from "node:assert/strict";
import type { JsonObject } from "../../../src/core/json.ts";
import { openLease } from "../../../src/target/cluster/lease.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeCluster } from "../../support/fake_cluster.ts";

const at = "/apis/coordination.k8s.io/v1/namespaces/default/leases/pilotfish";
const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };

function bench() {
  const clock = new FakeClock();
  const cluster = new FakeCluster(clock);
  const lease = (identity: string) =>
    openLease(cluster.api({ tries: 1 }), { namespace: "default", name: "pilotfish", identity, clock, random });
  const spec = () => (cluster.object(at)?.spec ?? {}) as JsonObject;
  return { clock, cluster, lease, spec };
}

Deno.test("openLease() gives the lease to one, and to the next at once when it is given back", async () => {
  const { clock, lease, spec } = bench();
  const first = lease("first");
  await clock.advance(100);
  const second = lease("second");
  await clock.advance(60_000);
  ok(first.isHeld && !second.isHeld);
  equal(spec().leaseDurationSeconds, 15);

  await first[Symbol.asyncDispose]();
  equal(spec().holderIdentity, "");
  throws(() => first.assertHeld(), /is not held by this process/);
  await clock.advance(3_000);
  ok(second.isHeld);
  equal(spec().leaseTransitions, 1);
  await second[Symbol.asyncDispose]();
});

Deno.test("openLease() takes over when the holder dies, within seventeen seconds", async () => {
  const { clock, cluster, lease, spec } = bench();
  const first = lease("first");
  await clock.advance(100);
  const second = lease("second");
  await clock.advance(5_000);
  cluster.intercept = ({ body }) => {
    const holder = ((body as JsonObject | undefined)?.spec as JsonObject | undefined)?.holderIdentity;
    if (holder === "first") throw new TypeError("the process is dead");
    return undefined;
  };
  const diedAt = clock.monotonic();
  while (spec().holderIdentity !== "second") await clock.advance(500);

  ok(clock.monotonic() - diedAt <= 17_500, `${clock.monotonic() - diedAt}`);
  ok(!first.isHeld && second.isHeld);
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
});

Deno.test("a holder that cannot renew stops by itself before another may begin", async () => {
  const { clock, cluster, lease } = bench();
  const first = lease("first");
  await clock.advance(100);
  const second = lease("second");
  await clock.advance(100);
  cluster.intercept = ({ method }) => {
    if (method === "PUT") throw new TypeError("connection refused");
    return undefined;
  };
  let both = 0;
  let lostAt = 0;
  const startedAt = clock.monotonic();
  for (let turn = 0; turn < 200; turn++) {
    await clock.advance(200);
    // Only the second one reaches the server again.
    if (clock.monotonic() - startedAt > 5_000) {
      cluster.intercept = ({ body }) => {
        const holder = ((body as JsonObject | undefined)?.spec as JsonObject | undefined)?.holderIdentity;
        if (holder === "first") throw new TypeError("connection refused");
        return undefined;
      };
    }
    if (first.isHeld && second.isHeld) both++;
    if (!first.isHeld && lostAt === 0) lostAt = clock.monotonic() - startedAt;
  }
  equal(both, 0);
  ok(lostAt > 0 && lostAt <= 10_400, `${lostAt}`);
  ok(second.isHeld);
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
});

Deno.test("a holder that was frozen does not write when it wakes", async () => {
  const { clock, lease } = bench();
  const held = lease("frozen");
  await clock.advance(100);
  ok(held.isHeld);
  // Time passes and no timer runs, as in a process that was stopped.
  const monotonic = clock.monotonic.bind(clock);
  clock.monotonic = () => monotonic() + 11_000;
  throws(() => held.assertHeld());
  clock.monotonic = monotonic;
  await held[Symbol.asyncDispose]();
});

Deno.test("hold() fails with a hint without the right to the lease, and when the server is away, and waits for another holder", async () => {
  const { clock, cluster, lease } = bench();
  const { signal } = new AbortController();
  cluster.allow = ({ plural }) => plural !== "leases";
  const refused = lease("refused");
  const asked = rejects(refused.hold(signal), (error: Error & { hint?: string }) => {
    match(error.message, /Cannot hold the Lease "default\/pilotfish": leases.* is forbidden/);
    match(error.hint ?? "", /Let the account get, create and update Leases in namespace "default"/);
    return true;
  });
  await clock.advance(3_000);
  await asked;
  cluster.allow = () => true;
  await clock.advance(3_000);
  await refused.hold(signal);
  equal(refused.term, 1);

  const second = lease("second");
  let isHeld = false;
  const waiting = second.hold(signal).then(() => isHeld = true);
  await clock.advance(60_000);
  equal(isHeld, false);
  await refused[Symbol.asyncDispose]();
  equal(refused.term, 0);
  await clock.advance(3_000);
  await waiting;
  equal(second.term, 1);

  cluster.intercept = () => {
    throw new TypeError("connection refused");
  };
  await clock.advance(12_000);
  equal(second.term, 0);
  const away = rejects(second.hold(signal), /connection refused/);
  await clock.advance(3_000);
  await away;
  cluster.intercept = undefined;
  await clock.advance(3_000);
  equal(second.term, 1, "nobody had it in between");
  await second[Symbol.asyncDispose]();
});
