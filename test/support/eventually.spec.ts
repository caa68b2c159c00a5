import { describe, expect, it, jest } from '@jest/globals';
import { eventually } from './eventually.js';

describe('eventually', () => {
  it('gives the result of the first attempt that does not throw', async () => {
    let attempts = 0;
    const result = await eventually(
      () => {
        attempts += 1;
        if (attempts < 3) throw new Error('not yet');
        return attempts;
      },
      { intervalMs: 1 },
    );

    expect(result).toBe(3);
  });

  it('rethrows the last error at the deadline, with what was awaited in front', async () => {
    let attempts = 0;
    const never = eventually(
      () => {
        attempts += 1;
        throw new Error(`attempt ${attempts}`);
      },
      { timeoutMs: 30, intervalMs: 1, message: 'row delivered' },
    );

    await expect(never).rejects.toThrow(/^row delivered \(not within 30 ms\): attempt \d+$/);
    expect(attempts).toBeGreaterThan(1);
  });

  it('fails at the deadline when an attempt never settles', async () => {
    const stuck = eventually(() => new Promise(() => undefined), { timeoutMs: 20 });

    await expect(stuck).rejects.toThrow('the attempt itself never ended');
  });

  it('keeps polling while fake timers are installed', async () => {
    jest.useFakeTimers();
    try {
      let attempts = 0;
      await eventually(
        () => {
          attempts += 1;
          if (attempts < 2) throw new Error('not yet');
        },
        { intervalMs: 1 },
      );
      expect(attempts).toBe(2);
    } finally {
      jest.useRealTimers();
    }
  });
});
