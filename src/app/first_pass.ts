import type { EngineControl } from "../core/control.ts";

/**
 * Readiness of the first pass: every object of the start has been run once. It stays passed: a document that is added later
 * does not take the Pod out of service while it is new.
 */
export class FirstPass {
  readonly #engine: Pick<EngineControl, "firstPassDone">;
  #hasBegun = false;
  #isDone = false;

  constructor(engine: Pick<EngineControl, "firstPassDone">) {
    this.#engine = engine;
  }

  /** Says that the loop knows its objects: before, there is nothing to wait for, and that is no pass. */
  begin(): void {
    this.#hasBegun = true;
  }

  /** Why it is not done; `undefined` when it is. */
  check(): string | undefined {
    this.#isDone ||= this.#hasBegun && this.#engine.firstPassDone;
    return this.#isDone ? undefined : "objects wait for their first run";
  }
}
