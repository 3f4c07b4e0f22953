import { deepEqual, equal, match, throws } from "node:assert/strict";
import { UsageError } from "../../src/cli/command.ts";
import { kindOf, objectOf, pickObject } from "../../src/cli/object_names.ts";

const refuses = (action: () => unknown, message: RegExp) =>
  throws(action, (error) => {
    match((error as Error).message, message);
    return error instanceof UsageError;
  });

Deno.test("kindOf() knows short names, plurals and any case", () => {
  for (
    const [word, kind] of [
      ["ks", "Kustomization"],
      ["Kustomizations", "Kustomization"],
      ["HR", "HelmRelease"],
      ["oci", "OCIRepository"],
      ["checkout", "Checkout"],
    ] as const
  ) equal(kindOf(word), kind);
  refuses(() => kindOf("kustomisation"), /Cannot find kind "kustomisation"; did you mean "kustomization"\?/);
  refuses(() => kindOf("zzzzzzzzz"), /Cannot find kind "zzzzzzzzz": known are oci, helmrepo, ks, hr, checkouts/);
});

Deno.test("objectOf() reads words, a slash and two slashes", () => {
  deepEqual(objectOf(["ks", "apps"], undefined), { kind: "Kustomization", namespace: undefined, name: "apps" });
  deepEqual(objectOf(["ks/apps"], "web"), { kind: "Kustomization", namespace: "web", name: "apps" });
  deepEqual(objectOf(["Kustomization/flux/apps"], "web"), { kind: "Kustomization", namespace: "flux", name: "apps" });
  refuses(() => objectOf(["ks"], undefined), /write KIND NAME, KIND\/NAME or KIND\/NAMESPACE\/NAME/);
  refuses(() => objectOf(["a/b/c/d"], undefined), /Cannot find object "a\/b\/c\/d"/);
});

Deno.test("pickObject() takes the one that fits, and says what else there is", () => {
  const key = (namespace: string, name: string) => ({ kind: "Kustomization", namespace, name });
  const known = [key("a", "apps"), key("b", "apps"), key("a", "infra")];
  const wanted = (name: string, namespace?: string) => ({ kind: "Kustomization", namespace, name });

  deepEqual(pickObject(known, wanted("infra")), key("a", "infra"));
  deepEqual(pickObject(known, wanted("apps", "b")), key("b", "apps"));
  refuses(() => pickObject(known, wanted("apps")), /add --namespace \(a, b\)/);
  refuses(() => pickObject(known, wanted("infar")), /Cannot find Kustomization "infar"; did you mean "infra"\?/);
  refuses(() => pickObject(known, wanted("infra", "b")), /"infra" in namespace "b"/);
});
