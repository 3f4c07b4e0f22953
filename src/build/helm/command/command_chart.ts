import type { Chart } from "../chart/chart.ts";
import type { PulledChart, RegistryLogin } from "../chart/chart_reference.ts";
import type { ChartSource } from "../chart/chart_source.ts";
import { findChart, loadFound } from "../chart/chart_source.ts";
import { withDependencies } from "../chart/fetch_dependencies.ts";
import { checkInstallable, RenderError } from "../release/render.ts";
import { CommandError, errorText } from "./command_error.ts";
import type { ParsedFlags } from "./parse_flags.ts";
import type { TemplateCall } from "./template_call.ts";

/** Finds the chart that an argument names: on disk, or in a registry, from which it is pulled. */
export async function locateChart(reference: string, { flags, dialect, doors, printout }: TemplateCall): Promise<
  ChartSource
> {
  const { pullChart } = doors;
  const name = reference.trim();
  if (!name.startsWith("oci://")) return await findChart(name, doors.files);
  if (pullChart === undefined) {
    throw new CommandError(`cannot pull ${JSON.stringify(name)}: no registry client is configured`);
  }
  const version = flags.text("version", "") || (flags.isOn("devel") ? ">0.0.0-0" : "");
  const pulled = await pullChart({ ...registryLogin(flags), url: name, version }, doors.signal);
  const told = pulledText(pulled);
  if (dialect === "helm4.2.4") printout.out(told);
  else printout.err(told);
  return { kind: "archive", path: name, bytes: pulled.bytes };
}

/** Loads a chart that can be installed; where `--dependency-update` asks for it, with its dependencies fetched. */
export async function loadInstallable(
  source: ChartSource,
  { flags, dialect, doors, printout }: TemplateCall,
): Promise<Chart> {
  const { files, pullChart, signal } = doors;
  const loading = { dialect, notify: printout.notify };
  const chart = await loadFound(source, files, loading);
  const { type, deprecated } = chart.metadata;
  if (type !== "" && type !== "application") throw new CommandError(`${type} charts are not installable`);
  if (deprecated) {
    printout.notify({ level: "WARN", message: "this chart is deprecated", helm3: "WARNING: This chart is deprecated" });
  }
  try {
    checkInstallable(chart, dialect);
    return chart;
  } catch (error) {
    if (!(error instanceof RenderError) || !flags.isOn("dependency-update")) throw new CommandError(errorText(error));
  }
  return await withDependencies(chart, source, {
    ...loading,
    files,
    login: registryLogin(flags),
    ...(pullChart === undefined ? {} : { pullChart }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Flags about the registry that charts are pulled from. */
function registryLogin(flags: ParsedFlags): RegistryLogin {
  const optional = (key: keyof RegistryLogin, flag: string) => flags.has(flag) ? { [key]: flags.text(flag, "") } : {};
  return {
    plainHttp: flags.isOn("plain-http"),
    insecureSkipTlsVerify: flags.isOn("insecure-skip-tls-verify"),
    ...optional("username", "username"),
    ...optional("password", "password"),
    ...optional("caFile", "ca-file"),
    ...optional("certFile", "cert-file"),
    ...optional("keyFile", "key-file"),
  };
}

/** What Helm says of a chart that it pulled, on standard output since 4.2. */
function pulledText({ name, digest }: PulledChart): string {
  const text = `Pulled: ${name}\nDigest: ${digest}\n`;
  return name.includes("_") ? `${text}${name} contains an underscore.\n${underscoreText}` : text;
}

const underscoreText = `
OCI artifact references (e.g. tags) do not support the plus sign (+). To support
storing semantic versions, Helm adopts the convention of changing plus (+) to
an underscore (_) in chart version tags when pushing to a registry and back to
a plus (+) when pulling from a registry.
`;
