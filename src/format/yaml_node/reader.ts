import type { ListNode, MapNode, NodeComments, ScalarNode, ScalarStyle, YamlNode } from "./node.ts";
import { copyNode, listNode, mapNode } from "./node.ts";
import { tagOfText } from "./resolve.ts";
import type { Dialect } from "./resolve.ts";
import { YamlSyntaxError } from "./syntax_error.ts";

/** How a text is read. */
export interface ReadOptions {
  /** Which rules plain scalars follow. Default `v3`. */
  readonly dialect?: Dialect;
  /** Line number of the text's first line. Default 1. */
  readonly firstLine?: number;
  /** Whether comments are kept on the nodes. Default `false`. */
  readonly comments?: boolean;
  /** Keys that texts share: hand the same map to all texts of one piece of work. Default: each text has its own. */
  readonly keys?: Map<string, ScalarNode>;
  /** Most nodes that a text may stand for after aliases are expanded. Default 2,000,000. */
  readonly maxNodes?: number;
  /** Whether what stands behind the first document may be anything, as go-yaml's `Unmarshal` has it. Default `false`. */
  readonly ignoresRest?: boolean;
}

const maxDepth = 1000;
const defaultMaxNodes = 2_000_000;
const maxKeyLength = 1024;

/**
 * The first document of a text as a node tree with aliases and merge keys expanded; `undefined` when the text holds no
 * document. Later documents of the text are not looked at (as go-yaml's `Decode` does).
 * Rules: YAML 1.1 as libyaml and go-yaml (v3.0) read it, limits: nesting 1,000, nodes `maxNodes`.
 *
 * @throws {YamlSyntaxError} on any other text
 */
export function readYaml(text: string, options: ReadOptions = {}): YamlNode | undefined {
  return new Reader(text, options).document();
}

// Character codes that the reader decides by. Past the end, charCodeAt gives NaN, which equals none of them.
const tab = 9, lf = 10, cr = 13, space = 32, bang = 33, doubleQuote = 34, hash = 35, percent = 37, ampersand = 38;
const singleQuote = 39, star = 42, comma = 44, dash = 45, dot = 46, colon = 58, greater = 62, question = 63, at = 64;
const bracketOpen = 91, backslash = 92, bracketClose = 93, backtick = 96, braceOpen = 123, pipe = 124;
const braceClose = 125;

// deno-lint-ignore no-control-regex
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]/;

function isBreak(code: number): boolean {
  return code === lf || code === cr || code === 0x85 || code === 0x2028 || code === 0x2029;
}

function isBlank(code: number): boolean {
  return code === space || code === tab;
}

/** Blank, line break or end of text. */
function isBlankOrEnd(code: number): boolean {
  return code === space || code === lf || code === tab || code !== code || isBreak(code);
}

/** A line break as it counts in a scalar: all are line feeds but U+2028 and U+2029. */
function breakText(code: number): string {
  return code === 0x2028 || code === 0x2029 ? String.fromCharCode(code) : "\n";
}

/** Line breaks between two pieces of a scalar: a single line feed is a blank, more are one less. */
function foldBreaks(first: string, rest: string): string {
  return first === "\n" ? rest === "" ? " " : rest : first + rest;
}

interface Properties {
  anchor: string | undefined;
  tag: string | undefined;
  column: number;
  line: number;
}

/** Recursive descent, one pass, no backtracking beyond one line. Lives for one text. */
class Reader {
  readonly #text: string;
  readonly #dialect: Dialect;
  readonly #keepComments: boolean;
  readonly #maxNodes: number;
  readonly #ignoresRest: boolean;
  readonly #anchors = new Map<string, YamlNode | undefined>();
  readonly #keys: Map<string, ScalarNode>;
  /** Entries of the collections that are being read; each takes its own off in one piece of the right size. */
  readonly #stack: YamlNode[] = [];
  #top = 0;
  readonly #tagPrefixes = new Map<string, string>();
  #pos = 0;
  #line: number;
  #lineStart = 0;
  #nodes = 0;
  #depth = 0;
  /** Comment lines seen since the last node, where comments are kept. */
  #pending: string[] = [];
  /** Comment at the end of the line of the last node. */
  #lineComment: string | undefined;

  constructor(text: string, options: ReadOptions) {
    this.#text = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    this.#dialect = options.dialect ?? "v3";
    this.#line = options.firstLine ?? 1;
    this.#keepComments = options.comments ?? false;
    this.#maxNodes = options.maxNodes ?? defaultMaxNodes;
    this.#ignoresRest = options.ignoresRest ?? false;
    this.#keys = options.keys ?? new Map();
  }

  document(): YamlNode | undefined {
    const bad = forbidden.exec(this.#text);
    if (bad !== null) this.#fail("control characters are not allowed");
    this.#directives();
    if (this.#pos >= this.#text.length || this.#isMarker(dot)) return undefined;
    const root = this.#node(-1, true, false);
    if (this.#ignoresRest) return root;
    this.#skip(true);
    if (this.#pos < this.#text.length && !this.#isMarker(dash) && !this.#isMarker(dot)) {
      this.#fail("did not find expected <document start>");
    }
    if (this.#keepComments && this.#pending.length > 0) addComment(root, "foot", this.#takePending());
    return root;
  }

  #directives(): void {
    let seen = false;
    for (;;) {
      this.#skip(false);
      if (this.#column() === 0 && this.#code(0) === percent) {
        seen = true;
        const end = this.#lineEnd();
        const words = this.#text.slice(this.#pos, end).replace(/\s+#.*$/, "").trim().split(/\s+/);
        if (words[0] === "%TAG" && words.length === 3) this.#tagPrefixes.set(words[1] as string, words[2] as string);
        else if (words[0] === "%YAML") {
          if (words.length !== 2 || !/^1\.\d+$/.test(words[1] as string)) {
            this.#fail("found incompatible YAML document");
          }
        } else this.#fail("found unknown directive name");
        this.#pos = end;
        continue;
      }
      break;
    }
    if (this.#isMarker(dash)) this.#pos += 3;
    else if (seen) this.#fail("did not find expected <document start>");
  }

  // Positions and characters.

  #code(offset: number): number {
    return this.#text.charCodeAt(this.#pos + offset);
  }

  #column(): number {
    return this.#pos - this.#lineStart;
  }

  #lineEnd(): number {
    let end = this.#pos;
    const text = this.#text;
    while (end < text.length && !isBreak(text.charCodeAt(end))) end++;
    return end;
  }

  #fail(message: string, node?: YamlNode): never {
    throw new YamlSyntaxError(message, this.#line, this.#column() + 1, node);
  }

  #isMarker(code: number): boolean {
    return this.#column() === 0 && this.#code(0) === code && this.#code(1) === code && this.#code(2) === code &&
      isBlankOrEnd(this.#code(3));
  }

  #atEnd(): boolean {
    return this.#pos >= this.#text.length || this.#isMarker(dash) || this.#isMarker(dot);
  }

  /** Steps over one line break (CR LF is one). */
  #break(): void {
    this.#pos += this.#code(0) === cr && this.#code(1) === lf ? 2 : 1;
    this.#line++;
    this.#lineStart = this.#pos;
  }

  /** Steps over blanks, comments and line breaks to the next token; says whether a line break was among them. */
  #skip(tabs: boolean, flow = false): boolean {
    let crossed = false;
    for (;;) {
      let code = this.#code(0);
      while (code === space || (code === tab && tabs)) code = this.#text.charCodeAt(++this.#pos);
      if (code === hash) {
        const end = this.#lineEnd();
        if (this.#keepComments) {
          const comment = this.#text.slice(this.#pos, end);
          if (crossed || this.#isFirstOnLine()) this.#pending.push(comment);
          else this.#lineComment = comment;
        }
        this.#pos = end;
        code = this.#code(0);
      }
      if (code === lf || isBreak(code)) {
        this.#break();
        crossed = true;
        if (!flow) tabs = false;
      } else return crossed;
    }
  }

  #isFirstOnLine(): boolean {
    for (let back = this.#pos - 1; back >= this.#lineStart; back--) {
      if (!isBlank(this.#text.charCodeAt(back))) return false;
    }
    return true;
  }

  #takePending(): string {
    const text = this.#pending.join("\n");
    this.#pending = [];
    return text;
  }

  // Nodes.

  #count(): void {
    if (++this.#nodes > this.#maxNodes) {
      this.#fail(`document holds more than ${this.#maxNodes.toLocaleString("en")} nodes after aliases are expanded`);
    }
  }

  #scalar(text: string, style: ScalarStyle, tag: string | undefined): ScalarNode {
    this.#count();
    const known = tag !== undefined && tag !== "!";
    // The bare "!" makes text of a scalar in go-yaml v2, and says nothing in v3.
    if (tag === "!" && this.#dialect === "v2") style = style === "plain" ? "single" : style;
    const resolved = known
      ? tag
      : style !== "plain"
      ? "!!str"
      : text === "<<"
      ? "!!merge"
      : tagOfText(text, this.#dialect);
    return { kind: "scalar", text, tag: resolved, style, explicitTag: known, line: this.#line, comments: undefined };
  }

  #empty(properties?: Properties): YamlNode {
    const node = this.#scalar("", "plain", properties?.tag);
    return this.#anchored(node, properties);
  }

  #anchored<Node extends YamlNode>(node: Node, properties: Properties | undefined): Node {
    if (properties?.anchor !== undefined) this.#anchors.set(properties.anchor, node);
    return node;
  }

  #withProperties(node: YamlNode, properties: Properties): YamlNode {
    if (properties.tag !== undefined && properties.tag !== "!") {
      node.tag = properties.tag;
      if (node.kind === "scalar") node.explicitTag = true;
    }
    return this.#anchored(node, properties);
  }

  /**
   * A node in block context, below a collection whose column is `indent`. `keysAllowed`: a block collection may begin
   * on this very line. `indentless`: a sequence may stand at column `indent` itself (value of a mapping).
   */
  #node(indent: number, keysAllowed: boolean, indentless: boolean): YamlNode {
    if (++this.#depth > maxDepth) this.#fail(`nesting is deeper than ${maxDepth}`);
    if (this.#skip(!keysAllowed)) keysAllowed = true;
    // The comment behind a key is that key's, whatever the lines of its value say.
    const comment = this.#lineComment;
    this.#lineComment = undefined;
    const node = this.#content(indent, keysAllowed, indentless);
    if (comment !== undefined) this.#lineComment = comment;
    this.#depth--;
    return node;
  }

  #isEntry(code: number): boolean {
    return this.#code(0) === code && isBlankOrEnd(this.#code(1));
  }

  #content(indent: number, keysAllowed: boolean, indentless: boolean): YamlNode {
    if (this.#atEnd()) return this.#empty();
    const column = this.#column();
    if (column <= indent && !(indentless && column === indent && this.#isEntry(dash))) return this.#empty();
    const code = this.#code(0);
    if (code === ampersand || code === bang) {
      const properties = this.#properties();
      const crossed = this.#skip(true);
      if (crossed || this.#atEnd()) {
        // The properties stand alone on their line: they belong to whatever follows as a whole.
        const inner = this.#content(indent, true, indentless);
        if (inner.kind === "scalar" && inner.explicitTag && properties.tag !== undefined) {
          this.#fail("did not find expected node content");
        }
        return this.#withProperties(inner, properties);
      }
      return this.#bare(indent, keysAllowed, properties);
    }
    return this.#bare(indent, keysAllowed, undefined);
  }

  /** Content after its properties, which stand on the same line. */
  #bare(indent: number, keysAllowed: boolean, properties: Properties | undefined): YamlNode {
    const column = this.#column();
    const mapColumn = properties?.column ?? column;
    const startLine = this.#line;
    const startPos = this.#pos;
    const code = this.#code(0);
    if (code === dash && isBlankOrEnd(this.#code(1))) {
      if (!keysAllowed || properties !== undefined) {
        this.#fail("block sequence entries are not allowed in this context");
      }
      return this.#sequence(column, column === indent);
    }
    if ((code === question || code === colon) && isBlankOrEnd(this.#code(1))) {
      if (!keysAllowed) this.#fail("mapping values are not allowed in this context");
      if (properties !== undefined && code === question) this.#fail("did not find expected node content");
      return this.#mapping(mapColumn, properties === undefined ? undefined : this.#empty(properties));
    }
    if (code === pipe || code === greater) {
      const node = this.#blockScalar(indent, properties?.tag);
      return this.#anchored(node, properties);
    }
    const node = this.#inlineNode(indent, properties, false);
    // A key if a colon follows on the same line.
    let ahead = this.#pos;
    while (isBlank(this.#text.charCodeAt(ahead))) ahead++;
    if (this.#text.charCodeAt(ahead) === colon && isBlankOrEnd(this.#text.charCodeAt(ahead + 1))) {
      if (!keysAllowed || this.#line !== startLine || ahead - startPos > maxKeyLength) {
        this.#pos = ahead;
        this.#fail("mapping values are not allowed in this context");
      }
      this.#pos = ahead;
      return this.#mapping(mapColumn, node);
    }
    if (this.#keepComments) this.#lineCommentOf(node);
    return node;
  }

  #lineCommentOf(node: YamlNode): void {
    let ahead = this.#pos;
    while (isBlank(this.#text.charCodeAt(ahead))) ahead++;
    if (this.#text.charCodeAt(ahead) !== hash) return;
    this.#pos = ahead;
    const end = this.#lineEnd();
    addComment(node, "line", this.#text.slice(this.#pos, end));
    this.#pos = end;
  }

  /** Alias, flow collection, quoted or plain scalar. */
  #inlineNode(indent: number, properties: Properties | undefined, flow: boolean): YamlNode {
    const code = this.#code(0);
    if (code === star) {
      if (properties !== undefined) this.#fail("did not find expected node content");
      return this.#alias();
    }
    if (code === bracketOpen) return this.#flowSequence(properties);
    if (code === braceOpen) return this.#flowMapping(properties);
    if (code === doubleQuote || code === singleQuote) {
      const text = code === doubleQuote ? this.#doubleQuoted() : this.#singleQuoted();
      return this.#anchored(
        this.#scalar(text, code === doubleQuote ? "double" : "single", properties?.tag),
        properties,
      );
    }
    if (!this.#startsPlain(code, flow)) {
      if (flow && (code === comma || code === bracketClose || code === braceClose || code === colon)) {
        return this.#empty(properties);
      }
      this.#fail("found character that cannot start any token");
    }
    const line = this.#line;
    const text = this.#plain(indent + 1, flow);
    const node = this.#scalar(text, "plain", properties?.tag);
    node.line = line;
    return this.#anchored(node, properties);
  }

  #startsPlain(code: number, flow: boolean): boolean {
    switch (code) {
      case dash:
        return !isBlankOrEnd(this.#code(1));
      case question:
      case colon:
        return !flow && !isBlankOrEnd(this.#code(1));
      case comma:
      case bracketOpen:
      case bracketClose:
      case braceOpen:
      case braceClose:
      case hash:
      case ampersand:
      case star:
      case bang:
      case pipe:
      case greater:
      case singleQuote:
      case doubleQuote:
      case percent:
      case at:
      case backtick:
        return false;
      default:
        return !isBlankOrEnd(code);
    }
  }

  #sequence(column: number, indentless: boolean): ListNode {
    this.#count();
    const list = listNode();
    list.line = this.#line;
    const start = this.#top;
    for (;;) {
      const head = this.#pending.length > 0 ? this.#takePending() : undefined;
      this.#pos++;
      const item = this.#node(column, true, false);
      this.#stack[this.#top++] = item;
      if (head !== undefined) addComment(item, "head", head);
      this.#skip(true);
      if (this.#atEnd()) break;
      const next = this.#column();
      if (next < column) break;
      if (next > column) this.#fail("did not find expected '-' indicator");
      if (!this.#isEntry(dash)) {
        if (indentless) break;
        this.#fail("did not find expected '-' indicator");
      }
    }
    list.items = this.#stack.slice(start, this.#top);
    this.#top = start;
    return list;
  }

  /** Makes the entries above `start` on the stack those of a mapping. */
  #takeEntries(map: MapNode, start: number): void {
    const stack = this.#stack;
    const count = (this.#top - start) / 2;
    const keys = new Array<ScalarNode>(count);
    const values = new Array<YamlNode>(count);
    for (let at = 0; at < count; at++) {
      keys[at] = stack[start + 2 * at] as ScalarNode;
      values[at] = stack[start + 2 * at + 1] as YamlNode;
    }
    map.keys = keys;
    map.values = values;
    this.#top = start;
  }

  #mapping(column: number, first: YamlNode | undefined): MapNode {
    this.#count();
    const map = mapNode();
    map.line = this.#line;
    const start = this.#top;
    let key = first;
    let merges: YamlNode[] | undefined;
    for (;;) {
      const head = this.#pending.length > 0 ? this.#takePending() : undefined;
      let value: YamlNode;
      if (key === undefined && this.#isEntry(question)) {
        this.#pos++;
        key = this.#node(column, true, true);
        this.#skip(true);
        if (!this.#atEnd() && this.#column() === column && this.#isEntry(colon)) {
          this.#pos++;
          value = this.#node(column, true, true);
        } else value = this.#empty();
      } else {
        if (key === undefined) key = this.#isEntry(colon) ? this.#empty() : this.#implicitKey();
        this.#pos++; // the colon
        value = this.#node(column, false, true);
      }
      if (this.#keepComments) {
        if (head !== undefined) {
          key = { ...(key as ScalarNode) };
          addComment(key, "head", head);
        }
        if (this.#lineComment !== undefined) {
          key = { ...(key as ScalarNode) };
          addComment(key, "line", this.#lineComment);
          this.#lineComment = undefined;
        }
      }
      if (key.tag === "!!merge") (merges ??= []).push(value);
      else this.#addEntry(map, key, value, start);
      key = undefined;
      this.#skip(true);
      if (this.#atEnd()) break;
      const next = this.#column();
      if (next < column) break;
      if (next > column || this.#isEntry(dash)) this.#fail("did not find expected key");
    }
    this.#takeEntries(map, start);
    if (merges !== undefined) this.#merge(map, merges);
    return map;
  }

  #implicitKey(): YamlNode {
    const startLine = this.#line;
    const startPos = this.#pos;
    const code = this.#code(0);
    let key: YamlNode;
    if (code === ampersand || code === bang) {
      const properties = this.#properties();
      if (this.#skip(true)) this.#fail("could not find expected ':'");
      key = this.#isEntry(colon) ? this.#empty(properties) : this.#inlineNode(this.#column() - 1, properties, false);
    } else {
      const known = this.#plainKey();
      if (known !== undefined) return known;
      key = this.#inlineNode(this.#column() - 1, undefined, false);
    }
    while (isBlank(this.#code(0))) this.#pos++;
    if (
      this.#line !== startLine || this.#code(0) !== colon || !isBlankOrEnd(this.#code(1)) ||
      this.#pos - startPos > maxKeyLength
    ) this.#fail("could not find expected ':'");
    return key;
  }

  /** A plain key of ordinary characters directly followed by its colon: the case that nearly every key is. */
  #plainKey(): ScalarNode | undefined {
    const text = this.#text;
    let end = this.#pos;
    let code = text.charCodeAt(end);
    if (!(code > 0x60 && code < 0x7b || code > 0x40 && code < 0x5b)) return undefined;
    do code = text.charCodeAt(++end); while (
      code > 0x60 && code < 0x7b || code > 0x3f && code < 0x5b || code > 0x2c && code < 0x3a || code === 0x5f
    );
    if (code !== colon || !isBlankOrEnd(text.charCodeAt(end + 1)) || end - this.#pos > maxKeyLength) return undefined;
    const word = text.slice(this.#pos, end);
    this.#pos = end;
    let key = this.#keys.get(word);
    if (key === undefined) {
      // A name of an object's field is one string for the whole program, and compares by its address.
      key = this.#scalar(Object.keys({ [word]: 0 })[0] as string, "plain", undefined);
      this.#keys.set(key.text, key);
    }
    return key;
  }

  /** Puts an entry on the stack; `start` is where the mapping's entries begin. */
  #addEntry(map: MapNode, key: YamlNode, value: YamlNode, start: number): void {
    if (key.kind !== "scalar") this.#fail("mapping keys must be scalars", key);
    const stack = this.#stack;
    const top = this.#top;
    if (top - start < 48) {
      for (let at = start; at < top; at += 2) {
        const known = stack[at] as ScalarNode;
        if (known === key || known.text === key.text) map.duplicate ??= key.text;
      }
    } else {
      if (map.index === undefined) {
        map.index = new Map();
        for (let at = top - 2; at >= start; at -= 2) map.index.set((stack[at] as ScalarNode).text, (at - start) / 2);
      }
      if (map.index.has(key.text)) map.duplicate ??= key.text;
      else map.index.set(key.text, (top - start) / 2);
    }
    stack[top] = key;
    stack[top + 1] = value;
    this.#top = top + 2;
  }

  /** Fills in what merge keys bring: the mapping's own keys win, then the first merged mapping that has a key. */
  #merge(map: MapNode, merges: readonly YamlNode[]): void {
    if (merges.length > 1) this.#fail("duplicate merge key");
    const value = merges[0] as YamlNode;
    const sources = value.kind === "list" ? value.items : [value];
    const seen = new Set(map.keys.map((key) => key.text));
    for (const source of sources) {
      if (source.kind !== "map") this.#fail("map merge requires map or sequence of maps as the value");
      source.keys.forEach((key, at) => {
        if (seen.has(key.text)) return;
        seen.add(key.text);
        map.keys.push(key);
        map.values.push(this.#copy(source.values[at] as YamlNode));
      });
    }
    map.index = undefined;
  }

  #alias(): YamlNode {
    this.#pos++;
    const name = this.#anchorName();
    if (!this.#anchors.has(name)) this.#fail(`unknown anchor '${name}' referenced`);
    const target = this.#anchors.get(name);
    if (target === undefined) this.#fail(`anchor '${name}' value contains itself`);
    return this.#copy(target);
  }

  #copy(node: YamlNode): YamlNode {
    this.#nodes += countNodes(node, this.#maxNodes - this.#nodes);
    this.#count();
    return copyNode(node);
  }

  #anchorName(): string {
    const start = this.#pos;
    while (/[0-9A-Za-z_-]/.test(this.#text.charAt(this.#pos))) this.#pos++;
    const next = this.#code(0);
    const ends = isBlankOrEnd(next) || next === question || next === colon || next === comma ||
      next === bracketClose || next === braceClose || next === percent || next === at || next === backtick;
    if (this.#pos === start || !ends) this.#fail("did not find expected alphabetic or numeric character");
    return this.#text.slice(start, this.#pos);
  }

  /** Anchor and tag, in either order. */
  #properties(): Properties {
    const properties: Properties = { anchor: undefined, tag: undefined, column: this.#column(), line: this.#line };
    for (;;) {
      const code = this.#code(0);
      if (code === ampersand && properties.anchor === undefined) {
        this.#pos++;
        properties.anchor = this.#anchorName();
        this.#anchors.set(properties.anchor, undefined);
      } else if (code === bang && properties.tag === undefined) {
        properties.tag = this.#tag();
      } else break;
      if (!isBlankOrEnd(this.#code(0)) && this.#code(0) !== comma) {
        this.#fail("did not find expected whitespace or line break");
      }
      let ahead = this.#pos;
      while (isBlank(this.#text.charCodeAt(ahead))) ahead++;
      const next = this.#text.charCodeAt(ahead);
      if (next !== ampersand && next !== bang) break;
      this.#pos = ahead;
    }
    return properties;
  }

  #tag(): string {
    const start = this.#pos;
    if (this.#code(1) === 0x3c) {
      const end = this.#text.indexOf(">", start);
      if (end < 0 || end === start + 2) this.#fail("did not find expected tag URI");
      this.#pos = end + 1;
      return shortTag(this.#text.slice(start + 2, end));
    }
    while (/[0-9A-Za-z_\-;/?:@&=+$.!~*'()%#\[\]]/.test(this.#text.charAt(this.#pos))) this.#pos++;
    const text = this.#text.slice(start, this.#pos);
    const handle = /^!(?:[0-9A-Za-z_-]*!)?/.exec(text)?.[0] ?? "!";
    const suffix = text.slice(handle.length);
    if (handle !== "!" && suffix === "") this.#fail("did not find expected tag URI");
    const prefix = this.#tagPrefixes.get(handle);
    if (prefix !== undefined) return shortTag(prefix + suffix);
    if (handle === "!" || handle === "!!") return shortTag(text);
    this.#fail("found undefined tag handle");
  }

  // Scalars.

  /** A plain scalar; continuation lines must reach column `minColumn` (not looked at in flow context). */
  #plain(minColumn: number, flow: boolean): string {
    const text = this.#text;
    let out: string | undefined;
    let start = this.#pos;
    let end = this.#pos;
    let scan = this.#pos;
    for (;;) {
      // One line.
      let stopped = false;
      for (;;) {
        const code = text.charCodeAt(scan);
        if (code === colon) {
          if (isBlankOrEnd(text.charCodeAt(scan + 1))) {
            stopped = true;
            break;
          }
        } else if (code === space || code === tab) {
          do scan++; while (isBlank(text.charCodeAt(scan)));
          const next = text.charCodeAt(scan);
          if (next === hash) {
            stopped = true;
            break;
          }
          if (next !== next || isBreak(next)) break;
          continue;
        } else if (code === lf || code !== code || isBreak(code)) break;
        else if (
          flow && (code === comma || code === question || code === bracketOpen || code === bracketClose ||
            code === braceOpen || code === braceClose)
        ) {
          stopped = true;
          break;
        }
        end = ++scan;
      }
      if (stopped || scan >= text.length) break;
      // Look over line breaks and blanks for a continuation.
      this.#pos = scan;
      const line = this.#line;
      const lineStart = this.#lineStart;
      let breaks = 0;
      let firstBreak = "";
      let foldedBreaks = "";
      for (;;) {
        const code = text.charCodeAt(this.#pos);
        if (code === space || code === tab) {
          if (code === tab && breaks > 0 && this.#column() < minColumn) {
            this.#fail("found a tab character that violates indentation");
          }
          this.#pos++;
        } else if (code === code && isBreak(code)) {
          const written = breakText(code);
          if (breaks > 0) foldedBreaks += written;
          else firstBreak = written;
          breaks++;
          this.#break();
        } else break;
      }
      const code = this.#code(0);
      const goesOn = code === code && code !== hash && (flow || this.#column() >= minColumn) &&
        !this.#isMarker(dash) && !this.#isMarker(dot) && !this.#stopsPlain(code, flow);
      if (!goesOn) {
        this.#line = line;
        this.#lineStart = lineStart;
        break;
      }
      out = (out ?? "") + text.slice(start, end) + foldBreaks(firstBreak, foldedBreaks);
      start = scan = end = this.#pos;
    }
    this.#pos = end;
    return out === undefined ? text.slice(start, end) : out + text.slice(start, end);
  }

  #stopsPlain(code: number, flow: boolean): boolean {
    if (code === colon && isBlankOrEnd(this.#code(1))) return true;
    return flow && (code === comma || code === question || code === bracketOpen || code === bracketClose ||
      code === braceOpen || code === braceClose);
  }

  #singleQuoted(): string {
    const text = this.#text;
    let scan = ++this.#pos;
    let out = "";
    let start = scan;
    for (;;) {
      const code = text.charCodeAt(scan);
      if (code === singleQuote) {
        if (text.charCodeAt(scan + 1) === singleQuote) {
          out += text.slice(start, scan + 1);
          start = scan += 2;
          continue;
        }
        this.#pos = scan + 1;
        return out + text.slice(start, scan);
      }
      if (code !== code) this.#fail("found unexpected end of stream");
      if (isBreak(code)) {
        out += text.slice(start, scan).replace(/[ \t]+$/, "");
        this.#pos = scan;
        out += this.#foldLines();
        start = scan = this.#pos;
        continue;
      }
      scan++;
    }
  }

  /** Line breaks inside a quoted scalar: one is a blank, more are one less. */
  #foldLines(): string {
    let first = "";
    let rest = "";
    for (;;) {
      const code = this.#code(0);
      if (isBlank(code)) this.#pos++;
      else if (code === code && isBreak(code)) {
        if (first === "") first = breakText(code);
        else rest += breakText(code);
        this.#break();
        if (this.#isMarker(dash) || this.#isMarker(dot)) this.#fail("found unexpected document indicator");
      } else break;
    }
    return foldBreaks(first, rest);
  }

  #doubleQuoted(): string {
    const text = this.#text;
    let scan = ++this.#pos;
    let out = "";
    let start = scan;
    for (;;) {
      const code = text.charCodeAt(scan);
      if (code === doubleQuote) {
        this.#pos = scan + 1;
        return start === scan && out === "" ? "" : out + text.slice(start, scan);
      }
      if (code !== code) this.#fail("found unexpected end of stream");
      if (code === backslash) {
        out += text.slice(start, scan);
        this.#pos = scan + 1;
        const next = this.#code(0);
        if (next === next && isBreak(next)) {
          // A line break that is escaped joins the lines.
          this.#break();
          for (;;) {
            const blank = this.#code(0);
            if (isBlank(blank)) this.#pos++;
            else if (blank === blank && isBreak(blank)) {
              out += "\n";
              this.#break();
            } else break;
          }
        } else out += this.#escape();
        start = scan = this.#pos;
        continue;
      }
      if (isBreak(code)) {
        out += text.slice(start, scan).replace(/[ \t]+$/, "");
        this.#pos = scan;
        out += this.#foldLines();
        start = scan = this.#pos;
        continue;
      }
      scan++;
    }
  }

  #escape(): string {
    const letter = this.#text.charAt(this.#pos++);
    const simple = simpleEscapes[letter];
    if (simple !== undefined) return simple;
    const length = letter === "x" ? 2 : letter === "u" ? 4 : letter === "U" ? 8 : 0;
    if (length === 0) this.#fail("found unknown escape character");
    const digits = this.#text.slice(this.#pos, this.#pos + length);
    if (digits.length !== length || !/^[0-9a-fA-F]+$/.test(digits)) {
      this.#fail("did not find expected hexdecimal number");
    }
    this.#pos += length;
    const value = parseInt(digits, 16);
    if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
      this.#fail("found invalid Unicode character escape code");
    }
    return String.fromCodePoint(value);
  }

  /** `|` and `>` with their header; `indent` is the column of the collection around. */
  #blockScalar(indent: number, tag: string | undefined): ScalarNode {
    const text = this.#text;
    const literal = this.#code(0) === pipe;
    const line = this.#line;
    const header = /^[|>](?:([+-])([0-9])?|([0-9])([+-])?)?/.exec(text.slice(this.#pos, this.#pos + 3));
    const chomp = header?.[1] ?? header?.[4];
    const digit = header?.[2] ?? header?.[3];
    if (digit === "0") this.#fail("found an indentation indicator equal to 0");
    this.#pos += header?.[0].length ?? 1;
    let rest = this.#pos;
    while (isBlank(text.charCodeAt(rest))) rest++;
    this.#pos = rest;
    const code = this.#code(0);
    if (code === hash) this.#pos = this.#lineEnd();
    else if (code === code && !isBreak(code)) this.#fail("did not find expected comment or line break");
    if (this.#pos < text.length) this.#break();

    let column = digit === undefined ? 0 : Math.max(indent, 0) + Number(digit);
    let breaks = "";
    const readBreaks = () => {
      let most = 0;
      for (;;) {
        while ((column === 0 || this.#column() < column) && this.#code(0) === space) this.#pos++;
        most = Math.max(most, this.#column());
        if ((column === 0 || this.#column() < column) && this.#code(0) === tab) {
          this.#fail("found a tab character where an indentation space is expected");
        }
        const next = this.#code(0);
        if (!(next === next && isBreak(next))) break;
        breaks += next === 0x2028 || next === 0x2029 ? text.charAt(this.#pos) : "\n";
        this.#break();
      }
      if (column === 0) column = Math.max(most, indent + 1, 1);
    };
    readBreaks();
    const parts: string[] = [];
    let lastBreak = "";
    let lastWasBlank = false;
    while (this.#column() === column && this.#pos < text.length) {
      const startsBlank = isBlank(this.#code(0));
      if (!literal && lastBreak === "\n" && !lastWasBlank && !startsBlank) {
        if (breaks === "") parts.push(" ");
      } else parts.push(lastBreak);
      parts.push(breaks);
      breaks = "";
      lastBreak = "";
      lastWasBlank = startsBlank;
      const end = this.#lineEnd();
      parts.push(text.slice(this.#pos, end));
      this.#pos = end;
      if (end < text.length) {
        const code = this.#code(0);
        lastBreak = code === 0x2028 || code === 0x2029 ? text.charAt(end) : "\n";
        this.#break();
      }
      readBreaks();
    }
    if (chomp !== "-") parts.push(lastBreak);
    if (chomp === "+") parts.push(breaks);
    const node = this.#scalar(parts.join(""), literal ? "literal" : "folded", tag);
    node.line = line;
    return node;
  }

  // Flow collections.

  #flowNode(): YamlNode {
    if (++this.#depth > maxDepth) this.#fail(`nesting is deeper than ${maxDepth}`);
    let properties: Properties | undefined;
    const code = this.#code(0);
    if (code === ampersand || code === bang) {
      properties = this.#properties();
      this.#flowSkip();
    }
    const node = this.#inlineNode(-1, properties, true);
    this.#depth--;
    return node;
  }

  #flowSkip(): void {
    this.#skip(true, true);
    if (this.#pos >= this.#text.length || this.#isMarker(dash) || this.#isMarker(dot)) {
      this.#fail("did not find expected ',' or ']'");
    }
  }

  #flowSequence(properties: Properties | undefined): ListNode {
    this.#count();
    const list = listNode();
    list.flow = true;
    list.line = this.#line;
    if (properties?.tag !== undefined && properties.tag !== "!") list.tag = properties.tag;
    this.#pos++;
    for (;;) {
      this.#flowSkip();
      if (this.#code(0) === bracketClose) break;
      if (this.#code(0) === comma) this.#fail("did not find expected node content");
      const explicit = this.#code(0) === question;
      const startLine = this.#line;
      if (explicit) {
        this.#pos++;
        this.#flowSkip();
      }
      const item = this.#flowNode();
      this.#flowSkip();
      if (this.#code(0) === colon && (explicit || this.#line === startLine)) {
        this.#pos++;
        this.#flowSkip();
        const pair = mapNode();
        pair.flow = true;
        pair.line = startLine;
        const inner = this.#top;
        this.#addEntry(pair, item, this.#flowNode(), inner);
        this.#takeEntries(pair, inner);
        list.items.push(pair);
        this.#flowSkip();
      } else if (explicit) {
        const pair = mapNode();
        pair.flow = true;
        const inner = this.#top;
        this.#addEntry(pair, item, this.#empty(), inner);
        this.#takeEntries(pair, inner);
        list.items.push(pair);
      } else list.items.push(item);
      if (this.#code(0) === comma) this.#pos++;
      else if (this.#code(0) !== bracketClose) this.#fail("did not find expected ',' or ']'");
    }
    this.#pos++;
    return this.#anchored(list, properties);
  }

  #flowMapping(properties: Properties | undefined): MapNode {
    this.#count();
    const map = mapNode();
    map.flow = true;
    map.line = this.#line;
    if (properties?.tag !== undefined && properties.tag !== "!") map.tag = properties.tag;
    let merges: YamlNode[] | undefined;
    const start = this.#top;
    this.#pos++;
    for (;;) {
      this.#flowSkip();
      if (this.#code(0) === braceClose) break;
      if (this.#code(0) === comma) this.#fail("did not find expected node content");
      const explicit = this.#code(0) === question;
      const startLine = this.#line;
      if (explicit) {
        this.#pos++;
        this.#flowSkip();
      } else if (this.#code(0) === colon) this.#fail("did not find expected node content");
      const key = this.#flowNode();
      this.#flowSkip();
      let value: YamlNode;
      if (this.#code(0) === colon && (explicit || this.#line === startLine)) {
        this.#pos++;
        this.#flowSkip();
        value = this.#flowNode();
        this.#flowSkip();
      } else value = this.#empty();
      if (key.tag === "!!merge") (merges ??= []).push(value);
      else this.#addEntry(map, key, value, start);
      if (this.#code(0) === comma) this.#pos++;
      else if (this.#code(0) !== braceClose) this.#fail("did not find expected ',' or '}'");
    }
    this.#pos++;
    this.#takeEntries(map, start);
    if (merges !== undefined) this.#merge(map, merges);
    return this.#anchored(map, properties);
  }
}

const simpleEscapes: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  t: "\t",
  "\t": "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
  e: "\x1b",
  " ": " ",
  '"': '"',
  "'": "'",
  "\\": "\\",
  N: "\u0085",
  _: "\u00a0",
  L: "\u2028",
  P: "\u2029",
};

const longPrefix = "tag:yaml.org,2002:";

function shortTag(tag: string): string {
  return tag.startsWith(longPrefix) ? `!!${tag.slice(longPrefix.length)}` : tag;
}

function countNodes(node: YamlNode, limit: number): number {
  let count = 1;
  if (node.kind === "scalar") return 1;
  for (const child of node.kind === "map" ? node.values : node.items) {
    count += countNodes(child, limit - count);
    if (count > limit) return count;
  }
  return count;
}

function addComment(node: YamlNode, place: keyof NodeComments, comment: string): void {
  const comments = node.comments ?? {};
  const known = comments[place];
  comments[place] = known === undefined ? comment : `${known}\n${comment}`;
  node.comments = comments;
}
