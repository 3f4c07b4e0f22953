/**
 * Thrown by work that cannot wait, where it needs a module that is not loaded yet. It passes through unchanged; whoever can
 * wait loads the module and begins the work again ({@linkcode withModules}). Never shown to people.
 */
export class MissingModule extends Error {
  override readonly name = "MissingModule";
  /** Loads it. */
  readonly load: () => Promise<void>;

  constructor(load: () => Promise<void>) {
    super("Cannot go on yet: a module is not loaded");
    this.load = load;
  }
}

/** A module that few inputs need, for work that cannot wait. */
export interface LazyModule<Module> {
  /** The module. @throws {MissingModule} when it is not loaded yet */
  (): Module;
  /** Loads it, for those who know that it is needed. */
  readonly load: () => Promise<void>;
}

/** A module that is loaded by the first work that asks for it. */
export function lazyModule<Module extends object>(open: () => Promise<Module>): LazyModule<Module> {
  let loaded: Module | undefined;
  const load = async () => {
    loaded = await open();
  };
  const need = (): Module => {
    if (loaded === undefined) throw new MissingModule(load);
    return loaded;
  };
  return Object.assign(need, { load });
}

/** Does work that may ask for modules: it begins again after each one that was not loaded. It must not keep what it did. */
export async function withModules<Result>(work: () => Result | Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof MissingModule)) throw error;
      await error.load();
    }
  }
}
