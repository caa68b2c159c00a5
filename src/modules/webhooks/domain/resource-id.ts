/** Longer ones are not looked for by anybody. */
export const MAX_RESOURCE_ID_LENGTH = 200;

/** What a database can hold and compare: no control characters, no halves of a pair. */
const SEARCHABLE = /^[^\p{Cc}\p{Cs}]{1,200}$/u;

const FIRST = '"resource_id"';
const SECOND = '"id"';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const SPACE = 0x20;

/**
 * What an event is about, by which its deliveries are found: `resource_id` of its payload, or `id`, where that is a text or a
 * number; a number as it is written. Null: it does not say. Every event is asked, so the text is passed over no further than to
 * where it says so.
 *
 * @param payload JSON text of an object
 */
export function resourceIdOf(payload: string): string | null {
  const hasFirst = payload.includes(FIRST);
  if (!hasFirst && !payload.includes(SECOND)) return null;
  let second: string | null = null;
  let depth = 0;
  for (let at = 0; at < payload.length; at += 1) {
    const code = payload.charCodeAt(at);
    if (code === QUOTE) {
      const end = stringEnd(payload, at);
      if (depth === 1) {
        const isFirst = payload.startsWith(FIRST, at);
        if (isFirst || payload.startsWith(SECOND, at)) {
          const id = valueAfter(payload, end);
          if (id !== null && (isFirst || !hasFirst)) return searchable(id);
          second = id ?? second;
        }
      }
      at = end - 1;
    } else if (code === 0x7b || code === 0x5b) depth += 1;
    else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return second === null ? null : searchable(second);
}

function searchable(id: string): string | null {
  return SEARCHABLE.test(id) ? id : null;
}

/** The text or number that belongs to the name before it; null: it is something else, or what stands there is no name. */
function valueAfter(payload: string, nameEnd: number): string | null {
  const colon = skipSpace(payload, nameEnd);
  if (payload.charCodeAt(colon) !== COLON) return null;
  const at = skipSpace(payload, colon + 1);
  if (payload.charCodeAt(at) === QUOTE) {
    return JSON.parse(payload.slice(at, stringEnd(payload, at))) as string;
  }
  return /^-?\d[\d.eE+-]*/.exec(payload.slice(at, at + MAX_RESOURCE_ID_LENGTH + 1))?.[0] ?? null;
}

/** After the closing quote of the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at += 1;
  }
  return text.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= SPACE) at += 1;
  return at;
}
