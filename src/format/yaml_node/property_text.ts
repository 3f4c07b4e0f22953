import { at, backtick, braceClose, bracketClose, colon, comma, isBlankOrEnd, percent, question } from "./characters.ts";
import type { Cursor } from "./cursor.ts";

/** Name of an anchor or alias. @throws {YamlSyntaxError} */
export function anchorName(cursor: Cursor): string {
  const start = cursor.pos;
  while (/[0-9A-Za-z_-]/.test(cursor.text.charAt(cursor.pos))) cursor.pos++;
  const next = cursor.code(0);
  const ends = isBlankOrEnd(next) || next === question || next === colon || next === comma ||
    next === bracketClose || next === braceClose || next === percent || next === at || next === backtick;
  if (cursor.pos === start || !ends) cursor.fail("did not find expected alphabetic or numeric character");
  return cursor.text.slice(start, cursor.pos);
}

/**
 * A tag in its short form (`!!str`); `prefixes` are those that directives gave to handles.
 *
 * @throws {YamlSyntaxError}
 */
export function tagText(cursor: Cursor, prefixes: ReadonlyMap<string, string>): string {
  const start = cursor.pos;
  if (cursor.code(1) === 0x3c) {
    const end = cursor.text.indexOf(">", start);
    if (end < 0 || end === start + 2) cursor.fail("did not find expected tag URI");
    cursor.pos = end + 1;
    return shortTag(cursor.text.slice(start + 2, end));
  }
  while (/[0-9A-Za-z_\-;/?:@&=+$.!~*'()%#\[\]]/.test(cursor.text.charAt(cursor.pos))) cursor.pos++;
  const text = cursor.text.slice(start, cursor.pos);
  const handle = /^!(?:[0-9A-Za-z_-]*!)?/.exec(text)?.[0] ?? "!";
  const suffix = text.slice(handle.length);
  if (handle !== "!" && suffix === "") cursor.fail("did not find expected tag URI");
  const prefix = prefixes.get(handle);
  if (prefix !== undefined) return shortTag(prefix + suffix);
  if (handle === "!" || handle === "!!") return shortTag(text);
  cursor.fail("found undefined tag handle");
}

const longPrefix = "tag:yaml.org,2002:";

function shortTag(tag: string): string {
  return tag.startsWith(longPrefix) ? `!!${tag.slice(longPrefix.length)}` : tag;
}
