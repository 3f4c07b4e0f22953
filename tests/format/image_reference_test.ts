import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { StageError } from "../../src/core/stage_error.ts";
import {
  canonicalRegistry,
  isRepository,
  parseImageReference,
  referenceText,
  registryHost,
} from "../../src/format/image_reference.ts";
import { ownVectors } from "../support/paths.ts";
import { skippedReferences } from "./image_reference_skip.ts";

interface Case {
  readonly text: string;
  readonly registry?: string;
  readonly repository?: string;
  readonly tag?: string;
  readonly digest?: string;
  readonly error?: boolean;
}

function read(text: string): Omit<Case, "text"> {
  try {
    return parseImageReference(text);
  } catch (error) {
    ok(error instanceof StageError && error.reason === "URLInvalid", `${text}: ${error}`);
    return { error: true };
  }
}

Deno.test("parseImageReference() reads what distribution/reference reads", () => {
  const { cases } = JSON.parse(Deno.readTextFileSync(`${ownVectors}/registry/references.json`)) as {
    readonly cases: readonly Case[];
  };
  let passed = 0;
  let skipped = 0;
  for (const { text, ...wanted } of cases) {
    if (text in skippedReferences) {
      skipped++;
      continue;
    }
    const { ggcrAccepts: _, ...expected } = wanted as typeof wanted & { ggcrAccepts?: boolean };
    deepEqual({ ...read(text) }, expected, text);
    passed++;
  }
  console.log(`references: ${passed} passed, ${skipped} skipped`);
});

Deno.test("parseImageReference() takes oci:// URLs, whose first part is always a registry", () => {
  deepEqual(parseImageReference("oci://GHCR.io/org/app:v1"), { registry: "ghcr.io", repository: "org/app", tag: "v1" });
  deepEqual(parseImageReference("oci://myhost/app"), { registry: "myhost", repository: "app" });
  deepEqual(parseImageReference("oci://docker.io/nginx"), { registry: "docker.io", repository: "library/nginx" });
  for (
    const wrong of ["oci://", "oci://ghcr.io", "oci://ghcr.io/", "oci:///app", "https://ghcr.io/a", "oci://oci://a/b"]
  ) {
    equal(read(wrong).error, true, wrong);
  }
});

Deno.test("a reference's errors never show a password", () => {
  for (const text of ["oci://me:canary@ghcr.io/app", "me:canary@ghcr.io/app"]) {
    throws(
      () => parseImageReference(text),
      (error: Error) => !error.message.includes("canary") && error.message.includes("must not hold a user name"),
    );
  }
});

Deno.test("a registry whose name would be taken for an address must be one", () => {
  for (const host of ["a.0", "127.1", "0x7f.1", "1.2.3", "010.0.0.1", "256.0.0.1", "1.2.3.4.5"]) {
    throws(() => parseImageReference(`oci://${host}/app`), /is neither a host's name nor an IPv4 address/);
  }
  for (const host of ["10.0.0.1", "10.0.0.1:5000", "a.0.example", "0x7f.example", "1a.2b"]) {
    equal(parseImageReference(`oci://${host}/app`).registry, host);
  }
});

Deno.test("referenceText() gives back what was read, for any text", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9._:@/\[\]-]{0,60}$/)),
      (text) => {
        let reference;
        try {
          reference = parseImageReference(text);
        } catch (error) {
          ok(error instanceof StageError && error.reason === "URLInvalid");
          return;
        }
        ok(isRepository(reference.repository));
        ok(URL.canParse(`https://${registryHost(reference.registry)}/v2/${reference.repository}/manifests/x`));
        deepEqual(parseImageReference(`oci://${referenceText(reference)}`), reference);
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("Docker Hub has one name and another host", () => {
  for (const name of ["docker.io", "index.docker.io", "registry-1.docker.io", "Registry.Hub.Docker.com"]) {
    equal(canonicalRegistry(name), "docker.io");
  }
  equal(registryHost("docker.io"), "registry-1.docker.io");
  equal(registryHost("ghcr.io"), "ghcr.io");
});
