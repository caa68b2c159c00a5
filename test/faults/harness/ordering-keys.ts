/** Events of an ordered lane have one of this many keys, or none. */
const KEYS = 6;

/** By the half of its number: two lanes that take turns have all of them. */
export function keyOf(number: number): string | null {
  const key = (number >> 1) % (KEYS + 1);
  return key === KEYS ? null : `key-${key}`;
}
