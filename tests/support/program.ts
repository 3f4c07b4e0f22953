import { fromFileUrl } from "./paths.ts";

/** What a run of the program gave. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const mainFile = fromFileUrl(new URL("../../main.ts", import.meta.url));

/** Command line of the program: as it is run from its source, or what `PILOTFISH_PROGRAM` names. */
function commandOf(args: readonly string[]): { readonly command: string; readonly args: readonly string[] } {
  const built = Deno.env.get("PILOTFISH_PROGRAM");
  return built === undefined
    ? { command: Deno.execPath(), args: ["run", "-A", "--no-check", "--cached-only", "--quiet", mainFile, ...args] }
    : { command: built, args };
}

/** Environment in which nothing of the person who runs the tests counts. */
function cleanEnv(folder: string): Record<string, string> {
  const kept = ["PATH", "HOME", "DENO_DIR", "TMPDIR", "XDG_CACHE_HOME"];
  const env = Object.fromEntries(kept.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
  return { ...env, DOCKER_CONFIG: `${folder}/no-docker-config`, NO_COLOR: "1" };
}

/** Where a place's program works. */
export interface PlaceOptions {
  /** Flags that name its target; default a folder of the place. */
  readonly target?: readonly string[];
  /** Variables beside the usual ones. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A folder with documents, store and target, and the program over it. Everything is ended and removed when it is disposed. */
export class Place implements AsyncDisposable {
  readonly folder: string;
  readonly options: PlaceOptions;
  #daemon: Deno.ChildProcess | undefined;
  #output: Promise<string> | undefined;

  private constructor(folder: string, options: PlaceOptions) {
    this.folder = folder;
    this.options = options;
  }

  /** Makes a place of its own. */
  static async make(options: PlaceOptions = {}): Promise<Place> {
    const folder = await Deno.makeTempDir({ prefix: "pilotfish-e2e-" });
    await Deno.mkdir(`${folder}/config`);
    return new Place(folder, options);
  }

  /** Flags by which every command of this place finds its things. */
  get flags(): readonly string[] {
    return [
      ...["--config", `${this.folder}/config`, "--store", `${this.folder}/var`],
      ...this.options.target ?? ["--target", `directory:${this.folder}/out`],
      ...["--listen", "off"],
    ];
  }

  /** Writes a file of documents. */
  async write(file: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.folder}/config/.${file}.new`, text);
    await Deno.rename(`${this.folder}/config/.${file}.new`, `${this.folder}/config/${file}`);
  }

  /** Runs a command to its end. */
  run(...args: readonly string[]): Promise<Finished> {
    return this.#run(commandOf(args));
  }

  async #run({ command, args: all }: ReturnType<typeof commandOf>): Promise<Finished> {
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args: [...all],
      env: { ...cleanEnv(this.folder), ...this.options.env },
      clearEnv: true,
      cwd: this.folder,
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  /** Runs a command with the place's flags. */
  work(command: string, ...args: readonly string[]): Promise<Finished> {
    return this.run(command, ...this.flags, ...args);
  }

  /** The same as a process that may have no more than so many files open. */
  workWithin(openFiles: number, command: string, ...args: readonly string[]): Promise<Finished> {
    const program = commandOf([command, ...this.flags, ...args]);
    const limit = ["-c", `ulimit -n ${openFiles}; exec "$@"`, "sh", program.command];
    return this.#run({ command: "sh", args: [...limit, ...program.args] });
  }

  /** Asks the running daemon. */
  ask(command: string, ...args: readonly string[]): Promise<Finished> {
    return this.run(command, "--socket", `${this.folder}/var/control.sock`, ...args);
  }

  /** Starts the daemon. It is not ready when this returns. */
  start(...args: readonly string[]): void {
    if (this.#daemon !== undefined) throw new Error("the daemon runs already");
    const { command, args: all } = commandOf(["run", ...this.flags, ...args]);
    const child = new Deno.Command(command, {
      args: [...all],
      env: { ...cleanEnv(this.folder), ...this.options.env },
      clearEnv: true,
      cwd: this.folder,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#daemon = child;
    this.#output = new Response(child.stderr).text();
  }

  /** Number of the daemon's process. */
  get pid(): number {
    if (this.#daemon === undefined) throw new Error("the daemon does not run");
    return this.#daemon.pid;
  }

  /** Sends the daemon a signal. */
  signal(name: Deno.Signal): void {
    this.#daemon?.kill(name);
  }

  /** Sends the daemon a signal. @returns whether it was still there to take it */
  signalled(name: Deno.Signal): Promise<boolean> {
    try {
      this.signal(name);
      return Promise.resolve(true);
    } catch {
      return Promise.resolve(false);
    }
  }

  /** Ends the daemon by a signal and waits. @returns its exit code and log */
  async end(name: Deno.Signal = "SIGTERM"): Promise<{ readonly code: number; readonly log: string }> {
    const child = this.#daemon;
    if (child === undefined) throw new Error("the daemon does not run");
    this.#daemon = undefined;
    try {
      child.kill(name);
    } catch {
      // It ended by itself.
    }
    const { code } = await child.status;
    return { code, log: await this.#output ?? "" };
  }

  /** Texts of files below a folder by relative path; links are followed, our bookkeeping is left out. */
  async files(folder = "out"): Promise<Readonly<Record<string, string>>> {
    const found: Record<string, string> = {};
    const visit = async (path: string, prefix: string) => {
      for (const name of await namesIn(path)) {
        if (name.startsWith(".pilotfish") || name.endsWith(".pilotfish")) continue;
        const info = await ifThere(Deno.stat(`${path}/${name}`));
        if (info?.isDirectory === true) await visit(`${path}/${name}`, `${prefix}${name}/`);
        const text = info?.isFile === true ? await ifThere(Deno.readTextFile(`${path}/${name}`)) : undefined;
        if (text !== undefined) found[prefix + name] = text;
      }
    };
    await visit(`${this.folder}/${folder}`, "");
    return found;
  }

  /** Paths of unfinished files anywhere in the place. */
  async unfinished(path: string = this.folder): Promise<readonly string[]> {
    const found: string[] = [];
    for (const name of await namesIn(path)) {
      if (name.includes(".pilotfish-tmp-") || path.endsWith(".pilotfish") && name === "next") {
        found.push(`${path}/${name}`);
      }
      const info = await ifThere(Deno.lstat(`${path}/${name}`));
      if (info?.isDirectory === true) found.push(...await this.unfinished(`${path}/${name}`));
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon !== undefined) await this.end("SIGKILL");
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Asks again and again until an answer counts. @throws with the last answer when it takes longer than `withinMs` */
export async function until<Answer>(
  question: () => Promise<Answer>,
  counts: (answer: Answer) => boolean,
  options: { readonly withinMs?: number; readonly what?: string } = {},
): Promise<Answer> {
  const { withinMs = 30_000, what = "it" } = options;
  const deadline = Date.now() + withinMs;
  while (true) {
    const answer = await question();
    if (counts(answer)) return answer;
    if (Date.now() > deadline) {
      throw new Error(`${what} did not happen within ${withinMs} ms: ${JSON.stringify(answer)?.slice(0, 3_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function namesIn(path: string): Promise<readonly string[]> {
  const entries = await ifThere(Array.fromAsync(Deno.readDir(path)));
  return (entries ?? []).map((entry) => entry.name).sort();
}

/** What a look gives; `undefined` when the file is gone by now. */
async function ifThere<Answer>(look: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
