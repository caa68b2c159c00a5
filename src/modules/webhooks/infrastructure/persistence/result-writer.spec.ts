import { describe, expect, it } from '@jest/globals';

import type { AttemptResult, Recorded } from '../../application/ports/delivery-lanes.js';
import { RecordingLogger } from '../../testing/recording-logger.js';
import { ResultWriter } from './result-writer.js';

const RECORDED: Recorded = { held: true, isMoreDue: false, turns: [] };

function resultsOf(count: number): AttemptResult[] {
  return Array.from(
    { length: count },
    (_unused, n) =>
      ({
        deliveryId: `d${n}`,
        responseBody: 'ok',
        responseHeaders: null,
      }) as Partial<AttemptResult> as AttemptResult,
  );
}

/** A database that refuses statements which `refuses` says are wrong, and keeps what it was given otherwise. */
function writerOf(refuses: (results: readonly AttemptResult[]) => string | null): {
  readonly writer: ResultWriter;
  readonly written: string[];
  readonly logger: RecordingLogger;
  statements(): number;
} {
  const written: string[] = [];
  const logger = new RecordingLogger();
  let statements = 0;
  const record = async (results: readonly AttemptResult[]): Promise<Recorded[]> => {
    statements += 1;
    const code = refuses(results);
    if (code !== null) throw Object.assign(new Error('refused'), { code, severity: 'ERROR' });
    written.push(...results.map(({ deliveryId, responseBody }) => `${deliveryId} ${responseBody}`));
    return Promise.resolve(results.map(() => RECORDED));
  };
  const pause = async (): Promise<void> => Promise.resolve();
  return {
    writer: new ResultWriter(record, logger, pause),
    written,
    logger,
    statements: () => statements,
  };
}

describe('results that are written together', () => {
  const results = resultsOf(64);

  // Red while one that could not be written left those after it unwritten: they were all sent again.
  it.each([0, 31, 63])('are all written but the one that is refused whatever it says: %i', async (bad) => {
    const { writer, written, statements } = writerOf((some) =>
      some.some(({ deliveryId }) => deliveryId === `d${bad}`) ? '23514' : null,
    );
    const recorded = await writer.write(results);
    expect(recorded.map((one, n) => (one instanceof Error ? n : null)).filter((n) => n !== null)).toEqual([
      bad,
    ]);
    expect(written).toHaveLength(63);
    // Halves, so that a thousand do not become a thousand statements.
    expect(statements()).toBeLessThanOrEqual(2 * Math.log2(64) + 2);
  });

  it('give up what the receiver answered before they give up one', async () => {
    const { writer, written } = writerOf((some) =>
      some.some(({ deliveryId, responseBody }) => deliveryId === 'd5' && responseBody !== null)
        ? '22P05'
        : null,
    );
    expect(await writer.write(results)).toEqual(results.map(() => RECORDED));
    expect(written).toEqual(results.map(({ deliveryId }, n) => `${deliveryId} ${n === 5 ? null : 'ok'}`));
  });

  // Red while two of one statement were tried again for ten minutes, without a word, before all others of the process.
  it('are written one after the other where two are of one attempt', async () => {
    const twice = [...results, results[7]!];
    const { writer, written, logger } = writerOf((some) =>
      new Set(some.map(({ deliveryId }) => deliveryId)).size < some.length ? '21000' : null,
    );
    expect(await writer.write(twice)).toEqual(twice.map(() => RECORDED));
    expect(written).toHaveLength(65);
    expect(logger.lines).toEqual([]);
  });

  it('wait together while the database is away, and say so once', async () => {
    let tries = 0;
    const { writer, written, logger, statements } = writerOf(() => ((tries += 1) < 20 ? '57P03' : null));
    expect(await writer.write(results)).toEqual(results.map(() => RECORDED));
    expect([statements(), written.length]).toEqual([20, 64]);
    expect(logger.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'Results of attempts wait for the database'],
      ['info', 'Results of attempts that waited are written'],
    ]);
  });

  // Red while a statement that takes too long kept all of its results, and those behind it, for ten minutes.
  it('are all written but one that no statement has the time for', async () => {
    const { writer, written, statements } = writerOf((some) =>
      some.some(({ deliveryId }) => deliveryId === 'd40') ? '57014' : null,
    );
    const recorded = await writer.write(results);
    expect(recorded.flatMap((one, n) => (one instanceof Error ? [n] : []))).toEqual([40]);
    expect(written).toHaveLength(63);
    expect(statements()).toBeLessThan(1_000);
  });

  it('wait no longer one by one than together', async () => {
    const { writer, statements } = writerOf(() => '57014');
    const recorded = await writer.write(results);
    expect(recorded.every((one) => one instanceof Error)).toBe(true);
    expect(statements()).toBeLessThan(1_000);
  });

  it('are all left to the sweep when the database stays away', async () => {
    const { writer } = writerOf(() => '08006');
    const recorded = await writer.write(results);
    expect(recorded.every((one) => one instanceof Error)).toBe(true);
  });
});
