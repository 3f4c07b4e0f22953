import type { JsonValue } from "../../../core/json.ts";
import { reasons } from "../../../core/reason.ts";
import { messageOf, StageError } from "../../../core/stage_error.ts";
import { isHelm3 } from "../dialect.ts";
import type { Capabilities } from "../release/capabilities.ts";
import type { LookupRequest } from "../render_tools.ts";
import { RefusedInput } from "../render_tools.ts";
import type { ClusterDoor } from "./cluster_door.ts";
import { CommandError } from "./command_error.ts";
import { kubeFlags } from "./kube_flags.ts";
import type { TemplateCall } from "./template_call.ts";

const unreachableHint =
  "Name a cluster with --kubeconfig, --kube-context or --kube-apiserver, or leave out --validate and --dry-run=server";

/** A cluster that answered, and what it is. */
export interface ReachedCluster {
  readonly cluster: ClusterDoor;
  readonly capabilities: Capabilities;
}

/** The cluster of a call: opened when it is first asked, and once. */
export class CommandCluster {
  readonly #call: TemplateCall;
  #opened: Promise<ClusterDoor> | undefined;

  constructor(call: TemplateCall) {
    this.#call = call;
  }

  /** Asks the cluster what it is, ahead of all else. @throws {CommandError} when it does not answer */
  async reach(): Promise<ReachedCluster> {
    const { dialect, doors, printout } = this.#call;
    try {
      const cluster = await this.#open();
      return { cluster, capabilities: await cluster.capabilities(doors.signal) };
    } catch (error) {
      doors.signal?.throwIfAborted();
      // What the kubeconfig's reader says of documents says nothing here.
      const isOwn = error instanceof StageError && error.hint !== reasons[error.reason].hint;
      const hint = isOwn ? error.hint : unreachableHint;
      const why = messageOf(error);
      const text = isHelm3(dialect)
        ? `Kubernetes cluster unreachable: ${why}`
        : `cluster reachability check failed: kubernetes cluster unreachable: ${why}`;
      if (!isHelm3(dialect)) printout.notify({ level: "ERROR", message: text });
      throw new CommandError(`${text}\n  hint: ${hint}`);
    }
  }

  /** Answers a template's `lookup`. @throws {RefusedInput} where the template is to fail that asks */
  async lookup(request: LookupRequest, signal?: AbortSignal): Promise<JsonValue> {
    let cluster: ClusterDoor;
    try {
      cluster = await this.#open();
    } catch (error) {
      signal?.throwIfAborted();
      throw new RefusedInput(messageOf(error), { cause: error });
    }
    try {
      return await cluster.lookup(request, signal);
    } catch (error) {
      if (error instanceof RefusedInput) error.notices.forEach(this.#call.printout.notify);
      throw error;
    }
  }

  /** Closes the cluster where one was opened. */
  async close(): Promise<void> {
    (await this.#opened?.catch(() => undefined))?.[Symbol.dispose]();
  }

  #open(): Promise<ClusterDoor> {
    const { flags, doors: { openCluster, environment, signal } } = this.#call;
    if (openCluster === undefined) throw new CommandError("cannot ask a cluster: none is configured");
    return this.#opened ??= openCluster(kubeFlags(flags, environment), signal);
  }
}
