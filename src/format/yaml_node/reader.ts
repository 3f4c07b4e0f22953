import {
  ampersand,
  bang,
  braceClose,
  braceOpen,
  bracketClose,
  bracketOpen,
  colon,
  comma,
  dash,
  dot,
  doubleQuote,
  greater,
  hash,
  isBlank,
  isBlankOrEnd,
  isBreak,
  lf,
  percent,
  pipe,
  question,
  singleQuote,
  space,
  star,
  tab,
} from "./characters.ts";
import { Cursor } from "./cursor.ts";
import type { ListNode, MapNode, NodeComments, ScalarNode, ScalarStyle, YamlNode } from "./node.ts";
import { copyNode, listNode, mapNode } from "./node.ts";
import { anchorName, tagText } from "./property_text.ts";
import { tagOfText } from "./resolve.ts";
import type { Dialect } from "./resolve.ts";
import { blockText, doubleQuotedText, plainText, singleQuotedText, startsPlain } from "./scalar_text.ts";

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

// deno-lint-ignore no-control-regex
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]/;

interface Properties {
  anchor: string | undefined;
  tag: string | undefined;
  column: number;
  line: number;
}

/** Recursive descent, one pass, no backtracking beyond one line. Lives for one text. */
class Reader extends Cursor {
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
  #nodes = 0;
  #depth = 0;
  /** Comment lines seen since the last node, where comments are kept. */
  #pending: string[] = [];
  /** Comment at the end of the line of the last node. */
  #lineComment: string | undefined;

  constructor(text: string, options: ReadOptions) {
    super(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, options.firstLine ?? 1);
    this.#dialect = options.dialect ?? "v3";
    this.#keepComments = options.comments ?? false;
    this.#maxNodes = options.maxNodes ?? defaultMaxNodes;
    this.#ignoresRest = options.ignoresRest ?? false;
    this.#keys = options.keys ?? new Map();
  }

  document(): YamlNode | undefined {
    const bad = forbidden.exec(this.text);
    if (bad !== null) this.fail("control characters are not allowed");
    const isMarked = this.#directives();
    if (this.pos >= this.text.length || this.isMarker(dot)) return undefined;
    const root = this.#node(-1, !isMarked, false);
    if (this.#ignoresRest) return root;
    this.#skip(true);
    if (this.pos < this.text.length && !this.isMarker(dash) && !this.isMarker(dot)) {
      this.fail("did not find expected <document start>");
    }
    if (this.#keepComments && this.#pending.length > 0) addComment(root, "foot", this.#takePending());
    return root;
  }

  /** Says whether a line `---` was taken: no block collection may begin on that. */
  #directives(): boolean {
    let seen = false;
    for (;;) {
      this.#skip(false);
      if (this.column() === 0 && this.code(0) === percent) {
        seen = true;
        const end = this.lineEnd();
        const words = this.text.slice(this.pos, end).replace(/\s+#.*$/, "").trim().split(/\s+/);
        if (words[0] === "%TAG" && words.length === 3) {
          const handle = words[1] as string;
          if (this.#tagPrefixes.has(handle)) this.fail("found duplicate %TAG directive");
          this.#tagPrefixes.set(handle, words[2] as string);
        } else if (words[0] === "%YAML") {
          if (words.length !== 2 || !/^1\.\d+$/.test(words[1] as string)) {
            this.fail("found incompatible YAML document");
          }
        } else this.fail("found unknown directive name");
        this.pos = end;
        continue;
      }
      break;
    }
    if (this.isMarker(dash)) {
      this.pos += 3;
      return true;
    }
    if (seen) this.fail("did not find expected <document start>");
    return false;
  }

  /** Steps over blanks, comments and line breaks to the next token; says whether a line break was among them. */
  #skip(tabs: boolean, flow = false): boolean {
    let crossed = false;
    for (;;) {
      let code = this.code(0);
      while (code === space || (code === tab && tabs)) code = this.text.charCodeAt(++this.pos);
      if (code === hash) {
        const end = this.lineEnd();
        if (this.#keepComments) {
          const comment = this.text.slice(this.pos, end);
          if (crossed || this.#isFirstOnLine()) this.#pending.push(comment);
          else this.#lineComment = comment;
        }
        this.pos = end;
        code = this.code(0);
      }
      if (code === lf || isBreak(code)) {
        this.lineBreak();
        crossed = true;
        if (!flow) tabs = false;
      } else return crossed;
    }
  }

  #isFirstOnLine(): boolean {
    for (let back = this.pos - 1; back >= this.lineStart; back--) {
      if (!isBlank(this.text.charCodeAt(back))) return false;
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
      this.fail(`document holds more than ${this.#maxNodes.toLocaleString("en")} nodes after aliases are expanded`);
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
    return { kind: "scalar", text, tag: resolved, style, explicitTag: known, line: this.line, comments: undefined };
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
    if (++this.#depth > maxDepth) this.fail(`nesting is deeper than ${maxDepth}`);
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
    return this.code(0) === code && isBlankOrEnd(this.code(1));
  }

  #content(indent: number, keysAllowed: boolean, indentless: boolean): YamlNode {
    if (this.atEnd()) return this.#empty();
    const column = this.column();
    if (column <= indent && !(indentless && column === indent && this.#isEntry(dash))) return this.#empty();
    const code = this.code(0);
    if (code === ampersand || code === bang) {
      const properties = this.#properties();
      const crossed = this.#skip(true);
      if (crossed || this.atEnd()) {
        // The properties stand alone on their line: they belong to whatever follows as a whole.
        const inner = this.#content(indent, true, indentless);
        if (inner.kind === "scalar" && inner.explicitTag && properties.tag !== undefined) {
          this.fail("did not find expected node content");
        }
        return this.#withProperties(inner, properties);
      }
      return this.#bare(indent, keysAllowed, properties);
    }
    return this.#bare(indent, keysAllowed, undefined);
  }

  /** Content after its properties, which stand on the same line. */
  #bare(indent: number, keysAllowed: boolean, properties: Properties | undefined): YamlNode {
    const column = this.column();
    const mapColumn = properties?.column ?? column;
    const startLine = this.line;
    const startPos = this.pos;
    const code = this.code(0);
    if (code === dash && isBlankOrEnd(this.code(1))) {
      if (!keysAllowed || properties !== undefined) {
        this.fail("block sequence entries are not allowed in this context");
      }
      return this.#sequence(column, column === indent);
    }
    if ((code === question || code === colon) && isBlankOrEnd(this.code(1))) {
      if (!keysAllowed) this.fail("mapping values are not allowed in this context");
      if (properties !== undefined && code === question) this.fail("did not find expected node content");
      return this.#mapping(mapColumn, properties === undefined ? undefined : this.#empty(properties));
    }
    if (code === pipe || code === greater) {
      const text = blockText(this, indent);
      const node = this.#scalar(text, code === pipe ? "literal" : "folded", properties?.tag);
      node.line = startLine;
      return this.#anchored(node, properties);
    }
    const node = this.#inlineNode(indent, properties, false);
    // A key if a colon follows on the same line.
    let ahead = this.pos;
    while (isBlank(this.text.charCodeAt(ahead))) ahead++;
    if (this.text.charCodeAt(ahead) === colon && isBlankOrEnd(this.text.charCodeAt(ahead + 1))) {
      if (!keysAllowed || this.line !== startLine || ahead - startPos > maxKeyLength) {
        this.pos = ahead;
        this.fail("mapping values are not allowed in this context");
      }
      this.pos = ahead;
      return this.#mapping(mapColumn, node);
    }
    if (this.#keepComments) this.#lineCommentOf(node);
    return node;
  }

  #lineCommentOf(node: YamlNode): void {
    let ahead = this.pos;
    while (isBlank(this.text.charCodeAt(ahead))) ahead++;
    if (this.text.charCodeAt(ahead) !== hash) return;
    this.pos = ahead;
    const end = this.lineEnd();
    addComment(node, "line", this.text.slice(this.pos, end));
    this.pos = end;
  }

  /** Alias, flow collection, quoted or plain scalar. */
  #inlineNode(indent: number, properties: Properties | undefined, flow: boolean): YamlNode {
    const code = this.code(0);
    if (code === star) {
      if (properties !== undefined) this.fail("did not find expected node content");
      return this.#alias();
    }
    if (code === bracketOpen) return this.#flowSequence(properties);
    if (code === braceOpen) return this.#flowMapping(properties);
    if (code === doubleQuote || code === singleQuote) {
      const text = code === doubleQuote ? doubleQuotedText(this) : singleQuotedText(this);
      return this.#anchored(
        this.#scalar(text, code === doubleQuote ? "double" : "single", properties?.tag),
        properties,
      );
    }
    if (!startsPlain(this, code, flow)) {
      if (flow && (code === comma || code === bracketClose || code === braceClose || code === colon)) {
        return this.#empty(properties);
      }
      this.fail("found character that cannot start any token");
    }
    const line = this.line;
    const text = plainText(this, indent + 1, flow);
    const node = this.#scalar(text, "plain", properties?.tag);
    node.line = line;
    return this.#anchored(node, properties);
  }

  #sequence(column: number, indentless: boolean): ListNode {
    this.#count();
    const list = listNode();
    list.line = this.line;
    const start = this.#top;
    for (;;) {
      const head = this.#pending.length > 0 ? this.#takePending() : undefined;
      this.pos++;
      const item = this.#node(column, true, false);
      this.#stack[this.#top++] = item;
      if (head !== undefined) addComment(item, "head", head);
      this.#skip(true);
      if (this.atEnd()) break;
      const next = this.column();
      if (next < column) break;
      if (next > column) this.fail("did not find expected '-' indicator");
      if (!this.#isEntry(dash)) {
        if (indentless) break;
        this.fail("did not find expected '-' indicator");
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
    map.line = this.line;
    const start = this.#top;
    let key = first;
    let merges: YamlNode[] | undefined;
    for (;;) {
      const head = this.#pending.length > 0 ? this.#takePending() : undefined;
      let value: YamlNode;
      if (key === undefined && this.#isEntry(question)) {
        this.pos++;
        key = this.#node(column, true, true);
        this.#skip(true);
        if (!this.atEnd() && this.column() === column && this.#isEntry(colon)) {
          this.pos++;
          value = this.#node(column, true, true);
        } else value = this.#empty();
      } else {
        if (key === undefined) key = this.#isEntry(colon) ? this.#empty() : this.#implicitKey();
        this.pos++; // the colon
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
      if (this.atEnd()) break;
      const next = this.column();
      if (next < column) break;
      if (next > column || this.#isEntry(dash)) this.fail("did not find expected key");
    }
    this.#takeEntries(map, start);
    if (merges !== undefined) this.#merge(map, merges);
    return map;
  }

  #implicitKey(): YamlNode {
    const startLine = this.line;
    const startPos = this.pos;
    const code = this.code(0);
    let key: YamlNode;
    if (code === ampersand || code === bang) {
      const properties = this.#properties();
      if (this.#skip(true)) this.fail("could not find expected ':'");
      key = this.#isEntry(colon) ? this.#empty(properties) : this.#inlineNode(this.column() - 1, properties, false);
    } else {
      const known = this.#plainKey();
      if (known !== undefined) return known;
      key = this.#inlineNode(this.column() - 1, undefined, false);
    }
    while (isBlank(this.code(0))) this.pos++;
    if (
      this.line !== startLine || this.code(0) !== colon || !isBlankOrEnd(this.code(1)) ||
      this.pos - startPos > maxKeyLength
    ) this.fail("could not find expected ':'");
    return key;
  }

  /** A plain key of ordinary characters directly followed by its colon: the case that nearly every key is. */
  #plainKey(): ScalarNode | undefined {
    const text = this.text;
    let end = this.pos;
    let code = text.charCodeAt(end);
    if (!(code > 0x60 && code < 0x7b || code > 0x40 && code < 0x5b)) return undefined;
    do code = text.charCodeAt(++end); while (
      code > 0x60 && code < 0x7b || code > 0x3f && code < 0x5b || code > 0x2c && code < 0x3a || code === 0x5f
    );
    if (code !== colon || !isBlankOrEnd(text.charCodeAt(end + 1)) || end - this.pos > maxKeyLength) return undefined;
    const word = text.slice(this.pos, end);
    this.pos = end;
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
    if (key.kind !== "scalar") this.fail("mapping keys must be scalars", key);
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
    if (merges.length > 1) this.fail("duplicate merge key");
    const value = merges[0] as YamlNode;
    const sources = value.kind === "list" ? value.items : [value];
    const seen = new Set(map.keys.map((key) => key.text));
    for (const source of sources) {
      if (source.kind !== "map") this.fail("map merge requires map or sequence of maps as the value");
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
    this.pos++;
    const name = anchorName(this);
    if (!this.#anchors.has(name)) this.fail(`unknown anchor '${name}' referenced`);
    const target = this.#anchors.get(name);
    if (target === undefined) this.fail(`anchor '${name}' value contains itself`);
    return this.#copy(target);
  }

  #copy(node: YamlNode): YamlNode {
    this.#nodes += countNodes(node, this.#maxNodes - this.#nodes);
    this.#count();
    return copyNode(node);
  }

  /** Anchor and tag, in either order. */
  #properties(): Properties {
    const properties: Properties = { anchor: undefined, tag: undefined, column: this.column(), line: this.line };
    for (;;) {
      const code = this.code(0);
      if (code === ampersand && properties.anchor === undefined) {
        this.pos++;
        properties.anchor = anchorName(this);
        this.#anchors.set(properties.anchor, undefined);
      } else if (code === bang && properties.tag === undefined) {
        properties.tag = tagText(this, this.#tagPrefixes);
        if (!isBlankOrEnd(this.code(0)) && this.code(0) !== comma) {
          this.fail("did not find expected whitespace or line break");
        }
      } else break;
      let ahead = this.pos;
      while (isBlank(this.text.charCodeAt(ahead))) ahead++;
      const next = this.text.charCodeAt(ahead);
      if (next !== ampersand && next !== bang) break;
      this.pos = ahead;
    }
    return properties;
  }

  // Flow collections.

  #flowNode(): YamlNode {
    if (++this.#depth > maxDepth) this.fail(`nesting is deeper than ${maxDepth}`);
    let properties: Properties | undefined;
    const code = this.code(0);
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
    if (this.pos >= this.text.length || this.isMarker(dash) || this.isMarker(dot)) {
      this.fail("did not find expected ',' or ']'");
    }
  }

  #flowSequence(properties: Properties | undefined): ListNode {
    this.#count();
    const list = listNode();
    list.flow = true;
    list.line = this.line;
    if (properties?.tag !== undefined && properties.tag !== "!") list.tag = properties.tag;
    this.pos++;
    for (;;) {
      this.#flowSkip();
      if (this.code(0) === bracketClose) break;
      if (this.code(0) === comma) this.fail("did not find expected node content");
      const explicit = this.code(0) === question;
      const startLine = this.line;
      if (explicit) {
        this.pos++;
        this.#flowSkip();
      }
      const item = this.#flowNode();
      this.#flowSkip();
      if (this.code(0) === colon && (explicit || this.line === startLine)) {
        this.pos++;
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
      if (this.code(0) === comma) this.pos++;
      else if (this.code(0) !== bracketClose) this.fail("did not find expected ',' or ']'");
    }
    this.pos++;
    return this.#anchored(list, properties);
  }

  #flowMapping(properties: Properties | undefined): MapNode {
    this.#count();
    const map = mapNode();
    map.flow = true;
    map.line = this.line;
    if (properties?.tag !== undefined && properties.tag !== "!") map.tag = properties.tag;
    let merges: YamlNode[] | undefined;
    const start = this.#top;
    this.pos++;
    for (;;) {
      this.#flowSkip();
      if (this.code(0) === braceClose) break;
      if (this.code(0) === comma) this.fail("did not find expected node content");
      const explicit = this.code(0) === question;
      const startLine = this.line;
      if (explicit) {
        this.pos++;
        this.#flowSkip();
      } else if (this.code(0) === colon) this.fail("did not find expected node content");
      const key = this.#flowNode();
      this.#flowSkip();
      let value: YamlNode;
      if (this.code(0) === colon && (explicit || this.line === startLine)) {
        this.pos++;
        this.#flowSkip();
        value = this.#flowNode();
        this.#flowSkip();
      } else value = this.#empty();
      if (key.tag === "!!merge") (merges ??= []).push(value);
      else this.#addEntry(map, key, value, start);
      if (this.code(0) === comma) this.pos++;
      else if (this.code(0) !== braceClose) this.fail("did not find expected ',' or '}'");
    }
    this.pos++;
    this.#takeEntries(map, start);
    if (merges !== undefined) this.#merge(map, merges);
    return this.#anchored(map, properties);
  }
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
