const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LETTER_F = 0x66;
const LETTER_N = 0x6e;
const LETTER_T = 0x74;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** Space, tab and line breaks are all that valid JSON has of it. */
const SPACE = 0x20;

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'true' | 'false' | 'null';

/** Objects of so few characters are looked through each time: to remember what each of thousands has would cost more. */
const SMALL = 256;

/**
 * A JSON text that is read where it is looked at, and exactly: numbers are their digits, a repeated name and a name such as
 * `__proto__` are what they are, and depth costs no stack. Values go by the place where they begin.
 *
 * The text is passed over once, and each object or array that is looked into once more, so the work grows with the text and
 * no faster, whatever is asked.
 */
export class JsonDocument {
  private places: { readonly ends: Int32Array; readonly depth: number } | null = null;
  private readonly entriesOf = new Map<number, readonly (readonly [name: string, at: number])[]>();
  private readonly membersOf = new Map<number, ReadonlyMap<string, number>>();
  private readonly itemsOf = new Map<number, readonly number[]>();

  /** @param text valid JSON */
  constructor(readonly text: string) {}

  get root(): number {
    return this.skipSpace(0);
  }

  /** How deep objects and arrays are nested; 0 for a value that is neither. */
  get depth(): number {
    return this.structure.depth;
  }

  kindAt(at: number): JsonKind {
    switch (this.text.charCodeAt(at)) {
      case OPEN_BRACE:
        return 'object';
      case OPEN_BRACKET:
        return 'array';
      case QUOTE:
        return 'string';
      case LETTER_T:
        return 'true';
      case LETTER_F:
        return 'false';
      case LETTER_N:
        return 'null';
      default:
        return 'number';
    }
  }

  /** What the object has, in order, repeated names included. */
  entries(at: number): readonly (readonly [name: string, at: number])[] {
    const known = this.entriesOf.get(at);
    if (known !== undefined) return known;
    const found: (readonly [string, number])[] = [];
    let next = this.skipSpace(at + 1);
    while (this.text.charCodeAt(next) === QUOTE) {
      const name = this.stringAt(next);
      const value = this.skipSpace(this.skipSpace(this.stringEnd(next)) + 1);
      found.push([name, value]);
      next = this.after(value);
    }
    this.entriesOf.set(at, found);
    return found;
  }

  /** The same by name; of a repeated one the last, as parsers do. */
  members(at: number): ReadonlyMap<string, number> {
    const known = this.membersOf.get(at);
    if (known !== undefined) return known;
    const found = new Map(this.entries(at));
    this.membersOf.set(at, found);
    return found;
  }

  /** The value under a name; of a repeated one the last. */
  member(at: number, name: string): number | undefined {
    if (this.membersOf.has(at) || this.end(at) - at > SMALL) return this.members(at).get(name);
    let found: number | undefined;
    let next = this.skipSpace(at + 1);
    while (this.text.charCodeAt(next) === QUOTE) {
      const value = this.skipSpace(this.skipSpace(this.stringEnd(next)) + 1);
      if (this.stringAt(next) === name) found = value;
      next = this.after(value);
    }
    return found;
  }

  /** What the array has. */
  items(at: number): readonly number[] {
    const known = this.itemsOf.get(at);
    if (known !== undefined) return known;
    const found: number[] = [];
    let next = this.skipSpace(at + 1);
    while (next < this.text.length && this.text.charCodeAt(next) !== CLOSE_BRACKET) {
      found.push(next);
      next = this.after(next);
    }
    this.itemsOf.set(at, found);
    return found;
  }

  stringAt(at: number): string {
    const end = this.stringEnd(at);
    const inner = this.text.slice(at + 1, end - 1);
    return inner.includes('\\') ? (JSON.parse(this.text.slice(at, end)) as string) : inner;
  }

  /** As it is written. */
  textAt(at: number): string {
    return this.text.slice(at, this.end(at));
  }

  /** Where what follows the comma after a value begins, or its container's end. */
  private after(at: number): number {
    const next = this.skipSpace(this.end(at));
    return this.text.charCodeAt(next) === COMMA ? this.skipSpace(next + 1) : next;
  }

  private end(at: number): number {
    const kind = this.kindAt(at);
    if (kind === 'object' || kind === 'array') return this.structure.ends[at] ?? this.text.length;
    if (kind === 'string') return this.stringEnd(at);
    let next = at;
    while (next < this.text.length && !endsScalar(this.text.charCodeAt(next))) next += 1;
    return next;
  }

  /** Where each object and array ends, by where it begins. */
  private get structure(): { readonly ends: Int32Array; readonly depth: number } {
    if (this.places !== null) return this.places;
    const ends = new Int32Array(this.text.length);
    const open: number[] = [];
    let depth = 0;
    for (let at = 0; at < this.text.length; at += 1) {
      const code = this.text.charCodeAt(at);
      if (code === QUOTE) at = this.stringEnd(at) - 1;
      else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
        open.push(at);
        depth = Math.max(depth, open.length);
      } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        const start = open.pop();
        if (start !== undefined) ends[start] = at + 1;
      }
    }
    this.places = { ends, depth };
    return this.places;
  }

  /** After the closing quote of the string that begins at `start`. */
  private stringEnd(start: number): number {
    for (let at = start + 1; at < this.text.length; at += 1) {
      const code = this.text.charCodeAt(at);
      if (code === QUOTE) return at + 1;
      if (code === BACKSLASH) at += 1;
    }
    return this.text.length;
  }

  private skipSpace(from: number): number {
    let at = from;
    while (this.text.charCodeAt(at) <= SPACE) at += 1;
    return at;
  }
}

function endsScalar(code: number): boolean {
  return code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || code === COLON || code <= SPACE;
}
