import { isIP } from "node:net";
import type { Lookup } from "../../core/network.ts";

/** How near a host is. `name`: a host name whose addresses were not looked at. */
export type AddressClass = "public" | "private" | "loopback" | "link-local" | "name";

/**
 * Class of a URL's host: IPv4 and IPv6 literals (also IPv4 inside IPv6), `localhost` and names below it; any other name is
 * `name`. Multicast, reserved and unspecified addresses count as `link-local`: nothing of ours is ever there.
 */
export function addressClass(host: string): AddressClass {
  const bare = host.replace(/^\[|\]$/g, "").replace(/\.$/, "").toLowerCase();
  if (bare === "localhost" || bare.endsWith(".localhost")) return "loopback";
  switch (isIP(bare)) {
    case 4:
      return classOfV4(bare.split(".").map(Number));
    case 6:
      return classOfV6(bare);
    default:
      return "name";
  }
}

/**
 * Whether a registry at `from` may send us on to `to`: never from the open internet into private networks, and to
 * link-local addresses (cloud metadata) never at all; the same host is always fine. With `lookup` a name is judged by its
 * addresses too (the nearest counts); without it, or when it is not known, a name is taken as public.
 */
export async function mayLeadTo(from: URL, to: URL, lookup?: Lookup): Promise<boolean> {
  if (from.host === to.host) return true;
  const target = await nearestClass(to.hostname, lookup);
  if (target === "public") return true;
  if (target === "link-local") return false;
  const origin = await nearestClass(from.hostname, lookup);
  return origin === target || (origin === "loopback" && target === "private");
}

async function nearestClass(host: string, lookup: Lookup | undefined): Promise<Exclude<AddressClass, "name">> {
  const literal = addressClass(host);
  if (literal !== "name") return literal;
  if (lookup === undefined) return "public";
  let addresses: readonly string[];
  try {
    addresses = await lookup(host);
  } catch {
    return "public";
  }
  const classes = addresses.map(addressClass);
  for (const near of ["link-local", "loopback", "private"] as const) if (classes.includes(near)) return near;
  return "public";
}

function classOfV4(parts: readonly number[]): Exclude<AddressClass, "name"> {
  const [a = 0, b = 0] = parts;
  if (a === 127) return "loopback";
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 100 && b >= 64 && b < 128)) {
    return "private";
  }
  return a === 0 || (a === 169 && b === 254) || a >= 224 ? "link-local" : "public";
}

function classOfV6(text: string): Exclude<AddressClass, "name"> {
  const groups = groupsOf(text);
  const [first = 0] = groups;
  const high = groups.slice(0, 6);
  const embedded = () => {
    const [c = 0, d = 0] = groups.slice(6);
    return classOfV4([c >> 8, c & 255, d >> 8, d & 255]);
  };
  if (groups.slice(0, 7).every((group) => group === 0)) return groups[7] === 1 ? "loopback" : "link-local";
  const isMapped = high.slice(0, 5).every((group) => group === 0) && (high[5] === 0xffff || high[5] === 0);
  const isTranslated = high[0] === 0x64 && high[1] === 0xff9b && high.slice(2).every((group) => group === 0);
  if (isMapped || isTranslated) return embedded();
  if ((first & 0xfe00) === 0xfc00) return "private";
  return (first & 0xffc0) === 0xfe80 || (first & 0xff00) === 0xff00 ? "link-local" : "public";
}

/** The eight groups of a valid IPv6 literal. */
function groupsOf(text: string): readonly number[] {
  const bare = text.split("%", 1)[0] ?? "";
  const hex = bare.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a, b, c, d) => `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`,
  );
  const [left = "", right] = hex.split("::");
  const read = (part: string) => part === "" ? [] : part.split(":").map((group) => parseInt(group, 16));
  const head = read(left);
  const tail = right === undefined ? [] : read(right);
  return [...head, ...Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0), ...tail];
}
