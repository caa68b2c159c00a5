import { createScanner, type JSONScanner } from 'jsonc-parser';

/* jsonc-parser's kinds of tokens, by number: its const enum cannot be imported under isolatedModules. */
const OPEN_BRACE = 1;
const CLOSE_BRACE = 2;
const OPEN_BRACKET = 3;
const CLOSE_BRACKET = 4;
const COLON = 6;
const STRING = 10;
const END = 17;

/** Tokens between values carry no meaning: whitespace, line breaks (JSON.parse has refused comments before). */
const IGNORE_TRIVIA = true;

/** How deep arrays and objects are nested; counted before parsing, because parsing is what deep nesting attacks. */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === 0x5c) index += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) {
      inString = true;
    } else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (code === 0x7d || code === 0x5d) {
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
 * @returns undefined when the object has no such property
 */
export function extractProperty(json: string, name: string): string | undefined {
  const scanner = createScanner(json, IGNORE_TRIVIA);
  let found: string | undefined;
  if (Number(scanner.scan()) !== OPEN_BRACE) return undefined;
  for (let token = Number(scanner.scan()); token === STRING || token === 5; token = Number(scanner.scan())) {
    if (token !== STRING) continue;
    const key: unknown = JSON.parse(tokenText(json, scanner));
    if (Number(scanner.scan()) !== COLON) return undefined;
    const value = readValue(json, scanner);
    if (key === name) found = value;
  }
  return found;
}

function readValue(json: string, scanner: JSONScanner): string {
  const parts: string[] = [];
  let depth = 0;
  do {
    const token = Number(scanner.scan());
    if (token === END) break;
    if (token === OPEN_BRACE || token === OPEN_BRACKET) depth += 1;
    if (token === CLOSE_BRACE || token === CLOSE_BRACKET) depth -= 1;
    const text = tokenText(json, scanner);
    parts.push(token === STRING ? JSON.stringify(JSON.parse(text)) : text);
  } while (depth > 0);
  return parts.join('');
}

function tokenText(json: string, scanner: JSONScanner): string {
  return json.slice(scanner.getTokenOffset(), scanner.getTokenOffset() + scanner.getTokenLength());
}
