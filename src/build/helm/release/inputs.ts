import type { JsonValue } from "../../../core/json.ts";
import { canonicalJson } from "../../../core/json.ts";
import { MissingModule } from "../../../core/lazy_module.ts";
import type { Random } from "../../../core/random.ts";
import { messageOf, StageError } from "../../../core/stage_error.ts";
import { MissingInput, RefusedInput } from "../render_tools.ts";
import type {
  HostRequest,
  InputRequest,
  LookupRequest,
  RenderTools,
  SchemaAnswer,
  SchemaRequest,
} from "../render_tools.ts";
import { GoError } from "../template/go_error.ts";
import { seededRandom } from "./seeded_random.ts";

/** An answer that was fetched for an earlier round: a value, fit for `structuredClone`. */
export interface KnownAnswer {
  readonly request: InputRequest;
  readonly answer: JsonValue;
}

/** Impure abilities of a render as the world has them: answers may take time. */
export interface WorldTools {
  /** The render's moment, in milliseconds since 1970. */
  readonly nowMs: number;
  /** A clock for the limit of time: milliseconds from any moment. Absent: time is not limited. */
  readonly monotonicMs?: () => number;
  /** Where the seed of a render comes from, unless a seed is given. */
  readonly random: Random;
  /** Makes chance repeatable and the render with it: the same seed gives the same text. */
  readonly seed?: string;
  /** IANA name of the zone that templates call local. Default `UTC`. */
  readonly timeZone?: string;
  /**
   * Answers `lookup`: the object, `{items: […]}` for a list, `{}` where there is none. Absent: always `{}`. Rejects with a
   * {@linkcode RefusedInput} where the template is to fail that asks.
   */
  readonly lookup?: (request: LookupRequest, signal?: AbortSignal) => Promise<JsonValue>;
  /** Answers that are known from the start: where a render is begun again elsewhere. */
  readonly known?: readonly KnownAnswer[];
  /** Answers `getHostByName`. Absent: always "". */
  readonly resolveHost?: (request: HostRequest, signal?: AbortSignal) => Promise<string>;
  /** Reads a schema of an http(s) address; what it throws becomes a fault of the values. Absent: such schemas are refused. */
  readonly readSchema?: (request: SchemaRequest, signal?: AbortSignal) => Promise<string>;
}

/** A render's text and whether the same request would give it again. */
export interface Settled<T> {
  readonly value: T;
  /** `false` when unseeded chance, the clock or an answer of the world took part. */
  readonly isRepeatable: boolean;
}

/** Most times that a render is started again for answers that are missing. Charts ask a handful of things. */
export const maxRounds = 200;

/**
 * Runs a render that cannot wait: where an answer or a module is missing it is fetched and the render starts again with the
 * same moment and seed, until nothing is missing.
 *
 * @throws {StageError} BuildFailed when answers are still missing after 200 rounds; what `render` and the tools throw
 */
export async function settle<T>(
  render: (tools: RenderTools) => T,
  world: WorldTools,
  signal?: AbortSignal,
): Promise<Settled<T>> {
  const seed = world.seed ?? world.random.bytes(32);
  const answers = new Map<string, JsonValue | RefusedInput>(
    (world.known ?? []).map(({ request, answer }) => [keyOf(request), answer]),
  );
  for (let round = 0; round < maxRounds; round++) {
    signal?.throwIfAborted();
    const used = { impure: false };
    try {
      const value = render(toolsOf(world, seed, answers, used));
      return { value, isRepeatable: !used.impure };
    } catch (error) {
      if (error instanceof MissingModule) {
        await error.load();
        continue;
      }
      if (!(error instanceof MissingInput)) throw error;
      answers.set(keyOf(error.request), await answerTo(error.request, world, signal).catch(refusal));
    }
  }
  throw new StageError("BuildFailed", `Cannot render: after ${maxRounds} rounds a template still asks for more`);
}

/** A refusal is an answer: the template that asked fails. Everything else ends the render. */
function refusal(error: unknown): RefusedInput {
  if (error instanceof RefusedInput) return error;
  throw error;
}

/** Tools of one round. */
function toolsOf(
  world: WorldTools,
  seed: string | Uint8Array,
  answers: ReadonlyMap<string, JsonValue | RefusedInput>,
  used: { impure: boolean },
): RenderTools {
  const chance = seededRandom(seed);
  const isSeeded = world.seed !== undefined;
  const ask = (request: InputRequest): JsonValue => {
    used.impure = true;
    const answer = answers.get(keyOf(request));
    if (answer === undefined) throw new MissingInput(request);
    if (answer instanceof RefusedInput) throw new GoError(answer.message);
    return answer;
  };
  return {
    get nowMs() {
      // A given moment is part of the request where chance is seeded too.
      used.impure ||= !isSeeded;
      return world.nowMs;
    },
    random: {
      next() {
        used.impure ||= !isSeeded;
        return chance.next();
      },
      bytes(length) {
        used.impure ||= !isSeeded;
        return chance.bytes(length);
      },
    },
    ...(world.monotonicMs === undefined ? {} : { monotonicMs: world.monotonicMs }),
    timeZone: world.timeZone ?? "UTC",
    ...(world.lookup === undefined ? {} : { lookup: ask }),
    ...(world.resolveHost === undefined ? {} : { resolveHost: (request: HostRequest) => String(ask(request)) }),
    ...(world.readSchema === undefined ? {} : { readSchema: (request: SchemaRequest) => ask(request) as SchemaAnswer }),
  };
}

function keyOf(request: InputRequest): string {
  return canonicalJson({ ...request } as unknown as JsonValue);
}

/** Asks the world. That a schema cannot be read is an answer, too. @throws {RefusedInput} when the cluster refuses a lookup */
export async function answerTo(
  request: InputRequest,
  world: Pick<WorldTools, "lookup" | "resolveHost" | "readSchema">,
  signal?: AbortSignal,
): Promise<JsonValue> {
  if (request.kind === "lookup") return await world.lookup?.(request, signal) ?? {};
  if (request.kind === "host") return await world.resolveHost?.(request, signal) ?? "";
  try {
    return { text: await world.readSchema?.(request, signal) ?? "" };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof MissingInput) throw error;
    return { fault: messageOf(error) };
  }
}
