import type { JsonObject, JsonValue } from "../core/json.ts";
import { flag, integer, list, may, need, object, oneOf, type Read, refine, type Schema, text } from "./schema.ts";

const ours = { stance: "ours" } as const;

const units: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A size as Kubernetes writes quantities: `500Mi`, `2Gi`, `1G`, or a number of bytes. Reads as bytes. */
const size: Schema<number> = {
  type: 'size such as "2Gi"',
  read(value, path, report) {
    const match = /^([0-9]+(?:\.[0-9]+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(
      typeof value === "number" ? String(value) : typeof value === "string" ? value : "",
    );
    const bytes = match === null ? NaN : Math.floor(Number(match[1]) * (units[match[2] ?? ""] ?? NaN));
    if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
    report({
      severity: "error",
      path,
      message: `Cannot use "${path.join(".")}"${
        typeof value === "string" ? ` ${JSON.stringify(value.slice(0, 60))}` : ""
      }: it must be a size such as "2Gi" (units k, M, G, T, Ki, Mi, Gi, Ti)`,
      hint: "Write a number and a unit",
    });
    return undefined;
  },
};

const filePath = text({ minLength: 1, pattern: [/^[^\0]+$/, "must not hold a NUL"], type: "path" });
/** `host:port`, `:port` or `off`. */
const address = refine(text({ type: 'address such as "127.0.0.1:9292", or "off"' }), (value, path, report) => {
  const match = /^(\[[0-9a-fA-F:.%]+\]|[A-Za-z0-9._-]*):([0-9]{1,5})$/.exec(value);
  if (value === "off" || (match !== null && Number(match[2]) <= 65_535)) {
    return value.startsWith(":") ? `0.0.0.0${value}` : value;
  }
  report({
    severity: "error",
    path,
    message: `Cannot use "${path.join(".")}" ${
      JSON.stringify(value.slice(0, 120))
    }: it must be host:port with a port up to 65535, or "off"`,
    hint: 'Write "127.0.0.1:9292"',
  });
  return undefined;
});

const mirror = object({
  registry: need(
    text({ pattern: [/^[A-Za-z0-9.-]+(:[0-9]{1,5})?$/, 'must be a host such as "ghcr.io"'] }),
    "Registry as URLs name it",
    ours,
  ),
  endpoints: need(
    list(
      text({
        pattern: [
          /^https?:\/\/[^/@\s]+(?:\/[^@\s]*)?$/,
          'must be a URL such as "http://127.0.0.1:5000", without user name',
        ],
      }),
      { minItems: 1 },
    ),
    "URLs that are tried first, in order",
    ours,
  ),
});

/** Schema of a Settings document's `spec`. Everything may be missing: {@linkcode settingsTable} has the defaults. */
export const settingsSchema = object({
  store: may(
    object({
      path: may(filePath, "Folder of everything that is kept; relative paths count from the document", ours),
      maxSize: may(size, "Size above which old revisions are removed", ours),
      history: may(integer({ min: 1, max: 100 }), "Revisions of each object that stay in the store", ours),
    }),
    "What is kept on disk",
    ours,
  ),
  target: may(
    object({
      directory: may(
        object({
          path: need(filePath, "Folder; relative paths count from the document", ours),
          layout: may(oneOf("tree", "static-pods", "k3s"), "How resources become files", ours),
        }),
        "A folder",
        ours,
      ),
      cluster: may(
        object({
          kubeconfig: may(filePath, "Path of a kubeconfig; in a Pod nothing need be said", ours),
          context: may(text({ minLength: 1 }), "Context in the kubeconfig", ours),
          events: may(flag(), "Write Kubernetes Events about objects, beside their ConfigMaps", ours),
          status: may(flag(), "Keep a ConfigMap with the status of each object", ours),
          defaultServiceAccount: may(
            text({ minLength: 1 }),
            "ServiceAccount that acts for documents which name none, in their namespace",
            ours,
          ),
          ownership: may(
            oneOf("flux", "pilotfish"),
            "Whose field manager and owner labels resources get: Flux's, or our own",
            ours,
          ),
          noPruneGuards: may(flag(), "Delete whatever is not wanted any more without a question", ours),
          noLease: may(flag(), "Write without a Lease: no other daemon may work in this cluster's namespace", ours),
        }),
        "A Kubernetes cluster",
        ours,
      ),
    }),
    "Where resources go: `directory` or `cluster`",
    ours,
  ),
  listen: may(address, "Address of the status page, probes and metrics, or `off`", ours),
  mirrors: may(list(mirror), "Other places of registries", ours),
  concurrency: may(integer({ min: 1, max: 1000 }), "Objects that run at the same time", ours),
  control: may(
    object({
      socket: may(filePath, "Unix socket for orders, mode 0600, or `off`", ours),
      listen: may(address, "Address for orders with a bearer token, or `off`", ours),
      tokenFile: may(filePath, "File with the bearer token", ours),
    }),
    "Where orders are taken",
    ours,
  ),
  log: may(
    object({
      format: may(oneOf("json", "text"), "Form of log lines", ours),
      level: may(oneOf("debug", "info", "warn", "error"), "Least level of log lines", ours),
    }),
    "The log, on standard error",
    ours,
  ),
  noCrossNamespaceRefs: may(flag(), "Refuse references to objects of another namespace", ours),
  allowHttp: may(flag(), "Let builds read files, charts and schemas of http(s) addresses, which nobody verifies", ours),
  allowDns: may(flag(), "Let charts look host names up (getHostByName)", ours),
});

/** What a Settings document says. */
export type SettingsInput = Read<typeof settingsSchema>;

/** One setting: where it may be said, and what holds where nobody says it. */
export interface SettingRow {
  /** Flag without dashes. */
  readonly flag: string;
  /** Environment variable. */
  readonly env: string;
  /** Where it stands in the `spec` of a Settings document. */
  readonly path: readonly string[];
  /** Word for the value in the help; absent for a switch. */
  readonly value?: string;
  /** Whether the flag may be repeated. */
  readonly isList?: true;
  /** Default, in the document's form. */
  readonly preset: JsonValue;
  /** One sentence. */
  readonly doc: string;
  /** How a text that {@linkcode parse} refuses is put right; default: the switch's words. */
  readonly correction?: (given: string) => string;
  /** Value in the document's form of the text that a flag or variable holds; `undefined` when it cannot be one. */
  parse(texts: readonly string[]): JsonValue | undefined;
}

const asText = (texts: readonly string[]) => texts.at(-1);
const asNumber = (texts: readonly string[]) => {
  const given = texts.at(-1) ?? "";
  return /^-?[0-9]+$/.test(given) ? Number(given) : given;
};
const asSwitch = (texts: readonly string[]): JsonValue | undefined => {
  const given = (texts.at(-1) ?? "").toLowerCase();
  return ["true", "1", "yes", "on", ""].includes(given)
    ? true
    : ["false", "0", "no", "off"].includes(given)
    ? false
    : undefined;
};

/** `cluster` or `directory:PATH`. */
function parseTarget(texts: readonly string[]): JsonObject | undefined {
  const given = texts.at(-1) ?? "";
  if (given === "cluster") return { cluster: {} };
  const folder = /^directory:(.+)$/s.exec(given)?.[1];
  return folder === undefined ? undefined : { directory: { path: folder } };
}

/** `REGISTRY=URL`, several by repeating the flag or with commas; URLs of one registry are tried in order. */
function parseMirrors(texts: readonly string[]): JsonValue | undefined {
  const endpoints = new Map<string, string[]>();
  for (
    const pair of texts.flatMap((given) => given.split(",")).map((given) => given.trim()).filter((given) =>
      given !== ""
    )
  ) {
    const [registry, url] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
    if (!pair.includes("=")) return undefined;
    endpoints.set(registry, [...endpoints.get(registry) ?? [], url]);
  }
  return [...endpoints].map(([registry, urls]) => ({ registry, endpoints: urls }));
}

/** All settings. A row here is a flag, an environment variable, a field of the document and a line of the reference page. */
export const settingsTable: readonly SettingRow[] = [
  {
    flag: "store",
    env: "PILOTFISH_STORE",
    path: ["store", "path"],
    value: "PATH",
    preset: "/var/lib/pilotfish",
    doc: "Folder of everything that is kept",
    parse: asText,
  },
  {
    flag: "store-max-size",
    env: "PILOTFISH_STORE_MAX_SIZE",
    path: ["store", "maxSize"],
    value: "SIZE",
    preset: "2Gi",
    doc: "Size above which old revisions are removed",
    parse: asText,
  },
  {
    flag: "store-history",
    env: "PILOTFISH_STORE_HISTORY",
    path: ["store", "history"],
    value: "COUNT",
    preset: 3,
    doc: "Revisions of each object that stay in the store",
    parse: asNumber,
  },
  {
    flag: "target",
    env: "PILOTFISH_TARGET",
    path: ["target"],
    value: "TARGET",
    preset: { cluster: {} },
    doc: "Where resources go: cluster, or directory:PATH",
    correction: (given) =>
      /^[.~/]/.test(given)
        ? `Write "directory:${given}"`
        : 'Write "cluster", or "directory:PATH" with the folder that gets the files',
    parse: parseTarget,
  },
  {
    flag: "target-layout",
    env: "PILOTFISH_TARGET_LAYOUT",
    path: ["target", "directory", "layout"],
    value: "LAYOUT",
    preset: "tree",
    doc: "How resources become files in a folder: tree, static-pods or k3s",
    parse: asText,
  },
  {
    flag: "kubeconfig",
    env: "PILOTFISH_KUBECONFIG",
    path: ["target", "cluster", "kubeconfig"],
    value: "PATH",
    preset: null,
    doc: "Kubeconfig of the cluster; in a Pod nothing need be said",
    parse: asText,
  },
  {
    flag: "context",
    env: "PILOTFISH_CONTEXT",
    path: ["target", "cluster", "context"],
    value: "NAME",
    preset: null,
    doc: "Context in the kubeconfig",
    parse: asText,
  },
  {
    flag: "kube-events",
    env: "PILOTFISH_KUBE_EVENTS",
    path: ["target", "cluster", "events"],
    preset: false,
    doc: "Write Kubernetes Events about objects",
    parse: asSwitch,
  },
  {
    flag: "kube-status",
    env: "PILOTFISH_KUBE_STATUS",
    path: ["target", "cluster", "status"],
    preset: false,
    doc: "Keep a ConfigMap with the status of each object",
    parse: asSwitch,
  },
  {
    flag: "default-service-account",
    env: "PILOTFISH_DEFAULT_SERVICE_ACCOUNT",
    path: ["target", "cluster", "defaultServiceAccount"],
    value: "NAME",
    preset: null,
    doc: "ServiceAccount that acts for documents which name none, in their namespace",
    parse: asText,
  },
  {
    flag: "ownership",
    env: "PILOTFISH_OWNERSHIP",
    path: ["target", "cluster", "ownership"],
    value: "WHOSE",
    preset: "flux",
    doc: "Whose field manager and owner labels resources of the cluster get: flux or pilotfish",
    parse: asText,
  },
  {
    flag: "no-prune-guards",
    env: "PILOTFISH_NO_PRUNE_GUARDS",
    path: ["target", "cluster", "noPruneGuards"],
    preset: false,
    doc: "Delete from the cluster whatever is not wanted any more, without a person's word",
    parse: asSwitch,
  },
  {
    flag: "no-lease",
    env: "PILOTFISH_NO_LEASE",
    path: ["target", "cluster", "noLease"],
    preset: false,
    doc: "Write to the cluster without a Lease: for the only daemon of a namespace",
    parse: asSwitch,
  },
  {
    flag: "listen",
    env: "PILOTFISH_LISTEN",
    path: ["listen"],
    value: "ADDRESS",
    preset: "127.0.0.1:9292",
    doc: "Address of the status page, probes and metrics, or off",
    parse: asText,
  },
  {
    flag: "mirror",
    env: "PILOTFISH_MIRRORS",
    path: ["mirrors"],
    value: "REGISTRY=URL",
    isList: true,
    preset: [],
    doc: "Another place of a registry, tried first; may be repeated",
    correction: () => 'Write REGISTRY=URL, for example "ghcr.io=http://127.0.0.1:5000"',
    parse: parseMirrors,
  },
  {
    flag: "concurrency",
    env: "PILOTFISH_CONCURRENCY",
    path: ["concurrency"],
    value: "COUNT",
    preset: 8,
    doc: "Objects that run at the same time",
    parse: asNumber,
  },
  {
    flag: "socket",
    env: "PILOTFISH_SOCKET",
    path: ["control", "socket"],
    value: "PATH",
    preset: null,
    doc: "Unix socket for orders, or off (default: control.sock in the store folder)",
    parse: asText,
  },
  {
    flag: "control-listen",
    env: "PILOTFISH_CONTROL_LISTEN",
    path: ["control", "listen"],
    value: "ADDRESS",
    preset: null,
    doc: "Address for orders with a bearer token",
    parse: asText,
  },
  {
    flag: "control-token-file",
    env: "PILOTFISH_CONTROL_TOKEN_FILE",
    path: ["control", "tokenFile"],
    value: "PATH",
    preset: null,
    doc: "File with the bearer token",
    parse: asText,
  },
  {
    flag: "log-format",
    env: "PILOTFISH_LOG_FORMAT",
    path: ["log", "format"],
    value: "FORM",
    preset: "json",
    doc: "Form of log lines: json or text",
    parse: asText,
  },
  {
    flag: "log-level",
    env: "PILOTFISH_LOG_LEVEL",
    path: ["log", "level"],
    value: "LEVEL",
    preset: "info",
    doc: "Least level of log lines: debug, info, warn or error",
    parse: asText,
  },
  {
    flag: "no-cross-namespace-refs",
    env: "PILOTFISH_NO_CROSS_NAMESPACE_REFS",
    path: ["noCrossNamespaceRefs"],
    preset: false,
    doc: "Refuse references to objects of another namespace",
    parse: asSwitch,
  },
  {
    flag: "allow-http",
    env: "PILOTFISH_ALLOW_HTTP",
    path: ["allowHttp"],
    preset: false,
    doc: "Let builds read files, charts and schemas of http(s) addresses, which nobody verifies",
    parse: asSwitch,
  },
  {
    flag: "allow-dns",
    env: "PILOTFISH_ALLOW_DNS",
    path: ["allowDns"],
    preset: false,
    doc: "Let charts look host names up (getHostByName)",
    parse: asSwitch,
  },
];
