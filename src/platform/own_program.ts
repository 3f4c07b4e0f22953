/** First and only argument of a program that is started to build for another one. */
const buildArgument = "serve-builds";

/** The address of the program's own first module, from which it can be started again: also when bundled or compiled. */
export function mainModule(): string {
  return Deno.mainModule;
}

/** Whether this program was started by itself, to build: nobody who types the argument is taken for that. */
export function isBuildProcess(): boolean {
  return Deno.args.length === 1 && Deno.args[0] === buildArgument && !Deno.stdin.isTerminal();
}

/**
 * The command that starts the program again to build. V8's flags are baked into a compiled one, and the others are given as
 * `v8Flags` says.
 */
export function buildCommand(
  module: string,
  v8Flags: readonly string[],
): readonly [program: string, ...args: string[]] {
  const program = Deno.execPath();
  if (Deno.build.standalone) return [program, buildArgument];
  return [program, "run", "-A", "--quiet", `--v8-flags=${v8Flags.join(",")}`, module, buildArgument];
}
