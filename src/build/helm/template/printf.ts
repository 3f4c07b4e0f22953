/**
 * Go's formatted printing (package fmt: Sprintf, Sprint, Sprintln) over template values: all verbs on all kinds, flags,
 * width, precision, `*`, argument indexes, and Go's notes about wrong use (`%!d(string=x)`, `%!s(MISSING)`, …).
 *
 * @module
 */
import type { CallContext } from "../functions/registry.ts";
import { floatText, formatFloat } from "./go_number.ts";
import { canBackquote, escapeCharacter, isPrintable, quoteText } from "./go_quote.ts";
import { fromBytes, rejoin, sortedKeys, toBytes } from "./go_string.ts";
import type { GoType } from "./go_type.ts";
import { GoBytes, GoComplex, GoInt, GoMap, GoSlice, GoStruct, isNil, typeNameOf, typeOf } from "./value.ts";
import type { Value } from "./value.ts";

/** `Sprintf(format, args…)`. */
export function sprintf(context: CallContext, format: string, args: readonly Value[]): string {
  const printer = new Printer(context);
  printer.format(format, args);
  return rejoin(printer.text);
}

/** `Sprint(args…)`: a space between two operands when neither is a string. */
export function sprint(context: CallContext, args: readonly Value[]): string {
  const printer = new Printer(context);
  args.forEach((arg, index) => {
    if (index > 0 && typeof arg !== "string" && typeof args[index - 1] !== "string") printer.write(" ");
    printer.printOne(arg);
  });
  return rejoin(printer.text);
}

/** `Sprintln(args…)`: a space between all operands, a line break at the end. */
export function sprintln(context: CallContext, args: readonly Value[]): string {
  const printer = new Printer(context);
  args.forEach((arg, index) => {
    if (index > 0) printer.write(" ");
    printer.printOne(arg);
  });
  return rejoin(`${printer.text}\n`);
}

/** A value as `%v` prints it; `<nil>` for both nils. */
export function textOf(context: CallContext, value: Value): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return floatText(value);
    case "boolean":
      return value ? "true" : "false";
  }
  if (value instanceof GoInt && value.type.methods === undefined) return value.value.toString();
  return sprint(context, [value]);
}

/** Address that stands for every pointer: Go prints another one each run. */
const someAddress = "c000000000";

const noFlags = {
  width: undefined as number | undefined,
  precision: undefined as number | undefined,
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  plusV: false,
  sharpV: false,
};

class Printer {
  text = "";
  readonly #context: CallContext;
  #flags = { ...noFlags };
  #isReportingError = false;

  constructor(context: CallContext) {
    this.#context = context;
  }

  write(text: string): void {
    this.text += text;
    this.#context.reserve("printf", this.text.length);
  }

  printOne(value: Value): void {
    this.#flags = { ...noFlags };
    this.#argument(value, "v");
  }

  format(format: string, args: readonly Value[]): void {
    let next = 0;
    let isReordered = false;
    let index = 0;

    /** `[n]`: the argument to use next. */
    const argumentIndex = (): { readonly isFound: boolean; readonly isGood: boolean } => {
      if (format[index] !== "[") return { isFound: false, isGood: true };
      isReordered = true;
      const close = format.indexOf("]", index + 1);
      if (close < 0 || format.length - index < 3) {
        index++;
        return { isFound: false, isGood: false };
      }
      const inside = format.slice(index + 1, close);
      const number = readNumber(inside, 0);
      index = close + 1;
      if (number.value === undefined || number.end !== inside.length) return { isFound: false, isGood: false };
      if (number.value < 1 || number.value > args.length) return { isFound: true, isGood: false };
      next = number.value - 1;
      return { isFound: true, isGood: true };
    };
    const starArgument = (): number | undefined => {
      const arg = args[next];
      if (next < args.length) next++;
      if (!(arg instanceof GoInt)) return undefined;
      const value = Number(arg.value);
      return Math.abs(value) > 1e6 ? undefined : value;
    };

    while (index < format.length) {
      const percent = format.indexOf("%", index);
      if (percent < 0) {
        this.write(format.slice(index));
        break;
      }
      if (percent > index) this.write(format.slice(index, percent));
      index = percent + 1;
      const flags = this.#flags = { ...noFlags };
      let isGoodArgument = true;
      for (; index < format.length; index++) {
        const character = format[index];
        if (character === "#") flags.sharp = true;
        else if (character === "0") flags.zero = true;
        else if (character === "+") flags.plus = true;
        else if (character === "-") flags.minus = true;
        else if (character === " ") flags.space = true;
        else break;
      }
      let after = argumentIndex();
      isGoodArgument &&= after.isGood;
      let isAfterIndex = after.isFound;
      if (format[index] === "*") {
        index++;
        const width = starArgument();
        if (width === undefined) this.write("%!(BADWIDTH)");
        else if (width < 0) {
          flags.width = -width;
          flags.minus = true;
          flags.zero = false;
        } else flags.width = width;
        isAfterIndex = false;
      } else {
        const width = readNumber(format, index);
        index = width.end;
        flags.width = width.value;
        if (isAfterIndex && width.value !== undefined) isGoodArgument = false;
      }
      if (index + 1 < format.length && format[index] === ".") {
        index++;
        if (isAfterIndex) isGoodArgument = false;
        after = argumentIndex();
        isGoodArgument &&= after.isGood;
        isAfterIndex = after.isFound;
        if (format[index] === "*") {
          index++;
          const precision = starArgument();
          if (precision === undefined || precision < 0) this.write("%!(BADPREC)");
          else flags.precision = precision;
          isAfterIndex = false;
        } else {
          const precision = readNumber(format, index);
          index = precision.end;
          flags.precision = precision.value ?? 0;
        }
      }
      if (!isAfterIndex) {
        after = argumentIndex();
        isGoodArgument &&= after.isGood;
      }
      const code = format.codePointAt(index);
      if (code === undefined) {
        this.write("%!(NOVERB)");
        break;
      }
      const verb = code >= 0xdc80 && code <= 0xdcff ? "\ufffd" : String.fromCodePoint(code);
      index += verb.length;
      if (verb === "%") this.write("%");
      else if (!isGoodArgument) this.write(`%!${verb}(BADINDEX)`);
      else if (next >= args.length) this.write(`%!${verb}(MISSING)`);
      else {
        if (verb === "v" || verb === "w") {
          flags.sharpV = flags.sharp;
          flags.sharp = false;
          flags.plusV = flags.plus;
          flags.plus = false;
        }
        this.#argument(args[next++], verb);
      }
    }
    if (isReordered || next >= args.length) return;
    this.#flags = { ...noFlags };
    this.write("%!(EXTRA ");
    args.slice(next).forEach((arg, position) => {
      if (position > 0) this.write(", ");
      if (arg === undefined || arg === null) this.write("<nil>");
      else {
        this.write(`${typeNameOf(arg)}=`);
        this.#argument(arg, "v");
      }
    });
    this.write(")");
  }

  #padding(width: number): void {
    if (width > 0) this.write((this.#flags.zero && !this.#flags.minus ? "0" : " ").repeat(width));
  }

  #pad(text: string): void {
    const { width, minus } = this.#flags;
    if (width === undefined || width === 0) return this.write(text);
    const missing = width - characterCount(text);
    if (!minus) this.#padding(missing);
    this.write(text);
    if (minus) this.#padding(missing);
  }

  /** Pads with spaces whatever the flags say. */
  #padWithSpaces(text: string): void {
    const { zero } = this.#flags;
    this.#flags.zero = false;
    this.#pad(text);
    this.#flags.zero = zero;
  }

  #argument(value: Value, verb: string): void {
    if (value === undefined || value === null) {
      if (verb === "T" || verb === "v") this.#pad("<nil>");
      else this.#badVerb(value, verb);
      return;
    }
    if (verb === "T") return this.#string(typeNameOf(value), "s", value);
    if (verb === "p") return this.#pointer(value, "p");
    if (value instanceof GoBytes && value.type.name === "[]uint8") return this.#bytes(value, verb, "[]byte");
    if (!this.#methods(value, verb)) this.#value(value, verb, 0);
  }

  /** `Error` and `String` methods, for the verbs that print texts. */
  #methods(value: Value, verb: string): boolean {
    if (this.#isReportingError || value === null || typeof value !== "object") {
      if (verb === "w" && !this.#isReportingError) {
        this.#badVerb(value, verb);
        return true;
      }
      return false;
    }
    if (verb === "w") {
      this.#badVerb(value, verb);
      return true;
    }
    if (this.#flags.sharpV) {
      const syntax = value.type.methods?.GoString;
      if (syntax !== undefined) this.#string(syntax.call(this.#context, value) as string, "s", value);
      return syntax !== undefined;
    }
    if (!"vsxXq".includes(verb)) return false;
    const record = value.type.methods?.Error ??
      (value.type.hidesString ? undefined : value.type.methods?.String);
    if (record === undefined || record.params.length > 0) return false;
    if (isNil(value)) this.write("<nil>");
    else this.#string(record.call(this.#context, value) as string, verb, value);
    return true;
  }

  #value(value: Value, verb: string, depth: number): void {
    if (depth > 0 && value !== null && this.#methods(value, verb)) return;
    switch (typeof value) {
      case "boolean":
        return verb === "t" || verb === "v" ? this.#pad(String(value)) : this.#badVerb(value, verb);
      case "number":
        return this.#float(value, verb, value);
      case "string":
        return this.#string(value, verb, value);
      case "undefined":
        return this.write("<nil>");
    }
    if (value === null) {
      return this.write(this.#flags.sharpV ? "interface {}(nil)" : "<nil>");
    }
    if (value instanceof GoInt) return this.#integer(value, verb);
    if (value instanceof GoComplex) return this.#complex(value, verb);
    if (value instanceof GoBytes) {
      if ("sqxX".includes(verb)) return this.#bytes(value, verb, value.type.name);
      return this.#list(
        value.type,
        value.bytes === null ? null : Array.from(value.bytes, (byte) => new GoInt(value.type.elem as GoType, byte)),
        verb,
        depth,
      );
    }
    if (value instanceof GoSlice) return this.#list(value.type, value.items, verb, depth);
    if (value instanceof GoMap) return this.#map(value, verb, depth);
    if (value instanceof GoStruct && value.type.kind === "struct") return this.#struct(value, value.type, verb, depth);
    if (value instanceof GoStruct && depth === 0 && value.fields !== null && value.type.elem?.kind === "struct") {
      this.write("&");
      return this.#struct(value, value.type.elem, verb, depth + 1);
    }
    this.#pointer(value, verb);
  }

  #list(type: GoType, items: readonly Value[] | null, verb: string, depth: number): void {
    const { sharpV } = this.#flags;
    if (sharpV) {
      this.write(type.name);
      if (items === null) return this.write("(nil)");
    }
    this.write(sharpV ? "{" : "[");
    items?.forEach((item, index) => {
      if (index > 0) this.write(sharpV ? ", " : " ");
      this.#value(item, verb, depth + 1);
    });
    this.write(sharpV ? "}" : "]");
  }

  #map(map: GoMap, verb: string, depth: number): void {
    const { sharpV } = this.#flags;
    if (sharpV) {
      this.write(map.type.name);
      if (map.entries === null) return this.write("(nil)");
    }
    this.write(sharpV ? "{" : "map[");
    sortedKeys(map.entries).forEach((key, index) => {
      if (index > 0) this.write(sharpV ? ", " : " ");
      this.#value(key, verb, depth + 1);
      this.write(":");
      this.#value(map.entries?.get(key), verb, depth + 1);
    });
    this.write(sharpV ? "}" : "]");
  }

  #struct(value: GoStruct, type: GoType, verb: string, depth: number): void {
    const { sharpV, plusV } = this.#flags;
    if (sharpV) this.write(type.name);
    this.write("{");
    (type.fields ?? []).forEach((field, index) => {
      if (index > 0) this.write(sharpV ? ", " : " ");
      if (sharpV || plusV) this.write(`${field.name}:`);
      this.#value(value.fields?.[field.name] ?? null, verb, depth + 1);
    });
    this.write("}");
  }

  #pointer(value: Value, verb: string): void {
    const kind = typeOf(value)?.kind;
    if (kind !== "map" && kind !== "slice" && kind !== "ptr" && kind !== "func") return this.#badVerb(value, verb);
    const isNull = isNil(value);
    const { sharp, sharpV } = this.#flags;
    const address = isNull ? "0" : someAddress;
    if (verb === "v" && sharpV) return this.write(`(${typeNameOf(value)})(${isNull ? "nil" : `0x${address}`})`);
    if (verb === "v" && isNull) return this.#pad("<nil>");
    if (verb === "v" || verb === "p") {
      // Written as a number with 0x, which here `#` takes away.
      this.#flags.sharp = !sharp;
      this.#digits(BigInt(`0x${address}`), "x");
      this.#flags.sharp = sharp;
      return;
    }
    if ("bodxX".includes(verb)) return this.#digits(BigInt(`0x${address}`), verb);
    this.#badVerb(value, verb);
  }

  #badVerb(value: Value, verb: string): void {
    this.#isReportingError = true;
    this.write(`%!${verb}(`);
    if (value === undefined || value === null) this.write("<nil>");
    else {
      this.write(`${typeNameOf(value)}=`);
      this.#argument(value, "v");
    }
    this.write(")");
    this.#isReportingError = false;
  }

  #string(text: string, verb: string, value: Value): void {
    switch (verb) {
      case "v":
        if (this.#flags.sharpV) this.#quoted(text);
        else this.#pad(this.#truncated(text));
        return;
      case "s":
        return this.#pad(this.#truncated(text));
      case "x":
      case "X":
        return this.#hexBytes(toBytes(text), verb);
      case "q":
        return this.#quoted(text);
    }
    this.#badVerb(value, verb);
  }

  #truncated(text: string): string {
    const { precision } = this.#flags;
    if (precision === undefined || text.length <= precision) return text;
    return [...text].slice(0, precision).join("");
  }

  #quoted(text: string): void {
    const shown = this.#truncated(text);
    if (this.#flags.sharp && canBackquote(shown)) this.#pad(`\`${shown}\``);
    else this.#pad(quoteText(shown, this.#flags.plus));
  }

  #bytes(value: GoBytes, verb: string, typeName: string): void {
    const { bytes } = value;
    switch (verb) {
      case "v":
      case "d":
        if (this.#flags.sharpV) {
          const shown = bytes === null
            ? "(nil)"
            : `{${Array.from(bytes, (byte) => `0x${byte.toString(16)}`).join(", ")}}`;
          return this.write(typeName + shown);
        }
        this.write("[");
        (bytes ?? []).forEach((byte, index) => {
          if (index > 0) this.write(" ");
          this.#digits(BigInt(byte), "d");
        });
        return this.write("]");
      case "s":
        return this.#pad(this.#truncated(fromBytes(bytes ?? new Uint8Array())));
      case "x":
      case "X":
        return this.#hexBytes(bytes ?? new Uint8Array(), verb);
      case "q":
        return this.#quoted(fromBytes(bytes ?? new Uint8Array()));
    }
    this.#value(value, verb, 0);
  }

  #hexBytes(bytes: Uint8Array, verb: "x" | "X"): void {
    const { precision, sharp, space, width, minus } = this.#flags;
    const shown = Array.from(
      bytes.subarray(0, Math.min(precision ?? bytes.length, bytes.length)),
      (byte) => byte.toString(16).padStart(2, "0"),
    );
    const prefix = sharp ? "0x" : "";
    const lower = shown.length === 0
      ? ""
      : space
      ? shown.map((part) => prefix + part).join(" ")
      : prefix + shown.join("");
    const text = verb === "X" ? lower.toUpperCase() : lower;
    const missing = (width ?? 0) - text.length;
    if (!minus || text === "") this.#padding(missing);
    this.write(text);
    if (minus && text !== "") this.#padding(missing);
  }

  #integer(value: GoInt, verb: string): void {
    const isSigned = !value.type.kind.startsWith("uint");
    const number = BigInt(value.value);
    switch (verb) {
      case "v":
        if (this.#flags.sharpV && !isSigned) {
          const { sharp } = this.#flags;
          this.#flags.sharp = true;
          this.#digits(number, "x");
          this.#flags.sharp = sharp;
          return;
        }
        return this.#digits(number, "d");
      case "d":
      case "b":
      case "o":
      case "O":
      case "x":
      case "X":
        return this.#digits(number, verb);
      case "c":
        return this.#pad(characterOf(number));
      case "q":
        return this.#pad(`'${escapeCharacter(characterOf(number), "'", this.#flags.plus)}'`);
      case "U":
        return this.#unicode(BigInt.asUintN(64, number));
    }
    this.#badVerb(value, verb);
  }

  #digits(number: bigint, verb: string): void {
    const { precision, zero, minus, plus, space, sharp, width } = this.#flags;
    const isNegative = number < 0n;
    const size = isNegative ? -number : number;
    let minimum = 0;
    if (precision !== undefined) {
      minimum = precision;
      if (precision === 0 && size === 0n) return this.#padWithSpacesOnly(width ?? 0);
    } else if (zero && !minus && width !== undefined) {
      minimum = width - (isNegative || plus || space ? 1 : 0);
    }
    const base = verb === "b" ? 2 : verb === "o" || verb === "O" ? 8 : verb === "x" || verb === "X" ? 16 : 10;
    let text = size.toString(base).padStart(minimum, "0");
    if (verb === "X") text = text.toUpperCase();
    if (sharp) {
      if (base === 2) text = `0b${text}`;
      else if (base === 8 && text[0] !== "0") text = `0${text}`;
      else if (base === 16) text = `0${verb}${text}`;
    }
    if (verb === "O") text = `0o${text}`;
    this.#padWithSpaces(`${isNegative ? "-" : plus ? "+" : space ? " " : ""}${text}`);
  }

  #padWithSpacesOnly(width: number): void {
    this.write(" ".repeat(width));
  }

  #unicode(number: bigint): void {
    const { precision, sharp } = this.#flags;
    const digits = number.toString(16).toUpperCase().padStart(Math.max(4, precision ?? 0), "0");
    const character = number <= 0x10ffffn && !(number >= 0xd800n && number < 0xe000n)
      ? String.fromCodePoint(Number(number))
      : "\u0000";
    this.#padWithSpaces(`U+${digits}${sharp && isPrintable(character) ? ` '${character}'` : ""}`);
  }

  #float(number: number, verb: string, value: Value): void {
    switch (verb) {
      case "v":
        return this.#floatForm(number, "g", -1);
      case "b":
      case "g":
      case "G":
      case "x":
      case "X":
        return this.#floatForm(number, verb, -1);
      case "f":
      case "e":
      case "E":
        return this.#floatForm(number, verb, 6);
      case "F":
        return this.#floatForm(number, "f", 6);
    }
    this.#badVerb(value, verb);
  }

  #floatForm(number: number, form: string, defaultPrecision: number): void {
    const { plus, space, zero, minus, sharp, width } = this.#flags;
    const precision = this.#flags.precision ?? defaultPrecision;
    const plain = formatFloat(number, form, precision);
    let sign = plain[0] === "-" || plain[0] === "+" ? plain[0] : "+";
    let digits = plain[0] === sign ? plain.slice(1) : plain;
    if (space && sign === "+" && !plus) sign = " ";
    if (digits === "Inf" || digits === "NaN") {
      const isBare = sign === "+" && !plus || digits === "NaN" && !space && !plus;
      return this.#padWithSpaces(isBare && !(digits === "Inf" && plain[0] === "+") ? digits : sign + digits);
    }
    if (sharp && form !== "b") digits = withPoint(digits, form, precision);
    if (!plus && sign === "+") return this.#pad(digits);
    if (zero && !minus && width !== undefined && width > digits.length + 1) {
      this.write(sign);
      this.#padding(width - digits.length - 1);
      return this.write(digits);
    }
    this.#pad(sign + digits);
  }

  #complex(value: GoComplex, verb: string): void {
    if (!"vbgGxXfFeE".includes(verb)) return this.#badVerb(value, verb);
    const { plus } = this.#flags;
    this.write("(");
    this.#float(value.re, verb, value);
    this.#flags.plus = true;
    this.#float(value.im, verb, value);
    this.write("i)");
    this.#flags.plus = plus;
  }
}

/** A decimal number at an index; none where there are no digits or far too many. */
function readNumber(text: string, start: number): { readonly value: number | undefined; readonly end: number } {
  let value = 0;
  let end = start;
  for (; end < text.length; end++) {
    const digit = text.charCodeAt(end) - 48;
    if (digit < 0 || digit > 9) break;
    if (value > 1e6) return { value: undefined, end: text.length };
    value = value * 10 + digit;
  }
  return { value: end > start ? value : undefined, end };
}

/** With `#`: always a point, and for `g` the zeros that it otherwise drops. */
function withPoint(digits: string, form: string, precision: number): string {
  const cut = form === "x" || form === "X" ? digits.search(/p/i) : digits.search(/[ep]/i);
  const tail = cut < 0 ? "" : digits.slice(cut);
  let head = cut < 0 ? digits : digits.slice(0, cut);
  let missing = form === "g" || form === "G" || form === "x" ? (precision === -1 ? 6 : precision) : 0;
  const significant = head.replace(".", "").replace(/^0+/, "");
  missing -= significant.length;
  if (!head.includes(".")) {
    if (head === "0") missing--;
    head += ".";
  }
  return head + "0".repeat(Math.max(0, missing)) + tail;
}

function characterOf(number: bigint): string {
  const code = BigInt.asUintN(64, number);
  return code > 0x10ffffn || code >= 0xd800n && code < 0xe000n ? "\ufffd" : String.fromCodePoint(Number(code));
}

/** Number of characters as Go counts them: a byte that is not valid counts as one. */
function characterCount(text: string): number {
  // deno-lint-ignore no-control-regex
  if (/^[\0-\x7f]*$/.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}
