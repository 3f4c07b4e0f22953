import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { kustomization, ociRepository, secret, yamlOf } from "../support/documents.ts";
import * as faults from "../support/registry_faults.ts";
import { ScriptedRegistry } from "../support/scripted_registry.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;
const canary = "canary-Pa55word%&=";
const variable = "canary-variable-7381";

/** All that people or machines can see of the program: statuses, events, log lines, and what it keeps of them. */
async function told(world: World): Promise<string> {
  return JSON.stringify([world.board.statuses(), world.board.events(), world.lines, await world.files("/var/state")]);
}

async function expectSilence(world: World): Promise<void> {
  const text = await told(world);
  const forms = [
    canary,
    variable,
    Buffer.from(canary).toString("base64"),
    Buffer.from(`ann:${canary}`).toString("base64"),
    encodeURIComponent(canary),
    "given-token-",
  ];
  for (const form of forms) assert.ok(!text.includes(form), `"${form}" was told: ${excerpt(text, form)}`);
}

function excerpt(text: string, form: string): string {
  const at = text.indexOf(form);
  return text.slice(Math.max(0, at - 200), at + 100);
}

/** A world whose login and variables are canaries. */
async function canaryWorld(registry: ScriptedRegistry, password = canary): Promise<World> {
  const world = new World({ registry });
  registry.put({
    repository: "org/app",
    tag: "latest",
    files: { "secret.yaml": yamlOf(secret("app", { password: "${password}" })) },
  });
  const auths = { "registry.example.com": { auth: Buffer.from(`ann:${password}`).toString("base64") } };
  await world.write(
    "app.yaml",
    secret("login", { ".dockerconfigjson": JSON.stringify({ auths }) }, "kubernetes.io/dockerconfigjson"),
    secret("variables", { password: variable }),
    ociRepository("app", "org/app", { secretRef: { name: "login" } }),
    kustomization("app", "app", { postBuild: { substituteFrom: [{ kind: "Secret", name: "variables" }] } }),
  );
  return world;
}

for (const kind of ["basic", "bearer"] as const) {
  Deno.test(`a password of a ${kind} login and a secret variable are never told`, async () => {
    const registry = new ScriptedRegistry({ login: { kind, users: [{ name: "ann", password: canary }] } });
    await using world = await canaryWorld(registry);
    await world.run();
    world.expectReady("OCIRepository/default/app", "Kustomization/default/app");
    assert.match(Object.values(await world.files()).join(""), new RegExp(variable), "the target gets the value");
    const mirrored = (request: Request) => request.headers.get("authorization") ?? "";
    const echo: faults.RegistryFault = async (request) =>
      Response.json({ errors: [{ code: "DENIED", message: `login ${mirrored(request)} ${canary}` }] }, { status: 403 });
    for (
      const fault of [
        echo,
        faults.redirect(`https://ann:${encodeURIComponent(canary)}@other.example.net/x`),
        faults.status(401),
      ]
    ) {
      registry.fault({ times: Infinity }, fault);
      registry.put({ repository: "org/app", tag: "latest", files: { "a.yaml": `${Math.random()}` } });
      await world.advance(3 * minuteMs);
      assert.equal(world.ready("OCIRepository/default/app").status, "False");
      await expectSilence(world);
      registry.heal();
    }
  });

  Deno.test(`a wrong password of a ${kind} login is not told either`, async () => {
    const registry = new ScriptedRegistry({ login: { kind, users: [{ name: "ann", password: "right" }] } });
    await using world = await canaryWorld(registry);
    await world.run();
    assert.equal(world.ready("OCIRepository/default/app").reason, "AuthenticationFailed");
    await expectSilence(world);
  });
}

Deno.test("a login is sent to its registry alone, not to where that redirects", async () => {
  const registry = new ScriptedRegistry({ login: { kind: "basic", users: [{ name: "ann", password: canary }] } });
  await using world = await canaryWorld(registry);
  registry.fault(
    { path: /blobs/, host: "registry.example.com", times: Infinity },
    faults.redirectToHost("cdn.example.net"),
  );
  await world.run();
  const elsewhere = registry.requests.filter((seen) => seen.host === "cdn.example.net");
  assert.ok(elsewhere.length > 0);
  assert.ok(elsewhere.every((seen) => seen.headers.get("authorization") === null));
});

Deno.test("errors that quote the content of a Secret do not tell it", async () => {
  const registry = new ScriptedRegistry();
  await using world = await canaryWorld(registry);
  registry.put({
    repository: "org/app",
    tag: "latest",
    files: { "broken.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: ${password}: b}\n" },
  });
  await world.run();
  assert.equal(world.ready("Kustomization/default/app").status, "False");
  await expectSilence(world);
  await world.write(
    "broken.yaml",
    secret("bad", { ".dockerconfigjson": `{"auths": ${canary}` }, "kubernetes.io/dockerconfigjson"),
    ociRepository("bad", "org/app", { secretRef: { name: "bad" } }),
  );
  await world.reload();
  await world.advance(2 * minuteMs);
  await expectSilence(world);
});
