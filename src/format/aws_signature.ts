import { nodeBuiltin } from "../core/node_builtin.ts";

/** Credentials of AWS. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What is signed: a POST of a JSON or form body to the root of a service. */
export interface AwsCall {
  readonly host: string;
  readonly region: string;
  readonly service: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Wall time in milliseconds: the service accepts five minutes of difference. */
  readonly nowMs: number;
}

/** Headers of a call with its signature (AWS Signature Version 4). Names are lower case. */
export function signAwsCall(call: AwsCall, credentials: AwsCredentials): Readonly<Record<string, string>> {
  const time = new Date(call.nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const day = time.slice(0, 8);
  const headers: Record<string, string> = {
    ...call.headers,
    host: call.host,
    "x-amz-date": time,
    ...(credentials.sessionToken === undefined ? {} : { "x-amz-security-token": credentials.sessionToken }),
  };
  const names = Object.keys(headers).sort();
  const signedHeaders = names.join(";");
  const canonical = [
    "POST",
    "/",
    "",
    ...names.map((name) => `${name}:${(headers[name] ?? "").trim()}`),
    "",
    signedHeaders,
    sha256(call.body),
  ].join("\n");
  const scope = `${day}/${call.region}/${call.service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = [day, call.region, call.service, "aws4_request"].reduce<string | Uint8Array>(
    (secret, part) => nodeBuiltin.crypto().createHmac("sha256", secret).update(part).digest(),
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = nodeBuiltin.crypto().createHmac("sha256", key).update(toSign).digest("hex");
  const { host: _, ...sent } = headers;
  return {
    ...sent,
    authorization:
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return nodeBuiltin.crypto().createHash("sha256").update(text).digest("hex");
}
