import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { type Command, helpOf, UsageError } from "../../src/cli/command.ts";
import { commands } from "../../src/cli/commands.ts";
import { parseInvocation } from "../../src/cli/parse_invocation.ts";

const command: Command = {
  name: "fly",
  usage: "FROM [TO]",
  summary: "Fly somewhere",
  details: "Example: pilotfish fly a b",
  positionals: [1, 2],
  flags: [
    { name: "output", short: "o", type: "string", value: "FORM", help: "How" },
    { name: "config", short: "c", type: "string", multiple: true, value: "PATH", help: "Where" },
    { name: "fast", type: "boolean", help: "Soon" },
  ],
  run: () => Promise.resolve(0),
};

Deno.test("parseInvocation() reads flags in every form and words in order", () => {
  const read = parseInvocation(command, ["a", "-o", "json", "--config=x", "-c", "y", "--fast", "--", "-b"]);

  deepEqual(read.positionals, ["a", "-b"]);
  equal(read.text("output"), "json");
  deepEqual(read.list("config"), ["x", "y"]);
  equal(read.flag("fast"), true);
  deepEqual([read.text("none"), read.flag("none"), read.list("none")], [undefined, false, []]);
});

for (
  const [args, message] of [
    [[], /needs FROM \[TO\]/],
    [["a", "b", "c"], /unexpected "c"/],
    [["a", "--fats"], /unknown flag "--fats"; did you mean "--fast"\?/],
    [["a", "--zzzzzz"], /unknown flag "--zzzzzz"$/],
    [["a", "-x"], /unknown flag "-x"/],
    [["a", "--output"], /Cannot run "fly": .*argument missing/],
    [["a", "--fast=yes"], /Cannot run "fly": /],
  ] as const
) {
  Deno.test(`parseInvocation() refuses ${JSON.stringify(args)}`, () => {
    throws(() => parseInvocation(command, args), (error) => {
      match((error as Error).message, message);
      return error instanceof UsageError;
    });
  });
}

Deno.test("parseInvocation() leaves a foreign tool's arguments alone", () => {
  const read = parseInvocation({ ...command, ownSyntax: true }, ["--set", "a=b", "--nope"]);
  deepEqual(read.raw, ["--set", "a=b", "--nope"]);
});

Deno.test("helpOf() lines flags up", () => {
  equal(
    helpOf(command),
    `Fly somewhere

Usage: pilotfish fly FROM [TO]

Example: pilotfish fly a b

Flags:
  -o, --output FORM  How
  -c, --config PATH  Where
      --fast         Soon
`,
  );
});

Deno.test("every command is in the table by its name and has a help, and no flag or short letter twice", async () => {
  for (const [name, load] of Object.entries(commands)) {
    const one = await load();
    equal(one.name, name);
    const help = helpOf(one);
    ok(help.startsWith(one.summary) && help.includes(`Usage: pilotfish ${one.name}`), one.name);
    const names = one.flags.flatMap((flag) => flag.short === undefined ? [flag.name] : [flag.name, flag.short]);
    equal(new Set(names).size, names.length, one.name);
  }
});
