import { deepEqual, equal, rejects } from "node:assert/strict";
import { authorizer } from "../../../src/platform/kube/credentials.ts";
import type { KubeLogin } from "../../../src/platform/kube/kubeconfig.ts";
import { FakeClock } from "../../support/fake_clock.ts";

function headersOf(login: KubeLogin, files: Record<string, string>, clock = new FakeClock()) {
  return authorizer({ server: "https://host", namespace: "d", login, skipVerify: false }, {
    clock,
    fileSystem: { readText: (path) => Promise.resolve(files[path]) },
    plugin: () => Promise.resolve({ authorization: "Bearer plugin" }),
  });
}

Deno.test("authorizer() reads a token file again as time goes, and at once after a refusal", async () => {
  const files: Record<string, string> = { "/token": "one\n" };
  const clock = new FakeClock();
  const headers = headersOf({ kind: "tokenFile", path: "/token" }, files, clock);

  equal((await headers(false)).authorization, "Bearer one");
  files["/token"] = "two";
  equal((await headers(false)).authorization, "Bearer one");
  equal((await headers(true)).authorization, "Bearer two");
  files["/token"] = "three";
  await clock.advance(10_000);
  equal((await headers(false)).authorization, "Bearer three");
  files["/token"] = "";
  await clock.advance(10_000);
  equal((await headers(false)).authorization, "Bearer three", "an empty file is a renewal under way");
});

Deno.test("authorizer() knows tokens, passwords, plugins and nothing", async () => {
  deepEqual(await headersOf({ kind: "none" }, {})(false), {});
  equal((await headersOf({ kind: "token", token: "t" }, {})(false)).authorization, "Bearer t");
  const basic = await headersOf({ kind: "basic", username: "ü", password: "p" }, {})(false);
  equal(basic.authorization, `Basic ${new TextEncoder().encode("ü:p").toBase64()}`);
  equal((await headersOf({ kind: "plugin", user: "u" }, {})(false)).authorization, "Bearer plugin");
  await rejects(headersOf({ kind: "tokenFile", path: "/none" }, {})(false), /token file "\/none" is missing or empty/);
});
