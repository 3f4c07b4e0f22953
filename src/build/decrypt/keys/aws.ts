import { Buffer } from "node:buffer";
import type { JsonObject } from "../../../core/json.ts";
import { isJsonObject } from "../../../core/json.ts";
import { type AwsCredentials, signAwsCall } from "../../../format/aws_signature.ts";
import { parseYaml } from "../../../format/yaml.ts";
import { askService, type KeyProvider, type KeyTools, secretTexts, textField } from "../key_provider.ts";

/**
 * Data keys for AWS KMS. Credentials: YAML in Secret key `sops.aws-kms` with `aws_access_key_id`,
 * `aws_secret_access_key` and `aws_session_token`, else the usual environment variables.
 */
export const awsKeys: KeyProvider = {
  kind: "kms",
  needs: "aws_access_key_id and aws_secret_access_key in the key sops.aws-kms",
  async open(fields, tools) {
    const credentials = credentialsOf(tools);
    if (credentials === undefined) return undefined;
    if (textField(fields, "role") !== "") {
      throw new Error("assuming a role for KMS is not built yet: give credentials of the role itself");
    }
    const arn = textField(fields, "arn");
    const match = /^arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]+):\d+:(?:key|alias)\/\S+$/.exec(arn);
    if (match === null) throw new Error(`"${arn}" is no key of AWS KMS`);
    const [, partition, region = ""] = match;
    const host = `kms.${region}.amazonaws.com${partition === "aws-cn" ? ".cn" : ""}`;
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
