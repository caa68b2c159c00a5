import { describe, expect, it } from '@jest/globals';

import { DeliverySlots } from './delivery-slots.js';

describe('DeliverySlots', () => {
  it('grants up to the global bound and never more', () => {
    const slots = new DeliverySlots({ global: 10, perTenant: 8 });
    expect(slots.take('a', 6)).toBe(6);
    expect(slots.take('b', 6)).toBe(4);
    expect(slots.take('c', 1)).toBe(0);
    expect(slots.inUse).toBe(10);
  });

  it('keeps a tenant to its share while others have room', () => {
    const slots = new DeliverySlots({ global: 10, perTenant: 4 });
    expect(slots.take('a', 10)).toBe(4);
    expect(slots.take('a', 1)).toBe(0);
    expect(slots.take('b', 10)).toBe(4);
  });

  it('wakes the first in line that has room, past a tenant at its share', async () => {
    const slots = new DeliverySlots({ global: 5, perTenant: 4 });
    slots.take('a', 4);
    slots.take('b', 1);
    const order: string[] = [];
    const greedy = slots.room('a').then(() => order.push('a'));
    const modest = slots.room('c').then(() => order.push('c'));
    slots.give('b', 1);
    await modest;
    expect(order).toEqual(['c']);
    slots.give('a', 1);
    await greedy;
    expect(order).toEqual(['c', 'a']);
  });
});
