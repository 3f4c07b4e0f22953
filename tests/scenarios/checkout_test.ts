import assert from "node:assert/strict";
import { checkout, ociRepository } from "../support/documents.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;
const key = "Checkout/default/site";

function put(world: World, text: string): void {
  world.registry.put({
    repository: "org/site",
    tag: "latest",
    files: { "public/index.html": text, "public/css/main.css": "body {}\n", "README.md": "none of it\n" },
  });
}

async function siteWorld(world: World, spec: Record<string, unknown> = {}): Promise<World> {
  put(world, "one");
  await world.write(
    "site.yaml",
    ociRepository("site", "org/site"),
    checkout("site", "site", "/srv/site", { subPath: "./public", ...spec }),
  );
  return world;
}

Deno.test("a Checkout switches to each new artifact and tells the workload once", async () => {
  await using world = await siteWorld(new World(), { afterChange: { command: ["nginx", "-s", "reload"] } });
  await world.run();
  assert.deepEqual(await world.files("/srv/site"), { "index.html": "one", "css/main.css": "body {}\n" });
  assert.deepEqual(world.processes, [["nginx", "-s", "reload"]]);
  await world.advance(10 * minuteMs);
  assert.equal(world.processes.length, 1);
  put(world, "two");
  await world.advance(2 * minuteMs);
  assert.equal((await world.files("/srv/site"))["index.html"], "two");
  assert.equal(world.processes.length, 2);
  world.expectReady(key);
  await world.stop();
  await world.run();
  assert.equal(world.processes.length, 2, "a restart changes nothing and tells nothing");
});

Deno.test("a failing command is said and tried again alone, and not after it worked", async () => {
  let code = 1;
  const world = new World({
    runProcess: () => Promise.resolve({ code, stdout: "", stderr: "nginx: configuration is broken" }),
  });
  await using running = await siteWorld(world, { afterChange: { command: ["nginx", "-t"] } });
  await running.run();
  assert.equal((await running.files("/srv/site"))["index.html"], "one");
  assert.equal(running.ready(key).status, "False");
  assert.match(running.ready(key).message, /configuration is broken/);
  const tries = running.processes.length;
  await running.advance(5 * minuteMs);
  assert.ok(running.processes.length > tries);
  await running.stop();
  code = 0;
  await running.run();
  running.expectReady(key);
  const done = running.processes.length;
  await running.advance(30 * minuteMs);
  assert.equal(running.processes.length, done);
});

Deno.test("a removed Checkout takes its files along", async () => {
  await using world = await siteWorld(new World());
  await world.run();
  await world.write("site.yaml", ociRepository("site", "org/site"));
  await world.reload();
  assert.deepEqual(world.disk.paths().filter((path) => path.startsWith("/srv/")), []);
});

Deno.test("a Checkout never replaces files that are not its own", async () => {
  await using world = await siteWorld(new World());
  await world.fileSystem.makeFolder("/srv/site");
  await world.fileSystem.writeAtomic("/srv/site/precious.txt", "mine");
  await world.run();
  assert.equal(world.ready(key).status, "False");
  assert.deepEqual(await world.files("/srv/site"), { "precious.txt": "mine" });
  await world.write("site.yaml", ociRepository("site", "org/site"));
  await world.reload();
  assert.deepEqual(await world.files("/srv/site"), { "precious.txt": "mine" });
});

Deno.test("a Checkout of one file keeps it byte for byte", async () => {
  await using world = new World();
  const bytes = new TextEncoder().encode("binary\0content");
  world.registry.put({ repository: "org/tool", tag: "latest", bytes, mediaType: "application/x-tool" });
  await world.write(
    "tool.yaml",
    ociRepository("tool", "org/tool", { layerSelector: { mediaType: "application/x-tool", operation: "copy" } }),
    checkout("tool", "tool", "/opt/tool", { mode: { files: "0755" } }),
  );
  await world.run();
  world.expectReady("Checkout/default/tool");
  assert.deepEqual(await world.fileSystem.read("/opt/tool"), bytes);
  assert.equal((await world.fileSystem.stat("/opt/tool"))?.mode, 0o755);
});
