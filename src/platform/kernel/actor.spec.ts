import { describe, expect, it } from '@jest/globals';

import { actorOf } from './actor.js';

describe('actorOf', () => {
  it.each([
    ['ana@customer.com', 'ana@customer.com'],
    ['ñandú 😀', 'ñandú 😀'],
    ['a\u0000b\nc\u2028d', 'a\ufffdb\ufffdc\ufffdd'],
    ['half \ud800 pair', 'half \ufffd pair'],
    ['😀'.repeat(300), '😀'.repeat(255)],
  ])('%j is stored as %j', (subject, stored) => {
    expect(actorOf(subject, 'r1')).toEqual({ subject: stored, requestId: 'r1' });
  });
});
