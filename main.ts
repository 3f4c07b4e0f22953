/** Reads the command line, starts one command, maps the outcome to an exit code. */
import { runCommandLine } from "./src/cli/command_line.ts";

Deno.exit(await runCommandLine(Deno.args));
