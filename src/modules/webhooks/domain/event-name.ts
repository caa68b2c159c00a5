/** Longest event name or pattern, in characters (contract). */
export const MAX_EVENT_LENGTH = 100;

const NAME = /^[a-z0-9_]+(\.[a-z0-9_]+)*$/;
const PATTERN = /^(\*|[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?)$/;

export type EventNameResult =
  { readonly ok: true; readonly name: string } | { readonly ok: false; readonly message: string };

/** Trims and lower-cases; every comparison in the system is made on the result. */
function normalise(text: string): string {
  return text.trim().toLowerCase();
}

/** Reads the name of an event that happened, for instance `invoice.created`. */
export function parseEventName(text: string): EventNameResult {
  return read(text, NAME, 'Event must be segments of a-z, 0-9 and _ joined by dots, such as invoice.created');
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
 * Every pattern that matches an event name: the name, its prefix wildcards and `*`. Looking subscriptions up by this
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
  patterns.push('*');
  return patterns;
}

function read(text: string, grammar: RegExp, message: string): EventNameResult {
  const name = normalise(text);
  if (name.length === 0) return { ok: false, message: 'Event must not be empty' };
  if (name.length > MAX_EVENT_LENGTH) {
    return { ok: false, message: `Event must be at most ${MAX_EVENT_LENGTH} characters` };
  }
  return grammar.test(name) ? { ok: true, name } : { ok: false, message };
}
