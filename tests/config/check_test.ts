/** Documents to desired state: whole files with the problems they give, then single rules. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { checkDocuments } from "../../src/config/check.ts";
import { mergeDesired, referencesOf } from "../../src/config/desired.ts";
import { loadDocuments } from "../../src/config/documents.ts";
import { problemText } from "../../src/config/problem.ts";
import { keyText } from "../../src/core/object.ts";
import type { CheckoutSpec, HelmReleaseSpec, KustomizationSpec, OCIRepositorySpec } from "../../src/core/specs.ts";
import { ownVectors } from "../support/paths.ts";
import { check, MemoryFiles } from "./memory_files.ts";

const folder = `${ownVectors}/config`;

async function errorsOf(text: string): Promise<string[]> {
  const { problems } = await check(text);
  return problems.filter((problem) => problem.severity === "error").map((problem) => problem.message);
}

const source = `apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: app}
spec: {interval: 5m, url: "oci://ghcr.io/example/app"}
`;

function kustomization(spec: string, name = "app"): string {
  return `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: ${name}}
spec: {interval: 5m, prune: true, sourceRef: {kind: OCIRepository, name: app}, ${spec}}
`;
}

for (
  const name of [
    "all_fields",
    "guide_chart",
    "guide_manifests",
    "guide_old_forms",
    "references",
    "secrets",
    "wrong_fields",
  ]
) {
  Deno.test(`loadConfig() tells the problems of ${name}.yaml`, async () => {
    const text = await Deno.readTextFile(`${folder}/${name}.yaml`);
    const { problems } = await check(text, { file: `${name}.yaml` });
    const printed = problems.map((problem) => `${problemText(problem)}\n`).join("");
    const expected = `${folder}/${name}.txt`;
    if (Deno.env.get("UPDATE_VECTORS") === "1") await Deno.writeTextFile(expected, printed);

    equal(printed, await Deno.readTextFile(expected));
  });
}

Deno.test("checkDocuments() gives the guide's documents typed specs with defaults", async () => {
  const { desired } = await check(await Deno.readTextFile(`${folder}/guide_manifests.yaml`));
  const [repository, app] = desired.objects;

  deepEqual(repository?.spec as OCIRepositorySpec, {
    url: "oci://ghcr.io/stefanprodan/manifests/podinfo",
    ref: { semver: ">=6.9.0" },
    provider: "generic",
    insecure: false,
    suspend: false,
    intervalMs: 600_000,
    timeoutMs: 60_000,
    verify: {
      provider: "cosign",
      matchOIDCIdentity: [{
        issuer: "^https://token\\.actions\\.githubusercontent\\.com$",
        subject: "^https://github\\.com/stefanprodan/podinfo.*$",
      }],
    },
  });
  const spec = app?.spec as KustomizationSpec;
  deepEqual(spec.sourceRef, { kind: "OCIRepository", namespace: "flux-system", name: "podinfo" });
  equal(spec.path, "");
  equal(spec.timeoutMs, 3_570_000);
  equal(spec.retryIntervalMs, 3_600_000);
  equal(app?.generation, 1);
  deepEqual(app?.place, { file: "app.yaml", line: 18, column: 1 });
  ok(desired.isComplete);
});

Deno.test("checkDocuments() reads old forms as the right ones", async () => {
  const { desired } = await check(await Deno.readTextFile(`${folder}/guide_old_forms.yaml`));
  const [app, branch, release, patched] = desired.objects;

  deepEqual((app?.spec as OCIRepositorySpec).ref, { tag: "1.2.3" });
  equal((app?.spec as OCIRepositorySpec).url, "oci://ghcr.io/example/app");
  deepEqual((branch?.spec as OCIRepositorySpec).ref, { tag: "main" });
  equal((branch?.spec as OCIRepositorySpec).path, "deploy");
  deepEqual((release?.spec as HelmReleaseSpec).chart, {
    kind: "ref",
    sourceRef: { kind: "OCIRepository", namespace: "default", name: "app" },
    version: ">=1.0.0",
  });
  const { patches } = patched?.spec as KustomizationSpec;
  deepEqual(JSON.parse(patches[0]?.patch ?? ""), {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "app" },
    spec: { replicas: 2 },
  });
  deepEqual(patches[1]?.target, { kind: "Deployment", name: "app" });
  deepEqual(JSON.parse(patches[1]?.patch ?? ""), [{ op: "replace", path: "/spec/replicas", value: 3 }]);
});

Deno.test("checkDocuments() reads our own kinds, lists, and Secrets with stringData over data", async () => {
  const { desired } = await check(await Deno.readTextFile(`${folder}/all_fields.yaml`));
  const byName = new Map(desired.objects.map((object) => [keyText(object.key), object]));
  const references = referencesOf(desired);

  deepEqual(byName.get("Checkout/default/site")?.spec as CheckoutSpec, {
    sourceRef: { kind: "OCIRepository", namespace: "default", name: "site" },
    path: "/etc/pilotfish/srv/site",
    subPath: "public",
    mode: { files: 0o644, folders: 0o755, owner: { uid: 65532, gid: 65532 } },
    afterChange: { kind: "command", command: ["nginx", "-s", "reload"] },
    intervalMs: 600_000,
    timeoutMs: 300_000,
    dependsOn: [],
    suspend: false,
  });
  equal(
    (byName.get("OCIRepository/default/site")?.spec as OCIRepositorySpec).url,
    "oci-layout:///etc/pilotfish/layout",
  );
  const release = byName.get("HelmRelease/default/a-name-that-is-rather-long-for-a-release")?.spec as HelmReleaseSpec;
  equal(release.releaseName, "a-namespace-with-a-name-a-name-that-is-r-94db3fd48486");
  deepEqual(release.chart, {
    kind: "repository",
    sourceRef: { kind: "HelmRepository", namespace: "default", name: "charts" },
    chart: "app",
    version: "1.x",
    valuesFiles: [],
    ignoreMissingValuesFiles: false,
  });
  deepEqual(release.upgrade, {
    serverSideApply: "auto",
    timeoutMs: 120_000,
    remediation: { retries: 3, strategy: "uninstall" },
  });
  deepEqual(release.dependsOn, [{ kind: "Checkout", namespace: "default", name: "site" }]);
  equal(release.waitStrategy, "legacy");
  equal(desired.notifications.length, 3);
  equal(desired.settings?.store?.path, "/etc/pilotfish/state");
  equal(new TextDecoder().decode((await references.secret("default", "chat"))?.data.get("plain")), "new");
  equal((await references.configMap("default", "values"))?.data.size, 1);
  equal(await references.secret("other", "chat"), undefined);
});

Deno.test("checkDocuments() never prints a secret", async () => {
  const { problems } = await check(await Deno.readTextFile(`${folder}/secrets.yaml`));

  ok(problems.length >= 6);
  ok(!/canary|12345678901/.test(JSON.stringify(problems)));
});

Deno.test("checkDocuments() leaves out what is wrong and keeps the rest", async () => {
  const { desired } = await check(`${source}---\n${kustomization("waitt: true")}---\n${kustomization("", "other")}`);

  deepEqual(desired.objects.map((object) => keyText(object.key)), [
    "OCIRepository/default/app",
    "Kustomization/default/other",
  ]);
  deepEqual(desired.broken, [{ kind: "Kustomization", namespace: "default", name: "app" }]);
  equal(desired.isComplete, false);
});

Deno.test("checkDocuments() takes no reference out of the namespace where that is forbidden", async () => {
  const text = `${source}---\n${kustomization("dependsOn: [{name: x, namespace: other}]")}`;
  const strict = await check(text, { noCrossNamespaceRefs: true });
  const loose = await check(text);

  ok(strict.problems.some((problem) => problem.message.includes('out of namespace "default" are not allowed')));
  equal(strict.desired.objects.length, 1);
  equal(loose.desired.objects.length, 2);
});

Deno.test("intervals: units, limits, zero, too short", async () => {
  const of = async (interval: string) => {
    const { desired, problems } = await check(source.replace("5m", interval));
    return (desired.objects[0]?.spec as OCIRepositorySpec | undefined)?.intervalMs ?? problems[0]?.message;
  };

  equal(await of("1h30m"), 5_400_000);
  equal(await of("1.5m"), 90_000);
  equal(await of("10ms"), 1_000);
  ok(String(await of('"0s"')).includes("more than 0s"));
  ok(String(await of("1000000000h")).includes("at most 2562047h"));
  for (const wrong of ["-5m", "5m ", "1d", "5 m", "NaN", "1us", "5", "1e3s", ""]) {
    ok(String(await of(`"${wrong}"`)).includes("must be a duration"), wrong);
  }
});

Deno.test("Kustomization timeouts are never below 30 s", async () => {
  const { desired } = await check(`${source}---\n${kustomization("timeout: 5s")}`);

  equal((desired.objects[1]?.spec as KustomizationSpec).timeoutMs, 30_000);
});

Deno.test("URLs: repository, port, digest inside, what is refused", async () => {
  const of = async (url: string) => {
    const { desired, problems } = await check(source.replace("oci://ghcr.io/example/app", url));
    const spec = desired.objects[0]?.spec as OCIRepositorySpec | undefined;
    return spec === undefined ? problems.find((problem) => problem.severity === "error")?.hint : [spec.url, spec.ref];
  };
  const digest = `sha256:${"a".repeat(64)}`;

  deepEqual(await of("oci://localhost:5000/a/b_c/d"), ["oci://localhost:5000/a/b_c/d", {}]);
  deepEqual(await of("oci://localhost:5000/a:v1"), ["oci://localhost:5000/a", { tag: "v1" }]);
  deepEqual(await of(`oci://h/a@${digest}`), ["oci://h/a", { digest }]);
  deepEqual(await of("oci-layout:///srv/../layout"), ["oci-layout:///layout", {}]);
  equal(await of("oci://ghcr.io"), "Add the repository after the host");
  equal(await of("oci://ghcr.io/Example/App"), "Write the repository in lower case");
  equal(await of("ghcr.io/example/app"), 'Start it with "oci://"');
});

Deno.test("a chart must come from exactly one place; other kinds of sources are refused by name", async () => {
  const release = (spec: string) =>
    errorsOf(`apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app}
spec: {interval: 5m, ${spec}}`);

  ok((await release("values: {}"))[0]?.includes('exactly one of "chart" and "chartRef"'));
  ok((await release("chartRef: {kind: HelmChart, name: x}"))[0]?.includes('source of kind "HelmChart"'));
  ok(
    (await errorsOf(`apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: x}
spec: {url: "https://charts.example.com"}`))[0]?.includes('over HTTP are not supported, only "oci"'),
  );
  ok(
    (await release(
      "chartRef: {kind: OCIRepository, name: x}, install: {strategy: {name: RemediateOnFailure, retryInterval: 1m}}",
    ))[0]?.includes('goes with the strategy "RetryOnFailure" only'),
  );
});

Deno.test("fields without effect are told, and so are known metadata of clusters taken in silence", async () => {
  const { desired, problems } = await check(
    source.replace("{name: app}", "{name: app, uid: x, resourceVersion: '1', managedFields: []}") +
      "status: {observedGeneration: 1}\n---\n" +
      `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app}
spec: {interval: 5m, chartRef: {kind: OCIRepository, name: app}, persistentClient: true}`,
  );

  equal(desired.objects.length, 2);
  deepEqual(problems.map((problem) => [problem.severity, problem.message]), [
    ["warning", 'Field "spec.persistentClient" has no effect'],
  ]);
});

Deno.test("the annotation of a target is checked, and its folder made absolute", async () => {
  const annotated = (value: string) =>
    check(source.replace("{name: app}", `{name: app, annotations: {pilotfish.dev/target: "${value}"}}`));
  const { desired } = await annotated("directory:./out");

  equal(desired.objects[0]?.annotations["pilotfish.dev/target"], "directory:/etc/pilotfish/out");
  ok((await annotated("s3:bucket")).problems[0]?.message.includes('must be "cluster" or "directory:PATH"'));
});

Deno.test("the annotation that says what is done about drift is checked", async () => {
  const annotated = async (text: string, value: string) => {
    const { problems } = await check(
      text.replace(/metadata: \{/, `metadata: {annotations: {pilotfish.dev/drift: ${value}}, `),
    );
    return problems.map(({ severity, message, hint }) => `${severity} ${message}; ${hint}`);
  };
  const object = kustomization("");
  deepEqual(await annotated(object, "warn"), await annotated(object, "disabled"));
  const wrong = (await annotated(object, "wran")).find((text) => text.includes("pilotfish.dev/drift")) ?? "";
  match(
    wrong,
    /^error Cannot use annotation "pilotfish.dev\/drift" "wran": it must be "enabled", "warn", "disabled"; Write "warn"$/,
  );
  match(
    (await annotated(source, "warn")).join(),
    /warning .* has no effect on a OCIRepository: it is for Kustomizations/,
  );
});

Deno.test("ten thousand documents are checked in linear time, long chains and circles too", async () => {
  const texts = [source];
  for (let index = 0; index < 10_000; index++) {
    texts.push(kustomization(`dependsOn: [{name: k${index === 9_999 ? 5_000 : index + 1}}]`, `k${index}`));
  }
  const { fileSystem } = new MemoryFiles({ "a.yaml": texts.join("---\n") });
  const { documents } = await loadDocuments(["a.yaml"], { fileSystem });

  const { desired, problems } = checkDocuments(documents, { baseFolderOf: () => "/" });

  equal(desired.objects.length, 5_001);
  equal(problems.length, 5_000);
});

Deno.test("mergeDesired() keeps the last good form of what is broken, and counts generations", async () => {
  const first = (await check(`${source}---\n${kustomization("")}`)).desired;
  const broken = (await check(`${source.replace("5m", "10m")}---\n${kustomization("waitt: true")}`)).desired;

  const merged = mergeDesired(first, broken);

  deepEqual(merged.objects.map((object) => [keyText(object.key), object.generation]), [
    ["OCIRepository/default/app", 2],
    ["Kustomization/default/app", 1],
  ]);
  equal(merged.isComplete, true);
  equal(mergeDesired(undefined, broken).isComplete, false);
});

Deno.test("mergeDesired() removes what a person took away, but nothing while a file cannot be read", async () => {
  const first = (await check(`${source}---\n${kustomization("")}`)).desired;
  const removed = (await check(source)).desired;
  const unreadable = (await check(`${source}---\na: b: c\n`)).desired;

  equal(mergeDesired(first, removed).objects.length, 1);
  equal(mergeDesired(first, unreadable).objects.length, 2);
});

Deno.test("checkDocuments() answers any JSON with problems, never with an exception", async () => {
  const fields = fc.constantFrom(
    ..."apiVersion kind metadata spec name namespace interval url ref sourceRef chart chartRef values install".split(
      " ",
    ),
    ..."patches images dependsOn postBuild substituteFrom verify labels annotations data stringData __proto__".split(
      " ",
    ),
  );
  const words = fc.constantFrom(
    ..."OCIRepository Kustomization HelmRelease Secret Settings Checkout Provider Receiver List v1 5m app".split(" "),
    "source.toolkit.fluxcd.io/v1",
    "kustomize.toolkit.fluxcd.io/v1",
    "helm.toolkit.fluxcd.io/v2beta1",
    "pilotfish.dev/v1alpha1",
    "oci://a/b:c",
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      words,
      fc.jsonValue({ maxDepth: 0 }),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fields, tie("value"), { maxKeys: 6 }),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(value, fc.tuple(words, words), async (body, [apiVersion, kind]) => {
      const document = { apiVersion, kind, metadata: { name: "app" }, spec: body, data: body };
      for (const text of [JSON.stringify(body), JSON.stringify(document)]) {
        const { desired, problems } = await check(text);
        for (const problem of problems) ok(problem.message !== "" && problem.hint !== "");
        ok(desired.isComplete || problems.length > 0);
      }
    }),
    { numRuns: 400 },
  );
});
