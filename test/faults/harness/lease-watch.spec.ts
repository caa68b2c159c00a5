import { describe, expect, it } from '@jest/globals';

import { LeaseWatch } from './lease-watch.js';

const EXPIRED = [{ deliveryId: 'd1', leasedUntil: '10:00' }];

describe('the watch over leases', () => {
  it('tells of a lease that stays expired, once', () => {
    const watch = new LeaseWatch();
    for (const nowMs of [0, 5_000, 11_000, 15_000]) watch.observe(EXPIRED, nowMs);
    expect(watch.overdue).toEqual([{ deliveryId: 'd1', overdueMs: 11_000 }]);
  });

  it('is content when it is given back in time, and when the next lease of the row expires later', () => {
    const watch = new LeaseWatch();
    watch.observe(EXPIRED, 0);
    watch.observe([], 5_000);
    watch.observe(EXPIRED, 11_000);
    watch.observe([{ deliveryId: 'd1', leasedUntil: '10:07' }], 16_000);
    expect(watch.overdue).toEqual([]);
  });

  it('does not count the time in which nobody could give it back', () => {
    const watch = new LeaseWatch();
    watch.observe(EXPIRED, 0);
    watch.forget();
    watch.observe(EXPIRED, 60_000);
    expect(watch.overdue).toEqual([]);
  });
});
