import { equal, rejects } from "node:assert/strict";
import { serveUnix, unixNetwork } from "../../src/platform/deno_server.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function answerAt(path: string): Promise<string> {
  using network = unixNetwork(path);
  return await (await network.send(new Request("http://localhost/"))).text();
}

Deno.test("serveUnix() answers on a socket that only its owner may open, and takes it away at the end", () =>
  inFolder(async (folder) => {
    const path = `${folder}/control.sock`;
    const server = await serveUnix(() => new Response("here"), path);

    equal(await answerAt(path), "here");
    equal(((await Deno.lstat(path)).mode ?? 0) & 0o777, 0o600);
    await server.close(0);
    await rejects(Deno.lstat(path), Deno.errors.NotFound);
  }));

Deno.test("serveUnix() replaces the socket of a dead process, and nothing else", () =>
  inFolder(async (folder) => {
    const dead = `${folder}/dead.sock`;
    const script = `Deno.listen({ transport: "unix", path: ${JSON.stringify(dead)} }); Deno.kill(Deno.pid, "SIGKILL");`;
    await new Deno.Command(Deno.execPath(), { args: ["eval", script] }).output();
    equal((await Deno.lstat(dead)).isSocket, true);
    const server = await serveUnix(() => new Response("anew"), dead);
    equal(await answerAt(dead), "anew");

    await rejects(serveUnix(() => new Response("second"), dead), /another program/);
    equal(await answerAt(dead), "anew");
    await server.close(0);
    const file = `${folder}/notes.txt`;
    await Deno.writeTextFile(file, "mine");
    await rejects(serveUnix(() => new Response("no"), file), /no socket/);
    equal(await Deno.readTextFile(file), "mine");
  }));
