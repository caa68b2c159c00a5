import { describe, expect, it } from '@jest/globals';

import { eventually } from '../../../../../test/support/eventually.js';
import { Batcher } from './batcher.js';

const OPTIONS = { maxBatch: 3, parallel: 1 };

describe('Batcher', () => {
  it('makes one call of what comes together, and gives each its own', async () => {
    const batches: (readonly number[])[] = [];
    const batcher = new Batcher<number, string>(async (items) => {
      batches.push(items);
      return Promise.resolve(items.map((item) => `n${item}`));
    }, OPTIONS);
    expect(await Promise.all([1, 2].map((n) => batcher.add(n)))).toEqual(['n1', 'n2']);
    expect(batches).toEqual([[1, 2]]);
  });

  it('makes no batch larger than the limit, and no more at once than allowed', async () => {
    let running = 0;
    let most = 0;
    const batches: (readonly number[])[] = [];
    const batcher = new Batcher<number, number>(async (items) => {
      batches.push(items);
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return items;
    }, OPTIONS);
    const numbers = Array.from({ length: 10 }, (_unused, n) => n);
    expect(await Promise.all(numbers.map((n) => batcher.add(n)))).toEqual(numbers);
    expect(Math.max(...batches.map((batch) => batch.length))).toBe(3);
    expect(most).toBe(1);
  });

  it('fails those of the batch that failed, and goes on with the next', async () => {
    let calls = 0;
    const batcher = new Batcher<number, number>(async (items) => {
      calls += 1;
      if (calls === 1) throw new Error('the database went away');
      return Promise.resolve(items);
    }, OPTIONS);
    const failed = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await batcher.add(3)).toBe(3);
  });

  it('fails the item whose answer is an error, and that one alone', async () => {
    const refused = new Error('refused');
    const batcher = new Batcher<number, number>(async () => Promise.resolve([1, refused, 3]), OPTIONS);
    expect(await Promise.allSettled([1, 2, 3].map((n) => batcher.add(n)))).toEqual([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: refused },
      { status: 'fulfilled', value: 3 },
    ]);
  });

  it('fails the item that got no answer, and that one alone', async () => {
    const batcher = new Batcher<number, number>(async (items) => Promise.resolve(items.slice(0, 1)), OPTIONS);
    const [first, second] = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
    expect(first).toEqual({ status: 'fulfilled', value: 1 });
    expect(second).toMatchObject({
      status: 'rejected',
      reason: { message: expect.stringContaining('fewer items') },
    });
    await eventually(async () => expect(await batcher.add(3)).toBe(3));
  });
});
