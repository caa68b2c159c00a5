import { MAX_URL_LENGTH } from './subscription.js';

const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;
/** What may not stand in a URL as it is. Parsers differ over which of these they rewrite, and from version to version. */
const UNSAFE_IN_PATH = /["<>^`{}]/;
const UNSAFE_IN_QUERY = /["<>']/;
const NON_ASCII = /[^\0-\x7f]+/g;

export type TargetUrlVerdict =
  /** `text` is the URL as it is stored, shown and called. */
  | { readonly ok: true; readonly text: string }
  /** `code` is stable; `message` is for people and starts with `URL`. */
  | { readonly ok: false; readonly code: string; readonly message: string };

export type Refusal = Extract<TargetUrlVerdict, { ok: false }>;

export function refuse(code: string, message: string): Refusal {
  return { ok: false, code, message };
}

/**
 * The one text of a target: stored, shown, and, byte for byte, called (`Host` and request line). What a URL may be
 * written as in two equal ways is brought into the one that goes over the wire: protocol and host in lower case, an
 * international name in its `xn--` form, no default port, `/` for an empty path, non-ASCII percent-encoded. What a parser
 * would turn into something else is refused instead.
 *
 * @param raw without user info, fragment, white space and backslashes
 * @param url what the parser made of `raw`
 * @param rawHost the host as it was written
 * @param unicodeHostOf the readable form of a host with `xn--` labels
 */
export function targetTextOf(
  raw: string,
  url: URL,
  rawHost: string,
  unicodeHostOf: (host: string) => string,
): TargetUrlVerdict {
  if (!isShownAsCalled(rawHost, url.hostname, unicodeHostOf)) {
    return refuse(
      'mapped-host',
      `URL host has characters that stand for others: it would be ${url.hostname}`,
    );
  }
  const given = raw.slice(raw.indexOf('//') + 2).replace(/^[^/?]*/, '');
  const rest = encodeNonAscii(given.startsWith('/') ? given : `/${given}`);
  const query = rest.indexOf('?');
  const path = query === -1 ? rest : rest.slice(0, query);
  const search = query === -1 ? '' : rest.slice(query);
  if (DOT_SEGMENT.test(path)) {
    return refuse('dot-segment', 'URL path must not have . or .. segments: another path would be called');
  }
  if (search === '?') return refuse('empty-query', 'URL must not end in a ? without a query');
  const unsafe = UNSAFE_IN_PATH.exec(path)?.[0] ?? UNSAFE_IN_QUERY.exec(search)?.[0];
  if (unsafe !== undefined) {
    const encoded = `%${unsafe.charCodeAt(0).toString(16).toUpperCase()}`;
    return refuse('unencoded', `URL must have ${encoded} in place of ${unsafe}`);
  }
  if (rest !== url.pathname + url.search) {
    return refuse('not-as-called', `URL would be called as ${url.pathname}${url.search}`);
  }
  const text = `${url.protocol}//${url.host}${rest}`;
  return text.length > MAX_URL_LENGTH
    ? refuse(
        'too-long',
        `URL must be at most ${MAX_URL_LENGTH} bytes with non-ASCII characters percent-encoded`,
      )
    : { ok: true, text };
}

/**
 * UTS 46 turns some letters into others (`ⓔ` into `e`, full-width digits, ligatures): such a host reads as one name and
 * calls another. A genuine international name stays the same but for case.
 */
function isShownAsCalled(rawHost: string, host: string, unicodeHostOf: (host: string) => string): boolean {
  if (encodeNonAscii(rawHost) === rawHost) return true;
  if (rawHost.normalize('NFC') !== rawHost) return false;
  return Array.from(rawHost, lowerCased).join('') === unicodeHostOf(host);
}

/** One by one: in a word, a final sigma depends on its place. */
function lowerCased(character: string): string {
  return character.toLowerCase();
}

function encodeNonAscii(text: string): string {
  return text.replace(NON_ASCII, encodeURIComponent);
}
