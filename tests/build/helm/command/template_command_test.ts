import { strict as assert } from "node:assert";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import type { FileSystem } from "../../../../src/core/file_system.ts";
import { runTemplate } from "../../../../src/build/helm/command/template_command.ts";
import type { TemplateDoors } from "../../../../src/build/helm/command/template_call.ts";
import { FlagError } from "../../../../src/build/helm/command/flag_value.ts";
import { parseFlags } from "../../../../src/build/helm/command/parse_flags.ts";
import { seededRandom } from "../../../../src/build/helm/release/seeded_random.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { tarOf } from "../../../support/tar_of.ts";

const chartFile = "apiVersion: v2\nname: app\nversion: 1.0.0\n";
const template =
  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {v: {{ toJson .Values | quote }}}\n";

/** Files of a literal, read only. */
function filesOf(files: Readonly<Record<string, string>>): FileSystem {
  const folderOf = (path: string) => Object.keys(files).some((file) => file.startsWith(`${path}/`));
  const reading: Partial<FileSystem> = {
    stat: (path) =>
      Promise.resolve(
        path in files
          ? { kind: "file", sizeBytes: files[path]?.length ?? 0, mode: 0o644, modifiedAt: 0 }
          : folderOf(path)
          ? { kind: "folder", sizeBytes: 0, mode: 0o755, modifiedAt: 0 }
          : undefined,
      ),
    read: (path) => Promise.resolve(path in files ? new TextEncoder().encode(files[path]) : undefined),
    list(path) {
      if (!folderOf(path)) return Promise.resolve(undefined);
      const names = new Map<string, "file" | "folder">();
      for (const file of Object.keys(files)) {
        if (!file.startsWith(`${path}/`)) continue;
        const [name, ...rest] = file.slice(path.length + 1).split("/") as [string, ...string[]];
        names.set(name, rest.length === 0 ? "file" : "folder");
      }
      return Promise.resolve([...names].map(([name, kind]) => ({ name, kind })));
    },
  };
  return reading as FileSystem;
}

function doors(files: Readonly<Record<string, string>>, extra: Partial<TemplateDoors> = {}): TemplateDoors {
  return { files: filesOf(files), clock: new FakeClock(), random: seededRandom("test"), ...extra };
}

const chart = { "c/Chart.yaml": chartFile, "c/templates/a.yaml": template };

Deno.test("runTemplate() reads values from standard input", async () => {
  const outcome = await runTemplate(["rel", "c", "-f", "-"], {
    ...doors(chart),
    readStdin: () => Promise.resolve(new TextEncoder().encode("a: b\n")),
  });
  assert.equal(outcome.exitCode, 0);
  assert.match(outcome.stdout, /\{\\"a\\":\\"b\\"\}/);
});

Deno.test("runTemplate() pulls charts of registries through its door", async () => {
  const asked: unknown[] = [];
  const packed = gzipSync(new Uint8Array(1024));
  const outcome = await runTemplate(["rel", "oci://registry/chart", "--version", "1.x", "--plain-http"], {
    ...doors({}),
    pullChart: (reference) => {
      asked.push(reference);
      return Promise.resolve({ bytes: packed, name: "registry/chart:1.0.0_a", digest: "sha256:1" });
    },
  });
  assert.deepEqual(asked, [{
    url: "oci://registry/chart",
    version: "1.x",
    plainHttp: true,
    insecureSkipTlsVerify: false,
  }]);
  assert.equal(outcome.stderr, "Error: unable to load chart archive\n");
  assert.match(
    outcome.stdout,
    /^Pulled: registry\/chart:1\.0\.0_a\nDigest: sha256:1\nregistry\/chart:1\.0\.0_a contains an under/,
  );
  const without = await runTemplate(["rel", "oci://registry/chart"], doors({}));
  assert.equal(without.stderr, 'Error: cannot pull "oci://registry/chart": no registry client is configured\n');
});

Deno.test("runTemplate() fetches missing dependencies of folders and leaves the chart as it is", async () => {
  const files = {
    "c/Chart.yaml": `${chartFile}dependencies: [{name: s, version: 1.0.0, repository: "file://../s"}]\n`,
    "s/Chart.yaml": "apiVersion: v2\nname: s\nversion: 1.0.0\n",
    "s/templates/s.yaml": template,
    "c/../s/Chart.yaml": "apiVersion: v2\nname: s\nversion: 1.0.0\n",
    "c/../s/templates/s.yaml": template,
  };
  assert.match((await runTemplate(["rel", "c"], doors(files))).stderr, /missing in charts\/ directory: s/);
  const outcome = await runTemplate(["rel", "c", "--dependency-update"], doors(files));
  assert.equal(outcome.stderr, "");
  assert.match(outcome.stdout, /# Source: app\/charts\/s\/templates\/s.yaml/);
});

Deno.test("runTemplate() fetches all dependencies anew, as registries are to be talked to", async () => {
  const bytes = gzipSync(tarOf([{ path: "s/Chart.yaml", content: "apiVersion: v2\nname: s\nversion: 1.5.0\n" }]));
  const files = {
    ...chart,
    "c/Chart.yaml": `${chartFile}dependencies:\n- {name: s, version: 1.x, repository: "oci://r/charts/"}\n` +
      '- {name: s, alias: t, version: 1.x, repository: "oci://r/charts/"}\n' +
      '- {name: f, version: 1.x, repository: "file:///f"}\n',
    "c/charts/s/Chart.yaml": "apiVersion: v2\nname: s\nversion: 1.0.0\n",
    "c/templates/a.yaml": "apiVersion: v1\nkind: {{ .Subcharts.t.Chart.Version }} {{ .Subcharts.s.Chart.Version }}\n",
    "/f/Chart.yaml": "apiVersion: v2\nname: f\nversion: 1.0.0\n",
  };
  const asked: unknown[] = [];
  const outcome = await runTemplate(["rel", "c", "--dependency-update", "--plain-http", "--username=u"], {
    ...doors(files),
    pullChart: (reference) => {
      asked.push(reference);
      return Promise.resolve({ bytes, name: "r/charts/s:1.5.0", digest: "sha256:1" });
    },
  });

  const reference = { plainHttp: true, insecureSkipTlsVerify: false, username: "u", url: "oci://r/charts/s" };
  assert.equal(outcome.stderr, "");
  assert.match(outcome.stdout, /kind: 1\.5\.0 1\.5\.0/);
  assert.deepEqual(asked, [{ ...reference, version: "1.x" }, { ...reference, version: "1.x" }]);
});

Deno.test("runTemplate() says which dependencies of a chart cannot be had", async () => {
  const stderrOf = async (dependency: string) => {
    const files = {
      "c/Chart.yaml": `${chartFile}dependencies: [${dependency}]\n`,
      "s/Chart.yaml": "apiVersion: v2\nname: s\nversion: 1.0.0\n",
    };
    return (await runTemplate(["rel", "c", "--dependency-update"], doors(files))).stderr;
  };
  assert.equal(await stderrOf('{name: s, version: 1.x, repository: "file://../x"}'), "Error: directory x not found\n");
  assert.equal(
    await stderrOf('{name: s, version: "", repository: "file://../s"}'),
    'Error: dependency "s" has an invalid version/constraint format: improper constraint: ""\n',
  );
  assert.match(
    await stderrOf('{name: s, version: 2.x, repository: "file://../s"}'),
    /^Error: can't get a valid version for 1 subchart\(s\): "s" \(repository "file:\/\/\.\.\/s", version "2\.x"\)\. Make sure/,
  );
});

Deno.test("runTemplate() asks the cluster where it is told to, and says when there is none", async () => {
  const files = {
    ...chart,
    "c/templates/b.yaml":
      "apiVersion: v1\nmetadata: {name: b}\nkind: {{ .Capabilities.KubeVersion }} {{ (lookup `v1` `A` `` `x`).b }}\n",
  };
  const refused = await runTemplate(["rel", "c", "--validate"], doors(files));
  assert.match(refused.stderr, /no cluster is configured; --validate and --dry-run=server need one/);
  const outcome = await runTemplate(["rel", "c", "--dry-run=server", "-s", "templates/b.yaml"], {
    ...doors(files),
    openCluster: () =>
      Promise.resolve({
        namespace: "default",
        capabilities: () => Promise.resolve({ kubeVersion: "v1.33.4-gke.1", apiVersions: ["v1"] }),
        kindOf: () => Promise.resolve({ isNamespaced: true }),
        lookup: ({ name }) => Promise.resolve(name === "x" ? { b: "found" } : {}),
        [Symbol.dispose]: () => {},
      }),
  });
  assert.match(outcome.stdout, /kind: v1.33.4 found/);
});

Deno.test("runTemplate() refuses by name what is not built", async () => {
  for (const flags of [["--post-renderer", "x"], ["--repo", "https://x"], ["--verify"]]) {
    const outcome = await runTemplate(["rel", "c", ...flags], doors(chart));
    assert.equal(outcome.exitCode, 1);
    assert.match(outcome.stderr, new RegExp(`cannot act on ${flags[0]}: not built yet`));
  }
});

Deno.test("runTemplate() gives the same random text for the same seed", async () => {
  const files = { ...chart, "c/templates/r.yaml": "kind: {{ randAlphaNum 20 }}\n" };
  const run = (seed: string) => runTemplate(["rel", "c", "-s", "templates/r.yaml"], doors(files, { seed }));
  assert.equal((await run("one")).stdout, (await run("one")).stdout);
  assert.notEqual((await run("one")).stdout, (await run("two")).stdout);
});

Deno.test("runTemplate() refuses a dialect that is not known, and takes no argument behind -- for one", async () => {
  const refused = await runTemplate(["rel", "c", "--dialect=helm5"], doors(chart));
  assert.equal(refused.exitCode, 1);
  assert.equal(
    refused.stderr,
    'Error: invalid argument "helm5" for "--dialect" flag: must be one of helm3, helm4.1, helm4.2.4\n',
  );
  const missing = await runTemplate(["rel", "c", "--dialect"], doors(chart));
  assert.equal(missing.stderr, "Error: flag needs an argument: --dialect\n");
  const behind = await runTemplate(["rel", "c", "--", "--dialect=helm5"], doors(chart));
  assert.match(behind.stderr, /unexpected arguments: --dialect=helm5/);
});

Deno.test("runTemplate() reads schemas of other hosts where --allow-http says so, and nowhere else", async () => {
  const url = "https://schemas.example.com/values.json";
  const files = { ...chart, "c/values.yaml": "a: 1\n", "c/values.schema.json": JSON.stringify({ $ref: url }) };
  const asked: string[] = [];
  const run = async (answer: () => string, ...flags: string[]) => {
    const readSchema = ({ url: address }: { readonly url: string }) => {
      asked.push(address);
      return Promise.resolve().then(answer);
    };
    return (await runTemplate(["rel", "c", ...flags], doors(files, { readSchema }))).stderr.split("\n")[2];
  };
  const wanted = '{"properties": {"a": {"type": "string"}}}';
  assert.equal(
    await run(() => wanted),
    `failing loading "${url}": remote schemas are not fetched (--allow-http allows it)`,
  );
  assert.deepEqual(asked, []);
  assert.equal(await run(() => wanted, "--allow-http"), "- at '/a': got number, want string");
  assert.deepEqual(asked, [url]);
  const away = () => {
    throw new Error("the host is away");
  };
  assert.equal(await run(away, "--allow-http"), `failing loading "${url}": the host is away`);
  assert.match(await run(() => "<html>", "--allow-http") ?? "", /failing loading .*: invalid character '<'/);
});

Deno.test("parseFlags() throws nothing but FlagError", () => {
  const word = fc.constantFrom(
    "-",
    "--",
    "---",
    "--set",
    "--set=a",
    "-f",
    "-fa,b",
    "-lx",
    "-ga",
    "--no-hooks=x",
    "--timeout",
    "1s",
    "x",
    "--=",
    "--wait",
    '-a"',
    "-z",
  );
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 8 }),
      fc.constantFrom("helm3" as const, "helm4.2.4" as const),
      (args, dialect) => {
        try {
          parseFlags(args, dialect);
        } catch (error) {
          assert.ok(error instanceof FlagError, String(error));
        }
      },
    ),
  );
});
