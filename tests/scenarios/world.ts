import assert from "node:assert/strict";
import { type Loop, openLoop } from "../../src/app/loop.ts";
import type { Doors } from "../../src/app/doors.ts";
import { loadConfig } from "../../src/config/load.ts";
import { type DesiredState, mergeDesired } from "../../src/config/desired.ts";
import { problemText } from "../../src/config/problem.ts";
import { readSettings } from "../../src/config/settings.ts";
import type { Condition } from "../../src/core/condition.ts";
import { condition } from "../../src/core/condition.ts";
import type { FileSystem, PendingFile } from "../../src/core/file_system.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { KubeApi } from "../../src/core/kube_api.ts";
import type { Log } from "../../src/core/log.ts";
import type { NetworkOptions } from "../../src/core/network.ts";
import { parseKey } from "../../src/core/object.ts";
import type { ProcessResult } from "../../src/core/process.ts";
import type { ObjectStatus } from "../../src/core/status.ts";
import { StatusBoard } from "../../src/report/status_board.ts";
import { seededRandom } from "../support/call_context.ts";
import { yamlOf } from "../support/documents.ts";
import { FakeClock } from "../support/fake_clock.ts";
import type { FakeCluster } from "../support/fake_cluster.ts";
import { FaultyDisk } from "../support/faulty_file_system.ts";
import { ScriptedRegistry } from "../support/scripted_registry.ts";

/** What a {@linkcode World} is made with. */
export interface WorldOptions {
  readonly registry?: ScriptedRegistry;
  /** Default: a new disk in memory. */
  readonly disk?: FaultyDisk;
  readonly clock?: FakeClock;
  /** Another file system than the disk's, and where in it everything stands. */
  readonly fileSystem?: FileSystem;
  readonly root?: string;
  /** Settings as the environment gives them. */
  readonly env?: Readonly<Record<string, string>>;
  /** A cluster in memory instead of the folder `/out`. */
  readonly cluster?: FakeCluster;
  /** Other clusters in memory, by the text of their kubeconfig. */
  readonly foreign?: Readonly<Record<string, FakeCluster>>;
  readonly runProcess?: (command: readonly string[]) => Promise<ProcessResult>;
}

/**
 * The whole program's loop on a machine of its own: a scripted registry, a disk in memory, a clock that moves when told. The
 * target is the folder `/out`, the store `/var`, documents are files in `/config`.
 */
export class World implements AsyncDisposable {
  readonly registry: ScriptedRegistry;
  readonly disk: FaultyDisk;
  readonly clock: FakeClock;
  readonly fileSystem: FileSystem;
  readonly root: string;
  /** Log lines as JSON texts, of all starts. */
  readonly lines: string[] = [];
  /** Programs that were run. */
  readonly processes: (readonly string[])[] = [];
  /** Connection options that were asked for. */
  readonly connections: NetworkOptions[] = [];
  /** What was wrong with the documents when they were last read. */
  problems: readonly string[] = [];
  /** Folder of the documents below the root; another one is another set of documents over the same store. */
  configFolder = "config";
  board: StatusBoard;
  /** The cluster in memory; it may be exchanged, as by another kubeconfig. */
  cluster: FakeCluster | undefined;
  readonly #options: WorldOptions;
  readonly #doors: Doors;
  #loop: Loop | undefined;
  #desired: DesiredState | undefined;
  #isGone = false;
  #activity = 0;
  #busy = 0;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.registry = options.registry ?? new ScriptedRegistry();
    this.disk = options.disk ?? new FaultyDisk();
    this.clock = options.clock ?? new FakeClock();
    this.root = options.root ?? "";
    this.fileSystem = this.#noting(options.fileSystem ?? this.disk.fileSystem);
    this.board = this.#newBoard();
    this.cluster = options.cluster;
    this.#doors = {
      openCluster: () => {
        assert.ok(this.cluster, "this world has no cluster");
        // A client's pause between tries would wait for a clock that stands still while a request is under way.
        return Promise.resolve({ api: this.#noted(this.cluster.api({ tries: 1 })), [Symbol.dispose]() {} });
      },
      openForeignCluster: (kubeconfig) => {
        const other = options.foreign?.[kubeconfig];
        assert.ok(other, "this world has no such cluster");
        return Promise.resolve({ api: this.#noted(other.api()), [Symbol.dispose]() {} });
      },
      clock: this.clock,
      random: seededRandom(7),
      fileSystem: this.fileSystem,
      connect: (connection) => {
        this.connections.push(connection);
        return {
          send: async (request) => {
            this.#activity++;
            const answer = await this.registry.send(request);
            this.#activity++;
            return answer;
          },
          [Symbol.dispose]() {},
        };
      },
      lookup: () => Promise.resolve(["203.0.113.7"]),
      processes: {
        run: (command) => {
          this.processes.push(command);
          return options.runProcess?.(command) ?? Promise.resolve({ code: 0, stdout: "", stderr: "" });
        },
        signal: () => {},
        env: () => undefined,
      },
    };
  }

  /** A cluster whose requests count as work that goes on. */
  #noted(api: KubeApi): KubeApi {
    const send = api.send.bind(api);
    api.send = (request, signal) => this.#during(() => send(request, signal));
    return api;
  }

  /** Writes a file of documents. */
  async write(file: string, ...documents: readonly JsonObject[]): Promise<void> {
    await this.writeText(file, yamlOf(...documents));
  }

  /** Writes a file of documents as text. */
  async writeText(file: string, text: string): Promise<void> {
    await this.fileSystem.makeFolder(`${this.root}/${this.configFolder}`);
    await this.fileSystem.writeAtomic(`${this.root}/${this.configFolder}/${file}`, text);
  }

  /** Opens the loop over the documents, as a start of the daemon does. Nothing has run when this returns. */
  async start(): Promise<void> {
    assert.equal(this.#loop, undefined, "the loop runs already");
    const { desired, problems: documentProblems } = await this.#read();
    this.#desired = desired;
    this.problems = documentProblems.map(problemText);
    this.board = this.#newBoard();
    const { settings, problems } = readSettings({
      flags: {},
      env: (name) =>
        this.#options.env?.[name] ?? ({
          PILOTFISH_STORE: `${this.root}/var`,
          PILOTFISH_TARGET: this.cluster === undefined ? `directory:${this.root}/out` : "cluster",
        })[name],
      ...(desired.settings === undefined ? {} : { document: desired.settings }),
    });
    assert.deepEqual(problems.filter((problem) => problem.severity === "error"), []);
    const { board } = this;
    this.#loop = await openLoop({
      settings,
      desired,
      configPaths: [`${this.root}/${this.configFolder}`],
      log: this.#log(),
      reporter: board,
      doors: this.#doors,
      onSecrets: (values) => board.hide(values),
      clean: (text) => board.clean(text),
    });
    this.#loop.update(desired);
  }

  /** Starts, and lets everything run that is due. */
  async run(): Promise<void> {
    await this.start();
    await this.settle();
  }

  /** Reads the documents again, as a watch or SIGHUP does, and lets everything run that is due. */
  async reload(): Promise<void> {
    const { desired, problems } = await this.#read();
    this.problems = problems.map(problemText);
    this.#desired = mergeDesired(this.#desired, desired);
    this.loop.update(this.#desired);
    await this.settle();
  }

  /** The running loop. */
  get loop(): Loop {
    assert.ok(this.#loop, "the loop does not run");
    return this.#loop;
  }

  /** Ends the loop as SIGTERM does. */
  async stop(): Promise<void> {
    const loop = this.#loop;
    this.#loop = undefined;
    let isClosed = false;
    const closing = Promise.resolve(loop?.[Symbol.asyncDispose]()).finally(() => {
      isClosed = true;
    });
    // Disks that died let nobody out; everything else ends within the deadline of the clock.
    for (let second = 0; second < 60 && !isClosed; second++) await this.advance(1_000);
    await closing;
  }

  /** Drops the loop without letting it end, as kill -9 or a power cut do. Nothing that is left of it reaches the disk. */
  async abandon(): Promise<void> {
    await this.#quiet();
    this.#isGone = true;
    const loop = this.#loop;
    this.#loop = undefined;
    void Promise.resolve(loop?.[Symbol.asyncDispose]()).catch(() => {});
    await this.#quiet();
  }

  /** Lets everything run that needs no time to pass. */
  async quiet(): Promise<void> {
    await this.#quiet();
  }

  /** Lets everything end that is due now: pauses of a client that tries again are passed over, up to `withinMs` of them. */
  async settle(withinMs = 120_000): Promise<void> {
    let isSettled = false;
    void this.loop.engine.settled().then(() => {
      isSettled = true;
    });
    let leftMs = withinMs;
    while (true) {
      await this.#quiet();
      if (isSettled) break;
      const nextMs = this.clock.nextInMs;
      assert.ok(nextMs !== undefined && nextMs <= leftMs, `the loop has not settled within ${withinMs} ms`);
      leftMs -= nextMs;
      await this.clock.advance(nextMs);
    }
    await this.#quiet();
  }

  /** Lets time pass, timer by timer, with everything that follows from each. */
  async advance(ms: number): Promise<void> {
    let leftMs = ms;
    while (true) {
      await this.#quiet();
      const nextMs = this.clock.nextInMs;
      if (nextMs === undefined || nextMs > leftMs) break;
      leftMs -= nextMs;
      await this.clock.advance(nextMs);
    }
    await this.clock.advance(leftMs);
    await this.#quiet();
  }

  /** Asks for a run of an object, as `pilotfish reconcile` does. */
  async reconcile(
    key: string,
    options: { readonly withSource?: boolean; readonly confirmPrune?: boolean } = {},
  ): Promise<void> {
    assert.ok(this.loop.engine.reconcile(parseKey(key), options), `there is no ${key}`);
    await this.settle();
  }

  /** Status of an object (`Kustomization/default/app`). */
  status(key: string): ObjectStatus {
    const status = this.board.status(parseKey(key));
    assert.ok(status, `there is no status of ${key}`);
    return status;
  }

  /** Condition Ready of an object. */
  ready(key: string): Condition {
    const ready = condition(this.status(key).conditions, "Ready");
    assert.ok(ready, `${key} has no condition Ready`);
    return ready;
  }

  /** Fails unless these objects are Ready. */
  expectReady(...keys: readonly string[]): void {
    for (const key of keys) {
      const { status, reason, message } = this.ready(key);
      assert.equal(status, "True", `${key} is not ready: ${reason}: ${message}`);
    }
  }

  /** Texts of the files below a folder by relative path; files of our own bookkeeping are left out. */
  async files(folder = "/out"): Promise<Readonly<Record<string, string>>> {
    const found: Record<string, string> = {};
    const visit = async (path: string, prefix: string) => {
      for (const { name, kind } of await this.fileSystem.list(path) ?? []) {
        if (name.startsWith(".pilotfish")) continue;
        if (kind === "folder") await visit(`${path}/${name}`, `${prefix}${name}/`);
        else found[prefix + name] = await this.fileSystem.readText(`${path}/${name}`) ?? "";
      }
    };
    await visit(`${this.root}${folder}`, "");
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#loop !== undefined) await this.stop();
  }

  #read() {
    return loadConfig([`${this.root}/${this.configFolder}`], {
      fileSystem: this.fileSystem,
      stdin: () => Promise.resolve(""),
      baseFolderOf: () => `${this.root}/${this.configFolder}`,
      noCrossNamespaceRefs: false,
    });
  }

  #newBoard(): StatusBoard {
    return new StatusBoard({ log: this.#log(), meter: { count: () => {}, forget: () => {} } });
  }

  #log(): Log {
    const write = (level: string): Log["info"] => (message, fields) => {
      this.lines.push(JSON.stringify({ level, message, ...fields }));
    };
    return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  }

  /** Waits until nothing is under way that does not wait for the clock. */
  async #quiet(): Promise<void> {
    for (let still = 0, seen = -1; still < 12;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      still = this.#busy === 0 && this.#activity === seen ? still + 1 : 0;
      seen = this.#activity;
    }
  }

  async #during<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#activity++;
    this.#busy++;
    try {
      return await work();
    } finally {
      this.#busy--;
      this.#activity++;
    }
  }

  #notingPending(pending: PendingFile): PendingFile {
    return {
      get sizeBytes() {
        return pending.sizeBytes;
      },
      write: (chunk) => pending.write(chunk),
      commit: (...given) => this.#during(() => pending.commit(...given)),
      [Symbol.asyncDispose]: () => this.#during(async () => await pending[Symbol.asyncDispose]()),
    };
  }

  /** A file system that counts what is under way. */
  #noting(real: FileSystem): FileSystem {
    return new Proxy(real, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        const call = (...given: unknown[]): unknown => {
          if (this.#isGone) throw new Error("this machine was left");
          this.#activity++;
          const result: unknown = Reflect.apply(member, target, given);
          if (name === "create") {
            return this.#during(async () => this.#notingPending(await (result as Promise<PendingFile>)));
          }
          return result instanceof Promise ? this.#during(() => result) : result;
        };
        return call;
      },
    });
  }
}
