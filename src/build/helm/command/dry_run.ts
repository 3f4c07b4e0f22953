import type { Dialect } from "../dialect.ts";
import { isHelm3 } from "../dialect.ts";
import type { Notify } from "../notice.ts";
import { CommandError } from "./command_error.ts";
import { goBool } from "./flag_value.ts";
import type { ParsedFlags } from "./parse_flags.ts";

/** What is asked of the cluster. */
export interface ClusterQuestions {
  /** Its version, and whether it would take the manifests. */
  readonly checks: boolean;
  /** Objects that templates look up. */
  readonly looksUp: boolean;
  /** A call that names no cluster which could be asked is refused. */
  readonly needsCluster: boolean;
}

/**
 * What `--validate` and `--dry-run` ask of the cluster: Helm 3 has a flag for its version and manifests, and one for
 * `lookup`; to Helm 4 they are one. `notify` is told what is deprecated.
 *
 * @throws {CommandError} for a value that Helm 4 does not take; Helm 3 says so later: {@linkcode checkHelm3DryRun}
 */
export function clusterQuestions(flags: ParsedFlags, dialect: Dialect, notify: Notify): ClusterQuestions {
  const written = flags.text("dry-run", "client");
  if (isHelm3(dialect)) {
    const checks = flags.isOn("validate");
    return {
      checks,
      looksUp: ["server", "none", "false"].includes(written),
      needsCluster: checks || written === "server",
    };
  }
  const asks = flags.isOn("validate") || asksServer(written, notify);
  return { checks: asks, looksUp: asks, needsCluster: asks };
}

/** Whether Helm 4 asks the cluster. */
function asksServer(written: string, notify: Notify): boolean {
  if (written === "client" || written === "server") return written === "server";
  const warn = (message: string) => notify({ level: "WARN", message });
  if (written === "unset") {
    warn("--dry-run is deprecated and should be replaced with '--dry-run=client'");
    return false;
  }
  const value = goBool(written);
  if (value !== true) {
    const known = value === undefined && written !== "none" ? '"none", "server", or "client"' : '"server" or "client"';
    throw new CommandError(`invalid dry-run value (${JSON.stringify(written)}). Must be ${known}`);
  }
  warn(`boolean '--dry-run=${written}' flag is deprecated and must be replaced with '--dry-run=client'`);
  return false;
}

/** Refuses a `--dry-run` that Helm 3 does not know: it looks at the value only once the chart is there. */
export function checkHelm3DryRun(flags: ParsedFlags): void {
  if (["", "client", "false", "true", "none", "server"].includes(flags.text("dry-run", "client"))) return;
  throw new CommandError("Invalid dry-run flag. Flag must one of the following: false, true, none, client, server");
}
