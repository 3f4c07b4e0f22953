import assert from "node:assert/strict";

import { httpFiles } from "../../src/app/http_files.ts";
import type { Network } from "../../src/core/network.ts";

function filesOf(answer: Network) {
  return httpFiles({ connect: () => ({ send: answer, [Symbol.dispose]: () => {} }) });
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("httpFiles() reads a file and follows redirects, but none to plain http", async () => {
  const files = filesOf(({ url }) => {
    if (url.endsWith("/moved")) return new Response(null, { status: 302, headers: { location: "/a.yaml" } });
    if (url.endsWith("/down")) {
      return new Response(null, { status: 301, headers: { location: "http://x.example.com/a.yaml" } });
    }
    if (url.endsWith("/loop")) return new Response(null, { status: 302, headers: { location: "/loop" } });
    return new Response(`from ${url}`);
  });
  const limits = { limitBytes: 100 };
  assert.equal(text(await files("https://x.example.com/a.yaml", limits)), "from https://x.example.com/a.yaml");
  assert.equal(text(await files("https://x.example.com/moved", limits)), "from https://x.example.com/a.yaml");
  await assert.rejects(files("https://x.example.com/down", limits), /refusing its redirect to "http:/);
  await assert.rejects(files("https://x.example.com/loop", limits), /redirected more than 5 times/);
});

Deno.test("httpFiles() bounds the size and names what the host answered", async () => {
  const files = filesOf(({ url }) =>
    url.endsWith("/big") ? new Response("x".repeat(101)) : new Response("", { status: 404 })
  );
  await assert.rejects(files("http://x.example.com/big", { limitBytes: 100 }), /has more than 100 bytes/);
  await assert.rejects(files("http://x.example.com/gone", { limitBytes: 100 }), /answered 404/);
});
