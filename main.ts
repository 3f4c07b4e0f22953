/** Reads the command line, starts one command, maps the outcome to an exit code. Started by itself, it serves builds. */
import { serveAsBuildProcess } from "./src/app.ts";
import { runCommandLine } from "./src/cli/command_line.ts";

Deno.exit(await serveAsBuildProcess() ? 0 : await runCommandLine(Deno.args));
