const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const values = new Map([...digits].map((digit, value) => [digit.charCodeAt(0), value]));
const pad = 61;

function isBreak(byte: number | undefined): boolean {
  return byte === 10 || byte === 13;
}

/**
 * Bytes of standard base64 with padding, as Go's `base64.StdEncoding` reads it: line breaks are passed over, spare bits are
 * not looked at.
 *
 * @returns the offset of the first byte that is wrong, where one is
 */
export function decodeBase64(source: Uint8Array): Uint8Array | number {
  const bytes: number[] = [];
  let [held, inGroup, at] = [0, 0, 0];
  while (at < source.length) {
    const byte = source[at++] as number;
    const value = values.get(byte);
    if (value !== undefined) {
      held = held << 6 | value;
      inGroup++;
      if (inGroup === 4) {
        bytes.push(held >> 16 & 0xff, held >> 8 & 0xff, held & 0xff);
        [held, inGroup] = [0, 0];
      }
    } else if (!isBreak(byte)) {
      if (byte !== pad || inGroup < 2) return at - 1;
      if (inGroup === 2) {
        while (isBreak(source[at])) at++;
        if (at === source.length) return at;
        if (source[at] !== pad) return at - 1;
        at++;
        bytes.push(held >> 4 & 0xff);
      } else bytes.push(held >> 10 & 0xff, held >> 2 & 0xff);
      while (isBreak(source[at])) at++;
      return at < source.length ? at : Uint8Array.from(bytes);
    }
  }
  return inGroup === 0 ? Uint8Array.from(bytes) : source.length - inGroup;
}
