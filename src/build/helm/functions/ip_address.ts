/** Whether a text is an IP address as Go's `netip.ParseAddr` reads it: 4 or 6; a zone may follow an IPv6 address. */
export function isAddress(text: string): 4 | 6 | undefined {
  const zone = text.indexOf("%");
  const address = zone < 0 ? text : text.slice(0, zone);
  if (zone === text.length - 1 && zone >= 0) return undefined;
  if (isVersion4(address)) return zone < 0 ? 4 : undefined;
  return isVersion6(address) ? 6 : undefined;
}

function isVersion4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
}

function isVersion6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2 || text === "") return false;
  let count = 0;
  for (const [index, half] of halves.entries()) {
    if (half === "") continue;
    const groups = half.split(":");
    for (const [position, group] of groups.entries()) {
      const isLast = index === halves.length - 1 && position === groups.length - 1;
      if (/^[0-9a-fA-F]{1,4}$/.test(group)) count++;
      else if (isLast && isVersion4(group)) count += 2;
      else return false;
    }
  }
  return halves.length === 2 ? count < 8 : count === 8;
}
