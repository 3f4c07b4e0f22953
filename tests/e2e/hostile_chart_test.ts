/** The real program and a chart that means it ill: it goes on answering, says what is wrong, and serves the others. */
import { equal, match, ok } from "node:assert/strict";
import type { JsonObject } from "../../src/core/json.ts";
import type { ObjectStatus } from "../../src/core/status.ts";
import { condition } from "../../src/core/condition.ts";
import { ociRepository, yamlOf } from "../support/documents.ts";
import { labProgram } from "../support/lab.ts";
import { type LabRegistry, startRegistry } from "../support/lab_registry.ts";
import { Place, until } from "../support/program.ts";
import { fromFileUrl } from "../support/paths.ts";

const isHere = labProgram() !== undefined;

const chartOf = (template: string) => ({
  "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
  "templates/map.yaml": `${template}apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n`,
});

/** Work without end in small pieces: it takes some seconds until a limit is reached. */
const endless = '{{ range 1000000000 }}{{ $x := sha256sum "x" }}{{ end }}\n';

/** Some hundred megabytes that it holds. */
const longTexts = '{{ $all := list }}{{ range 10 }}{{ $all = append $all (upper (repeat 10000000 "é")) }}{{ end }}\n';

const release = (name: string): JsonObject => ({
  apiVersion: "helm.toolkit.fluxcd.io/v2",
  kind: "HelmRelease",
  metadata: { name, namespace: "default" },
  spec: { interval: "1h", chartRef: { kind: "OCIRepository", name } },
});

async function pushed(registry: LabRegistry, name: string, template: string): Promise<readonly JsonObject[]> {
  await registry.push(`${name}:latest`, { files: chartOf(template) });
  const source = ociRepository(name, name, { url: `oci://${registry.host}/${name}`, insecure: true, interval: "1h" });
  return [source, release(name)];
}

async function statusOf(place: Place, name: string): Promise<ObjectStatus | undefined> {
  const { code, stdout } = await place.ask("get", "hr", name, "--output", "json");
  return code === 0 ? (JSON.parse(stdout) as readonly ObjectStatus[])[0] : undefined;
}

const readyOf = (status: ObjectStatus | undefined) =>
  status === undefined ? undefined : condition(status.conditions, "Ready");

Deno.test({
  name: `the daemon answers while a hostile chart is rendered${isHere ? "" : " (skipped: the lab is not here)"}`,
  ignore: !isHere,
  async fn(t) {
    await using registry = await startRegistry();
    await using place = await Place.make();
    const documents = [...await pushed(registry, "hostile", endless), ...await pushed(registry, "good", "")];
    await place.write("all.yaml", yamlOf(...documents));

    await t.step("its status is told meanwhile, and says in the end which limit was reached where", async () => {
      place.start();
      let answers = 0;
      const status = await until(() => statusOf(place, "hostile"), (found) => {
        const ready = readyOf(found);
        if (found !== undefined && ready?.status !== "False") answers++;
        return ready?.status === "False";
      }, { withinMs: 120_000, what: "the end of the render" });
      ok(answers > 0, "nothing was answered while it was rendered");
      const ready = readyOf(status);
      match(ready?.message ?? "", /Cannot finish template "web\/templates\/map\.yaml" at line 1: its? .*more than \d+/);
      equal(ready?.reason, "InstallFailed");
    });

    await t.step("the release beside it stands", async () => {
      await until(() => statusOf(place, "good"), (found) => readyOf(found)?.status === "True");
      ok(Object.keys(await place.files()).some((path) => path.includes("good")));
    });

    await t.step("it ends while one is rendered", async () => {
      equal((await place.end()).code, 0);
      await Deno.remove(`${place.folder}/var`, { recursive: true });
      place.start();
      await until(() => statusOf(place, "good"), (found) => readyOf(found)?.status === "True");
      const { code, log } = await place.end();
      equal(code, 0, log);
    });
  },
});

Deno.test({
  name: `a chart of long texts grows no daemon, and ends with it${isHere ? "" : " (skipped: the lab is not here)"}`,
  ignore: !isHere || Deno.build.os !== "linux",
  async fn() {
    await using registry = await startRegistry();
    await using place = await Place.make();
    await place.write("all.yaml", yamlOf(...await pushed(registry, "good", "")));
    place.start();
    await until(() => statusOf(place, "good"), (found) => readyOf(found)?.status === "True");
    const idle = await residentMb(place.pid);
    await place.write("more.yaml", yamlOf(...await pushed(registry, "hostile", longTexts + endless)));

    let peak = 0;
    const builder = await until(
      async () => {
        peak = Math.max(peak, await residentMb(place.pid));
        const child = await childOf(place.pid);
        return child !== undefined && await residentMb(child) > 300 ? child : undefined;
      },
      (child) => child !== undefined,
      { withinMs: 60_000, what: "a large build process" },
    );
    equal(readyOf(await statusOf(place, "good"))?.status, "True");
    peak = Math.max(peak, await residentMb(place.pid));
    ok(peak < idle + 150, `the daemon grew from ${idle} to ${peak} MB`);

    await place.end("SIGKILL");
    await until(() => residentMb(builder ?? 0), (mb) => mb === 0, { withinMs: 5_000, what: "the end of the process" });
  },
});

Deno.test("template on a hostile chart ends with the signal that asks it to", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pilotfish-hostile-" });
  try {
    await Deno.mkdir(`${folder}/templates`);
    for (const [name, text] of Object.entries(chartOf(endless))) await Deno.writeTextFile(`${folder}/${name}`, text);
    const main = fromFileUrl(new URL("../../main.ts", import.meta.url));
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "--cached-only", "--quiet", main, "template", folder],
        stdout: "null",
        stderr: "null",
      }).spawn();
      // Busy from then on: a render holds the thread until it ends.
      await until(() => busyMs(child.pid), (ms) => ms > 1_500, { what: "work" });
      child.kill(signal);
      equal((await child.status).signal, signal);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Milliseconds of processor time that a process took (Linux; elsewhere it counts as busy). */
async function busyMs(pid: number): Promise<number> {
  try {
    const text = await Deno.readTextFile(`/proc/${pid}/stat`);
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Infinity;
  }
}

/** Megabytes of memory that a process has; 0 when it is not there. */
async function residentMb(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  return Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
}

/** The process that a process started last. */
async function childOf(pid: number): Promise<number | undefined> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`).catch(() => "");
  const child = Number(text.trim().split(" ").at(-1));
  return child > 0 ? child : undefined;
}
