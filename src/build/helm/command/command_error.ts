import { messageOf, StageError } from "../../../core/stage_error.ts";
import { ChartError } from "../chart/metadata.ts";
import { RenderError } from "../release/render.ts";

/** A failure of the command whose text is Helm's. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** A failure that was told already. */
export class ToldError extends Error {
  override readonly name = "ToldError";
}

/** What stands behind `Error: `. */
export function errorText(error: unknown): string {
  if (error instanceof CommandError || error instanceof ChartError || error instanceof RenderError) {
    return error.message;
  }
  if (error instanceof StageError) return messageOf(error);
  // What a user cannot have caused is shown, too: better a strange message than none.
  return error instanceof Error ? messageOf(error) : String(error);
}
