import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import * as net from "node:net";
import { messageOf } from "../../src/core/stage_error.ts";
import { denoConnect, denoLookup } from "../../src/platform/deno_network.ts";
import { openNodeNetwork } from "../../src/platform/node_network.ts";
import { ownVectors } from "../support/paths.ts";

const pem = (name: string) => Deno.readTextFileSync(`${ownVectors}/registry/tls/${name}`);

async function listen(server: http.Server): Promise<{ readonly port: number; close(): Promise<void> }> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function echo(request: http.IncomingMessage, response: http.ServerResponse): void {
  const chunks: Uint8Array[] = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    if (request.url === "/unchanged") return void response.writeHead(304).end();
    if (request.url === "/refused") response.statusCode = 401;
    response.setHeader("www-authenticate", ["Basic realm=a", "Bearer realm=b"]);
    const text = `${request.method} ${request.url} ${Buffer.concat(chunks)}`;
    response.setHeader("content-length", text.length);
    response.end(text);
  });
}

const untracked = { sanitizeOps: false, sanitizeResources: false };

Deno.test("denoConnect() trusts an authority of its own beside the host's", async () => {
  const server = await listen(https.createServer({ cert: pem("server.crt"), key: pem("server.key") }, echo));
  try {
    using trusting = denoConnect({ caCerts: [pem("ca.crt")] });
    const answer = await trusting.send(new Request(`https://127.0.0.1:${server.port}/x`));
    equal(await answer.text(), "GET /x ");

    using plain = denoConnect({});
    await rejects(
      async () => await plain.send(new Request(`https://127.0.0.1:${server.port}/x`)),
      (error) => /UnknownIssuer|certificate/i.test(messageOf(error)),
    );
  } finally {
    await server.close();
  }
});

Deno.test("denoConnect() shows a client certificate", async () => {
  const server = await listen(https.createServer({
    cert: pem("server.crt"),
    key: pem("server.key"),
    ca: pem("ca.crt"),
    requestCert: true,
    rejectUnauthorized: true,
  }, echo));
  try {
    using network = denoConnect({
      caCerts: [pem("ca.crt")],
      clientCert: { cert: pem("client.crt"), key: pem("client.key") },
    });
    equal(await (await network.send(new Request(`https://127.0.0.1:${server.port}/`))).text(), "GET / ");
  } finally {
    await server.close();
  }
});

Deno.test(
  "denoConnect() with skipVerify accepts any certificate, streams both ways and reuses its connection",
  untracked,
  async () => {
    let connections = 0;
    const inner = https.createServer({ cert: pem("server.crt"), key: pem("server.key") }, echo);
    inner.on("secureConnection", () => connections++);
    const server = await listen(inner);
    try {
      using network = denoConnect({ skipVerify: true });
      for (let round = 0; round < 3; round++) {
        const answer = await network.send(
          new Request(`https://127.0.0.1:${server.port}/x?y=1`, { method: "PUT", body: "hello" }),
        );
        equal(await answer.text(), "PUT /x?y=1 hello");
        equal(answer.headers.get("www-authenticate"), "Basic realm=a, Bearer realm=b");
      }
      for (let round = 0; round < 3; round++) {
        const head = await network.send(new Request(`https://127.0.0.1:${server.port}/x`, { method: "HEAD" }));
        equal(head.body, null);
      }
      const at = { headers: { "if-none-match": "1" } };
      equal((await network.send(new Request(`https://127.0.0.1:${server.port}/unchanged`, at))).status, 304);
      const refused = await network.send(new Request(`https://127.0.0.1:${server.port}/refused`));
      equal(await refused.text(), "GET /refused ");
      equal(connections, 1);
    } finally {
      await server.close();
    }
  },
);

Deno.test("denoConnect() never follows a redirect", async () => {
  const server = await listen(http.createServer((_, response) => {
    response.writeHead(307, { location: "/elsewhere" }).end();
  }));
  try {
    using network = denoConnect({});
    const answer = await network.send(new Request(`http://127.0.0.1:${server.port}/`));
    equal(answer.status, 307);
    equal(answer.headers.get("location"), "/elsewhere");
    await answer.body?.cancel();
  } finally {
    await server.close();
  }
});

Deno.test("denoConnect() reaches ports that fetch refuses", untracked, async () => {
  const server = http.createServer(echo);
  const port = await new Promise<number | undefined>((resolve) => {
    server.on("error", () => resolve(undefined));
    server.listen(6669, "127.0.0.1", () => resolve(6669));
  });
  if (port === undefined) return;
  try {
    using network = denoConnect({});
    equal(await (await network.send(new Request(`http://127.0.0.1:${port}/a`))).text(), "GET /a ");
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

Deno.test(
  "openNodeNetwork() goes through a proxy's tunnel, with its login, unless NO_PROXY names the host",
  untracked,
  async () => {
    const server = await listen(https.createServer({ cert: pem("server.crt"), key: pem("server.key") }, echo));
    const asked: string[] = [];
    const tunnels: net.Socket[] = [];
    const proxy = http.createServer();
    proxy.on("connect", (request: http.IncomingMessage, socket: net.Socket) => {
      asked.push(`${request.url} ${request.headers["proxy-authorization"] ?? ""}`);
      const onward = net.connect(server.port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        onward.pipe(socket);
        socket.pipe(onward);
      });
      tunnels.push(socket, onward);
      onward.on("error", () => socket.destroy());
      socket.on("error", () => onward.destroy());
    });
    const middle = await listen(proxy);
    const environment = (values: Record<string, string>) => (name: string) => values[name];
    try {
      const variables = { HTTPS_PROXY: `http://me:secret@127.0.0.1:${middle.port}` };
      using through = openNodeNetwork({ skipVerify: true }, environment(variables));
      const url = `https://127.0.0.1:${server.port}/x`;
      equal(await (await through.send(new Request(url, { headers: { connection: "close" } }))).text(), "GET /x ");
      deepEqual(asked, [`127.0.0.1:${server.port} Basic ${btoa("me:secret")}`]);

      using exempt = openNodeNetwork(
        { skipVerify: true },
        environment({ ...variables, NO_PROXY: "a.test, 127.0.0.0/8" }),
      );
      equal(await (await exempt.send(new Request(url))).text(), "GET /x ");
      equal(asked.length, 1);
    } finally {
      // The runtime's server keeps tunnelled connections: their end is not waited for.
      for (const tunnel of tunnels) tunnel.destroy();
      void middle.close();
      void server.close();
    }
  },
);

Deno.test("openNodeNetwork() says what went wrong, and stops when told", untracked, async () => {
  const server = await listen(http.createServer(() => {}));
  try {
    using network = openNodeNetwork({}, () => undefined);
    const stop = new AbortController();
    const waiting = Promise.resolve(
      network.send(new Request(`http://127.0.0.1:${server.port}/`, { signal: stop.signal })),
    );
    setTimeout(() => stop.abort(new Error("enough")), 10);
    await rejects(waiting, (error) => /enough/.test(messageOf(error)));
    await server.close();
    await rejects(
      async () => await network.send(new Request(`http://127.0.0.1:${server.port}/`)),
      (error) => {
        match(messageOf(error), /ECONNREFUSED/);
        return true;
      },
    );
  } finally {
    await server.close();
  }
});

Deno.test("denoLookup() gives literals back", async () => {
  deepEqual(await denoLookup("127.0.0.1"), ["127.0.0.1"]);
  deepEqual(await denoLookup("[::1]"), ["::1"]);
});
