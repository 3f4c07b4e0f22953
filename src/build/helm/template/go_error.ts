/**
 * An error in Go's sense: what a function returns or panics with. The evaluator adds the place and the function's name.
 * Everything else that is thrown inside a template (a missing input, a limit) passes through unchanged.
 */
export class GoError extends Error {
  override readonly name: string = "GoError";

  /** `message` is Go's text, byte for byte; `cause` the error that it wraps, as with `%w`. */
  constructor(message: string, cause?: GoError) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** Text of Go's most frequent panic. */
export const nilDereference = "runtime error: invalid memory address or nil pointer dereference";
