import { describe, expect, it } from '@jest/globals';
import { QueryFailedError } from 'typeorm';

import { isRefused, newPatience, untilWritten, type OfWaiting, type Waiting } from './until-written.js';

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

/** What was told, in order. */
function told(): OfWaiting & { readonly lines: unknown[] } {
  const lines: unknown[] = [];
  return { lines, waits: (cause) => lines.push(cause), written: (waitedMs) => lines.push(waitedMs) };
}

/** As TypeORM throws what PostgreSQL answers. */
function answered(sqlstate: string): Error {
  const error = Object.assign(new Error('not now'), { code: sqlstate, severity: 'ERROR' });
  return new QueryFailedError('SELECT', [], error);
}

const waiting = (told: OfWaiting, pause: (ms: number) => Promise<void>): Waiting => ({
  told,
  isOver: isRefused,
  patience: newPatience(),
  pause,
});

describe('results that are to be written', () => {
  it('are written at once where nothing is wrong', async () => {
    const { write, pause, pauses } = database(0);
    const heard = told();
    expect(await untilWritten(write, waiting(heard, pause))).toBe('written');
    expect([pauses, heard.lines]).toEqual([[], []]);
  });

  // Red when it gives up after some seconds: a living worker then sends again what was answered.
  it.each([8_000, 60_000, 590_000])('are kept while the database is away for %i ms', async (ms) => {
    const { write, pause, pauses } = database(ms);
    const heard = told();
    expect(await untilWritten(write, waiting(heard, pause))).toBe('written');
    // Said once, and once more when it is over.
    expect(heard.lines).toEqual([away, pauses.reduce((sum, one) => sum + one, 0)]);
    // A process that was away has 4.5 s to write what it kept, beginning with its first sign of life.
    expect(Math.max(...pauses)).toBeLessThan(2_000);
  });

  it('are given up in the end', async () => {
    const { write, pause, pauses } = database(Infinity);
    await expect(untilWritten(write, waiting(told(), pause))).rejects.toBe(away);
    expect(pauses.length).toBeLessThan(1_000);
  });

  it('are not tried again when they are refused', async () => {
    const refused = answered('23514');
    const pauses: number[] = [];
    const pause = async (ms: number): Promise<void> => {
      pauses.push(ms);
    };
    await expect(untilWritten(async () => Promise.reject(refused), waiting(told(), pause))).rejects.toBe(
      refused,
    );
    expect(pauses).toEqual([]);
  });

  it.each([
    ['two rows for one', answered('21000'), true],
    ['a value', answered('22P05'), true],
    ['a constraint', answered('23514'), true],
    ['a name', answered('42883'), true],
    ['a fault inside', answered('XX000'), true],
    ['code that is wrong', new TypeError('undefined is not a function'), true],
    ['a broken connection', answered('08006'), false],
    ['a standby', answered('25006'), false],
    ['a deadlock', answered('40P01'), false],
    ['a full disk', answered('53100'), false],
    ['a lock', answered('55P03'), false],
    ['a statement that took too long', answered('57014'), false],
    ['a start', answered('57P03'), false],
    ['a disk that cannot be read', answered('58030'), false],
    ['a pool that gives none', new Error('timeout exceeded when trying to connect'), false],
    ['what nobody knows', new Error('?'), false],
  ])('are refused, or wait: %s', (_what, cause, refused) => {
    expect(isRefused(cause)).toBe(refused);
  });
});
