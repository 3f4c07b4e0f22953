import { shortDigest } from "../core/digest.ts";
import type { OnTransfer } from "../app.ts";
import type { Console } from "./command.ts";
import { sizeText } from "./output.ts";

/** A line on a terminal that follows transfers; each finished blob stays as a line of its own. */
export function progressLine(console: Console): OnTransfer {
  return (event) => {
    const percent = event.totalBytes === 0 ? 100 : Math.floor((event.doneBytes / event.totalBytes) * 100);
    const text = `${shortDigest(event.digest)}  ${sizeText(event.doneBytes)} of ${
      sizeText(event.totalBytes)
    }  ${percent}%`;
    const line = event.state === "running"
      ? text
      : `${shortDigest(event.digest)}  ${sizeText(event.totalBytes)}  ${event.state}`;
    console.err(`\r\x1b[2K${line.slice(0, console.columns - 1)}${event.state === "running" ? "" : "\n"}`);
  };
}
