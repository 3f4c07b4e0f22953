import type { Clock } from "../../../core/clock.ts";
import type { Network } from "../../../core/network.ts";

/** What cloud logins need of the outside. */
export interface LoginTools {
  readonly network: Network;
  readonly clock: Clock;
  readonly env: (name: string) => string | undefined;
  /** Text of a file (projected tokens); `undefined` when there is none. */
  readonly readText: (path: string) => Promise<string | undefined>;
}
