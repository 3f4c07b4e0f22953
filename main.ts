/** Reads the command line, starts one command, maps the outcome to an exit code. Started as a worker, it serves builds. */
import { runCommandLine } from "./src/cli/command_line.ts";
import { isWorker } from "./src/platform/deno_worker.ts";

if (isWorker()) (await import("./src/app/build_worker.ts")).serveBuilds();
else Deno.exit(await runCommandLine(Deno.args));
