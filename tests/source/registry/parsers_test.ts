import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import type { Index } from "../../../src/core/descriptor.ts";
import { StageError } from "../../../src/core/stage_error.ts";
import { choosePlatform } from "../../../src/source/choose_platform.ts";
import { parseManifestDocument } from "../../../src/source/manifest_document.ts";
import { addressClass } from "../../../src/source/registry/address_class.ts";
import {
  contentRange,
  nextPage,
  retryAfterMs,
  uploadedBytes,
  warningTexts,
} from "../../../src/source/registry/answer_headers.ts";
import { parseChallenges } from "../../../src/source/registry/challenge.ts";
import { mirrorEndpoints } from "../../../src/source/registry/mirror_endpoints.ts";
import { redact } from "../../../src/source/registry/redact.ts";
import { joinScopes } from "../../../src/source/registry/scope.ts";
import { finishingUrl, uploadLocation } from "../../../src/source/registry/upload_location.ts";

const challenges = (text: string) =>
  parseChallenges(text).map((one) => [one.scheme, Object.fromEntries(one.parameters)]);

Deno.test("parseChallenges() reads several challenges with quoted commas", () => {
  deepEqual(challenges('Bearer realm="https://a/t?x=1,2",service="s",scope="repository:a:pull,push"'), [
    ["bearer", { realm: "https://a/t?x=1,2", service: "s", scope: "repository:a:pull,push" }],
  ]);
  deepEqual(challenges('Basic realm="a \\"b\\"", Bearer realm=https://t , error=invalid_token'), [
    ["basic", { realm: 'a "b"' }],
    ["bearer", { realm: "https://t", error: "invalid_token" }],
  ]);
  deepEqual(challenges('Negotiate, BEARER Realm = "x"'), [["negotiate", {}], ["bearer", { realm: "x" }]]);
  deepEqual(challenges('Basic realm="open'), [["basic", { realm: "open" }]]);
  deepEqual(challenges(',, ;"x" ,Basic'), [["basic", {}]]);
});

Deno.test("parseChallenges(), nextPage(), warningTexts() and redact() take any text", () => {
  const base = new URL("https://registry.test/v2/a/tags/list");
  fc.assert(
    fc.property(fc.string({ maxLength: 400 }), (text) => {
      parseChallenges(text);
      warningTexts(text);
      contentRange(text);
      uploadedBytes(text);
      redact(text);
      ok((retryAfterMs(text, 0) ?? 0) >= 0);
      try {
        const url = nextPage(text, base);
        ok(url === undefined || url.origin === base.origin);
      } catch (error) {
        ok(error instanceof RangeError);
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("nextPage() takes rel=next in every spelling, within the registry only", () => {
  const base = new URL("https://registry.test/v2/a/tags/list");
  const next = (text: string) => nextPage(text, base)?.href;
  equal(next('</v2/a/tags/list?last=x>; rel="next"'), "https://registry.test/v2/a/tags/list?last=x");
  equal(next("<?last=x>;rel=next"), "https://registry.test/v2/a/tags/list?last=x");
  equal(next('<https://registry.test/x>; rel="prev", </y>; title="a"; rel="last next"'), "https://registry.test/y");
  equal(next('</x>; rel="prev"'), undefined);
  equal(next('</x>; rel="nextish"'), undefined);
  throws(() => next('<https://evil.test/x>; rel="next"'), RangeError);
  throws(() => next('<http://registry.test/x>; rel="next"'), RangeError);
  throws(() => next('<//evil.test/x>; rel="next"'), RangeError);
});

Deno.test("retryAfterMs() reads seconds and dates, never negative, at most a day", () => {
  const now = Date.UTC(2026, 0, 1);
  equal(retryAfterMs("120", now), 120_000);
  equal(retryAfterMs("Thu, 01 Jan 2026 00:01:00 GMT", now), 60_000);
  equal(retryAfterMs("Wed, 31 Dec 2025 00:00:00 GMT", now), 0);
  equal(retryAfterMs("9999999999", now), 86_400_000);
  equal(retryAfterMs("soon", now), undefined);
  equal(retryAfterMs(null, now), undefined);
});

Deno.test("addressClass() knows where a literal leads, in all its forms", () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    loopback: ["127.0.0.1", "127.255.1.1", "localhost", "a.localhost", "LOCALHOST.", "[::1]", "[::ffff:127.0.0.1]"],
    private: [
      "10.0.0.1",
      "172.16.0.1",
      "172.31.255.255",
      "192.168.1.1",
      "100.64.0.1",
      "[fd00::1]",
      "[fc12::]",
      "[::ffff:a00:1]",
      "[64:ff9b::10.0.0.1]",
    ],
    "link-local": [
      "169.254.169.254",
      "0.0.0.0",
      "224.0.0.1",
      "255.255.255.255",
      "[::]",
      "[fe80::1]",
      "[ff02::1]",
      "[::ffff:169.254.169.254]",
    ],
    public: ["1.1.1.1", "172.32.0.1", "172.15.0.1", "100.128.0.1", "[2606:4700::1111]"],
    name: ["ghcr.io", "metadata.google.internal", "10.0.0.1.example.com", "localhost.example.com"],
  };
  for (const [wanted, hosts] of Object.entries(cases)) {
    for (const host of hosts) equal(addressClass(host), wanted, host);
  }
});

Deno.test("joinScopes() has each resource once, with what was demanded first", () => {
  deepEqual(
    joinScopes([
      "repository:b:pull",
      "repository:a:push,pull repository:b:pull",
      "repository:b:push",
      "registry:catalog:*",
    ]),
    ["repository:b:pull,push", "repository:a:pull,push", "registry:catalog:*"],
  );
});

Deno.test("redact() takes out users, queries and tokens", () => {
  const text = redact(
    'GET https://me:canary@host/path?sig=canary&x#canary failed: Authorization: Bearer canary-canary; "access_token":"canary-x" Basic Y2FuYXJ5Y2FuYXJ5',
  );
  ok(!/canary|Y2FuYXJ5/.test(text), text);
  ok(text.includes("https://…@host/path?…"));
});

Deno.test("uploadLocation() stays at the registry and keeps the query", () => {
  const from = new URL("https://registry.test/v2/a/blobs/uploads/");
  equal(uploadLocation("/x?_state=a%2Fb", from, "Cannot push").href, "https://registry.test/x?_state=a%2Fb");
  equal(uploadLocation("id?x", from, "Cannot push").href, "https://registry.test/v2/a/blobs/uploads/id?x");
  equal(uploadLocation("http://registry.test/x", from, "Cannot push").href, "https://registry.test/x");
  for (
    const wrong of [
      "https://evil.test/x",
      "http://registry.test:8080/x",
      "https://registry.test:444/x",
      "ftp://registry.test/x",
      "https://a@registry.test/",
    ]
  ) {
    throws(() => uploadLocation(wrong, from, "Cannot push"), StageError, wrong);
  }
  equal(
    finishingUrl(new URL("https://registry.test/x?_state=a%2Fb+c"), "sha256:ab").href,
    "https://registry.test/x?_state=a%2Fb+c&digest=sha256%3Aab",
  );
  equal(finishingUrl(new URL("https://registry.test/x"), "sha256:ab").search, "?digest=sha256%3Aab");
});

Deno.test("mirrorEndpoints() takes the most precise entry, prefixes and the rest as is", () => {
  const reference = { registry: "ghcr.io", repository: "org/app" };
  const endpoints = (mirrors: { registry: string; endpoints: string[] }[]) =>
    mirrorEndpoints(mirrors, reference).map((one) => `${one.origin.origin} ${one.repository} ${one.registry}`);
  deepEqual(
    endpoints([
      { registry: "*", endpoints: ["https://all.test"] },
      { registry: "ghcr.io/org", endpoints: ["http://10.0.0.1:5000/cache/ghcr", "second.test"] },
      { registry: "ghcr.io", endpoints: ["https://host.test"] },
    ]),
    ["http://10.0.0.1:5000 cache/ghcr/org/app 10.0.0.1:5000", "https://second.test org/app second.test"],
  );
  deepEqual(
    endpoints([{ registry: "ghcr.io/or", endpoints: ["x.test"] }, { registry: "quay.io", endpoints: ["x.test"] }]),
    [],
  );
  for (const wrong of ["ftp://x", "https://u:p@x", "https://x?q=1", "https://x/UPPER", ""]) {
    throws(() => endpoints([{ registry: "*", endpoints: [wrong] }]), StageError, wrong);
  }
});

Deno.test("choosePlatform() takes the machine's entry, else the only one", () => {
  const entry = (platform: string | undefined, annotations?: Record<string, string>) => {
    const [os = "", architecture = "", variant] = (platform ?? "").split("/");
    return {
      mediaType: "m",
      digest: `sha256:${"0".repeat(64)}` as const,
      size: 1,
      ...(platform === undefined
        ? {}
        : { platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } }),
      ...(annotations === undefined ? {} : { annotations }),
    };
  };
  const index = (...platforms: (string | undefined)[]): Index => ({
    schemaVersion: 2,
    manifests: platforms.map((platform) => entry(platform)),
  });
  const chosen = (from: Index, wanted: string) => {
    const [os = "", architecture = "", variant] = wanted.split("/");
    return from.manifests.indexOf(
      choosePlatform(from, {
        os,
        architecture,
        ...(variant === undefined ? {} : { variant }),
      }) as Index["manifests"][0],
    );
  };
  equal(chosen(index("linux/amd64", "linux/arm64"), "linux/arm64"), 1);
  equal(chosen(index("linux/arm/v6", "linux/arm/v7"), "linux/arm/v7"), 1);
  equal(chosen(index("linux/arm/v6", "linux/arm/v5"), "linux/arm/v7"), 0);
  equal(chosen(index("linux/amd64", "linux/arm64/v8"), "linux/arm64"), 1);
  equal(chosen(index("unknown/unknown", "linux/amd64"), "linux/arm64"), 1);
  equal(chosen(index(undefined), "linux/amd64"), 0);
  throws(
    () => chosen(index("linux/amd64", "windows/amd64"), "linux/arm64"),
    /no entry is for linux\/arm64, there are linux\/amd64, windows\/amd64/,
  );
  throws(() => chosen(index("linux/arm/v7", "linux/amd64"), "linux/arm/v6"), StageError);
  throws(() => chosen(index(), "linux/amd64"), /no entries/);
});

Deno.test("parseManifestDocument() gives coded errors only, for any JSON", () => {
  fc.assert(fc.property(
    fc.oneof(
      fc.json(),
      fc.string(),
      fc.record({ schemaVersion: fc.constant(2), config: fc.jsonValue(), layers: fc.jsonValue() }).map((value) =>
        JSON.stringify(value)
      ),
      fc.record({ schemaVersion: fc.constant(2), manifests: fc.jsonValue(), subject: fc.jsonValue() }).map((value) =>
        JSON.stringify(value)
      ),
    ),
    (text) => {
      try {
        parseManifestDocument(new TextEncoder().encode(text));
      } catch (error) {
        ok(error instanceof StageError && error.reason === "OCIArtifactPullFailed");
      }
    },
  ));
});
