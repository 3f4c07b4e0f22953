import { deepEqual, equal } from "node:assert/strict";
import { reportToCluster } from "../../src/app/cluster_report.ts";
import { silentLog } from "../../src/core/log.ts";
import { StatusBoard } from "../../src/report/status_board.ts";
import type { ClusterReporter } from "../../src/target/cluster/cluster_reporter.ts";
import { statusOf } from "../support/fake_app.ts";
import { FakeClock } from "../support/fake_clock.ts";

function boardWith(...names: readonly string[]): StatusBoard {
  const board = new StatusBoard({ log: silentLog, meter: { count: () => {}, forget: () => {} } });
  for (const name of names) board.record({ status: statusOf("Kustomization", name), events: [] });
  return board;
}

function notedReporter(): { readonly reporter: ClusterReporter; readonly told: string[] } {
  const told: string[] = [];
  const reporter: ClusterReporter = {
    event: () => {},
    status: ({ key }) => void told.push(key.name),
    gone: ({ name }) => void told.push(`${name} gone`),
    allTold: () => void told.push("all"),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return { reporter, told };
}

Deno.test("reportToCluster() tells what came before the cluster was found, once it is", async () => {
  const clock = new FakeClock();
  const { reporter, told } = notedReporter();
  const board = boardWith("early");
  let isThere = false;
  using report = reportToCluster(
    board,
    () => isThere ? Promise.resolve(reporter) : Promise.reject(new Error("away")),
    { clock, log: silentLog },
  );
  report.allTold();
  isThere = true;
  await clock.advance(30_000);
  board.record({ status: statusOf("Kustomization", "late"), events: [] });

  deepEqual(told, ["early", "all", "late"]);
});

Deno.test("reportToCluster() leaves no timer and tells nothing when it ends while the cluster is sought", async () => {
  for (const outcome of ["found", "away"]) {
    const clock = new FakeClock();
    const { reporter, told } = notedReporter();
    const sought = Promise.withResolvers<ClusterReporter>();
    const report = reportToCluster(boardWith("one"), () => sought.promise, { clock, log: silentLog });
    report[Symbol.dispose]();
    if (outcome === "found") sought.resolve(reporter);
    else sought.reject(new Error("away"));
    await sought.promise.catch(() => {});
    await clock.advance(0);

    equal(clock.pending, 0);
    deepEqual(told, []);
  }
});
