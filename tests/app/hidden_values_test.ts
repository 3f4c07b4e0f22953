import { deepEqual, equal } from "node:assert/strict";
import { hideInChange, hideInResource } from "../../src/app/hidden_values.ts";
import type { Resource } from "../../src/core/resource.ts";
import type { PlannedChange } from "../../src/core/target.ts";
import { printYaml } from "../../src/format/yaml.ts";
import { Redactor } from "../../src/report/redact.ts";

const redactor = new Redactor();
redactor.learn(["canary-new", "8173645298"]);
const hide = (text: string) => redactor.hide(text);

function configMap(data: Record<string, string | number>): Resource {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, data };
}

function change(before: Resource | undefined, after: Resource | undefined): PlannedChange {
  return {
    action: "update",
    ref: { group: "", version: "v1", kind: "ConfigMap", namespace: "", name: "x" },
    ...(before === undefined ? {} : { before: printYaml(before) }),
    ...(after === undefined ? {} : { after: printYaml(after) }),
  };
}

Deno.test("hideInResource() hides secrets wherever they stand, and leaves what only looks like one", () => {
  deepEqual(
    hideInResource(
      configMap({ url: "https://u:canary-new@h/", number: 8173645298, text: "basic configuration" }),
      hide,
    ),
    configMap({ url: "https://u:***@h/", number: "***", text: "basic configuration" }),
  );
});

Deno.test("hideInChange() hides what stood where a secret is to come, and shows that it differs", () => {
  const hidden = hideInChange(
    change(configMap({ password: "canary-old", other: "a" }), configMap({ password: "canary-new", other: "b" })),
    hide,
  );
  equal(hidden.before, printYaml(configMap({ password: "*** (before)", other: "a" })));
  equal(hidden.after, printYaml(configMap({ password: "***", other: "b" })));

  const same = hideInChange(change(configMap({ p: "canary-new" }), configMap({ p: "canary-new", q: "1" })), hide);
  equal(same.before, printYaml(configMap({ p: "***" })));
  const gone = hideInChange(change(configMap({ p: "canary-new" }), undefined), hide);
  equal(gone.before, printYaml(configMap({ p: "***" })));
  equal("after" in gone, false);
  const broken = hideInChange({ ...change(undefined, undefined), before: "a: [canary-new" }, hide);
  equal(broken.before, "a: [***");
});
