/** Why the daemon did not start; `cli` gives exit code 2. */
export class RefusedError extends Error {
  override readonly name = "UsageError";
}
