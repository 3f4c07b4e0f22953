import type { Scanner, Token, TokenKind } from "./go_yaml_scanner.ts";
import { faultAt, GoYamlFault } from "./go_yaml_scanner.ts";

const maxDepth = 10_000;

/** Which tokens may follow which (libyaml's parser). */
export class Grammar {
  readonly #tokens: Scanner;
  readonly #handles = new Set(["!", "!!"]);
  readonly #anchors = new Set<string>();
  #depth = 0;

  constructor(tokens: Scanner) {
    this.#tokens = tokens;
  }

  #fail(problem: string, token: Token): never {
    throw faultAt(problem, token.line, false);
  }

  #is(...kinds: readonly TokenKind[]): boolean {
    return kinds.includes(this.#tokens.peek().kind);
  }

  /** The first document: what follows it is not looked at. @throws {GoYamlFault} */
  document(): void {
    if (this.#is("stream-end")) return;
    if (this.#is("version", "tag-directive", "document-start")) {
      this.#directives();
      if (!this.#is("document-start")) this.#fail("did not find expected <document start>", this.#tokens.peek());
      this.#tokens.skip();
      if (this.#is("version", "tag-directive", "document-start", "document-end", "stream-end")) return;
    }
    this.#node(true, false);
    this.#tokens.peek();
  }

  #directives(): void {
    let hasVersion = false;
    const named = new Set<string>();
    while (this.#is("version", "tag-directive")) {
      const token = this.#tokens.skip();
      if (token.kind === "version") {
        if (hasVersion) this.#fail("found duplicate %YAML directive", token);
        if (token.text !== "1.1") this.#fail("found incompatible YAML document", token);
        hasVersion = true;
        continue;
      }
      const handle = token.text ?? "";
      if (named.has(handle)) this.#fail("found duplicate %TAG directive", token);
      named.add(handle);
      this.#handles.add(handle);
    }
  }

  #node(isBlock: boolean, allowsIndentless: boolean): void {
    if (++this.#depth > maxDepth) this.#fail(`exceeded max depth of ${maxDepth}`, this.#tokens.peek());
    this.#content(isBlock, allowsIndentless);
    this.#depth--;
  }

  #content(isBlock: boolean, allowsIndentless: boolean): void {
    if (this.#is("alias")) {
      const name = this.#tokens.skip().text ?? "";
      if (!this.#anchors.has(name)) throw new GoYamlFault(`yaml: unknown anchor '${name}' referenced`);
      return;
    }
    const start = this.#tokens.peek();
    let hasProperties = false;
    for (const seen = new Set<TokenKind>(); this.#is("anchor", "tag") && !seen.has(this.#tokens.peek().kind);) {
      const token = this.#tokens.skip();
      seen.add(token.kind);
      hasProperties = true;
      if (token.kind === "anchor") this.#anchors.add(token.text ?? "");
      if (token.kind === "tag" && !this.#handles.has(token.text ?? "!")) {
        this.#fail("found undefined tag handle", start);
      }
    }
    if (allowsIndentless && this.#is("-")) return this.#indentless();
    switch (this.#tokens.peek().kind) {
      case "scalar":
        return void this.#tokens.skip();
      case "[":
        return this.#flowList();
      case "{":
        return this.#flowMap();
      case "block-seq":
        if (isBlock) return this.#blockList();
        break;
      case "block-map":
        if (isBlock) return this.#blockMap();
    }
    if (!hasProperties) this.#fail("did not find expected node content", this.#tokens.peek());
  }

  #blockList(): void {
    this.#tokens.skip();
    while (this.#is("-")) {
      this.#tokens.skip();
      if (!this.#is("-", "block-end")) this.#node(true, false);
    }
    if (!this.#is("block-end")) this.#fail("did not find expected '-' indicator", this.#tokens.peek());
    this.#tokens.skip();
  }

  #indentless(): void {
    while (this.#is("-")) {
      this.#tokens.skip();
      if (!this.#is("-", "?", ":", "block-end")) this.#node(true, false);
    }
  }

  #blockMap(): void {
    this.#tokens.skip();
    while (this.#is("?")) {
      this.#tokens.skip();
      if (!this.#is("?", ":", "block-end")) this.#node(true, true);
      if (!this.#is(":")) continue;
      this.#tokens.skip();
      if (!this.#is("?", ":", "block-end")) this.#node(true, true);
    }
    if (!this.#is("block-end")) this.#fail("did not find expected key", this.#tokens.peek());
    this.#tokens.skip();
  }

  #flowList(): void {
    this.#tokens.skip();
    for (let isFirst = true; !this.#is("]"); isFirst = false) {
      if (!isFirst) {
        if (!this.#is(",")) this.#fail("did not find expected ',' or ']'", this.#tokens.peek());
        this.#tokens.skip();
        if (this.#is("]")) break;
      }
      if (!this.#is("?")) {
        this.#node(false, false);
        continue;
      }
      this.#tokens.skip();
      if (!this.#is(":", ",", "]")) this.#node(false, false);
      if (!this.#is(":")) continue;
      this.#tokens.skip();
      if (!this.#is(",", "]")) this.#node(false, false);
    }
    this.#tokens.skip();
  }

  #flowMap(): void {
    this.#tokens.skip();
    for (let isFirst = true; !this.#is("}"); isFirst = false) {
      if (!isFirst) {
        if (!this.#is(",")) this.#fail("did not find expected ',' or '}'", this.#tokens.peek());
        this.#tokens.skip();
        if (this.#is("}")) break;
      }
      if (!this.#is("?")) {
        this.#node(false, false);
        continue;
      }
      this.#tokens.skip();
      if (!this.#is(":", ",", "}")) this.#node(false, false);
      if (!this.#is(":")) continue;
      this.#tokens.skip();
      if (!this.#is(",", "}")) this.#node(false, false);
    }
    this.#tokens.skip();
  }
}
