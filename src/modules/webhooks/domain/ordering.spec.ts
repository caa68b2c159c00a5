import { describe, expect, it } from '@jest/globals';

import { orderingKeyRefusal, orderingProblems } from './ordering.js';

describe('ordering', () => {
  it.each<[unknown, boolean]>([
    ['fifo', true],
    ['unordered', true],
    ['FIFO', false],
    [true, false],
    [['fifo'], false],
  ])('%j', (value, isOne) => {
    expect(orderingProblems(value, ['ordering'])).toHaveLength(isOne ? 0 : 1);
  });

  it.each<[string, unknown, boolean]>([
    ['a word', 'invoice 7', true],
    ['one character', 'x', true],
    ['128 characters, also of two halves', '😀'.repeat(128), true],
    ['129', 'x'.repeat(129), false],
    ['nothing', '', false],
    ['a number', 7, false],
    // What comes after a key is found by adding a control character.
    ['a control character', 'a\u0001', false],
    ['a NUL', 'a\0', false],
    ['half a character', 'a\ud800', false],
  ])('a key of %s', (_name, key, isOne) => {
    expect(orderingKeyRefusal(key) === null).toBe(isOne);
  });
});
