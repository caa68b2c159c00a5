const QUOTE = 0x22;
const COMMA = 0x2c;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LETTER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Everything below JSON's own characters: space, tab and line breaks are all that valid JSON has of it. */
const SPACE = 0x20;

/** How deep arrays and objects are nested; counted before parsing, because parsing is what deep nesting attacks. */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === BACKSLASH) index += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) {
      inString = true;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth -= 1;
    }
  }
  return deepest;
}

/**
 * The JSON text of one property of a valid JSON object, as it was given: key order (also of keys such as "10", which a
 * JavaScript object would move) and the digits of numbers are kept, whitespace between tokens is dropped and strings are
 * written as JSON.stringify writes them. The last of several properties of the name counts, as in JSON.parse.
 *
 * It goes over the text twice and copies runs of it: a body of a mebibyte must not stop everybody else's requests.
 *
 * @returns undefined when the object has no such property
 */
export function extractProperty(json: string, name: string): string | undefined {
  let found: string | undefined;
  let index = skipSpace(json, 0);
  if (json.charCodeAt(index) !== OPEN_BRACE) return undefined;
  index = skipSpace(json, index + 1);
  while (json.charCodeAt(index) === QUOTE) {
    const afterKey = endOfString(json, index);
    const key: unknown = JSON.parse(json.slice(index, afterKey));
    const colon = skipSpace(json, afterKey);
    const start = skipSpace(json, colon + 1);
    const end = endOfValue(json, start);
    if (key === name) found = json.slice(start, end);
    const comma = skipSpace(json, end);
    index = skipSpace(json, comma + 1);
  }
  return found === undefined ? undefined : compact(found);
}

function skipSpace(json: string, from: number): number {
  let index = from;
  while (json.charCodeAt(index) <= SPACE) index += 1;
  return index;
}

/** @param from where its first quote is. @returns where what follows its last quote is */
function endOfString(json: string, from: number): number {
  for (let index = from + 1; index < json.length; index += 1) {
    const code = json.charCodeAt(index);
    if (code === QUOTE) return index + 1;
    if (code === BACKSLASH) index += 1;
  }
  return json.length;
}

function endOfValue(json: string, from: number): number {
  let depth = 0;
  let index = from;
  while (index < json.length) {
    const code = json.charCodeAt(index);
    if (code === QUOTE) {
      index = endOfString(json, index);
      if (depth === 0) return index;
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1;
    if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      // The object's own end: the value before it was a number, true, false or null.
      if (depth === 0) return index;
      depth -= 1;
      if (depth === 0) return index + 1;
    }
    if (depth === 0 && (code === COMMA || code <= SPACE)) return index;
    index += 1;
  }
  return index;
}

function compact(json: string): string {
  let text = '';
  let copied = 0;
  let index = 0;
  while (index < json.length) {
    const code = json.charCodeAt(index);
    if (code === QUOTE) {
      const end = endOfString(json, index);
      if (isWrittenOtherwise(json, index, end)) {
        text += json.slice(copied, index) + JSON.stringify(JSON.parse(json.slice(index, end)));
        copied = end;
      }
      index = end;
    } else if (code <= SPACE) {
      text += json.slice(copied, index);
      index = skipSpace(json, index);
      copied = index;
    } else {
      index += 1;
    }
  }
  return copied === 0 ? json : text + json.slice(copied);
}

/**
 * Whether a string has an escape that JSON.stringify need not write so. It looks at each character itself: `indexOf` over the whole
 * text, once before the loop, is for V8 a pure expression, and its optimised code may move that into the loop, where a body of a
 * mebibyte took 14 seconds.
 */
function isWrittenOtherwise(json: string, from: number, end: number): boolean {
  for (let index = from; index < end; index += 1) {
    if (json.charCodeAt(index) !== BACKSLASH) continue;
    index += 1;
    const escaped = json.charCodeAt(index);
    if (escaped === LETTER_U || escaped === SLASH) return true;
  }
  return false;
}
