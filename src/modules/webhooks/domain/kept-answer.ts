import { isSecretHeader, KEPT_VALUE } from './custom-headers.js';

/** Headers of an answer as they came: names in small letters; several of a name are a list. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What is stored of them at most, as JSON in UTF-8. */
export const KEPT_HEADERS_BYTES = 2_048;

/** Bytes that no character of a header takes more of as JSON in UTF-8: they are of Latin-1, and no control characters but tabs. */
const MOST_OF_A_CHARACTER = 2;
/** Quotation marks, colon and comma of one of them. */
const AROUND = 6;
const CUT = '…';
/** Shorter values are no secrets, and would be found in anything. */
const SHORTEST_SECRET = 6;

/**
 * Headers of an answer as they are kept: without what gives access to something, and cut to their bound. A value that does not
 * fit in is cut, and one after which nothing fits is left out.
 *
 * @param secrets what must not be kept wherever it stands, see {@link echoesOf}
 */
export function keptHeaders(headers: AnswerHeaders, secrets: readonly string[]): Record<string, string> {
  const shown: [string, string][] = [];
  let most = 2;
  for (const [name, given] of Object.entries(headers)) {
    if (given === undefined) continue;
    const value = shownValue(name, typeof given === 'string' ? given : given.join(', '), secrets);
    shown.push([name, value]);
    most += MOST_OF_A_CHARACTER * (name.length + value.length) + AROUND;
  }
  // Nearly every answer has a few short ones; whatever their names are, none is taken for a word of the language.
  return Object.fromEntries(most <= KEPT_HEADERS_BYTES ? shown : fitting(shown));
}

/** A text of an answer without the secrets that the request carried: receivers that show what they got send them back. */
export function withoutEchoes(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, KEPT_VALUE), text);
}

/** What to look for of a secret header: its value, and what follows a scheme as in `Bearer …`. Longest first. */
export function echoesOf(value: string): string[] {
  const rest = value.slice(value.indexOf(' ') + 1);
  return [...new Set([value, rest])].filter((one) => one.length >= SHORTEST_SECRET);
}

function shownValue(name: string, value: string, secrets: readonly string[]): string {
  return isSecretHeader(name) || name === 'set-cookie' ? KEPT_VALUE : withoutEchoes(value, secrets);
}

function fitting(headers: readonly (readonly [string, string])[]): [string, string][] {
  let left = KEPT_HEADERS_BYTES - 1;
  return headers.flatMap(([name, value]): [string, string][] => {
    const room = left - bytesOf(name) - AROUND;
    const shown = bytesOf(value) <= room ? value : cutTo(value, room);
    if (shown === null) return [];
    left = room - bytesOf(shown);
    return [[name, shown]];
  });
}

/** As JSON in UTF-8, without the quotation marks. */
function bytesOf(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

function cutTo(value: string, room: number): string | null {
  const length = Math.floor((room - Buffer.byteLength(CUT)) / MOST_OF_A_CHARACTER);
  return length <= 0 ? null : value.slice(0, length) + CUT;
}
