import { describe, expect, it } from '@jest/globals';

import { needsSuccessor, outlivedKeys, signingKeyOf, type RingKey } from './jwt-key-ring.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Keys named by their age in hours. */
const ring = (...hours: number[]): RingKey[] =>
  hours.map((age) => ({ kid: String(age), alg: 'EdDSA', ageMs: age * HOUR }));

describe('the key ring', () => {
  it.each<[string, RingKey[], string | null]>([
    ['nothing', [], null],
    ['the first key, at once', ring(0), '0'],
    ['the old one while the new one is only public', ring(0.9, 2_160), '2160'],
    ['the new one after an hour, exactly', ring(1, 2_161), '1'],
    ['the oldest of two that two processes made first', ring(0.1, 0.2), '0.2'],
    ['the youngest of those that may', ring(5, 100, 0.5), '5'],
  ])('signs with %s', (_what, keys, kid) => {
    expect(signingKeyOf(keys, 'EdDSA')?.kid ?? null).toBe(kid);
    expect(signingKeyOf(keys, 'ES256')).toBeNull();
  });

  it.each<[number[], boolean]>([
    [[], true],
    [[0], false],
    [[2_159], false],
    [[2_160], true],
    [[0, 2_160], false],
  ])('of ages %j asks for a successor: %s', (hours, needs) => {
    expect(needsSuccessor(ring(...hours), 'EdDSA')).toBe(needs);
  });

  it.each<[number[], string[]]>([
    [[5_000], []],
    [[0.5, 5_000], []],
    [[1, 5_000], []],
    [[24.9, 5_000], []],
    [[25, 5_000], ['5000']],
    [
      [1, 30, 5_000, 9_000],
      ['5000', '9000'],
    ],
  ])('of ages %j nobody needs %j any more', (hours, kids) => {
    expect(outlivedKeys(ring(...hours)).map(({ kid }) => kid)).toEqual(kids);
  });

  // Red when a key goes before everything that it signed is over: attempts wait up to 24 h for their retry.
  it('never removes what signs, nor what signed within the last day', () => {
    for (let hours = 0; hours < 60; hours += 0.5) {
      const keys = ring(hours, 2_160 + hours);
      const gone = outlivedKeys(keys);
      expect(gone).not.toContain(signingKeyOf(keys, 'EdDSA'));
      if (hours * HOUR < HOUR + DAY) expect(gone).toEqual([]);
    }
  });
});
