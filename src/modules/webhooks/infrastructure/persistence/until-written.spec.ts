import { describe, expect, it } from '@jest/globals';

import { untilWritten } from './until-written.js';

const away = new Error('the database is away');

/** Fails until `ms` milliseconds of pauses have passed. */
function database(ms: number): {
  readonly write: () => Promise<string>;
  readonly pause: (ms: number) => Promise<void>;
  readonly pauses: number[];
} {
  const pauses: number[] = [];
  const waited = (): number => pauses.reduce((sum, pause) => sum + pause, 0);
  return {
    pauses,
    write: async () => (waited() < ms ? Promise.reject(away) : Promise.resolve('written')),
    pause: async (pause) => {
      pauses.push(pause);
    },
  };
}

const never = (): boolean => false;

describe('results that are to be written', () => {
  it('are written at once where nothing is wrong', async () => {
    const { write, pause, pauses } = database(0);
    expect(await untilWritten(write, never, pause)).toBe('written');
    expect(pauses).toEqual([]);
  });

  // Red when it gives up after some seconds: a living worker then sends again what was answered.
  it.each([8_000, 60_000, 590_000])('are kept while the database is away for %i ms', async (ms) => {
    const { write, pause, pauses } = database(ms);
    expect(await untilWritten(write, never, pause)).toBe('written');
    // A process that was away has 4.5 s to write what it kept, beginning with its first sign of life.
    expect(Math.max(...pauses)).toBeLessThan(2_000);
  });

  it('are given up in the end', async () => {
    const { write, pause, pauses } = database(Infinity);
    await expect(untilWritten(write, never, pause)).rejects.toBe(away);
    expect(pauses.length).toBeLessThan(1_000);
  });

  it('are not tried again when they are refused', async () => {
    const { write, pause, pauses } = database(Infinity);
    await expect(untilWritten(write, (cause) => cause === away, pause)).rejects.toBe(away);
    expect(pauses).toEqual([]);
  });
});
