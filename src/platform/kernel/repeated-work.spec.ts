import { afterEach, describe, expect, it } from '@jest/globals';

import { eventually } from '../../../test/support/eventually.js';
import { AppLogger } from './app-logger.js';
import { RepeatedWork } from './repeated-work.js';

class Lines extends AppLogger {
  readonly said: string[] = [];
  override debug(): void {}
  override warn(): void {}
  override info(message: string): void {
    this.said.push(message);
  }
  override error(message: string): void {
    this.said.push(message);
  }
}

describe('RepeatedWork', () => {
  let work: RepeatedWork | undefined;

  afterEach(async () => {
    await work?.stop();
  });

  /** Work that fails at these times, counted from 1. */
  const failingAt = (times: readonly number[], works?: string) => {
    const seen = { logger: new Lines(), count: 0, atOnce: 0, most: 0 };
    work = new RepeatedWork(
      async () => {
        seen.count += 1;
        const mine = seen.count;
        seen.most = Math.max(seen.most, (seen.atOnce += 1));
        await new Promise((resolve) => setImmediate(resolve));
        seen.atOnce -= 1;
        if (times.includes(mine)) throw new Error('the database went away');
        return 1;
      },
      { logger: seen.logger, failed: 'failed', retryMs: 1, ...(works === undefined ? {} : { works }) },
    );
    return { seen, work };
  };

  // Red when a failure ends the series, is said at every try, or is never said again.
  it('goes on after failures, says one row of them once, and another row again', async () => {
    const { seen, work: repeated } = failingAt([2, 3, 4, 6], 'works');
    repeated.schedule(0);
    await eventually(() => expect(seen.count).toBeGreaterThan(7));
    expect(seen.logger.said).toEqual(['failed', 'works', 'failed', 'works']);
    expect(seen.most).toBe(1);
  });

  it('resolves after the first time, also where that failed, and goes on', async () => {
    const { seen, work: repeated } = failingAt([1]);
    await repeated.begin();
    expect(seen).toMatchObject({ count: 1, atOnce: 0 });
    await eventually(() => expect(seen.count).toBeGreaterThan(2));
    expect(seen.logger.said).toEqual(['failed']);
  });

  it('ends what is under way when it is stopped, and does nothing afterwards', async () => {
    const { seen, work: repeated } = failingAt([]);
    void repeated.begin();
    expect(seen.atOnce).toBe(1);
    await repeated.stop();
    expect(seen).toMatchObject({ count: 1, atOnce: 0 });
    repeated.schedule(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen.count).toBe(1);
    expect(repeated.isStopped).toBe(true);
  });
});
