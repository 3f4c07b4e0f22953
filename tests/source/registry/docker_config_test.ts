import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import type { Processes } from "../../../src/core/process.ts";
import { StageError } from "../../../src/core/stage_error.ts";
import { matchDockerConfig, parseDockerConfig, secretCredentials } from "../../../src/source/registry/docker_config.ts";
import { dockerConfigCredentials, dockerConfigPaths } from "../../../src/source/registry/docker_config_files.ts";
import { FaultyDisk } from "../../support/faulty_file_system.ts";
import { SkippingClock } from "../../support/skipping_clock.ts";

function usersFor(auths: Record<string, unknown>, registry: string, repository = "org/app"): string[] {
  const config = parseDockerConfig(JSON.stringify({ auths }), "test");
  return matchDockerConfig(config, { registry, repository }).map((credential) =>
    credential.kind === "basic" ? credential.username : credential.kind
  );
}

const login = (username: string) => ({ username, password: "pw" });

Deno.test("matchDockerConfig() matches hosts, ports, globs and path prefixes as the kubelet does", () => {
  const cases: readonly (readonly [string, string, string, boolean])[] = [
    ["ghcr.io", "ghcr.io", "org/app", true],
    ["https://ghcr.io", "ghcr.io", "org/app", true],
    ["http://ghcr.io/v1/", "ghcr.io", "org/app", true],
    ["ghcr.io/v2/", "ghcr.io", "org/app", true],
    ["ghcr.io/v2", "ghcr.io", "org/app", true],
    ["GHCR.io", "ghcr.io", "org/app", true],
    ["ghcr.io/org", "ghcr.io", "org/app", true],
    ["ghcr.io/org/", "ghcr.io", "org/app", true],
    ["ghcr.io/org/app", "ghcr.io", "org/app", true],
    ["ghcr.io/org/ap", "ghcr.io", "org/app", false],
    ["ghcr.io/other", "ghcr.io", "org/app", false],
    ["ghcr.io:443", "ghcr.io", "org/app", false],
    ["localhost:5000", "localhost:5000", "org/app", true],
    ["localhost:5001", "localhost:5000", "org/app", false],
    ["localhost", "localhost:5000", "org/app", false],
    ["*.azurecr.io", "team.azurecr.io", "org/app", true],
    ["*.azurecr.io", "a.b.azurecr.io", "org/app", false],
    ["*.azurecr.io", "azurecr.io", "org/app", false],
    ["*.*.azurecr.io", "a.b.azurecr.io", "org/app", true],
    ["te?m.azurecr.io", "team.azurecr.io", "org/app", true],
    ["t[a-f]am.azurecr.io", "team.azurecr.io", "org/app", true],
    ["t[^a-f]am.azurecr.io", "team.azurecr.io", "org/app", false],
    ["*m.azurecr.io:5000", "team.azurecr.io:5000", "org/app", true],
    ["*", "ghcr", "org/app", true],
    ["*", "ghcr.io", "org/app", false],
    ["ghcr.io.evil.test", "ghcr.io", "org/app", false],
    ["evil-ghcr.io", "ghcr.io", "org/app", false],
    ["https://index.docker.io/v1/", "docker.io", "library/nginx", true],
    ["docker.io", "docker.io", "library/nginx", true],
    ["registry-1.docker.io", "docker.io", "library/nginx", true],
    ["docker.io/library", "docker.io", "library/nginx", true],
    ["[::1]:5000", "[::1]:5000", "org/app", true],
  ];
  for (const [key, registry, repository, wanted] of cases) {
    deepEqual(usersFor({ [key]: login("u") }, registry, repository), wanted ? ["u"] : [], `${key} for ${registry}`);
  }
});

Deno.test("matchDockerConfig() gives all matches, the most precise first", () => {
  deepEqual(
    usersFor({
      "*.example.com": login("glob"),
      "reg.example.com": login("host"),
      "reg.example.com/org": login("org"),
      "reg.example.com/org/app": login("app"),
    }, "reg.example.com"),
    ["app", "org", "host", "glob"],
  );
});

Deno.test("logins have several forms", () => {
  const read = (entry: unknown) =>
    matchDockerConfig(parseDockerConfig(JSON.stringify({ auths: { a: entry } }), "test"), {
      registry: "a",
      repository: "b",
    });
  const basic = (username: string, password: string) => [{ kind: "basic", username, password }];
  deepEqual(read({ auth: btoa("me:pw:with:colons") }), basic("me", "pw:with:colons"));
  deepEqual(read({ auth: btoa("me:p").replace(/=+$/, "") }), basic("me", "p"));
  deepEqual(read({ auth: btoa("me:pw"), username: "other", password: "x" }), basic("me", "pw"));
  deepEqual(read({ username: "me", password: "pw" }), basic("me", "pw"));
  deepEqual(read({ identitytoken: "t", auth: btoa("me:pw") }), [{ kind: "identity-token", token: "t" }]);
  deepEqual(read({ registrytoken: "t" }), [{ kind: "registry-token", token: "t" }]);
  deepEqual(read({ username: "<token>", password: "t" }), [{ kind: "identity-token", token: "t" }]);
  deepEqual(read({}), []);
  throws(() => read({ auth: "no base64!" }), /"auth" of "a" is not the base64 form/);
  throws(() => read({ auth: btoa("canary") }), (error: Error) => !error.message.includes("canary"));
});

Deno.test("a faulty entry of one registry does not disturb another", () => {
  deepEqual(usersFor({ "bad.test": { auth: "!!!" }, "good.test": login("u"), "odd.test": 7 }, "good.test"), ["u"]);
});

Deno.test("parseDockerConfig() never throws anything but coded errors, and none with the text", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    try {
      const config = parseDockerConfig(text, "test");
      matchDockerConfig(config, { registry: "ghcr.io", repository: "a" });
    } catch (error) {
      ok(error instanceof StageError && error.reason === "AuthenticationFailed");
    }
  }));
  throws(() => parseDockerConfig("{canary", "test"), (error: Error) => !error.message.includes("canary"));
});

Deno.test("secretCredentials() reads both kinds of Secret", async () => {
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const target = { registry: "ghcr.io", repository: "a" };
  const modern = secretCredentials({
    type: "kubernetes.io/dockerconfigjson",
    data: new Map([[".dockerconfigjson", bytes({ auths: { "ghcr.io": login("u") } })]]),
  }, "Secret");
  const old = secretCredentials({
    type: "kubernetes.io/dockercfg",
    data: new Map([[".dockercfg", bytes({ "ghcr.io": login("u") })]]),
  }, "Secret");
  equal((await modern(target)).length, 1);
  equal((await old(target)).length, 1);
  throws(() => secretCredentials({ type: "Opaque", data: new Map() }, "Secret"), /has no key "\.dockerconfigjson"/);
});

function machine(env: Record<string, string>, helpers: Record<string, { code: number; stdout: string }> = {}) {
  const disk = new FaultyDisk();
  const ran: string[][] = [];
  const processes: Processes = {
    run: (command, options) => {
      ran.push([...command, options?.stdin ?? ""]);
      const found = helpers[command[0] ?? ""];
      return found === undefined ? Promise.reject(new Error("not found")) : Promise.resolve({ ...found, stderr: "" });
    },
    signal: () => {},
    env: (name) => env[name],
  };
  const credentials = dockerConfigCredentials({ fileSystem: disk.fileSystem, processes, clock: new SkippingClock() });
  const write = async (path: string, value: unknown) => {
    await disk.fileSystem.makeFolder(path.slice(0, path.lastIndexOf("/")));
    await disk.fileSystem.writeAtomic(path, JSON.stringify(value));
  };
  return { credentials, write, ran };
}

Deno.test("dockerConfigPaths() follows the environment", () => {
  const paths = (env: Record<string, string>) => dockerConfigPaths((name) => env[name]);
  deepEqual(paths({ HOME: "/home/me" }), ["/home/me/.docker/config.json"]);
  deepEqual(paths({ HOME: "/home/me", DOCKER_CONFIG: "/d", REGISTRY_AUTH_FILE: "/r", XDG_RUNTIME_DIR: "/x" }), [
    "/d/config.json",
    "/r",
    "/x/containers/auth.json",
  ]);
  deepEqual(paths({}), []);
});

Deno.test("dockerConfigCredentials() reads all files, and again when one changed", async () => {
  const { credentials, write } = machine({ HOME: "/home/me", XDG_RUNTIME_DIR: "/run" });
  const users = async () =>
    (await credentials({ registry: "ghcr.io", repository: "a" })).map((one) =>
      one.kind === "basic" ? one.username : one.kind
    );
  deepEqual(await users(), []);
  await write("/home/me/.docker/config.json", { auths: { "ghcr.io": login("docker") } });
  await write("/run/containers/auth.json", { auths: { "ghcr.io": login("podman") } });
  deepEqual(await users(), ["docker", "podman"]);
  await write("/home/me/.docker/config.json", { auths: { "ghcr.io": login("changed") } });
  deepEqual(await users(), ["changed", "podman"]);
});

Deno.test("dockerConfigCredentials() asks helpers by checked names", async () => {
  const { credentials, write, ran } = machine({ DOCKER_CONFIG: "/d" }, {
    "docker-credential-good": { code: 0, stdout: '{"Username":"me","Secret":"pw"}' },
    "docker-credential-token": { code: 0, stdout: '{"Username":"<token>","Secret":"t"}' },
    "docker-credential-empty": { code: 1, stdout: "credentials not found in native keychain" },
    "docker-credential-bad": { code: 2, stdout: "canary" },
    "docker-credential-odd": { code: 0, stdout: "canary" },
  });
  await write("/d/config.json", {
    credHelpers: {
      "ghcr.io": "good",
      "quay.io": "token",
      "x.test": "../../bin/sh",
      "bad.test": "bad",
      "odd.test": "odd",
      "gone.test": "gone",
    },
    credsStore: "empty",
  });
  const ask = (registry: string) => credentials({ registry, repository: "a" });
  deepEqual(await ask("ghcr.io"), [{ kind: "basic", username: "me", password: "pw" }]);
  await ask("ghcr.io");
  deepEqual(await ask("quay.io"), [{ kind: "identity-token", token: "t" }]);
  deepEqual(await ask("docker.io"), []);
  deepEqual(ran, [
    ["docker-credential-good", "get", "ghcr.io"],
    ["docker-credential-token", "get", "quay.io"],
    ["docker-credential-empty", "get", "https://index.docker.io/v1/"],
  ]);
  await rejects(ask("x.test"), /helper name/);
  for (
    const [registry, text] of [["bad.test", /code 2/], ["odd.test", /no usable/], [
      "gone.test",
      /cannot be run/,
    ]] as const
  ) {
    await rejects(ask(registry), (error: Error) => {
      match(error.message, text);
      ok(!error.message.includes("canary"));
      return true;
    });
  }
});
