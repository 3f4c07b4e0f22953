import { Buffer } from "node:buffer";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import { type AwsCredentials, signAwsCall } from "../../../format/aws_signature.ts";
import { parseYaml } from "../../../format/yaml.ts";
import { askService, type KeyProvider, type KeyTools, secretTexts, textField } from "../key_provider.ts";

/**
 * Data keys for AWS KMS. Credentials: YAML in Secret key `sops.aws-kms` with `aws_access_key_id`,
 * `aws_secret_access_key` and `aws_session_token`, else the usual environment variables. Where the file names a `role`,
 * they are exchanged for that role's at AWS STS first (SOPS 3.11, `kms/keysource.go`).
 */
export const awsKeys: KeyProvider = {
  kind: "kms",
  needs: "aws_access_key_id and aws_secret_access_key in the key sops.aws-kms",
  async open(fields, tools) {
    const own = credentialsOf(tools);
    if (own === undefined) return undefined;
    const arn = textField(fields, "arn");
    const match = /^arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]+):\d+:(?:key|alias)\/\S+$/.exec(arn);
    if (match === null) throw new Error(`"${arn}" is no key of AWS KMS`);
    const [, partition = "", region = ""] = match;
    const place: Place = { partition, region };
    const host = hostOf("kms", place);
    const role = textField(fields, "role");
    const credentials = role === "" ? own : await assumeRole(role, { place, own, tools });
    const context = isJsonObject(fields.context) ? fields.context : undefined;
    const body = JSON.stringify({
      CiphertextBlob: textField(fields, "enc"),
      KeyId: arn,
      ...(context === undefined ? {} : { EncryptionContext: context }),
    });
    const headers = signAwsCall({
      host,
      region,
      service: "kms",
      headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "TrentService.Decrypt" },
      body,
      nowMs: tools.now(),
    }, credentials);
    const answer = await askService(
      tools.network,
      new Request(`https://${host}/`, { method: "POST", redirect: "error", headers, body }),
      "AWS KMS",
    );
    if (!isJsonObject(answer) || typeof answer.Plaintext !== "string") throw new Error("no plaintext in the answer");
    return Buffer.from(answer.Plaintext, "base64");
  },
};

/** Where a key is. */
interface Place {
  readonly partition: string;
  readonly region: string;
}

function hostOf(service: string, { partition, region }: Place): string {
  return `${service}.${region}.amazonaws.com${partition === "aws-cn" ? ".cn" : ""}`;
}

/** Credentials of a role for an hour (AWS STS API 2011-06-15, `AssumeRole`). */
async function assumeRole(
  role: string,
  { place, own, tools }: { readonly place: Place; readonly own: AwsCredentials; readonly tools: KeyTools },
): Promise<AwsCredentials> {
  if (!new RegExp(`^arn:${place.partition}:iam::\\d{12}:role/[\\w+=,.@/-]{1,512}$`).test(role)) {
    throw new Error(`"${role}" is no role of AWS in the key's partition`);
  }
  const host = hostOf("sts", place);
  const body = new URLSearchParams({
    Action: "AssumeRole",
    Version: "2011-06-15",
    RoleArn: role,
    RoleSessionName: "sops@pilotfish",
  }).toString();
  const headers = signAwsCall({
    host,
    region: place.region,
    service: "sts",
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body,
    nowMs: tools.now(),
  }, own);
  const request = new Request(`https://${host}/`, { method: "POST", redirect: "error", headers, body });
  let value: JsonValue | undefined = await askService(tools.network, request, "AWS STS");
  for (const name of ["AssumeRoleResponse", "AssumeRoleResult", "Credentials"]) {
    value = isJsonObject(value) ? value[name] : undefined;
  }
  const found = isJsonObject(value) ? value : {};
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = found;
  if (typeof accessKeyId !== "string" || typeof secretAccessKey !== "string" || typeof sessionToken !== "string") {
    throw new Error(`AWS STS gave no credentials of role "${role}"`);
  }
  return { accessKeyId, secretAccessKey, sessionToken };
}

function credentialsOf(tools: KeyTools): AwsCredentials | undefined {
  const text = secretTexts(tools, "sops.aws-kms")[0];
  const parsed = text === undefined ? {} : parseYaml(text);
  const document: JsonObject = isJsonObject(parsed) ? parsed : {};
  const read = (name: string): string | undefined => {
    const value = document[name];
    return typeof value === "string" ? value : tools.env(name.toUpperCase());
  };
  const accessKeyId = read("aws_access_key_id");
  const secretAccessKey = read("aws_secret_access_key");
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const sessionToken = read("aws_session_token");
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
