/** Holds the shape: which room may import which, and no cycles (ARCHITECTURE.md, "Rooms"). */
import { deepEqual, equal } from "node:assert/strict";
import { fromFileUrl, relative } from "./support/paths.ts";

interface Dependency {
  readonly specifier: string;
  readonly isDynamic?: boolean;
  readonly code?: { readonly specifier?: string };
  readonly type?: { readonly specifier?: string };
}
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly Dependency[];
}

const root = fromFileUrl(new URL("..", import.meta.url));

/** Rooms that a room may import from, beside itself and packages. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  format: ["core"],
  platform: ["core"],
  config: ["core", "format"],
  source: ["core", "format"],
  build: ["core", "format"],
  target: ["core", "format"],
  report: ["core", "format"],
  reconcile: ["core", "format"],
  cli: ["core", "format", "app"],
  app: ["core", "format", "platform", "config", "source", "build", "target", "report", "reconcile"],
  main: ["cli", "app", "core"],
};

function roomOf(path: string): string {
  if (path === "main.ts") return "main";
  if (path === "src/app.ts" || path === "src/build_worker.ts") return "app";
  return path.split("/")[1] ?? path;
}

async function infoOf(entry: string): Promise<readonly Module[]> {
  const args = ["info", "--json", entry];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: root, stderr: "inherit" }).output();
  return (JSON.parse(new TextDecoder().decode(stdout)) as { readonly modules: readonly Module[] }).modules;
}

/** Everything that is loaded before a module runs, by what imports it: files, packages, `node:` modules. */
async function loadedWith(entry: string): Promise<Map<string, string>> {
  const modules = new Map((await infoOf(entry)).map((module) => [module.specifier, module]));
  const loaded = new Map<string, string>();
  const visit = (specifier: string, from: string): void => {
    if (loaded.has(specifier)) return;
    loaded.set(specifier, from);
    for (const { code, isDynamic } of modules.get(specifier)?.dependencies ?? []) {
      if (code?.specifier !== undefined && isDynamic !== true) visit(code.specifier, specifier);
    }
  };
  visit(new URL(`../${entry}`, import.meta.url).href, "");
  return loaded;
}

/** Imports by file; `values` are those that exist when the program runs (`import type` does not). */
async function graphOf(entry: string): Promise<{ all: Map<string, string[]>; values: Map<string, string[]> }> {
  const all = new Map<string, string[]>();
  const values = new Map<string, string[]>();
  for (const module of await infoOf(entry)) {
    if (!module.specifier.startsWith("file:")) continue;
    const from = pathOf(module.specifier) ?? "";
    const dependencies = module.dependencies ?? [];
    all.set(from, dependencies.flatMap(({ code, type }) => pathOf(code?.specifier ?? type?.specifier) ?? []));
    values.set(from, dependencies.flatMap(({ code }) => pathOf(code?.specifier) ?? []));
  }
  return { all, values };
}

function pathOf(specifier: string | undefined): string | undefined {
  return specifier?.startsWith("file:") ? relative(root, fromFileUrl(new URL(specifier))) : undefined;
}

function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (node: string): string[] => {
    if (done.has(node)) return [];
    const start = trail.indexOf(node);
    if (start >= 0) return [...trail.slice(start), node];
    trail.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle.length > 0) return cycle;
    }
    trail.pop();
    done.add(node);
    return [];
  };
  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

const graph = await graphOf("main.ts");

Deno.test("rooms import only what the table allows", () => {
  const wrong = [...graph.all].flatMap(([from, targets]) =>
    targets
      .filter((to) => roomOf(from) !== roomOf(to) && !(allowed[roomOf(from)] ?? []).includes(roomOf(to)))
      .map((to) => `${from} -> ${to}`)
  );

  deepEqual(wrong, []);
});

Deno.test("there is no cycle of imports that exist at run time", () => {
  deepEqual(findCycle(graph.values), []);
});

Deno.test("core imports no package, but for types", async () => {
  const wrong: string[] = [];
  for await (const entry of Deno.readDir(`${root}/src/core`)) {
    const text = await Deno.readTextFile(`${root}/src/core/${entry.name}`);
    for (const match of text.matchAll(/^(?:im|ex)port (?!type )[^"]*from "([^"]+)"/gm)) {
      const name = match[1] ?? "";
      if (!name.startsWith("./")) wrong.push(`${entry.name}: ${name}`);
    }
  }

  deepEqual(wrong, []);
});

for (
  const [entry, packages] of [
    ["main.ts", []],
    ["src/app/build_command.ts", []],
    ["src/app/template_command.ts", ["js-yaml"]],
  ] as const
) {
  Deno.test(`${entry} starts without node: modules and packages, but for [${packages.join(", ")}]`, async () => {
    const outside = [...await loadedWith(entry)].filter(([specifier]) => !specifier.startsWith("file:"));
    const wrong = outside.filter(([specifier]) =>
      !packages.some((name) => specifier.replace("npm:/", "npm:").startsWith(`npm:${name}@`))
    );

    deepEqual(wrong, []);
  });
}

/** Files that catch around `withModules`, or what asks for none: downloads, decryption. */
const aroundModules = [
  "build/kustomize/build_command.ts",
  "build/kustomize/kustomize.ts",
  "build/kustomize/kustomization_builder.ts",
  "build/helm/command/command_cluster.ts",
  "build/helm/command/render_release.ts",
];

Deno.test("no catch on the way of work that may ask for a module keeps what asks for it", async () => {
  const modules = new Map((await infoOf("main.ts")).map((module) => [module.specifier, module]));
  const asking = new Map<string, boolean>();
  const asks = (specifier: string): boolean => {
    const known = asking.get(specifier);
    if (known !== undefined) return known;
    const isList = /\/(?:template|build)_modules\.ts$/.test(specifier);
    asking.set(specifier, isList);
    const isAsking = isList ||
      (modules.get(specifier)?.dependencies ?? []).some(({ code, isDynamic }) =>
        code?.specifier !== undefined && isDynamic !== true && asks(code.specifier)
      );
    asking.set(specifier, isAsking);
    return isAsking;
  };
  const files = [...modules.keys()].filter((name) => name.includes("/src/build/") && asks(name));
  const wrong: string[] = [];
  for (const name of files.filter((file) => !aroundModules.some((other) => file.endsWith(other)))) {
    const text = await Deno.readTextFile(new URL(name));
    for (const match of text.matchAll(/^( *)\} catch (?:\(\w+\) )?\{\n([^]*?)\n\1\}/gm)) {
      // Whatever it names, the rest goes on: `wrapFault` and `textFault` let pass what asks for a module.
      if (/ instanceof |\b(?:wrapFault|textFault|asBuildError)\(|throw error;/.test(match[2] ?? "")) continue;
      wrong.push(`${pathOf(name)}:${text.slice(0, match.index).split("\n").length}`);
    }
  }

  equal(files.length > 20, true);
  deepEqual(wrong, []);
});
