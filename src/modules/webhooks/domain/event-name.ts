/** Longest event name or pattern, in characters (contract). */
export const MAX_EVENT_LENGTH = 100;

const NAME = /^[a-z0-9_]+(\.[a-z0-9_]+)*$/;
const PATTERN = /^(\*|[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?)$/;

export type EventNameResult =
  | { readonly ok: true; readonly name: string }
  | { readonly ok: false; readonly message: string };

/** Trims and lower-cases; every comparison in the system is made on the result. */
function normalise(text: string): string {
  return text.trim().toLowerCase();
}

/** Reads the name of an event that happened, for instance `invoice.created`. */
export function parseEventName(text: string): EventNameResult {
  return read(text, NAME, 'Event must be segments of a-z, 0-9 and _ joined by dots, such as invoice.created');
}

/** Events that the service tells of itself. Nobody else emits them, and whoever listens to everything does not get them. */
const RESERVED = 'webhook.';

/** Reads the name of an event that somebody emits: those of the service itself are not theirs. */
export function parseEmittedName(text: string): EventNameResult {
  const read = parseEventName(text);
  return read.ok && read.name.startsWith(RESERVED)
    ? { ok: false, message: 'Event names that begin with "webhook." are reserved for the service itself' }
    : read;
}

/** Reads what a subscription listens to: a name, a prefix wildcard `invoice.*`, or `*` for everything. */
export function parseEventPattern(text: string): EventNameResult {
  return read(
    text,
    PATTERN,
    'Event must be segments of a-z, 0-9 and _ joined by dots, such as invoice.created, a prefix wildcard such as invoice.*, or *',
  );
}

/**
 * Every pattern that matches an event name: the name, its prefix wildcards and, unless it is reserved, `*`. Looking subscriptions up by this
 * short list uses the index, where a pattern match in SQL could not.
 *
 * @example `patternsMatching('a.b.c')` gives `['a.b.c', 'a.b.*', 'a.*', '*']`
 */
export function patternsMatching(name: string): string[] {
  const segments = name.split('.');
  const patterns = [name];
  for (let length = segments.length - 1; length >= 1; length -= 1) {
    patterns.push(`${segments.slice(0, length).join('.')}.*`);
  }
  return name.startsWith(RESERVED) ? patterns : [...patterns, '*'];
}

function read(text: string, grammar: RegExp, message: string): EventNameResult {
  const name = normalise(text);
  if (name.length === 0) return { ok: false, message: 'Event must not be empty' };
  if (name.length > MAX_EVENT_LENGTH) {
    return { ok: false, message: `Event must be at most ${MAX_EVENT_LENGTH} characters` };
  }
  return grammar.test(name) ? { ok: true, name } : { ok: false, message };
}
