import { equal, match, rejects } from "node:assert/strict";
import type { ClusterDoor } from "../../../../src/build/helm/command/cluster_door.ts";
import { RefusedInput } from "../../../../src/build/helm/render_tools.ts";
import type { ClusterCheck } from "../../../../src/build/helm/command/cluster_check.ts";
import { checkWithCluster, ClusterCheckError } from "../../../../src/build/helm/command/cluster_check.ts";
import type { JsonObject, JsonValue } from "../../../../src/core/json.ts";

/** A cluster that serves ConfigMaps and ClusterRoles, and holds some objects by `namespace/name`. */
function cluster(objects: Readonly<Record<string, JsonObject>> = {}): ClusterDoor {
  const kinds: Readonly<Record<string, boolean>> = {
    "v1/ConfigMap": true,
    "rbac.authorization.k8s.io/v1/ClusterRole": false,
  };
  return {
    namespace: "default",
    capabilities: () => Promise.reject(new Error("not asked for")),
    kindOf({ apiVersion, kind }) {
      const isNamespaced = kinds[`${apiVersion}/${kind}`];
      return Promise.resolve(isNamespaced === undefined ? undefined : { isNamespaced });
    },
    lookup({ namespace, name }) {
      if (name === "secret") return Promise.reject(new RefusedInput('configmaps "secret" is forbidden'));
      return Promise.resolve(objects[`${namespace}/${name}`] ?? {});
    },
    [Symbol.dispose]: () => {},
  };
}

function check(documents: readonly JsonValue[], extra: Partial<ClusterCheck> = {}): ClusterCheck {
  return {
    documents,
    release: { name: "rel", namespace: "apps", isUpgrade: false },
    dialect: "helm4.2.4",
    takesOwnership: false,
    validates: true,
    ...extra,
  };
}

/** The message of a check that fails; "" when it passes. */
async function faultOf(what: ClusterCheck, door = cluster()): Promise<string> {
  try {
    await checkWithCluster(what, door);
    return "";
  } catch (error) {
    if (error instanceof ClusterCheckError) return error.message;
    throw error;
  }
}

const map = (metadata: JsonObject, rest: JsonObject = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata,
  ...rest,
});
const widget = (name: string) => ({ apiVersion: "example.com/v1", kind: "Widget", metadata: { name } });

Deno.test("checkWithCluster() passes what is served and not there, whatever its fields", async () => {
  equal(await faultOf(check([map({ name: "a" }, { dota: 1 }), null])), "");
});

Deno.test("checkWithCluster() names each kind that is not served, one text once", async () => {
  const unknown = (name: string) =>
    `resource mapping not found for name: "${name}" namespace: "" from "": no matches for kind "Widget" in version ` +
    '"example.com/v1"\nensure CRDs are installed first';
  const head = "unable to build kubernetes objects from release manifest: ";
  equal(await faultOf(check([widget("a"), widget("a")])), head + unknown("a"));
  equal(
    await faultOf(check([widget("a"), map({ name: "m" }), widget("b")])),
    `${head}[${unknown("a")}, ${unknown("b")}]`,
  );
});

Deno.test("checkWithCluster() says what a document lacks and looks at none behind it", async () => {
  const head = 'unable to build kubernetes objects from release manifest: error validating "": error validating data: ';
  equal(await faultOf(check([{ metadata: {} }, widget("a")])), `${head}[apiVersion not set, kind not set]`);
  equal(await faultOf(check([{ apiVersion: 1, kind: "A" }])), `${head}apiVersion isn't string type`);
  equal(await faultOf(check([{ apiVersion: "a/b/c", kind: "A" }])), `${head}unexpected GroupVersion string: a/b/c`);
  match(
    await faultOf(check([{ apiVersion: "v1" }], { validates: false })),
    /unable to decode "": Object 'Kind' is missing/,
  );
});

Deno.test("checkWithCluster() says which metadata has the wrong type", async () => {
  const type = async (metadata: JsonObject) => (await faultOf(check([map(metadata)]))).split("ObjectMeta.").at(-1);
  equal(await type({ name: 5 }), "metadata.name of type string");
  equal(await type({ name: "a", annotations: { x: true } }), "metadata.annotations of type string");
  equal(await type({ name: "a", labels: [] }), "metadata.labels of type map[string]string");
});

Deno.test("checkWithCluster() refuses what exists and is not the release's own", async () => {
  const own = {
    labels: { "app.kubernetes.io/managed-by": "Helm" },
    annotations: { "meta.helm.sh/release-name": "rel", "meta.helm.sh/release-namespace": "apps" },
  };
  const door = cluster({ "apps/own": map(own), "apps/foreign": map({}), "/foreign": { metadata: {} } });
  equal(await faultOf(check([map({ name: "own" })]), door), "");
  const fault =
    'unable to continue with install: ConfigMap "foreign" in namespace "apps" exists and cannot be imported ' +
    "into the current release: invalid ownership metadata; label validation error: missing key " +
    '"app.kubernetes.io/managed-by": must be set to "Helm"; annotation validation error: missing key ' +
    '"meta.helm.sh/release-name": must be set to "rel"; annotation validation error: missing key ' +
    '"meta.helm.sh/release-namespace": must be set to "apps"';
  const foreign = check([map({ name: "foreign" })]);
  equal(await faultOf(foreign, door), fault);
  equal(await faultOf({ ...foreign, dialect: "helm3" }, door), fault.replace("unable", "Unable"));
  equal(await faultOf({ ...foreign, takesOwnership: true }, door), "");
  equal(await faultOf({ ...foreign, release: { ...foreign.release, isUpgrade: true } }, door), "");
  const list = { apiVersion: "v1", kind: "List", items: [map({ name: "foreign" })] };
  equal(await faultOf(check([list]), door), fault);
  const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "foreign" } };
  match(await faultOf(check([role]), door), /ClusterRole "foreign" in namespace "" exists/);
});

Deno.test("checkWithCluster() says what cannot be asked for", async () => {
  const why = async (metadata: JsonObject, extra: Partial<ClusterCheck> = {}) =>
    (await faultOf(check([map(metadata)], extra))).split('in namespace "apps": ').at(-1);
  equal(await why({}), "resource name may not be empty");
  equal(await why({ generateName: "a-" }), "");
  equal(await why({ generateName: "a-" }, { dialect: "helm3" }), "resource name may not be empty");
  equal(await why({ name: "a/b" }), `invalid resource name "a/b": [may not contain '/']`);
  equal(await why({ name: "secret" }), 'configmaps "secret" is forbidden');
  const broken = { ...cluster(), lookup: () => Promise.reject(new Error("broken")) };
  await rejects(checkWithCluster(check([map({ name: "a" })]), broken), /^Error: broken$/);
});
