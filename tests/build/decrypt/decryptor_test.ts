import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createCipheriv } from "node:crypto";
import { readText, treeOf } from "../../../src/core/file_tree.ts";
import type { Network } from "../../../src/core/network.ts";
import type { Resource } from "../../../src/core/resource.ts";
import { openDecryptor } from "../../../src/build/decrypt/decryptor.ts";
import type { KeyTools } from "../../../src/build/decrypt/key_provider.ts";
import { ageKeys } from "../../../src/build/decrypt/keys/age.ts";
import { awsKeys } from "../../../src/build/decrypt/keys/aws.ts";
import { azureKeys } from "../../../src/build/decrypt/keys/azure.ts";
import { gcpKeys } from "../../../src/build/decrypt/keys/gcp.ts";
import { vaultKeys } from "../../../src/build/decrypt/keys/vault.ts";
import { decryptWith } from "../../../src/build/decrypt/sops_cipher.ts";
import { decryptFile, encryptedFormat } from "../../../src/build/decrypt/sops_file.ts";
import { parseYamlDocuments } from "../../../src/format/yaml.ts";
import { ownVectors, vectorsFolder } from "../../support/paths.ts";

interface Case {
  readonly name: string;
  readonly file: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly encrypted: string;
  readonly decrypted?: string;
  readonly fails?: string;
}

const noNetwork: Network = () => {
  throw new Error("no network in this test");
};

function toolsOf(keys: Readonly<Record<string, string>>, network: Network = noNetwork): KeyTools {
  return {
    secret: new Map(Object.entries(keys).map(([name, text]) => [name, new TextEncoder().encode(text)])),
    env: () => undefined,
    network,
    now: () => Date.UTC(2026, 0, 1),
  };
}

const { cases } = JSON.parse(await Deno.readTextFile(`${ownVectors}/sops/cases.json`)) as { cases: readonly Case[] };

/** Values rather than styles: the bytes of a YAML file are the emitter's, not sops'. */
function contentOf(file: string, text: string): unknown {
  if (file.endsWith(".yaml")) return parseYamlDocuments(text).map((document) => document.value);
  if (file.endsWith(".json")) return JSON.parse(text);
  return text.trim();
}

for (const one of cases) {
  Deno.test(`decryptFile() ${one.name}`, async () => {
    const bytes = new TextEncoder().encode(one.encrypted);
    const input = encryptedFormat(bytes);
    ok(input !== undefined);
    const work = decryptFile({ name: one.file, bytes, input }, toolsOf(one.keys));

    if (one.fails !== undefined) {
      await rejects(work, (error: Error) => {
        match(error.message, new RegExp(one.fails ?? ""));
        return true;
      });
    } else {
      deepEqual(contentOf(one.file, new TextDecoder().decode(await work)), contentOf(one.file, one.decrypted ?? ""));
    }
  });
}

function caseOf(file: string): Case {
  const found = cases.find((one) => one.file === file && one.fails === undefined);
  ok(found !== undefined);
  return found;
}

Deno.test("decryptTree() opens the sources of Secret generators in every kustomization that is reached", async () => {
  const env = caseOf("some.env");
  const blob = caseOf("blob.txt");
  const tree = treeOf({
    "top/kustomization.yaml": "resources: [../base]\n",
    "base/kustomization.yaml":
      "secretGenerator:\n- name: a\n  envs: [some.env]\n  files: [key=blob.txt, plain.txt]\nconfigMapGenerator:\n- name: b\n  files: [left.txt]\n",
    "base/some.env": env.encrypted,
    "base/blob.txt": blob.encrypted,
    "base/plain.txt": "plain",
    "base/left.txt": blob.encrypted,
  });

  const opened = await openDecryptor(toolsOf(env.keys)).decryptTree(tree, "top");

  equal(readText(opened, "base/some.env"), env.decrypted);
  equal(readText(opened, "base/blob.txt"), blob.decrypted);
  equal(readText(opened, "base/plain.txt"), "plain");
  equal(readText(opened, "base/left.txt"), blob.encrypted, "what goes into a ConfigMap stays shut");
});

Deno.test("decryptTree() opens values files of charts", async () => {
  const values = caseOf("suffix.yaml");
  const tree = treeOf({
    "kustomization.yaml": "helmCharts: [{name: a, valuesFile: suffix.yaml, additionalValuesFiles: [more.yaml]}]\n",
    "suffix.yaml": values.encrypted,
    "more.yaml": values.encrypted,
  });
  const opened = await openDecryptor(toolsOf(values.keys)).decryptTree(tree, "");
  deepEqual(contentOf("x.yaml", readText(opened, "suffix.yaml") ?? ""), contentOf("x.yaml", values.decrypted ?? ""));
  equal(readText(opened, "more.yaml"), readText(opened, "suffix.yaml"));
});

Deno.test("decryptTree() opens the sources of plugins, inline and in files", async () => {
  const values = caseOf("suffix.yaml");
  const env = caseOf("some.env");
  const tree = treeOf({
    "kustomization.yaml":
      "generators:\n- chart:1.yaml\n- |-\n  apiVersion: builtin\n  kind: SecretGenerator\n  metadata: {name: s}\n  envs: [some.env]\n- gone.yaml\n",
    "chart:1.yaml":
      "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: c}\nname: a\nvaluesFile: suffix.yaml\n---\napiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: m}\nfiles: [left.yaml]\n",
    "suffix.yaml": values.encrypted,
    "left.yaml": values.encrypted,
    "some.env": env.encrypted,
  });
  const keys = { ...values.keys, ...env.keys };
  const opened = await openDecryptor(toolsOf(keys)).decryptTree(tree, "");
  deepEqual(contentOf("x.yaml", readText(opened, "suffix.yaml") ?? ""), contentOf("x.yaml", values.decrypted ?? ""));
  equal(readText(opened, "some.env"), env.decrypted);
  equal(readText(opened, "left.yaml"), values.encrypted);
});

Deno.test("decryptResource() opens a whole object although kustomize has changed it since", async () => {
  const one = caseOf("secret.yaml");
  const [document] = parseYamlDocuments(one.encrypted);
  const value = document?.value as unknown as Resource;
  const changed = { ...value, metadata: { ...value.metadata, namespace: "web", labels: { team: "a" } } };

  const opened = await openDecryptor(toolsOf(one.keys)).decryptResource(changed);

  deepEqual(opened, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s", namespace: "web", labels: { team: "a" } },
    stringData: { user: "admin", "10": "ten", a: "first" },
  });
});

Deno.test("decryptResource() leaves alone what is opted out or not encrypted", async () => {
  const one = caseOf("secret.yaml");
  const [document] = parseYamlDocuments(one.encrypted);
  const value = document?.value as unknown as Resource;
  const optedOut = {
    ...value,
    metadata: { ...value.metadata, annotations: { "kustomize.toolkit.fluxcd.io/decrypt": "Disabled" } },
  };
  const plain: Resource = { apiVersion: "v1", kind: "Secret", metadata: { name: "x" }, data: { a: "Yg==" } };
  const decryptor = openDecryptor(toolsOf(one.keys));

  equal(await decryptor.decryptResource(optedOut), optedOut);
  deepEqual(await decryptor.decryptResource(plain), plain);
});

Deno.test("a Secret whose value is an encrypted file gets the plain file", async () => {
  const blob = caseOf("blob.txt");
  const secret: Resource = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "x" },
    data: { "blob.txt": btoa(blob.encrypted) },
  };

  const opened = await openDecryptor(toolsOf(blob.keys)).decryptResource(secret);

  deepEqual(opened.data, { "blob.txt": btoa(blob.decrypted ?? "") });
});

Deno.test("key services are asked as they expect, and only where they are", async () => {
  const asked: { url: string; headers: Record<string, string>; body: string }[] = [];
  const answer = (value: unknown): Network => async (request) => {
    asked.push({ url: request.url, headers: Object.fromEntries(request.headers), body: await request.text() });
    return Response.json(value);
  };

  const vault = await vaultKeys.open(
    { vault_address: "https://vault.example.com", engine_path: "sops", key_name: "first", enc: "vault:v1:x" },
    toolsOf({ "sops.vault-token": "t\n" }, answer({ data: { plaintext: btoa("key") } })),
  );
  const aws = await awsKeys.open(
    { arn: "arn:aws:kms:eu-west-1:123456789012:key/abc", enc: "AQ==", context: { app: "x" } },
    toolsOf(
      { "sops.aws-kms": "aws_access_key_id: AKID\naws_secret_access_key: s\n" },
      answer({ Plaintext: btoa("key") }),
    ),
  );

  equal(new TextDecoder().decode(vault), "key");
  equal(asked[0]?.url, "https://vault.example.com/v1/sops/decrypt/first");
  equal(asked[0]?.headers["x-vault-token"], "t");
  equal(new TextDecoder().decode(aws), "key");
  equal(asked[1]?.url, "https://kms.eu-west-1.amazonaws.com/");
  match(
    asked[1]?.headers.authorization ?? "",
    /^AWS4-HMAC-SHA256 Credential=AKID\/20260101\/eu-west-1\/kms\/aws4_request, /,
  );
  deepEqual(JSON.parse(asked[1]?.body ?? "").EncryptionContext, { app: "x" });
});

Deno.test("a role of AWS is assumed before its key is asked", async () => {
  const asked: { url: string; headers: Record<string, string>; body: string }[] = [];
  const network: Network = async (request) => {
    asked.push({ url: request.url, headers: Object.fromEntries(request.headers), body: await request.text() });
    const Credentials = { AccessKeyId: "ROLE", SecretAccessKey: "r", SessionToken: "token" };
    return Response.json(
      request.url.includes("//sts.")
        ? { AssumeRoleResponse: { AssumeRoleResult: { Credentials } } }
        : { Plaintext: btoa("key") },
    );
  };
  const secret = { "sops.aws-kms": "aws_access_key_id: AKID\naws_secret_access_key: s\n" };
  const fields = { arn: "arn:aws:kms:eu-west-1:123456789012:key/abc", enc: "AQ==" };
  const role = "arn:aws:iam::123456789012:role/team/reader";

  const key = await awsKeys.open({ ...fields, role }, toolsOf(secret, network));

  equal(new TextDecoder().decode(key), "key");
  equal(asked[0]?.url, "https://sts.eu-west-1.amazonaws.com/");
  equal(new URLSearchParams(asked[0]?.body).get("RoleArn"), role);
  match(asked[0]?.headers.authorization ?? "", /Credential=AKID\/20260101\/eu-west-1\/sts\//);
  match(asked[1]?.headers.authorization ?? "", /Credential=ROLE\//);
  equal(asked[1]?.headers["x-amz-security-token"], "token");
  await rejects(
    awsKeys.open({ ...fields, role: "arn:aws-cn:iam::1:role/x" }, toolsOf(secret, network)),
    /no role of AWS/,
  );
  await rejects(
    awsKeys.open({ ...fields, role }, toolsOf(secret, () => Response.json({}))),
    /gave no credentials of role/,
  );
});

Deno.test("credentials never go to an address that an artifact made up", async () => {
  const login = { "sops.vault-token": "t", "sops.azure-kv": "tenantId: a\nclientId: b\nclientSecret: c\n" };

  await rejects(vaultKeys.open({ vault_address: "http://evil.example.com" }, toolsOf(login)), /must be https/);
  await rejects(azureKeys.open({ vault_url: "https://vault.azure.net.evil.com" }, toolsOf(login)), /no host of Azure/);
  await rejects(
    awsKeys.open(
      { arn: "arn:aws:kms:evil.com/x:1:key/a" },
      toolsOf({ "sops.aws-kms": "aws_access_key_id: a\naws_secret_access_key: b\n" }),
    ),
    /no key of AWS/,
  );
});

Deno.test("errors of keys, credentials and answers never show a piece of them", async () => {
  const { generateIdentity } = await import("age-encryption");
  const identity = await generateIdentity();
  const mistyped = `${identity.slice(0, -1)}${identity.endsWith("Q") ? "P" : "Q"}`;
  const aws = { "sops.aws-kms": "aws_access_key_id: a\naws_secret_access_key: b\n" };
  const arn = { arn: "arn:aws:kms:eu-west-1:123456789012:key/a" };
  const account = { "sops.gcp-kms": "hunter2-account" };
  const answering = (body: string): Network => () => new Response(body);
  const works: readonly (readonly [() => Promise<unknown>, RegExp])[] = [
    [() => ageKeys.open({ enc: "" }, toolsOf({ "a.agekey": mistyped })), /^an age identity in the Secret is mistyped/],
    [() => gcpKeys.open({}, toolsOf(account)), /^sops\.gcp-kms is no service account/],
    [() => gcpKeys.open({}, toolsOf({ "sops.gcp-kms": "null" })), /^sops\.gcp-kms is no service account/],
    [
      () => awsKeys.open(arn, toolsOf(aws, answering("hunter2-key"))),
      /^AWS KMS answered with something that is no JSON/,
    ],
    [() => awsKeys.open(arn, toolsOf(aws, answering("x".repeat(100_000)))), /has more than 65536 bytes$/],
  ];
  for (const [work, expected] of works) {
    await rejects(work, (error: Error) => {
      match(error.message, expected);
      ok(!/hunter2|SECRET-KEY/.test(`${error.message} ${error.cause}`), error.message);
      return true;
    });
  }
});

Deno.test("decryptWith() shows no value whose type was changed: types are not authenticated", () => {
  const key = new Uint8Array(32);
  const nonce = new Uint8Array(32);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from("a:"));
  const data = Buffer.concat([cipher.update("hunter2"), cipher.final()]).toString("base64");
  const sealed = (type: string) =>
    `ENC[AES256_GCM,data:${data},iv:${Buffer.from(nonce).toString("base64")},` +
    `tag:${cipher.getAuthTag().toString("base64")},type:${type}]`;
  equal(decryptWith(sealed("str"), key, "a:", "a").value, "hunter2");
  for (const type of ["int", "float", "other"]) {
    throws(() => decryptWith(sealed(type), key, "a:", "a"), (error: Error) => {
      match(error.message, /^Cannot decrypt "a": (?:it is no|unknown type)/);
      ok(!/hunter2/.test(`${error.message} ${error.cause}`));
      return true;
    });
  }
});

Deno.test("without a credential a key service says so by giving nothing", async () => {
  deepEqual(
    await Promise.all([vaultKeys, awsKeys, gcpKeys, azureKeys].map((provider) => provider.open({}, toolsOf({})))),
    [undefined, undefined, undefined, undefined],
  );
});

const folder = vectorsFolder();
for (const name of ["age", "age-pq", "pgp"]) {
  Deno.test({
    name: `flux's own encrypted file ${name}${folder === undefined ? " (skipped: no shared vectors)" : ""}`,
    ignore: folder === undefined,
    fn: async () => {
      const text = await Deno.readTextFile(`${folder}/sops/algorithms/${name}.yaml`);
      const keys = {
        "age.agekey": await Deno.readTextFile(`${folder}/sops/keys/age.txt`),
        "pq.agekey": await Deno.readTextFile(`${folder}/sops/keys/age-pq.txt`),
        "pgp.asc": await Deno.readTextFile(`${folder}/sops/keys/pgp.asc`),
      };
      const [document] = parseYamlDocuments(text);

      const opened = await openDecryptor(toolsOf(keys)).decryptResource(document?.value as unknown as Resource);

      deepEqual(opened.stringData, { key: "value" });
    },
  });
}
