import { lazyModule } from "../../core/lazy_module.ts";

/** Parts of the engine that few kustomizations need, with the packages behind them. A build that asks for one begins again. */
export const buildModules = {
  /** Selectors that are regular expressions. */
  regexp: lazyModule(() => import("../../format/go_regexp.ts")),
  /** Texts of JSON patches. */
  jsonPatch: lazyModule(() => import("../../format/json_patch_text.ts")),
} as const;
