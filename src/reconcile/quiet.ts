/** What {@linkcode Quiet} asks of the loop. */
export interface QuietLoop {
  /** Whether nothing runs, waits or is due at once, and every object has been run. */
  isQuiet(): boolean;
  isStopping(): boolean;
  /** Called once it is quiet after work. */
  onQuiet(): void;
}

/** Notices when nothing is left to do. */
export class Quiet {
  readonly #loop: QuietLoop;
  #waiting: (() => void)[] = [];
  /** Whether something was done since it was quiet last; a start is work. */
  #hasWorked = true;

  constructor(loop: QuietLoop) {
    this.#loop = loop;
  }

  /** Resolves when it is quiet, or the loop stops. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.look();
    });
  }

  /** Something was done, and not only found as it should be. */
  noteWork(): void {
    this.#hasWorked = true;
  }

  /** Looks whether it is quiet: to be called whenever something has ended. */
  look(): void {
    const isStopping = this.#loop.isStopping();
    if (!isStopping && !this.#loop.isQuiet()) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
    if (isStopping || !this.#hasWorked) return;
    this.#hasWorked = false;
    this.#loop.onQuiet();
  }
}
