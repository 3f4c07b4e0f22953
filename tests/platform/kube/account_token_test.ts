import { deepEqual, equal, rejects } from "node:assert/strict";
import type { JsonObject } from "../../../src/core/json.ts";
import type { KubeApi, KubeRequest } from "../../../src/core/kube_api.ts";
import { accountTokens } from "../../../src/platform/kube/account_token.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const login = { server: "https://far", audiences: ["far"], namespace: "team", serviceAccount: "remote" };

Deno.test("accountTokens() asks once, renews after four fifths of the life, and at once after a refusal", async () => {
  const clock = new FakeClock();
  const asked: KubeRequest[] = [];
  const answer = (request: KubeRequest): Promise<JsonObject> => {
    asked.push(request);
    const expirationTimestamp = new Date(clock.now() + 1_000_000).toISOString();
    return Promise.resolve({ status: { token: `t${asked.length}`, expirationTimestamp } });
  };
  const token = accountTokens({ send: answer } as KubeApi, login, clock);

  deepEqual(await Promise.all([token(false), token(false)]), ["t1", "t1"]);
  await clock.advance(799_000);
  equal(await token(false), "t1");
  await clock.advance(2_000);
  equal(await token(false), "t2");
  equal(await token(true), "t3");
  equal(asked[0]?.path, "/api/v1/namespaces/team/serviceaccounts/remote/token");
  deepEqual((asked[0]?.body as JsonObject).spec, { audiences: ["far"], expirationSeconds: 3_600 });
});

Deno.test("accountTokens() says when it is given none", async () => {
  const api = { send: () => Promise.resolve({ status: {} }) } as unknown as KubeApi;
  await rejects(
    accountTokens(api, login, new FakeClock())(false),
    /no token was given for ServiceAccount "team\/remote"/,
  );
});
