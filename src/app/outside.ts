import type { WorldTools } from "../build/helm/release/inputs.ts";
import type { Doors } from "./doors.ts";

/** What charts may ask of the network. */
export type Outside = Pick<WorldTools, "resolveHost" | "readSchema">;

/** Largest schema that is read, in bytes. */
const largestSchemaBytes = 16 * 1024 * 1024;

/** The network as far as it is allowed: nothing unless asked for. */
export function outsideOf(
  doors: Pick<Doors, "connect" | "lookup">,
  allowed: { readonly allowDns?: boolean; readonly allowHttp?: boolean },
): Outside {
  return {
    ...(allowed.allowDns !== true ? {} : {
      resolveHost: async ({ host }) => {
        const addresses = await doors.lookup(host).catch(() => []);
        return addresses[0] ?? "";
      },
    }),
    ...(allowed.allowHttp !== true ? {} : {
      readSchema: async ({ url }, signal) => {
        const { httpFiles } = await import("./http_files.ts");
        const limits = { limitBytes: largestSchemaBytes, ...(signal === undefined ? {} : { signal }) };
        return new TextDecoder().decode(await httpFiles(doors)(url, limits));
      },
    }),
  };
}
