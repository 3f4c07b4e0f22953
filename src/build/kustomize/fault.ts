import { MissingModule } from "../../core/lazy_module.ts";
import type { Place } from "../../core/object.ts";
import { messageOf, StageError } from "../../core/stage_error.ts";
import { NodeValueError } from "../../format/yaml_node/node_json.ts";
import { YamlSyntaxError } from "../../format/yaml_node/syntax_error.ts";

/** The error of a build. */
export function fault(message: string, place?: Place): StageError {
  return new StageError("BuildFailed", message, place === undefined ? {} : { place });
}

/**
 * An error with what was being done before it: `action: cause`. Stays what it is where it already is a fault, and passes
 * what asks for a module.
 */
export function wrapFault(action: string, error: unknown): StageError | MissingModule {
  if (error instanceof MissingModule) return error;
  if (error instanceof StageError) {
    return new StageError(error.reason, `${action}: ${error.message}`, { cause: error.cause, hint: error.hint });
  }
  return new StageError("BuildFailed", `${action}: ${messageOf(error)}`, { cause: error });
}

/** A fault of a file's text, at its place where that is known. */
export function textFault(
  file: string,
  error: unknown,
  action = `Cannot read "${file}" as YAML`,
): StageError | MissingModule {
  if (error instanceof YamlSyntaxError) {
    return fault(`${action}: ${error.message}`, { file, line: error.line, column: error.column });
  }
  if (error instanceof NodeValueError && error.line > 0) {
    return fault(`${action}: ${error.message}`, { file, line: error.line, column: 1 });
  }
  return wrapFault(action, error);
}
