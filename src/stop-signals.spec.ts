import { EventEmitter } from 'node:events';

import { describe, expect, it } from '@jest/globals';

import { StopSignals } from './stop-signals.js';

describe('StopSignals', () => {
  it.each<[string, readonly (readonly [atMs: number, signal: string])[], readonly string[]]>([
    ['one signal stops', [[0, 'SIGTERM']], []],
    [
      'the same one, passed on at once, changes nothing',
      [
        [0, 'SIGINT'],
        [1, 'SIGINT'],
        [100, 'SIGINT'],
        [1_999, 'SIGTERM'],
      ],
      [],
    ],
    [
      'another one, two seconds later, means it',
      [
        [0, 'SIGINT'],
        [100, 'SIGINT'],
        [2_000, 'SIGINT'],
      ],
      ['SIGINT'],
    ],
    [
      'of whichever kind',
      [
        [0, 'SIGINT'],
        [5_000, 'SIGTERM'],
      ],
      ['SIGTERM'],
    ],
  ])('%s', async (_what, received, insisted) => {
    const process = new EventEmitter();
    const seen: string[] = [];
    let nowMs = 0;
    const signals = new StopSignals(
      (signal) => seen.push(signal),
      process,
      () => nowMs,
    );
    expect(signals.received).toBe(false);
    for (const [atMs, signal] of received) {
      nowMs = atMs;
      process.emit(signal);
    }
    expect(signals.received).toBe(true);
    expect(await signals.requested).toBe(received[0]?.[1]);
    expect(seen).toEqual(insisted);
    expect(process.listenerCount('SIGINT') + process.listenerCount('SIGTERM')).toBe(2);
  });
});
