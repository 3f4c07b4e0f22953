/**
 * Sprig's functions of chance. All of it comes from `tools.random`, so a seeded source gives the same text again.
 *
 * @module
 */
import { GoError } from "../template/go_error.ts";
import { goTypes } from "../template/go_type.ts";
import { goInt } from "../template/value.ts";
import { rejoin } from "../template/go_string.ts";
import { func } from "./registry.ts";
import type { CallContext, FunctionRecord, FunctionTable } from "./registry.ts";

const { int, string } = goTypes;

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const digits = "0123456789";
const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join("");

/** What a random character takes from the render's budget: chance is a hash. */
const stepsPerCharacter = 16;

function randomText(alphabet: string): FunctionRecord {
  return func([int], string, (context, count) => {
    context.reserve("rand", count);
    context.spend(stepsPerCharacter * Math.max(0, count));
    let text = "";
    for (let index = 0; index < count; index++) text += alphabet[below(context, alphabet.length)];
    return text;
  });
}

/** A whole number from 0 to `limit` − 1. */
function below(context: CallContext, limit: number): number {
  return Math.floor(context.tools.random.next() * limit);
}

/** Functions by name. */
export const randomFunctions: FunctionTable = {
  randAlpha: randomText(letters),
  randAlphaNum: randomText(letters + digits),
  randAscii: randomText(printable),
  randInt: func([int, int], int, (context, min, max) => {
    if (max - min <= 0) throw new GoError("invalid argument to Intn");
    return goInt(min + below(context, max - min));
  }),
  randNumeric: randomText(digits),
  shuffle: func([string], string, (context, text) => {
    context.spend(stepsPerCharacter * text.length);
    const characters = [...text];
    for (let index = characters.length - 1; index > 0; index--) {
      const other = below(context, index + 1);
      [characters[index], characters[other]] = [characters[other] as string, characters[index] as string];
    }
    return rejoin(characters.join(""));
  }),
  uuidv4: func([], string, ({ tools }) => {
    const bytes = tools.random.bytes(16);
    bytes[6] = (bytes[6] as number) & 0x0f | 0x40;
    bytes[8] = (bytes[8] as number) & 0x3f | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }),
};
