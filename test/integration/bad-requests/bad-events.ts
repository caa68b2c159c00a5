/** What is no event, and why. */
export const NAME_RULE = 'Event must be segments of a-z, 0-9 and _ joined by dots, such as invoice.created';
export const PATTERN_RULE = `${NAME_RULE}, a prefix wildcard such as invoice.*, or *`;

export const EVENT_REFUSALS: readonly [unknown, string][] = [
  [7, 'Event must be a string'],
  [null, 'Event must be a string'],
  [['a'], 'Event must be a string'],
  [{}, 'Event must be a string'],
  ['', 'Event must not be empty'],
  ['   ', 'Event must not be empty'],
  ['x'.repeat(101), 'Event must be at most 100 characters'],
  ['a..b', PATTERN_RULE],
  ['.a', PATTERN_RULE],
  ['a.', PATTERN_RULE],
  ['a b', PATTERN_RULE],
  ['a-b', PATTERN_RULE],
  ['ñ', PATTERN_RULE],
  ['a.*.b', PATTERN_RULE],
  ['*.a', PATTERN_RULE],
  ['**', PATTERN_RULE],
  ['a*', PATTERN_RULE],
  ['a\u0000', PATTERN_RULE],
  ['a\ud800', PATTERN_RULE],
];
