import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import type { JsonObject } from "../../../src/core/json.ts";
import type { KubeRequest } from "../../../src/core/kube_api.ts";
import { KubeError } from "../../../src/core/kube_api.ts";
import type { Network } from "../../../src/core/network.ts";
import type { KubeClientOptions } from "../../../src/platform/kube/kube_client.ts";
import { kubeClient } from "../../../src/platform/kube/kube_client.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const get: KubeRequest = { method: "GET", path: "/api/v1/namespaces" };
const apply: KubeRequest = {
  method: "PATCH",
  path: "/api/v1/namespaces/d/configmaps/a",
  contentType: "application/apply-patch+yaml",
  body: {},
};

function client(network: Network, options: Partial<KubeClientOptions> = {}) {
  const clock = new FakeClock();
  const api = kubeClient({
    server: "https://host",
    namespace: "d",
    network,
    clock,
    random: { next: () => 1, bytes: (length) => new Uint8Array(length) },
    authorize: () => Promise.resolve({ authorization: "Bearer t" }),
    ...options,
  });
  const run = async <Result>(work: Promise<Result>): Promise<Result> => {
    let isDone = false;
    work.catch(() => {}).finally(() => isDone = true);
    for (let turn = 0; turn < 1_000 && !isDone; turn++) await clock.advance(100);
    return await work;
  };
  return { api, clock, run };
}

function status(code: number, reason: string, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ kind: "Status", code, reason, message }, { status: code, headers });
}

Deno.test("send() asks with the account's headers and the query", async () => {
  const seen: Request[] = [];
  const { api } = client((request) => {
    seen.push(request);
    return Response.json({ kind: "List" });
  });

  await api.send({ ...apply, query: { fieldManager: "m", force: "true" } });

  equal(seen[0]?.url, "https://host/api/v1/namespaces/d/configmaps/a?fieldManager=m&force=true");
  equal(seen[0]?.headers.get("authorization"), "Bearer t");
  equal(seen[0]?.headers.get("content-type"), "application/apply-patch+yaml");
});

Deno.test("send() waits as long as Retry-After says and halves what it sends at once", async () => {
  let count = 0;
  const { api, clock, run } = client(() =>
    ++count === 1 ? status(429, "TooManyRequests", "slow down", { "retry-after": "7" }) : Response.json({})
  );

  await run(api.send({ method: "POST", path: "/x", body: {} }));

  equal(count, 2);
  ok(clock.monotonic() >= 7_000);
});

Deno.test("send() repeats what does no harm twice, and nothing else", async () => {
  for (const [request, wanted] of [[get, 5], [apply, 5], [{ method: "POST", path: "/x", body: {} }, 1]] as const) {
    let count = 0;
    const { api, run } = client(() => {
      count++;
      throw new TypeError("connection refused");
    });
    await rejects(run(api.send(request)), /Cannot reach API server "https:\/\/host": connection refused/);
    equal(count, wanted, request.method);
  }
});

Deno.test("send() gives up after its timeout and when it is aborted", async () => {
  const never: Network = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  let silences = 0;
  const { api, run } = client(never, { tries: 1, onSilence: () => silences++ });

  await rejects(run(api.send({ ...get, timeoutMs: 2_000 })), /no answer within 2 s/);
  equal(silences, 1);
  const stop = new AbortController();
  const sent = api.send(get, stop.signal);
  stop.abort(new Error("stopped"));
  await rejects(sent, /stopped/);
});

Deno.test("send() reads the token again after a 401, once", async () => {
  const asked: boolean[] = [];
  const { api, run } = client(
    ({ headers }) =>
      headers.get("authorization") === "new" ? Response.json({}) : status(401, "Unauthorized", "Unauthorized"),
    {
      authorize: (isRefused) => {
        asked.push(isRefused);
        return Promise.resolve({ authorization: isRefused ? "new" : "old" });
      },
    },
  );

  await run(api.send(get));

  deepEqual(asked, [false, true]);
});

Deno.test("send() keeps every digit of long numbers", async () => {
  const bodies: string[] = [];
  const { api } = client(async (request) => {
    bodies.push(await request.text());
    return new Response('{"big":9007199254740993,"small":1}');
  });

  const answer = await api.send({ ...apply, body: { big: 9007199254740993n } });

  equal(answer.big, 9007199254740993n);
  equal(bodies[0], '{"big":9007199254740993}');
});

Deno.test("as() acts as another user, never as nobody", async () => {
  const seen: (string | null)[] = [];
  const { api } = client(({ headers }) => {
    seen.push(headers.get("impersonate-user"), headers.get("impersonate-group"));
    return Response.json({});
  }, { authorize: () => Promise.resolve({ "impersonate-user": "self", "impersonate-group": "admins" }) });

  await api.as("system:serviceaccount:d:a").send(get);

  deepEqual(seen, ["system:serviceaccount:d:a", null]);
  throws(() => api.as(""), KubeError);
});

Deno.test("send() names each group to act as in a line of its own", async () => {
  const lines: string[] = [];
  const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answer = (async () => {
    using socket = await server.accept();
    const bytes = new Uint8Array(8192);
    const size = await socket.read(bytes) ?? 0;
    lines.push(...new TextDecoder().decode(bytes.subarray(0, size)).split("\r\n"));
    await socket.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"));
  })();
  const { api } = client(fetch, {
    server: `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`,
    authorize: () => Promise.resolve({ "impersonate-user": "u", "impersonate-group": "a, b" }),
  });

  await api.send(get);
  await answer;
  server.close();

  deepEqual(lines.filter((line) => line.startsWith("impersonate-group")), [
    "impersonate-group: a",
    "impersonate-group: b",
  ]);
});

Deno.test("errors of a Secret hold none of its values", async () => {
  const value = "hunter22";
  const encoded = btoa(value);
  const texts = [
    `Secret "s" is invalid: data[k]: Invalid value: "${encoded}": too long`,
    `failed to create typed patch object (d/s; /v1, Kind=Secret): .data.k: expected string, got &value.valueUnstructured{Value:4711}`,
    `admission webhook "w" denied the request: ${value} is weak`,
  ];
  for (const text of texts) {
    const { api } = client(() =>
      Response.json({ message: text, reason: "Invalid", details: { causes: [{ field: "data", message: text }] } }, {
        status: 422,
      })
    );
    const body: JsonObject = { kind: "Secret", data: { k: encoded, n: 4711 }, stringData: { s: value } };
    await rejects(api.send({ ...apply, body }), (error: KubeError) => {
      const shown = JSON.stringify([error.message, error.causes, String(error.cause)]);
      ok(!shown.includes(value) && !shown.includes(encoded) && !shown.includes("4711"), shown);
      return true;
    });
  }
});

Deno.test("errors carry reason, causes and code", async () => {
  const { api } = client(() =>
    Response.json({
      message: "is invalid",
      reason: "Invalid",
      details: { causes: [{ reason: "FieldValueInvalid", field: "spec.a", message: "field is immutable" }] },
    }, { status: 422 })
  );

  await rejects(api.send(get), (error: KubeError) => {
    deepEqual([error.code, error.reason, error.causes[0]?.field], [422, "Invalid", "spec.a"]);
    return true;
  });
  const { api: odd } = client(() => new Response("<html>", { status: 200 }));
  await rejects(odd.send(get), /it must be a JSON object, it starts with "<html>"/);
});

Deno.test("watch() yields lines however they are cut, and ends with the body", async () => {
  const text = ["a", "ü", "c"].map((name) =>
    `${JSON.stringify({ type: "ADDED", object: { metadata: { name, resourceVersion: "1" } } })}\n`
  ).join("");
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 7, bytes.length]) {
    const { api } = client(() =>
      new Response(
        new ReadableStream({
          start(controller) {
            for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
            controller.close();
          },
        }),
      )
    );
    const names: unknown[] = [];
    const { signal } = new AbortController();
    for await (const event of api.watch({ path: "/x", resourceVersion: "1" }, signal)) {
      names.push(event.object.metadata.name);
    }
    deepEqual(names, ["a", "ü", "c"]);
  }
});

Deno.test("watch() ends when the server is silent for too long, and throws what the server says", async () => {
  let isCancelled = false;
  const { api, run } = client(() => new Response(new ReadableStream({ cancel: () => void (isCancelled = true) })), {
    watchSilenceMs: 5_000,
  });
  const { signal } = new AbortController();
  const silent = (async () => {
    for await (const _ of api.watch({ path: "/x", resourceVersion: "1" }, signal)) throw new Error("there is nothing");
  })();
  await run(silent);
  ok(isCancelled);

  const { api: gone } = client(() => new Response('{"type":"ERROR","object":{"code":410,"reason":"Expired"}}\n'));
  await rejects(async () => {
    for await (const _ of gone.watch({ path: "/x", resourceVersion: "1" }, signal)) throw new Error("there is nothing");
  }, (error: KubeError) => error.code === 410);
});
