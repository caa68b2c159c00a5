import fc from 'fast-check';

/**
 * Any code point but half characters, as `unit: 'binary'` of fast-check: that one builds a table of all 1,112,064 of them first,
 * which costs each file a second and more.
 */
const anyCharacter = fc
  .oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 0xff }) },
    { weight: 2, arbitrary: fc.integer({ min: 0x100, max: 0xd7ff }) },
    { weight: 1, arbitrary: fc.integer({ min: 0xe000, max: 0xffff }) },
    { weight: 1, arbitrary: fc.integer({ min: 0x10000, max: 0x10ffff }) },
  )
  .map(
    (codePoint) => String.fromCodePoint(codePoint),
    (character) => {
      const codePoint = typeof character === 'string' ? character.codePointAt(0) : undefined;
      if (codePoint === undefined) throw new Error('not a character');
      return codePoint;
    },
  );

/** Text of any characters, control characters and the names that objects bring along (`__proto__`) among them. */
export function anyText(
  length: { readonly minLength?: number; readonly maxLength?: number } = {},
): fc.Arbitrary<string> {
  return fc.string({ ...length, unit: anyCharacter });
}
