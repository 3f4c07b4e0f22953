import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { Network } from "../../../src/core/network.ts";
import type { ProcessResult } from "../../../src/core/process.ts";
import type { AfterChange } from "../../../src/core/specs.ts";
import { StageError } from "../../../src/core/stage_error.ts";
import { runAfterChange } from "../../../src/target/checkout/after_change.ts";
import { FaultyDisk } from "../../support/faulty_file_system.ts";

const facts = { path: "/srv/site", revision: "v1@sha256:1" };
const signal = new AbortController().signal;

function bench(options: {
  readonly run?: () => Promise<ProcessResult>;
  readonly signal?: () => void;
  readonly network?: Network;
} = {}) {
  const disk = new FaultyDisk();
  const ran: unknown[] = [];
  const signals: string[] = [];
  const tell = (after: AfterChange) =>
    runAfterChange(after, facts, {
      fileSystem: disk.fileSystem,
      network: options.network ?? (() => Promise.reject(new Error("not asked"))),
      processes: {
        run: (command, given) => {
          ran.push([command, given?.env]);
          return options.run?.() ?? Promise.resolve({ code: 0, stdout: "", stderr: "" });
        },
        signal: (pid, name) => {
          options.signal?.();
          signals.push(`${name} ${pid}`);
        },
        env: () => undefined,
      },
    }, signal);
  return { disk, tell, ran, signals };
}

async function fails(work: Promise<void>, message: RegExp, hint = /./) {
  await rejects(work, (error) => {
    ok(error instanceof StageError);
    equal(error.reason, "ReconciliationFailed");
    match(error.message, message);
    match(error.hint, hint);
    return true;
  });
}

Deno.test("a command runs without a shell and knows path and revision", async () => {
  const { tell, ran } = bench();
  await tell({ kind: "command", command: ["/bin/reload", "$HOME; rm"] });
  deepEqual(ran, [[["/bin/reload", "$HOME; rm"], {
    PILOTFISH_PATH: "/srv/site",
    PILOTFISH_REVISION: "v1@sha256:1",
  }]]);
});

Deno.test("a command that fails is told with its code and last words", async () => {
  const command: AfterChange = { kind: "command", command: ["/bin/reload"] };
  const ended = (stdout: string, stderr: string) =>
    bench({ run: () => Promise.resolve({ code: 3, stdout, stderr }) }).tell(command);

  await fails(
    ended("out", "no such site\n"),
    /^Command "\/bin\/reload" ended with code 3: no such site$/,
    /tried again/,
  );
  await fails(ended("only out", ""), /: only out$/);
  await fails(ended("", `${"x".repeat(900)}END`), /: x{497}END$/);
  await fails(
    bench({ run: () => Promise.reject(new Error("No such file")) }).tell(command),
    /^Cannot run "\/bin\/reload": No such file$/,
    /spec\.afterChange\.command/,
  );
});

Deno.test("a signal goes to the process of the file", async () => {
  const { disk, tell, signals } = bench();
  const after: AfterChange = { kind: "signal", pidFile: "/run/app.pid", name: "SIGHUP" };
  await disk.fileSystem.makeFolder("/run");

  await fails(tell(after), /there is no file "\/run\/app\.pid"/, /may not have started yet/);
  for (const text of ["", "abc", "0", "1", "-5", "1.5"]) {
    await disk.fileSystem.writeAtomic("/run/app.pid", text);
    await fails(tell(after), /holds no process id/);
  }
  await disk.fileSystem.writeAtomic("/run/app.pid", " 4711\n");
  await tell(after);
  deepEqual(signals, ["SIGHUP 4711"]);
});

Deno.test("a process that is gone is told", async () => {
  const { disk, tell } = bench({
    signal: () => {
      throw new Error("No such process");
    },
  });
  await disk.fileSystem.makeFolder("/run");
  await disk.fileSystem.writeAtomic("/run/app.pid", "4711");
  await fails(
    tell({ kind: "signal", pidFile: "/run/app.pid", name: "SIGHUP" }),
    /^Cannot send SIGHUP to process 4711: No such process$/,
  );
});

Deno.test("an address is called with its method, and faults leave credentials and query out", async () => {
  const asked: string[] = [];
  const after: AfterChange = { kind: "http", url: "http://127.0.0.1:8080/reload?token=s3cret", method: "PUT" };
  const answering = (status: number) =>
    bench({
      network: (request) => {
        asked.push(`${request.method} ${request.url}`);
        return Promise.resolve(new Response(null, { status }));
      },
    }).tell(after);

  await answering(204);
  deepEqual(asked, ["PUT http://127.0.0.1:8080/reload?token=s3cret"]);
  await fails(answering(503), /^http:\/\/127\.0\.0\.1:8080\/reload answered 503 to PUT$/);
  await fails(bench().tell(after), /^Cannot call http:\/\/127\.0\.0\.1:8080\/reload: not asked$/);
});
