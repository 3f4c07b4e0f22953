import assert from "node:assert/strict";

import { pullFromRepository } from "../../../src/build/helm/chart_repository.ts";
import { sha256Hex } from "../../../src/core/sha256.ts";

const encoder = new TextEncoder();
const chart = encoder.encode("a packed chart");
const files: Readonly<Record<string, string>> = {
  "https://x.example.com/charts/index.yaml": `entries:
  web:
  - {version: 2.0.0-rc.1, urls: [web-2.0.0-rc.1.tgz]}
  - {version: 1.2.0, urls: [files/web-1.2.0.tgz], digest: ${sha256Hex(chart)}}
  - {version: 1.1.0, urls: ["https://y.example.com/web-1.1.0.tgz"], digest: "00"}
  - {version: 1.0.0}
`,
  "https://x.example.com/charts/files/web-1.2.0.tgz": "a packed chart",
  "https://x.example.com/charts/web-2.0.0-rc.1.tgz": "a preview",
  "https://y.example.com/web-1.1.0.tgz": "another",
};

async function pull(version: string, name = "web"): Promise<string> {
  const bytes = await pullFromRepository(
    { url: "https://x.example.com/charts", version, name },
    (url) => {
      const text = files[url];
      return text === undefined ? Promise.reject(new Error(`no ${url}`)) : Promise.resolve(encoder.encode(text));
    },
  );
  return new TextDecoder().decode(bytes);
}

Deno.test("pullFromRepository() takes the newest version, one by name, one of a range", async () => {
  assert.equal(await pull(""), "a packed chart");
  assert.equal(await pull("1.2.0"), "a packed chart");
  assert.equal(await pull("^1.0.0"), "a packed chart");
  assert.equal(await pull("2.0.0-rc.1"), "a preview");
  assert.equal(await pull(">0.0.0-0"), "a preview");
});

Deno.test("pullFromRepository() names what is missing and refuses other content than the index says", async () => {
  await assert.rejects(pull("1.1.0"), /digest of chart "web" differs/);
  await assert.rejects(pull("1.0.0"), /no downloadable URLs/);
  await assert.rejects(pull("9.x"), /no version that fits "9.x"/);
  await assert.rejects(pull("", "other"), /chart "other" not found/);
});
