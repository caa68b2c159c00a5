import { BoundedCache } from '../../../../platform/kernel/bounded-cache.js';

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII, blank, tab and Latin-1: what goes on the wire as one byte each. No CR, LF, NUL or other controls. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const MAX_SHOWN_NAME_LENGTH = 64;

/** Framing and routing belong to the connection: set by a caller, they would smuggle requests or hide the target. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  ...[
    'host',
    'content-length',
    'transfer-encoding',
    'connection',
    'keep-alive',
    'upgrade',
    'te',
    'trailer',
    'expect',
  ],
  ...['proxy-authorization', 'proxy-connection'],
]);

/** Lists of names that are remembered: most subscriptions send the same. */
const judged = new BoundedCache<string, string | null>(1_000);

/**
 * What is wrong with the headers of an outgoing request, or null. They are refused, never mended: axios would strip bad
 * characters silently, and the receiver would get something that nobody wrote.
 */
export function requestHeaderProblem(headers: Readonly<Record<string, string>>): string | null {
  const names = Object.keys(headers);
  // With their number: a list of good names has no other line breaks, so no other list of as many reads the same.
  const list = `${names.length}\n${names.join('\n')}`;
  const known = judged.get(list);
  const problem = known === undefined ? judged.set(list, nameProblem(names)) : known;
  if (problem !== null) return problem;
  for (const name of names) {
    if (!VALUE.test(headers[name] ?? '')) {
      return `value of request header ${shown(name)} has characters that are not allowed`;
    }
  }
  return null;
}

function nameProblem(names: readonly string[]): string | null {
  const seen = new Set<string>();
  for (const name of names) {
    if (!TOKEN.test(name)) return `request header name ${shown(name)} is not valid`;
    const lower = name.toLowerCase();
    if (CONNECTION_HEADERS.has(lower)) return `request header ${shown(name)} must not be set`;
    if (seen.has(lower)) return `request header ${shown(name)} is given twice`;
    seen.add(lower);
  }
  return null;
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, MAX_SHOWN_NAME_LENGTH));
}
