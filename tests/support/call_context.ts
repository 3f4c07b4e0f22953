import type { CallContext } from "../../src/build/helm/functions/registry.ts";
import type { Random } from "../../src/core/random.ts";

/** A repeatable source of chance. */
export function seededRandom(seed = 1): Random {
  let state = seed >>> 0 || 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    next,
    bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)),
  };
}

/** A context for calling template functions by hand. */
export function callContext(options: Partial<CallContext> = {}): CallContext {
  return {
    tools: { nowMs: Date.UTC(2026, 0, 1), random: seededRandom() },
    dialect: "helm4.2.4",
    templates: { include: () => "", evaluate: (text) => text },
    spend: () => {},
    made: () => {},
    reserve: () => {},
    slow: () => {},
    checkTime: () => {},
    ...options,
  };
}
