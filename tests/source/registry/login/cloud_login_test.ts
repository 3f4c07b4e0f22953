import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Hono } from "hono";
import { messageOf } from "../../../../src/core/stage_error.ts";
import { awsLogin } from "../../../../src/source/registry/login/aws.ts";
import { signAwsRequest } from "../../../../src/source/registry/login/aws_signature.ts";
import { azureLogin } from "../../../../src/source/registry/login/azure.ts";
import { gcpLogin } from "../../../../src/source/registry/login/gcp.ts";
import { loginProviders, openLogin } from "../../../../src/source/registry/login/login_provider.ts";
import type { LoginTools } from "../../../../src/source/registry/login/login_tools.ts";
import { SkippingClock } from "../../../support/skipping_clock.ts";
import { stageErrorOf } from "../registry_fixture.ts";

const ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const acr = "team.azurecr.io";
const gar = "europe-west1-docker.pkg.dev";

function toolsOf(
  app: Hono,
  world: { readonly env?: Record<string, string>; readonly files?: Record<string, string> } = {},
) {
  const asked: Request[] = [];
  const clock = new SkippingClock();
  const tools: LoginTools = {
    network: async (request) => {
      asked.push(request.clone());
      return await app.fetch(request);
    },
    clock,
    env: (name) => world.env?.[name],
    readText: (path) => Promise.resolve(world.files?.[path]),
  };
  return { tools, asked, clock };
}

Deno.test("signAwsRequest() makes AWS's own example", () => {
  const headers = signAwsRequest({
    method: "GET",
    url: new URL("https://example.amazonaws.com/"),
    headers: {},
    body: "",
    region: "us-east-1",
    service: "service",
    now: Date.UTC(2015, 7, 30, 12, 36, 0),
  }, { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" });

  equal(
    headers.authorization,
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
      "SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  );
});

function awsApp(): Hono {
  const app = new Hono();
  app.post("/ecr/", (c) => {
    ok(c.req.header("authorization")?.startsWith("AWS4-HMAC-SHA256 Credential=KEY"));
    return c.json({
      authorizationData: [{
        authorizationToken: Buffer.from("AWS:canary-ecr").toString("base64"),
        expiresAt: Date.UTC(2026, 0, 1, 12) / 1000,
      }],
    });
  });
  app.post("/sts/", async (c) => {
    const form = new URLSearchParams(await c.req.text());
    if (form.get("WebIdentityToken") !== "canary-jwt") {
      return c.json({ error: "denied", error_description: "token canary-jwt-1234 is old" }, 403);
    }
    return c.text(
      "<R><Credentials><AccessKeyId>KEY</AccessKeyId><SecretAccessKey>a&amp;b</SecretAccessKey><SessionToken>s</SessionToken></Credentials></R>",
    );
  });
  app.put("/latest/api/token", (c) => c.text("imds-token"));
  app.get("/latest/meta-data/iam/security-credentials/", (c) => c.text("node-role\n"));
  app.get(
    "/latest/meta-data/iam/security-credentials/node-role",
    (c) =>
      c.req.header("x-aws-ec2-metadata-token") === "imds-token"
        ? c.json({ AccessKeyId: "KEY", SecretAccessKey: "s", Token: "t" })
        : c.text("no", 401),
  );
  app.get(
    "/pod",
    (c) =>
      c.req.header("authorization") === "canary-pod"
        ? c.json({ AccessKeyId: "KEY", SecretAccessKey: "s", Token: "t" })
        : c.text("no", 401),
  );
  return app;
}

const aws = awsLogin({
  sts: () => "https://aws.test/sts/",
  ecr: () => "https://aws.test/ecr/",
  ecrPublic: "https://aws.test/ecr/",
  instanceMetadata: "http://aws.test",
});

Deno.test("aws: every kind of identity gives ECR's login, which is kept for its life", async () => {
  const worlds = [
    { env: { AWS_ACCESS_KEY_ID: "KEY", AWS_SECRET_ACCESS_KEY: "s" }, requests: 1 },
    {
      env: { AWS_ROLE_ARN: "arn:aws:iam::1:role/x", AWS_WEB_IDENTITY_TOKEN_FILE: "/token" },
      files: { "/token": "canary-jwt\n" },
      requests: 2,
    },
    {
      env: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/pod",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/pod-token",
      },
      files: { "/pod-token": "canary-pod" },
      requests: 2,
    },
    { env: {}, requests: 4 },
  ];
  for (const { requests, ...world } of worlds) {
    const { tools, asked, clock } = toolsOf(awsApp(), world);
    const login = aws.create(undefined, tools);
    const wanted = [{ kind: "basic", username: "AWS", password: "canary-ecr" }];
    const all = await Promise.all([1, 2, 3].map(() => login({ registry: ecr, repository: "a" })));
    deepEqual(all, [wanted, wanted, wanted]);
    equal(asked.length, requests);
    clock.skip(11 * 3_600_000);
    await login({ registry: ecr, repository: "b" });
    equal(asked.length, requests);
    clock.skip(3_600_000);
    await login({ registry: ecr, repository: "b" });
    equal(asked.length, 2 * requests);
  }
});

Deno.test("aws: only ECR's own names are logged in to", async () => {
  const { tools, asked } = toolsOf(awsApp(), { env: { AWS_ACCESS_KEY_ID: "KEY", AWS_SECRET_ACCESS_KEY: "s" } });
  const login = aws.create(undefined, tools);
  for (
    const registry of [
      `${ecr}.evil.test`,
      `evil-${ecr}`,
      `x.${ecr}`,
      `${ecr}:8443`,
      "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil",
      "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
      "ghcr.io",
      "docker.io",
    ]
  ) {
    deepEqual(await login({ registry, repository: "a" }), [], registry);
  }
  equal(asked.length, 0);
  for (
    const registry of [
      ecr,
      "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
      "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
      "123456789012.dkr-ecr.us-east-1.on.aws",
      "public.ecr.aws",
    ]
  ) {
    equal((await login({ registry, repository: "a" })).length, 1, registry);
  }
});

Deno.test("aws: container credentials are read from this machine or over TLS only; errors hold no token", async () => {
  for (const uri of ["http://evil.test/pod", "http://169.254.169.254/pod", "ftp://127.0.0.1/", "nothing"]) {
    const { tools, asked } = toolsOf(awsApp(), { env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri } });
    equal(
      (await stageErrorOf(aws.create(undefined, tools)({ registry: ecr, repository: "a" }))).reason,
      "AuthenticationFailed",
    );
    equal(asked.length, 0);
  }
  const { tools } = toolsOf(awsApp(), {
    env: { AWS_ROLE_ARN: "arn", AWS_WEB_IDENTITY_TOKEN_FILE: "/token" },
    files: { "/token": "canary-wrong-token" },
  });
  const error = await stageErrorOf(aws.create(undefined, tools)({ registry: ecr, repository: "a" }));
  match(error.message, /aws\.test\/sts\/ answered 403 \(denied/);
  ok(!messageOf(error).includes("canary-wrong"));
});

const gcp = gcpLogin({ metadata: "http://meta.test", sts: "https://sts.test", iam: "https://iam.test" });

Deno.test("gcp: the machine's account, and a federated one with and without impersonation", async () => {
  const app = new Hono();
  app.get(
    "/computeMetadata/v1/instance/service-accounts/default/token",
    (c) =>
      c.req.header("metadata-flavor") === "Google"
        ? c.json({ access_token: "canary-1", expires_in: 3600 })
        : c.text("", 403),
  );
  app.post("/v1/token", async (c) => {
    const body = await c.req.json();
    return body.subjectToken === "jwt-text" ? c.json({ access_token: "canary-2", expires_in: 3600 }) : c.text("", 400);
  });
  app.post(
    "/v1/projects/-/serviceAccounts/:name",
    (c) =>
      c.req.header("authorization") === "Bearer canary-2"
        ? c.json({ accessToken: "canary-3", expireTime: "2026-01-01T01:00:00Z" })
        : c.text("", 401),
  );
  const account = {
    type: "external_account",
    audience: "//iam.googleapis.com/x",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    credential_source: { file: "/jwt", format: { type: "json", subject_token_field_name: "token" } },
  };
  const impersonated = {
    ...account,
    service_account_impersonation_url:
      "https://evil.test/v1/projects/-/serviceAccounts/app@project.iam.gserviceaccount.com:generateAccessToken",
  };
  const cases = [[undefined, "canary-1"], [account, "canary-2"], [impersonated, "canary-3"]] as const;
  for (const [file, password] of cases) {
    const { tools, asked } = toolsOf(app, {
      env: file === undefined ? {} : { GOOGLE_APPLICATION_CREDENTIALS: "/account" },
      files: { "/account": JSON.stringify(file), "/jwt": '{"token":"jwt-text"}' },
    });
    const login = gcp.create(undefined, tools);
    deepEqual(await login({ registry: gar, repository: "a" }), [{
      kind: "basic",
      username: "oauth2accesstoken",
      password,
    }]);
    ok(!asked.some((request) => request.url.includes("evil")));
    const before = asked.length;
    await login({ registry: "eu.gcr.io", repository: "b" });
    equal(asked.length, before);
    deepEqual(await login({ registry: "gcr.io.evil.test", repository: "a" }), []);
  }
  const { tools } = toolsOf(app, {
    env: { GOOGLE_APPLICATION_CREDENTIALS: "/a" },
    files: { "/a": '{"type":"service_account"}' },
  });
  match(
    (await stageErrorOf(gcp.create(undefined, tools)({ registry: gar, repository: "a" }))).message,
    /service_account/,
  );
});

const azure = azureLogin({
  instanceMetadata: "http://imds.test",
  registry: (registry) => `https://${registry}`,
  authority: () => "https://login.test/",
});

Deno.test("azure: a workload's identity and the machine's, exchanged at the registry", async () => {
  const end = Date.UTC(2026, 0, 1, 3) / 1000;
  const refresh = `x.${Buffer.from(JSON.stringify({ exp: end })).toString("base64url")}.canary`;
  const app = new Hono();
  app.post("/tenant-1/oauth2/v2.0/token", async (c) => {
    const form = new URLSearchParams(await c.req.text());
    return form.get("client_assertion") === "jwt-text" &&
        form.get("scope") === "https://containerregistry.azure.net/.default"
      ? c.json({ access_token: "aad" })
      : c.text("", 400);
  });
  app.get(
    "/metadata/identity/oauth2/token",
    (c) => c.req.header("metadata") === "true" ? c.json({ access_token: "aad" }) : c.text("", 400),
  );
  app.post("/oauth2/exchange", async (c) => {
    const form = new URLSearchParams(await c.req.text());
    return form.get("access_token") === "aad" && form.get("service") === acr
      ? c.json({ refresh_token: refresh })
      : c.text("", 401);
  });
  const workload = {
    env: { AZURE_CLIENT_ID: "c", AZURE_TENANT_ID: "tenant-1", AZURE_FEDERATED_TOKEN_FILE: "/jwt" },
    files: { "/jwt": "jwt-text" },
  };
  for (const world of [workload, {}]) {
    const { tools, asked, clock } = toolsOf(app, world);
    const login = azure.create(undefined, tools);
    deepEqual(await login({ registry: acr, repository: "a" }), [
      { kind: "basic", username: "00000000-0000-0000-0000-000000000000", password: refresh },
    ]);
    equal(asked.length, 2);
    clock.skip(2 * 3_600_000);
    await login({ registry: acr, repository: "a" });
    equal(asked.length, 2);
    for (const registry of ["azurecr.io", "team.azurecr.io.evil.test", "evil.test"]) {
      deepEqual(await login({ registry, repository: "a" }), []);
    }
  }
  const { tools } = toolsOf(app, { ...workload, env: { ...workload.env, AZURE_AUTHORITY_HOST: "http://login.test" } });
  match((await stageErrorOf(azure.create(undefined, tools)({ registry: acr, repository: "a" }))).message, /https URL/);
});

Deno.test("openLogin() knows its providers by name and says so", async () => {
  deepEqual(loginProviders.map((provider) => provider.name), ["generic", "aws", "azure", "gcp"]);
  const { tools } = toolsOf(new Hono());
  deepEqual(await openLogin("generic", tools)({ registry: ecr, repository: "a" }), []);
  throws(() => openLogin("oracle", tools), /known are "generic", "aws", "azure", "gcp"/);
});
