import { deepEqual, equal, match } from "node:assert/strict";
import { openLog } from "../../src/platform/log_writer.ts";

Deno.test("openLog() writes JSON lines with fields, and nothing below its level", () => {
  const lines: string[] = [];
  using log = openLog({ format: "json", level: "info", write: (line) => lines.push(line) });

  log.debug("hidden");
  log.info("object changed {x}", { object: "Kustomization/a/b", count: 2, absent: undefined });

  equal(lines.length, 1);
  const line = JSON.parse(lines[0] ?? "");
  equal(line.level, "INFO");
  equal(line.message, "object changed {x}");
  deepEqual(line.properties, { object: "Kustomization/a/b", count: 2 });
});

Deno.test("openLog() writes one readable line each as text", () => {
  const lines: string[] = [];
  using log = openLog({ format: "text", level: "debug", write: (line) => lines.push(line) });

  log.warn("state could not be saved", { object: "a/b/c", error: "No space\nleft" });

  match(lines[0] ?? "", /^\d{4}-\d\d-\d\dT\S+ wrn state could not be saved object=a\/b\/c error="No space\\nleft"\n$/);
});
