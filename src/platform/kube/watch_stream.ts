import type { Clock } from "../../core/clock.ts";
import { isJsonObject } from "../../core/json.ts";
import type { KubeEvent } from "../../core/kube_api.ts";
import { kubeErrorOf } from "../../core/kube_api.ts";
import type { Resource } from "../../core/resource.ts";
import { parseKubeJson } from "./kube_json.ts";

/**
 * Events of a watch's body, one JSON object a line. Ends when the body ends, or when nothing came for `silenceMs`: a
 * server that lives sends a bookmark each minute.
 *
 * @throws {KubeError} when the server sends an ERROR event
 */
export async function* watchEvents(
  body: ReadableStream<Uint8Array>,
  options: { readonly clock: Clock; readonly silenceMs: number; readonly stop: () => void },
): AsyncGenerator<KubeEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let stalled = false;
  try {
    while (true) {
      const cancel = options.clock.after(options.silenceMs, () => {
        stalled = true;
        reader.cancel().catch(() => {});
        options.stop();
      });
      let read: ReadableStreamReadResult<Uint8Array>;
      try {
        read = await reader.read();
      } catch (error) {
        if (stalled) return;
        throw error;
      } finally {
        cancel();
      }
      if (read.done) return;
      rest += decoder.decode(read.value, { stream: true });
      let newline = rest.indexOf("\n");
      if (newline < 0) continue;
      let start = 0;
      while (newline >= 0) {
        if (newline > start) yield eventOf(rest.slice(start, newline));
        start = newline + 1;
        newline = rest.indexOf("\n", start);
      }
      rest = rest.slice(start);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function eventOf(line: string): KubeEvent {
  const event = parseKubeJson(line);
  if (!isJsonObject(event) || !isJsonObject(event.object)) {
    throw new SyntaxError("a watch sent a line that is no event");
  }
  if (event.type === "ERROR") {
    const code = event.object.code;
    throw kubeErrorOf(typeof code === "number" ? code : 500, event.object);
  }
  return { type: event.type as KubeEvent["type"], object: event.object as Resource };
}
