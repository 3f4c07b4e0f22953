import { Buffer } from "node:buffer";
import type { Provider } from "../../../core/provider.ts";
import { StageError } from "../../../core/stage_error.ts";
import type { CredentialSource } from "../credential.ts";
import { addressClass } from "../address_class.ts";
import type { AwsKeys } from "./aws_signature.ts";
import { signAwsRequest } from "./aws_signature.ts";
import type { TimedCredential } from "./login_request.ts";
import { answerText, keptLogin, loginJson, loginText } from "./login_request.ts";
import type { LoginTools } from "./login_tools.ts";

/** Addresses of AWS's services; for tests only, never from documents. */
export interface AwsEndpoints {
  readonly sts: (region: string) => string;
  readonly ecr: (region: string, domain: string, isFips: boolean) => string;
  readonly ecrPublic: string;
  readonly instanceMetadata: string;
}

const action = "Cannot log in to AWS";
const cloudEndpoints: AwsEndpoints = {
  sts: (region) => `https://sts.${region}.${region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com"}/`,
  ecr: (region, domain, isFips) => `https://${isFips ? "ecr-fips" : "api.ecr"}.${region}.${domain}/`,
  ecrPublic: "https://api.ecr-public.us-east-1.amazonaws.com/",
  instanceMetadata: "http://169.254.169.254",
};
/** Names of ECR registries. Anchored: a look-alike must not get the login (k8s `credentialprovider/aws`). */
const registryPattern =
  /^\d{12}\.dkr[.-]ecr(-fips)?\.([a-z0-9-]+)\.(amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)$/;
/** Hosts from which container credentials may be read without TLS (AWS SDKs' rule). */
const containerHosts: ReadonlySet<string> = new Set(["169.254.170.2", "169.254.170.23", "fd00:ec2::23"]);

interface KeysWithEnd extends AwsKeys {
  readonly endsAt?: number;
}

/**
 * Logs in to Amazon ECR with the identity of this place: keys in the environment, a web identity (IRSA), a container's
 * credentials (EKS Pod Identity, ECS), or the machine's role by IMDSv2, in this order.
 */
export function awsLogin(
  endpoints: AwsEndpoints = cloudEndpoints,
): Provider<undefined, LoginTools, CredentialSource> {
  return {
    name: "aws",
    summary: "Logs in to Amazon ECR and ECR Public with the workload's identity",
    create: (_, tools) =>
      keptLogin(
        tools.clock,
        ({ registry }) => registry === "public.ecr.aws" || registryPattern.test(registry) ? registry : undefined,
        ({ registry }) => ecrLogin(tools, endpoints, registry),
      ),
  };
}

async function ecrLogin(tools: LoginTools, endpoints: AwsEndpoints, registry: string): Promise<TimedCredential> {
  const [, fips, region = "us-east-1", host = "amazonaws.com"] = registryPattern.exec(registry) ?? [];
  const isPublic = registry === "public.ecr.aws";
  const domain = host === "on.aws"
    ? "amazonaws.com"
    : host === "on.amazonwebservices.com.cn"
    ? "amazonaws.com.cn"
    : host;
  const keys = await findKeys(tools, endpoints, region);
  const url = new URL(isPublic ? endpoints.ecrPublic : endpoints.ecr(region, domain, fips !== undefined));
  const headers = signAwsRequest({
    method: "POST",
    url,
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": isPublic
        ? "SpencerFrontendService.GetAuthorizationToken"
        : "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
    },
    body: "{}",
    region,
    service: isPublic ? "ecr-public" : "ecr",
    now: tools.clock.now(),
  }, keys);
  const answer = await loginJson(tools, { method: "POST", url, headers, body: "{}", action });
  const data = (Array.isArray(answer.authorizationData) ? answer.authorizationData[0] : answer.authorizationData) as
    | Record<string, unknown>
    | undefined;
  const login = Buffer.from(answerText(data ?? {}, "authorizationToken", action), "base64").toString();
  const colon = login.indexOf(":");
  if (colon <= 0) throw new StageError("AuthenticationFailed", `${action}: the authorization token has no password`);
  const seconds = typeof data?.expiresAt === "number" ? data.expiresAt : tools.clock.now() / 1000 + 12 * 3600;
  return {
    credential: { kind: "basic", username: login.slice(0, colon), password: login.slice(colon + 1) },
    // Keys that end before the login they gave do not end it.
    endsAt: seconds * 1000,
  };
}

async function findKeys(tools: LoginTools, endpoints: AwsEndpoints, region: string): Promise<KeysWithEnd> {
  const { env } = tools;
  const accessKeyId = env("AWS_ACCESS_KEY_ID");
  const secretAccessKey = env("AWS_SECRET_ACCESS_KEY");
  if (accessKeyId && secretAccessKey) {
    const sessionToken = env("AWS_SESSION_TOKEN");
    return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  }
  const role = env("AWS_ROLE_ARN");
  const tokenFile = env("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (role && tokenFile) return await webIdentityKeys(tools, endpoints, { role, tokenFile, region });
  const full = env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const relative = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (full || relative) return await containerKeys(tools, full || `http://169.254.170.2${relative}`);
  return await machineKeys(tools, endpoints);
}

async function webIdentityKeys(
  tools: LoginTools,
  endpoints: AwsEndpoints,
  identity: { readonly role: string; readonly tokenFile: string; readonly region: string },
): Promise<KeysWithEnd> {
  const token = await fileText(tools, identity.tokenFile, "AWS_WEB_IDENTITY_TOKEN_FILE");
  const region = tools.env("AWS_REGION") || tools.env("AWS_DEFAULT_REGION") || identity.region;
  const text = await loginText(tools, {
    method: "POST",
    url: new URL(endpoints.sts(region)),
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/xml" },
    body: new URLSearchParams({
      Action: "AssumeRoleWithWebIdentity",
      Version: "2011-06-15",
      RoleArn: identity.role,
      RoleSessionName: tools.env("AWS_ROLE_SESSION_NAME") || "pilotfish",
      WebIdentityToken: token,
    }).toString(),
    action,
  });
  return {
    accessKeyId: xmlText(text, "AccessKeyId"),
    secretAccessKey: xmlText(text, "SecretAccessKey"),
    sessionToken: xmlText(text, "SessionToken"),
  };
}

async function containerKeys(tools: LoginTools, address: string): Promise<KeysWithEnd> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const host = url?.hostname.replace(/^\[|\]$/g, "") ?? "";
  const isAllowed = url !== undefined &&
    (url.protocol === "https:" ||
      (url.protocol === "http:" && (containerHosts.has(host) || addressClass(host) === "loopback")));
  if (url === undefined || !isAllowed) {
    throw new StageError(
      "AuthenticationFailed",
      `${action}: AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or lead to this machine`,
    );
  }
  // Read each time: the token in the file changes.
  const tokenFile = tools.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  const token = tokenFile
    ? await fileText(tools, tokenFile, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    : tools.env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  return keysOf(
    await loginJson(tools, {
      method: "GET",
      url,
      headers: { accept: "application/json", ...(token ? { authorization: token } : {}) },
      action,
    }),
  );
}

async function machineKeys(tools: LoginTools, endpoints: AwsEndpoints): Promise<KeysWithEnd> {
  const base = endpoints.instanceMetadata;
  const token = await loginText(tools, {
    method: "PUT",
    url: new URL("/latest/api/token", base),
    headers: { "x-aws-ec2-metadata-token-ttl-seconds": "300" },
    action,
  });
  const headers = { "x-aws-ec2-metadata-token": token };
  const folder = "/latest/meta-data/iam/security-credentials/";
  const roles = await loginText(tools, { method: "GET", url: new URL(folder, base), headers, action });
  const role = (roles.split("\n", 1)[0] ?? "").trim();
  if (!/^[\w+=,.@-]{1,128}$/.test(role)) {
    throw new StageError("AuthenticationFailed", `${action}: this machine has no role`);
  }
  return keysOf(await loginJson(tools, { method: "GET", url: new URL(folder + role, base), headers, action }));
}

function keysOf(answer: Readonly<Record<string, unknown>>): KeysWithEnd {
  return {
    accessKeyId: answerText(answer, "AccessKeyId", action),
    secretAccessKey: answerText(answer, "SecretAccessKey", action),
    sessionToken: answerText(answer, "Token", action),
  };
}

async function fileText(tools: LoginTools, path: string, variable: string): Promise<string> {
  const text = (await tools.readText(path))?.trim();
  if (text) return text;
  throw new StageError("AuthenticationFailed", `${action}: the file that ${variable} names is not there or empty`);
}

/** Text of the first element of a name. The answer is flat and from a service that we trust. */
function xmlText(xml: string, name: string): string {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]?.trim() ?? "";
  if (text === "") throw new StageError("AuthenticationFailed", `${action}: the answer of STS has no "${name}"`);
  return text.replace(
    /&(amp|lt|gt|quot|apos);/g,
    (_, entity: string) => ({ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" })[entity] ?? "",
  );
}
