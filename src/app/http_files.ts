import { readAll } from "../core/read_all.ts";
import { messageOf } from "../core/stage_error.ts";
import type { Doors } from "./doors.ts";
import { timeLimit } from "./time_limit.ts";

/** Reads one file of an http(s) address. */
export type HttpFiles = (url: string, options: HttpFileOptions) => Promise<Uint8Array>;

/** Bounds of one file. */
export interface HttpFileOptions {
  readonly limitBytes: number;
  readonly signal?: AbortSignal;
}

/** Milliseconds that one file may take. */
const longestMs = 30_000;
/** Redirects that are followed. */
const mostRedirects = 5;

/**
 * Reads plain files of http(s) addresses, without a login: at most 30 seconds and `limitBytes` each. Redirects are
 * followed, but never from https to http.
 *
 * @throws {Error} naming the address and what it answered
 */
export function httpFiles(doors: Pick<Doors, "connect">, options: { readonly caCert?: string } = {}): HttpFiles {
  return async (url, { limitBytes, signal }) => {
    using network = doors.connect(options.caCert === undefined ? {} : { caCerts: [options.caCert] });
    using limit = timeLimit(longestMs, signal ?? new AbortController().signal);
    let address = new URL(url);
    for (let hop = 0; hop <= mostRedirects; hop++) {
      const request = new Request(address, { signal: limit.signal, headers: { "accept-encoding": "identity" } });
      const response = await network.send(request);
      const location = response.headers.get("location");
      if (response.status < 300 || response.status >= 400 || location === null) {
        return await bodyOf(response, url, limitBytes);
      }
      await response.body?.cancel();
      const next = new URL(location, address);
      if (!/^https?:$/.test(next.protocol) || (address.protocol === "https:" && next.protocol !== "https:")) {
        throw new Error(`Cannot read "${url}": refusing its redirect to "${next.origin}"`);
      }
      address = next;
    }
    throw new Error(`Cannot read "${url}": it is redirected more than ${mostRedirects} times`);
  };
}

async function bodyOf(response: Response, url: string, limitBytes: number): Promise<Uint8Array> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`Cannot read "${url}": its host answered ${response.status}`);
  }
  try {
    return response.body === null ? new Uint8Array() : await readAll(response.body, limitBytes);
  } catch (error) {
    throw new Error(`Cannot read "${url}": ${messageOf(error)}`, { cause: error });
  }
}
