import { describe, expect, it } from '@jest/globals';

import { AttemptWatch } from './attempt-watch.js';

describe('AttemptWatch', () => {
  const watched = (
    watch: AttemptWatch,
    ids: readonly string[],
    timeoutMs: number,
  ): { done: () => boolean; end: Promise<void> } => {
    let done = false;
    const end = watch.firstAttempts(ids, timeoutMs).then(() => {
      done = true;
    });
    return { done: () => done, end };
  };
  const tick = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('ends when each delivery was attempted, in any order, more than once or not', async () => {
    const watch = new AttemptWatch();
    const { done, end } = watched(watch, ['a', 'b'], 60_000);
    watch.attempted('b');
    watch.attempted('b');
    watch.attempted('of somebody else');
    await tick();
    expect(done()).toBe(false);
    watch.attempted('a');
    await end;
  });

  it('hears an attempt that is made before the promise is awaited', async () => {
    const watch = new AttemptWatch();
    const attempts = watch.firstAttempts(['a'], 60_000);
    watch.attempted('a');
    await attempts;
  });

  it('ends at its limit when an attempt takes longer', async () => {
    const { end } = watched(new AttemptWatch(), ['a'], 10);
    await end;
  });

  // Red when the wait does not grow with the budget of an attempt that began.
  it('waits for longer when an attempt that began may take longer than usual', async () => {
    const watch = new AttemptWatch();
    const { done, end } = watched(watch, ['a', 'b'], 1);
    watch.attempting('a', 60_000);
    // Timers of one length end in their order: the first limit has passed.
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect(done()).toBe(false);
    watch.attempted('a');
    watch.attempted('b');
    await end;
  });

  it('ends at the longer limit too', async () => {
    const watch = new AttemptWatch();
    const { end } = watched(watch, ['a'], 1);
    watch.attempting('a', 5);
    await end;
  });

  it('has nothing to wait for without deliveries', async () => {
    await new AttemptWatch().firstAttempts([], 60_000);
  });

  it('lets go, when it stops, of whoever waits for an attempt that has not begun, and of whoever comes later', async () => {
    const watch = new AttemptWatch();
    const begun = watched(watch, ['a'], 60_000);
    const waiting = watched(watch, ['b', 'c'], 60_000);
    const both = watched(watch, ['d', 'e'], 60_000);
    watch.attempting('a');
    watch.attempting('d');
    watch.attempting('of somebody else');
    watch.stop();
    await waiting.end;
    await watched(watch, ['f'], 60_000).end;
    await tick();
    expect([begun.done(), both.done()]).toEqual([false, false]);
    watch.attempted('a');
    watch.attempted('d');
    await begun.end;
    await both.end;
  });
});
