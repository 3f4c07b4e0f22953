import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { KnownSecrets, secretValues } from "../../src/app/known_secrets.ts";
import type { ReferencedData } from "../../src/core/references.ts";

function data(values: Readonly<Record<string, string>>): ReferencedData {
  return { type: "Opaque", data: new Map(Object.entries(values).map(([key, text]) => [key, Buffer.from(text)])) };
}

Deno.test("secretValues() gives values and the logins of docker configs, and leaves out what is public", () => {
  const auths = {
    "ghcr.io": {
      username: "ann",
      password: "plain-password",
      auth: Buffer.from("ann:encoded-password").toString("base64"),
    },
    "quay.io": { identitytoken: "identity-token" },
  };
  const values = secretValues(data({
    ".dockerconfigjson": JSON.stringify({ auths }),
    "ca.crt": "public",
    username: "ann",
    token: "a-token",
  }));
  for (const wanted of ["plain-password", "encoded-password", "identity-token", "a-token"]) {
    ok(values.includes(wanted), wanted);
  }
  for (const open of ["public", "ann"]) ok(!values.includes(open), open);
  deepEqual(secretValues({ type: "", data: new Map([["key", Uint8Array.of(0xff, 0xfe)]]) }), []);
  deepEqual(secretValues(data({ ".dockerconfigjson": "{" })), ["{"]);
});

Deno.test("KnownSecrets tells what was handed out, once, and keeps what was replaced", async () => {
  const told: (readonly string[])[] = [];
  const held = { current: data({ a: "one" }) };
  const secrets = new KnownSecrets((values) => told.push(values));
  const references = secrets.noting({
    secret: (_, name) => Promise.resolve(name === "there" ? held.current : undefined),
    configMap: () => Promise.resolve(undefined),
    imagePullSecrets: () => Promise.resolve(undefined),
  });
  await references.secret("default", "missing");
  equal(told.length, 0);
  await references.secret("default", "there");
  await references.secret("default", "there");
  held.current = data({ a: "two" });
  await references.secret("default", "there");
  deepEqual(told, [["one"], ["one", "two"]]);
});
