import type { JsonValue } from "../core/json.ts";
import { messageOf } from "../core/stage_error.ts";
import { compileRegexp } from "../format/go_regexp.ts";
import { isTag } from "../format/image_reference.ts";
import { parseRange } from "../format/semver.ts";
import type { ArtifactCommands } from "../app.ts";
import type { Command, CommandTools, Flag, Invocation } from "./command.ts";
import { UsageError } from "./command.ts";
import { outputForm, printValue, sizeText, table } from "./output.ts";
import { progressLine } from "./progress.ts";
import { outputFlag } from "./shared_flags.ts";

const loginFlags: readonly Flag[] = [
  {
    name: "creds",
    type: "string",
    value: "USER:PASSWORD",
    help: "Login; default: what the docker client's config says",
  },
  { name: "insecure", type: "boolean", help: "Plain HTTP" },
  { name: "ca-file", type: "string", value: "PATH", help: "Certificate authority of the registry, PEM" },
];

async function artifactsOf(invocation: Invocation, tools: CommandTools): Promise<ArtifactCommands> {
  const creds = invocation.text("creds");
  if (creds !== undefined && !creds.includes(":")) throw new UsageError("Cannot use --creds: write USER:PASSWORD");
  const caFile = invocation.text("ca-file");
  return await tools.app.artifacts({
    insecure: invocation.flag("insecure"),
    ...(creds === undefined ? {} : { credentials: creds }),
    ...(caFile === undefined ? {} : { caFile }),
    signal: tools.signal,
    ...(tools.console.isTerminal ? { onTransfer: progressLine(tools.console) } : {}),
  });
}

/** `pilotfish push`: a folder or file as a Flux artifact. */
export const push: Command = {
  name: "push",
  usage: "PATH REFERENCE",
  summary: "Push a folder or file as a Flux artifact",
  details:
    "Example: pilotfish push ./deploy oci://ghcr.io/org/app:1.2.3 --source=$(git remote get-url origin) --revision=main@sha1:$(git rev-parse HEAD)\n" +
    "The same content always gives the same digest. REFERENCE may be oci-layout://PATH:TAG.",
  positionals: [2, 2],
  flags: [
    { name: "source", type: "string", value: "URL", help: "Where the content comes from" },
    { name: "revision", type: "string", value: "TEXT", help: "Which revision of it" },
    { name: "annotation", short: "a", type: "string", multiple: true, value: "KEY=VALUE", help: "More annotations" },
    {
      name: "ignore",
      type: "string",
      multiple: true,
      value: "PATTERN",
      help: "Files that stay out, in gitignore's form",
    },
    { name: "tag", type: "string", multiple: true, value: "TAG", help: "More tags for the same content" },
    {
      name: "created",
      type: "string",
      value: "TIME",
      help: "Time of creation, RFC 3339 (default 1970, so that digests repeat)",
    },
    {
      name: "chart",
      type: "boolean",
      help: "PATH is a packed Helm chart: push it as helm does (default tag: its version)",
    },
    ...loginFlags,
    outputFlag,
  ],
  async run(invocation, tools) {
    const [path = "", reference = ""] = invocation.positionals;
    const form = outputForm(invocation.text("output"));
    const more = invocation.list("tag");
    checkTags(more);
    const artifacts = await artifactsOf(invocation, tools);
    const [source, revision, created] = [
      invocation.text("source"),
      invocation.text("revision"),
      invocation.text("created"),
    ];
    if (created !== undefined && Number.isNaN(Date.parse(created))) {
      throw new UsageError(`Cannot use --created "${created}": write RFC 3339`);
    }
    const pushed = await artifacts.push(path, reference, {
      annotations: Object.fromEntries(invocation.list("annotation").map(pair)),
      ignore: invocation.list("ignore"),
      ...(invocation.flag("chart") ? { asChart: true } : {}),
      ...(source === undefined ? {} : { source }),
      ...(revision === undefined ? {} : { revision }),
      ...(created === undefined ? {} : { created }),
    });
    if (more.length > 0) await artifacts.tag(`${withoutTag(reference)}@${pushed.descriptor.digest}`, more);
    const result = {
      url: pushed.name,
      tag: pushed.tag,
      digest: pushed.descriptor.digest,
      size: pushed.descriptor.size,
    };
    if (form === "table") tools.console.out(`✔ ${pushed.name}:${pushed.tag}@${pushed.descriptor.digest}\n`);
    else tools.console.out(printValue(result, form));
    return 0;
  },
};

/** `pilotfish pull`: the files of an artifact into a folder. */
export const pull: Command = {
  name: "pull",
  usage: "REFERENCE FOLDER",
  summary: "Write the files of an artifact into a folder",
  positionals: [2, 2],
  flags: loginFlags,
  async run(invocation, tools) {
    const [reference = "", folder = ""] = invocation.positionals;
    const { descriptor, files } = await (await artifactsOf(invocation, tools)).pull(reference, folder);
    tools.console.out(`✔ ${files} files of ${descriptor.digest} written to ${folder}\n`);
    return 0;
  },
};

/** `pilotfish copy`: whole artifacts between registries and layouts. */
export const copy: Command = {
  name: "copy",
  usage: "FROM TO",
  summary: "Copy an artifact with all platforms and signatures between registries and layouts",
  details: "Example: pilotfish copy oci://ghcr.io/org/app:1.2.3 oci-layout:///mnt/usb/apps:1.2.3",
  positionals: [2, 2],
  flags: [
    { name: "without-referrers", type: "boolean", help: "Leave signatures, attestations and SBOMs" },
    ...loginFlags,
  ],
  async run(invocation, tools) {
    const [from = "", to = ""] = invocation.positionals;
    const artifacts = await artifactsOf(invocation, tools);
    const result = await artifacts.copy(from, to, { withReferrers: !invocation.flag("without-referrers") });
    const count = result.referrers.length;
    tools.console.out(`✔ ${result.descriptor.digest} and ${count} ${count === 1 ? "referrer" : "referrers"}\n`);
    if (result.leftOut.length === 0) return 0;
    const digests = result.leftOut.map((one) => one.digest).join(", ");
    tools.console.err(`✗ Cannot copy all that refers to it: too deep to follow are ${digests}\n`);
    tools.console.err("  hint: Copy those by their digests, or leave referrers with --without-referrers\n");
    return 1;
  },
};

/** `pilotfish tag`: more names for content that is there. */
export const tag: Command = {
  name: "tag",
  usage: "REFERENCE TAG...",
  summary: "Give an artifact more tags",
  positionals: [2, 100],
  flags: loginFlags,
  async run(invocation, tools) {
    const [reference = "", ...tags] = invocation.positionals;
    checkTags(tags);
    const descriptor = await (await artifactsOf(invocation, tools)).tag(reference, tags);
    tools.console.out(`✔ ${descriptor.digest} is now ${tags.join(", ")}\n`);
    return 0;
  },
};

/** `pilotfish ls`: tags of a repository. */
export const ls: Command = {
  name: "ls",
  usage: "REPOSITORY",
  summary: "List the artifacts of a repository by tag",
  positionals: [1, 1],
  flags: [
    { name: "semver", type: "string", value: "RANGE", help: "Only versions in the range" },
    { name: "regex", type: "string", value: "PATTERN", help: "Only tags that match" },
    ...loginFlags,
    outputFlag,
  ],
  async run(invocation, tools) {
    const form = outputForm(invocation.text("output"));
    const [semver, regex] = [invocation.text("semver"), invocation.text("regex")];
    if (semver !== undefined) check("--semver", () => parseRange(semver));
    if (regex !== undefined) check("--regex", () => compileRegexp(regex));
    const listed = await (await artifactsOf(invocation, tools)).list(invocation.positionals[0] ?? "", {
      ...(semver === undefined ? {} : { semver }),
      ...(regex === undefined ? {} : { regex }),
    });
    if (form === "table") {
      tools.console.out(
        table(
          ["TAG", "DIGEST", "SOURCE", "REVISION"],
          listed.map((one) => [one.tag, one.digest, one.source, one.revision]),
        ),
      );
    } else tools.console.out(printValue(listed as unknown as JsonValue, form));
    return 0;
  },
};

/** `pilotfish inspect`: what an artifact consists of. */
export const inspect: Command = {
  name: "inspect",
  usage: "REFERENCE",
  summary: "Show manifest, layers, annotations and signatures of an artifact",
  positionals: [1, 1],
  flags: [...loginFlags, outputFlag],
  async run(invocation, tools) {
    const form = outputForm(invocation.text("output"));
    const found = await (await artifactsOf(invocation, tools)).inspect(invocation.positionals[0] ?? "");
    if (form !== "table") {
      tools.console.out(printValue(found as unknown as JsonValue, form));
      return 0;
    }
    const rows = [
      ["Repository", found.name],
      ["Digest", found.descriptor.digest],
      ["Media type", found.descriptor.mediaType],
      ...(found.artifactType === undefined ? [] : [["Artifact type", found.artifactType]]),
      ...(found.config === undefined ? [] : [["Config", found.config.mediaType]]),
      ...Object.entries(found.annotations).map(([key, value]) => [key, value]),
    ];
    const width = Math.max(...rows.map(([label = ""]) => label.length));
    for (const [label = "", value = ""] of rows) tools.console.out(`${`${label}:`.padEnd(width + 2)}${value}\n`);
    tools.console.out(
      `\n${
        table(
          [found.kind === "index" ? "MANIFEST" : "LAYER", "SIZE", "DIGEST"],
          found.parts.map((part) => [
            part.platform === undefined ? part.mediaType : `${part.platform.os}/${part.platform.architecture}`,
            sizeText(part.size),
            part.digest,
          ]),
        )
      }`,
    );
    if (found.referrers.length > 0) {
      tools.console.out(
        `\n${
          table(
            ["REFERRER", "SIZE", "DIGEST"],
            found.referrers.map((one) => [one.artifactType ?? one.mediaType, sizeText(one.size), one.digest]),
          )
        }`,
      );
    }
    return 0;
  },
};

function pair(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  if (equals <= 0) throw new UsageError(`Cannot use annotation "${text}": write KEY=VALUE`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function checkTags(tags: readonly string[]): void {
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong === undefined) return;
  throw new UsageError(`Cannot use tag "${wrong}": it must be letters, digits, "_", "." and "-", at most 128`);
}

/** Reads a flag's value before anything is asked. @throws {UsageError} with what is wrong */
function check(flag: string, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    throw new UsageError(`Cannot use ${flag}: ${messageOf(error)}`);
  }
}

function withoutTag(reference: string): string {
  return reference.replace(/(?<=\/[^/]*):[^/:]+$/, "");
}
