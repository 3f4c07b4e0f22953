import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { KnownSecrets, secretValues } from "../../src/app/known_secrets.ts";
import type { DesiredState } from "../../src/config/desired.ts";
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
  const texts = (secret: ReferencedData) => secretValues(secret).map((value) => value.text);
  const values = texts(data({
    ".dockerconfigjson": JSON.stringify({ auths }),
    "ca.crt": "public",
    username: "ann",
    token: "a-token",
  }));
  for (const wanted of ["plain-password", "encoded-password", "identity-token", "a-token"]) {
    ok(values.includes(wanted), wanted);
  }
  for (const open of ["public", "ann"]) ok(!values.includes(open), open);
  deepEqual(texts({ type: "", data: new Map([["key", Uint8Array.of(0xff, 0xfe)]]) }), []);
  deepEqual(texts(data({ ".dockerconfigjson": "{" })), ["{"]);
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

Deno.test("KnownSecrets lets go what stands in the open too, unless its key names a secret", () => {
  const told: (readonly string[])[] = [];
  const secrets = new KnownSecrets((values) => told.push(values));
  const desired = (region: string) =>
    ({
      objects: [{
        document: { kind: "OCIRepository", spec: { url: `oci://${region}.example.com/org/app`, tag: region } },
      }],
      notifications: [],
      data: new Map([["s", {
        key: { kind: "Secret", namespace: "default", name: "variables" },
        data: data({ region: "eu-central-1", cluster: "production", password: "org", domain: "inner.example" }),
      }]]),
    }) as unknown as DesiredState;
  const last = () => [...told.at(-1) ?? []].sort();

  secrets.take(desired("somewhere"));
  deepEqual(last(), ["eu-central-1", "inner.example", "org", "production"]);
  secrets.take(desired("eu-central-1"));
  deepEqual(last(), ["inner.example", "org", "production"], "another document says it");
  secrets.seeNames([{ apiVersion: "v1", kind: "Namespace", metadata: { name: "app-production" } }]);
  deepEqual(last(), ["inner.example", "org"], "a resource is called so");
  secrets.take(desired("somewhere"));
  deepEqual(last(), ["eu-central-1", "inner.example", "org"]);
});

Deno.test("KnownSecrets forgets what was replaced long ago: a token that is renewed each hour is no leak of memory", async () => {
  let told: readonly string[] = [];
  let count = 0;
  const secrets = new KnownSecrets((values) => told = values);
  const references = secrets.noting({
    secret: () => Promise.resolve(data({ token: `token-${++count}`, fixed: "the-same-always" })),
    configMap: () => Promise.resolve(undefined),
    imagePullSecrets: () => Promise.resolve(undefined),
  });
  for (let hour = 0; hour < 1_000; hour++) await references.secret("default", "renewed");

  ok(told.length < 200, `${told.length} values`);
  for (const wanted of ["token-1000", "token-999", "token-950", "the-same-always"]) ok(told.includes(wanted), wanted);
});
