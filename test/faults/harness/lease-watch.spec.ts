import { describe, expect, it } from '@jest/globals';

import { LeaseWatch } from './lease-watch.js';

const EXPIRED = [{ deliveryId: 'd1', leasedUntil: '10:00' }];

/** A look each second. */
function look(watch: LeaseWatch, expired: typeof EXPIRED, fromMs: number, toMs: number): void {
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 1_000) watch.observe(expired, nowMs);
}

describe('the watch over leases', () => {
  it('tells of a lease that stays expired, once', () => {
    const watch = new LeaseWatch();
    look(watch, EXPIRED, 0, 15_000);
    expect(watch.overdue).toEqual([{ deliveryId: 'd1', overdueMs: 11_000 }]);
  });

  it('is content when it is given back in time, and when the next lease of the row expires later', () => {
    const watch = new LeaseWatch();
    look(watch, EXPIRED, 0, 8_000);
    look(watch, [], 9_000, 9_000);
    look(watch, EXPIRED, 10_000, 18_000);
    look(watch, [{ deliveryId: 'd1', leasedUntil: '10:07' }], 19_000, 27_000);
    expect(watch.overdue).toEqual([]);
  });

  it('does not count the time in which nobody could give it back', () => {
    const watch = new LeaseWatch();
    look(watch, EXPIRED, 0, 8_000);
    watch.forget();
    look(watch, EXPIRED, 9_000, 17_000);
    expect(watch.overdue).toEqual([]);
  });

  it('does not count the time in which nobody looked: nobody else may have got to anything either', () => {
    const watch = new LeaseWatch();
    look(watch, EXPIRED, 0, 8_000);
    look(watch, EXPIRED, 20_000, 28_000);
    expect(watch.overdue).toEqual([]);
  });
});
