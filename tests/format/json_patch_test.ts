import { deepEqual, equal, throws } from "node:assert/strict";
import type { JsonValue } from "../../src/core/json.ts";
import { canonicalJson } from "../../src/core/json.ts";
import { FormatError } from "../../src/format/format_error.ts";
import { applyJsonPatch } from "../../src/format/json_patch.ts";
import { parseJsonPatch } from "../../src/format/json_patch_text.ts";
import { parseYaml } from "../../src/format/yaml.ts";
import { testVectors } from "../support/vectors.ts";
import { jsonNumbers } from "./go_json.ts";

Deno.test("applyJsonPatch() leaves the document as it is and says what does not apply", () => {
  const document = { a: [1, 2], b: { c: 3 } };
  deepEqual(
    applyJsonPatch(document, [{ op: "add", path: "/a/-", value: 3 }, { op: "move", from: "/b/c", path: "/d" }]),
    {
      a: [1, 2, 3],
      b: {},
      d: 3,
    },
  );
  deepEqual(document, { a: [1, 2], b: { c: 3 } });
  throws(
    () => applyJsonPatch(document, [{ op: "remove", path: "/x" }]),
    (error) =>
      error instanceof FormatError &&
      error.message === 'Cannot apply operation 1 of the JSON patch (remove at "/x"): there is no "x" to remove',
  );
  const risky = applyJsonPatch({}, [{ op: "add", path: "/__proto__", value: { x: 1 } }]) as { x?: unknown };
  equal(risky.x, undefined);
  throws(() => applyJsonPatch({}, [{ op: "add", path: "/constructor/x", value: 1 }]), FormatError);
});

const rawText = "evanphx compares scalars by their JSON text; here 1.5 and 1.50, or x and \\u0078, are the same";

interface ApplyCase {
  readonly doc: string;
  readonly patch: string;
  readonly result?: string;
  readonly error?: string;
  readonly errorStage?: "decode" | "apply";
}

testVectors<ApplyCase>("jsonpatch/apply.json", {
  name: (item) => `${item.patch} ${item.doc.length}`,
  run(item) {
    const decode = () => JSON.parse(item.patch) as JsonValue;
    if (item.errorStage === "decode") {
      return void throws(
        () => parseJsonPatch(JSON.stringify(decode())),
        (error) => error instanceof FormatError || error instanceof SyntaxError,
      );
    }
    const apply = () => applyJsonPatch(jsonNumbers(item.doc), parseJsonPatch(item.patch));
    if (item.error !== undefined) throws(apply, FormatError);
    else equal(canonicalJson(apply()), canonicalJson(jsonNumbers(item.result ?? "null")));
  },
  skip: {
    '[{"op":"test","path":"/f","value":"\\u0078"}] 123': rawText,
    '[{"op":"test","path":"/n","value":1.5}] 77': rawText,
    '[{"op":"add","path":"/a","value":1}] 0': "there is no empty document here; Go gives it back as it is",
  },
});

testVectors<{ doc: string; patch: string; result?: string; error?: string }>("jsonpatch/kustomize.json", {
  name: (item) => item.patch + item.doc.slice(-20),
  run(item) {
    // kustomize reads documents by other rules, which make a time of a date; the patch itself is what is looked at here.
    const document = () => parseYaml(item.doc.replace(/: (\d{4}-\d\d-\d\d)$/gm, ': "$1T00:00:00Z"'));
    const apply = () => applyJsonPatch(document(), parseJsonPatch(item.patch));
    if (item.error !== undefined) throws(apply, FormatError);
    else equal(canonicalJson(apply()), canonicalJson(parseYaml(item.result ?? "")));
  },
});
