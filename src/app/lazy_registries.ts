import type { Doors } from "./doors.ts";
import type { Registries } from "./registry.ts";

/** The registry client of a command that may not need one. */
export interface LazyRegistries extends Disposable {
  /** Loads and opens it, once. */
  open(): Promise<Registries>;
}

/** A registry client that is loaded and opened with its first use. */
export function lazyRegistries(doors: Doors): LazyRegistries {
  let opened: Promise<Registries> | undefined;
  return {
    open: () => opened ??= import("./registry.ts").then(({ openRegistries }) => openRegistries(doors)),
    [Symbol.dispose]: () => void opened?.then((registries) => registries[Symbol.dispose](), () => {}),
  };
}
