import type { SkipTable } from "../support/vectors.ts";

function because(reason: string, ...names: readonly string[]): SkipTable {
  return Object.fromEntries(names.map((name) => [name, reason]));
}

/** Cases of the yaml vectors that are not met, by file and text, and why. */
export const yamlSkips: Readonly<Record<string, SkipTable>> = {
  scalars: {
    ...because(
      'read more widely than go-yaml v2: lone "...", "::1" in a flow map',
      "...",
      "{k: ::1, l: m}",
      "...\n",
    ),
    ...because(
      "refused: go-yaml v2 stops in silence behind the first value, or drops what it cannot use as a key",
      "{}: v",
      "&a &b 1",
      "[]: b",
    ),
    ...because(
      '"{a:}" is the key "a" with null, as in YAML 1.2',
      "{a:}",
      "k: {a:}",
      "k: {a:} # c\n",
    ),
    ...because(
      "odd tags and anchors (empty, with other letters, next to a colon or comma) are taken as YAML 1.2 takes them",
      "&: v",
      "&a: v",
      "!!",
      "k: !!",
      "[x, !a]",
      "{k: !!a, l: m}",
      "k: !! # c\n",
      "!<>",
      "k: !<>",
      "&\u00e9 1",
      "k: &\u00e9 1",
      "&a: 1",
      "k: &a: 1",
      "k: &x a: *x",
    ),
    ...because(
      "JSON escapes that YAML 1.1 has not (\\/ and surrogate pairs) are taken, so that every JSON text can be read",
      '"\\/"',
      'k: "\\/"',
      '"\\ud83d\\ude00"',
      'k: "\\ud83d\\ude00"',
      'k: "\\ud83d"',
    ),
    ...because(
      '"\\\'" is no escape in YAML 1.2',
    ),
    ...because(
      "Unicode line breaks of YAML 1.1 are text, as in YAML 1.2",
    ),
    ...because(
      "tabs as separation, and as first character of a block's content, are taken as YAML 1.2 takes them",
      "\ta",
      "\t",
      "-\ta",
      "- \ta",
      "?\ta",
      "k: |\n  \ta\n",
      "k: |-\n  \ta\n",
      "k: |+\n  \ta\n",
      "k: >-\n  \ta\n",
      "k: >+\n  \ta\n",
    ),
    ...because(
      "directives of other versions are read over",
      "%YAML 1.2\n---\na",
      "%FOO bar\n---\na",
    ),
    ...because(
      "a comment directly behind a block indicator needs a blank in YAML 1.2",
    ),
    ...because(
      "a comment-like line within the indent of a block at the root stays text",
    ),
  },
  documents: {
    ...because(
      "JSON escapes that YAML 1.1 has not (\\/ and surrogate pairs) are taken, so that every JSON text can be read",
      '{\r\n  "apiVersion": "v1",\r\n  "kind": "List",\r\n  "items": [\r\n    {"a": 1, "b": [true, false, null], "c": {"d": 1.50, "e": 1e3, "f": -0}},\r\n    {"s": "a\\nb\\tc\\u00e9\\ud83d\\ude00\\/", "t": ""}\r\n  ]\r\n}\r\n',
      '{\n    "apiVersion": "v1",\n    "kind": "List",\n    "items": [\n        {"a": 1, "b": [true, false, null], "c": {"d": 1.50, "e": 1e3, "f": -0}},\n        {"s": "a\\nb\\tc\\u00e9\\ud83d\\ude00\\/", "t": ""}\n    ]\n}\n',
      'doc:\n  {\n    "apiVersion": "v1",\n    "kind": "List",\n    "items": [\n      {"a": 1, "b": [true, false, null], "c": {"d": 1.50, "e": 1e3, "f": -0}},\n      {"s": "a\\nb\\tc\\u00e9\\ud83d\\ude00\\/", "t": ""}\n    ]\n  }\n',
      'a: "\\x41\\u00e9\\U0001F600\\n\\t\\\\\\"\\/\\0\\e\\_\\N\\L\\P"\n',
      '# first\na: "\\x41\\u00e9\\U0001F600\\n\\t\\\\\\"\\/\\0\\e\\_\\N\\L\\P"',
    ),
  },
};
