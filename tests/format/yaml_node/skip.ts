/**
 * Texts of the shared vectors that `readYaml()` answers otherwise than go-yaml v2, by reason. Kustomizations and resources
 * are mappings, so texts whose root is something else count little here.
 */
const reasons: Readonly<Record<string, readonly string[]>> = {
  "the whole text must be one document: what stands behind its end is refused": [
    "[a]b",
    "'a'b",
    '"a"b',
    "[a]]",
    "{a: b}}",
    "'a' b",
    '"a" b',
    "a\n#c\nb",
    "a\n: b",
    " - a\n- b",
    "|-\n    a\n  b\n",
    '"a":1',
    "'a':1",
    "--- a: b\n",
  ],
  "an empty document is no node, not null": ["...", "...\n", "!", ""],
  "an anchor or tag that nothing follows": ["k: !", "[x, &a]", "- !\n- x", "{k: !!a, l: m}", "&a &b 1", "k: !foo%zz a"],
  "merge keys win over nothing and come once, as kyaml (go-yaml v3) has it": [
    "a: 2\n<<: {a: 1}",
    "<<: {a: 1}\n<<: {b: 2}",
    "a: &b {x: 1}\nc:\n  <<: *b\n  <<: *b",
  ],
  "keys that are numbers or lists": ["18446744073709551616: a", ".inf: a", "-.inf: a", "[]: b"],
  "directives that no manifest has": ["%YAML 1.2\n---\na", "%TAG !e! a\n%TAG !e! b\n---\na"],
  "a float beyond 2^53 loses its digits": ["k: 1234567890123456789.0"],
};

/** Texts that are left out. */
export const skippedTexts: ReadonlySet<string> = new Set(Object.values(reasons).flat());
