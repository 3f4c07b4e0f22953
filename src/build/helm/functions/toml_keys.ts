/**
 * Tables of a TOML text while it is read: which keys were named, which tables only followed from them, and what may not
 * be named again. Rules and texts are those of github.com/BurntSushi/toml v1.6.
 *
 * @module
 */
import type { GoMoment } from "../../../format/go_time.ts";
import { quoteText } from "../template/go_quote.ts";
import { keyPath } from "./toml_text.ts";

/** A table: members in the order in which they came. */
export type TomlTable = Map<string, TomlValue>;

/** A value. Integers are exact; a {@linkcode TomlTables} comes from `[[headers]]`, an array from brackets. */
export type TomlValue = string | number | bigint | boolean | GoMoment | readonly TomlValue[] | TomlTable | TomlTables;

/** Tables of one name, each begun by a `[[header]]`. */
export class TomlTables {
  readonly tables: TomlTable[] = [];
}

/** A TOML text that is refused; the message is the library's. */
export class TomlError extends Error {
  override readonly name = "TomlError";
}

/** The tables, and where in them the text is. */
export class TomlKeys {
  readonly root: TomlTable = new Map();
  /** The table that plain keys belong to. */
  context: readonly string[] = [];
  /** The key whose value is read; "" between keys. */
  current = "";
  /** Line of the key or header that was named last. */
  line = 0;
  readonly #lists = new Set<string>();
  /** Tables that may still be named: nobody wrote their own header. */
  readonly #implied = new Set<string>();

  /** The error of a place. */
  errorAt(line: number, message: string): TomlError {
    const key = this.current === ""
      ? keyPath(this.context)
      : this.context.length === 0
      ? this.current
      : `${keyPath(this.context)}.${this.current}`;
    return new TomlError(`toml: line ${line}${key === "" ? "" : ` (last key ${quoteText(key)})`}: ${message}`);
  }

  #refuse(message: string): never {
    throw this.errorAt(this.line, message);
  }

  /** Goes to a table that a header, a dotted key or braces name. `isItem`: to a further one of a list of tables. */
  enter(key: readonly string[], isItem: boolean): void {
    const parents = key.slice(0, -1);
    const name = key.at(-1) as string;
    let table = this.root;
    parents.forEach((parent, depth) => {
      const path = parents.slice(0, depth + 1);
      if (!table.has(parent)) {
        this.imply(path);
        table.set(parent, new Map());
      }
      table = tableIn(table, parent) ?? this.#refuse(`Key '${keyPath(path)}' was already created as a hash.`);
    });
    this.context = parents;
    if (isItem) {
      if (!table.has(name)) table.set(name, new TomlTables());
      const list = table.get(name);
      if (!(list instanceof TomlTables)) {
        return this.#refuse(`Key '${keyPath(key)}' was already created and cannot be used as an array.`);
      }
      list.tables.push(new Map());
    } else this.define(name, new Map());
    this.context = key;
  }

  /** Marks a table as one that follows from a longer key. */
  imply(key: readonly string[]): void {
    this.#implied.add(keyPath(key));
  }

  /** Goes into the tables that the front parts of a dotted key name. */
  enterParents(parents: readonly string[]): void {
    for (const parent of parents) {
      const key = [...this.context, parent];
      this.imply(key);
      this.enter(key, false);
    }
  }

  /** Gives a key of the context its value. */
  define(name: string, value: TomlValue): void {
    let table = this.root;
    this.context.forEach((part, depth) => {
      table = tableIn(table, part) ??
        this.#refuse(`Key '${keyPath(this.context.slice(0, depth + 1))}' has already been defined.`);
    });
    const path = keyPath([...this.context, name]);
    if (!table.has(name)) {
      table.set(name, value);
      return;
    }
    if (!this.#implied.delete(path)) this.#refuse(`Key '${path}' has already been defined.`);
    // A list that held tables while it was read gives way to the whole list.
    if (this.#lists.has(path)) table.set(name, value);
  }

  /** Notes what a key holds; "" stands for the context itself. */
  note(name: string, isList: boolean): void {
    const key = name === "" ? this.context : [...this.context, name];
    const path = keyPath(key.length === 0 ? [""] : key);
    if (isList) this.#lists.add(path);
    else this.#lists.delete(path);
  }
}

/** The table of a name, or the last one of a list of tables. */
function tableIn(table: TomlTable, name: string): TomlTable | undefined {
  const value = table.get(name);
  if (value instanceof Map) return value;
  return value instanceof TomlTables ? value.tables.at(-1) : undefined;
}
