/** Reads the command line, starts one command, maps the outcome to an exit code. Started as a worker, it serves builds. */
import { serveAsWorker } from "./src/app.ts";
import { runCommandLine } from "./src/cli/command_line.ts";

if (!await serveAsWorker()) Deno.exit(await runCommandLine(Deno.args));
