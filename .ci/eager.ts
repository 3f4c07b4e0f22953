/**
 * Has the runtime compile what a command calls while it reads the file. V8 only skims a function until somebody calls it, and
 * reads it again then; Deno's cache of compiled code is made before that, so every start would compile the same functions anew.
 * What stands in parentheses is compiled at once, and is in the cache.
 */

/** What V8 counted of one file, as `deno run --coverage` writes it; offsets in UTF-16 units, the file itself is a function. */
interface Coverage {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly [{ readonly startOffset: number; readonly endOffset: number; readonly count: number }];
  }[];
}

/** A function that was called: where it stands in its file. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Runs the program in `folder` (absolute) with each of `commands` and puts what they call in parentheses.
 * @throws Error with what a command said that failed, or when one prints another text afterwards
 */
export async function compileEarly(folder: string, commands: readonly (readonly string[])[]): Promise<void> {
  const counted = await Deno.makeTempDir({ prefix: "pilotfish-bundle-" });
  try {
    const before = [];
    for (const command of commands) before.push(await outputOf(folder, command, [`--coverage=${counted}`]));
    for (const [file, spans] of await calledFunctions(counted)) {
      const text = await Deno.readTextFile(`${folder}/${file}`);
      await Deno.writeTextFile(`${folder}/${file}`, inParentheses(text, spans));
    }
    for (const [index, command] of commands.entries()) {
      const isSame = await outputOf(folder, command, []) === before[index];
      if (!isSame) throw new Error(`Cannot bundle: ${command.join(" ")} prints another text when compiled early`);
    }
  } finally {
    await Deno.remove(counted, { recursive: true });
  }
}

async function outputOf(folder: string, command: readonly string[], flags: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", ...flags, `${folder}/main.js`, ...command],
    cwd: new URL("..", import.meta.url),
  }).output();
  if (!success) throw new Error(`Cannot bundle: ${command.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Functions that any of the runs counted in `folder` called, by the name of their file, each once. */
async function calledFunctions(folder: string): Promise<ReadonlyMap<string, readonly Span[]>> {
  const called = new Map<string, Map<string, Span>>();
  for await (const { name } of Deno.readDir(folder)) {
    const { url, functions }: Coverage = JSON.parse(await Deno.readTextFile(`${folder}/${name}`));
    const file = url.slice(url.lastIndexOf("/") + 1);
    const spans = called.get(file) ?? new Map<string, Span>();
    called.set(file, spans);
    for (const { ranges: [{ startOffset: start, endOffset: end, count }] } of functions.slice(1)) {
      if (count > 0) spans.set(`${start}-${end}`, { start, end });
    }
  }
  return new Map([...called].map(([file, spans]) => [file, [...spans.values()].sort((a, b) => a.start - b.start)]));
}

/** The beginning of an arrow function; one with parentheses in its parameters is left as it is. */
const arrow = /^(?:async ?)?(?:[\w$]+|\([^()]*\))=>/;

const declaration = /^((?:async )?function\*? ?)([\w$]+)/;

/**
 * A file with its `called` functions, sorted, in parentheses. Declarations of the file become variables at its beginning, where
 * they were known before, too. Methods, and what is declared in a function, have no form that says it to V8, and stay.
 */
function inParentheses(text: string, called: readonly Span[]): string {
  const signs: { readonly offset: number; readonly sign: string }[] = [];
  const declared: Span[] = [];
  for (const span of called) {
    const { start, end } = span;
    const isStatement = start === 0 || ";{}".includes(text.charAt(start - 1));
    if (isStatement && declaration.test(text.slice(start, end))) {
      if (start >= (declared.at(-1)?.end ?? 0)) declared.push(span);
    } else if (/^(?:async )?function\b/.test(text.slice(start, end)) || arrow.test(text.slice(start, end))) {
      signs.push({ offset: start, sign: "(" }, { offset: end, sign: ")" });
    }
  }
  signs.sort((a, b) => a.offset - b.offset);
  const signed = (start: number, end: number) => {
    const within = signs.filter(({ offset }) => offset > start && offset <= end);
    const starts = [start, ...within.map(({ offset }) => offset)];
    return starts.map((from, index) => text.slice(from, starts[index + 1] ?? end) + (within[index]?.sign ?? "")).join(
      "",
    );
  };
  const variables = declared.map(({ start, end }) =>
    signed(start, end).replace(declaration, (_, head: string, name: string) => `var ${name}=(${head}`) + ");"
  );
  const rest = [...declared, { start: text.length, end: text.length }]
    .map(({ start }, index) => signed(declared[index - 1]?.end ?? 0, start));
  return variables.join("") + rest.join("");
}
