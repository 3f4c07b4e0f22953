import { lazyModule } from "../../core/lazy_module.ts";

/**
 * Parts of the engine that few charts need, with the packages behind them. A render that asks for one is begun again when it
 * is loaded (release/inputs.ts); whoever renders without that loads them before.
 */
export const templateModules = {
  /** Passwords, ciphers, keys, certificates. */
  crypto: lazyModule(() => import("./functions/crypto_work.ts")),
  /** Users' regular expressions. */
  regexp: lazyModule(() => import("../../format/go_regexp.ts")),
  /** `.Files.Glob`. */
  glob: lazyModule(() => import("../../format/glob.ts")),
  /** `values.schema.json`. */
  schema: lazyModule(() => import("./chart/schema_faults.ts")),
} as const;
