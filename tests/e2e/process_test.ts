/** The real program as a process: signals, a halt, and a machine that gives it little. */
import { deepEqual, equal, match } from "node:assert/strict";
import { kustomization, ociRepository, yamlOf } from "../support/documents.ts";
import { fromFileUrl } from "../support/paths.ts";
import { Place, until } from "../support/program.ts";

const artifacts = fromFileUrl(new URL("../../examples/artifacts", import.meta.url));

function documents(...names: readonly string[]): string {
  const local = { url: `oci-layout://${artifacts}`, ref: { tag: "stable" }, interval: "1s" };
  return yamlOf(...names.flatMap((name) => [
    ociRepository(name, name, local),
    kustomization(name, name, {
      path: "./overlays/edge",
      targetNamespace: name,
      postBuild: { substitute: { place: "here" } },
    }),
  ]));
}

/** Waits until each of these has its resources in the target, and nobody else. */
async function untilStanding(place: Place, ...names: readonly string[]): Promise<void> {
  const namespacesIn = async () =>
    [...new Set(Object.values(await place.files()).map((text) => /^ {2}namespace: (\S+)/m.exec(text)?.[1] ?? ""))]
      .sort();
  await until(namespacesIn, (found) => found.filter((name) => name !== "").join() === names.join(), {
    what: names.join(),
  });
}

Deno.test("the daemon goes on where it was after it was halted and continued", async () => {
  await using place = await Place.make();
  await place.write("a.yaml", documents("a"));
  place.start();
  await untilStanding(place, "a");
  place.signal("SIGSTOP");
  await place.write("b.yaml", documents("b"));
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  place.signal("SIGCONT");
  await untilStanding(place, "a", "b");
  equal((await place.end()).code, 0);
});

Deno.test("the daemon reads its documents again on SIGHUP, and ends with 0 on SIGINT", async () => {
  await using place = await Place.make();
  await place.write("a.yaml", documents("a"));
  place.start();
  await untilStanding(place, "a");
  place.signal("SIGHUP");
  await place.write("a.yaml", documents("c"));
  place.signal("SIGHUP");
  await untilStanding(place, "c");
  const { code } = await place.end("SIGINT");
  equal(code, 0);
});

Deno.test("a second signal ends the daemon at once, whatever it waits for; the next start goes on", async () => {
  await using place = await Place.make();
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const held: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of silent) held.push(connection);
  })();
  const url = `oci://127.0.0.1:${silent.addr.port}/app`;
  await place.write("a.yaml", yamlOf(ociRepository("slow", "app", { url, insecure: true, timeout: "5m" })));
  place.start();
  await until(() => Promise.resolve(held.length), (count) => count > 0, { what: "a request that is never answered" });
  await until(() => place.signalled("SIGTERM"), (isThere) => !isThere, { what: "the end" });
  equal((await place.end()).code, 130);
  silent.close();
  for (const connection of held) connection.close();
  await accepting;
  await place.write("a.yaml", documents("a"));
  place.start();
  await untilStanding(place, "a");
  deepEqual(await place.unfinished(), []);
});

Deno.test("the program says it when it may open too few files, and finishes with enough of them", async () => {
  await using place = await Place.make();
  const names = Array.from({ length: 12 }, (_, index) => `n${index}`).sort();
  await place.write("a.yaml", documents(...names));
  const refused = await place.workWithin(26, "once");
  equal(refused.code, 1);
  match(refused.stderr + refused.stdout, /Too many open files/);
  deepEqual(await place.unfinished(), []);
  const enough = await place.workWithin(256, "once");
  equal(enough.code, 0, enough.stderr);
  await untilStanding(place, ...names);
});
