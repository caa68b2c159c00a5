import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { AttemptSlots, type Grant, type Slot, type SlotLimits } from './attempt-slots.js';
import { KNOWN_PACES, type KnownPace, type Pace } from './lane-paces.js';
import type { Lane } from './lane.js';

const lane = (subscriptionId: string, tenantId = 't'): Lane => ({ tenantId, subscriptionId });
const account = (total: number, perTenant = total, retries = total) => ({ total, perTenant, retries });
const limits = (change: Partial<SlotLimits> = {}): SlotLimits => ({
  fast: account(10),
  slow: account(4),
  hanging: account(2),
  unproven: { total: 5, perTenant: 4 },
  ...change,
});

function begin(slots: AttemptSlots, of: Lane, pace: Pace = 'fast', isRetry = false): Slot {
  const grant = slots.take(of, pace, 1);
  if (grant === null) throw new Error('no slot');
  slots.settle(of, pace, grant, { all: 1, retries: isRetry ? 1 : 0 });
  return slots.begin(of, pace, grant, isRetry);
}

describe('AttemptSlots', () => {
  it.each<[string, Partial<SlotLimits>, Pace, number, number | null]>([
    ['as many as were asked for', {}, 'fast', 3, 3],
    ['no more than the account has', {}, 'fast', 12, 10],
    ['no more than the share of a tenant', { fast: account(10, 6) }, 'fast', 8, 6],
    ['no more than unproven endpoints may hold', { unproven: account(5) }, 'unproven', 8, 5],
    ['no more than the unproven ones of a tenant may hold', {}, 'unproven', 8, 4],
    ['from the account of the pace', {}, 'hanging', 8, 2],
    ['nothing where there is nothing', { slow: account(0) }, 'slow', 1, null],
  ])('gives %s', (_, change, pace, wanted, count) => {
    expect(new AttemptSlots(limits(change)).take(lane('a'), pace, wanted)?.count ?? null).toBe(count);
  });

  // Red without the reserve: an endpoint that was slow once, by chance, would wait for those that always are.
  it('gives a slow lane with nothing under way one slot from the reserve, and no other', () => {
    const slots = new AttemptSlots(limits({ hanging: { ...account(2, 1), reserve: 1 } }));
    expect(slots.take(lane('a'), 'hanging', 1, true)).toMatchObject({ count: 1 });
    expect(slots.take(lane('a'), 'hanging', 1)).toBeNull();
    expect(slots.take(lane('b'), 'hanging', 3, true)).toMatchObject({ count: 1 });
    expect(slots.take(lane('c'), 'hanging', 1, true)).toMatchObject({ count: 1 });
    expect(slots.take(lane('d'), 'hanging', 1, true)).toBeNull();
  });

  it('keeps slots for first attempts', () => {
    const slots = new AttemptSlots(limits({ fast: account(10, 10, 6) }));
    expect(slots.take(lane('a'), 'fast', 4)).toMatchObject({ count: 4, retries: 4 });
    expect(slots.take(lane('b'), 'fast', 4)).toMatchObject({ count: 4, retries: 2 });
    expect(slots.take(lane('c'), 'fast', 2)).toMatchObject({ count: 2, retries: 0 });
  });

  it('takes what turned slow out of the way of what is quick', () => {
    const slots = new AttemptSlots(limits({ fast: account(2) }));
    const begun = [begin(slots, lane('a')), begin(slots, lane('b'))];
    expect(slots.take(lane('c'), 'fast', 1)).toBeNull();
    expect(slots.move(begun[0]!, 'slow')).toEqual([lane('c')]);
    expect(slots.take(lane('c'), 'fast', 1)).toMatchObject({ account: 'fast', count: 1 });
    // Never back: its endpoint was known for worse.
    expect(slots.move(begun[0]!, 'fast')).toEqual([]);
    expect(begun[0]!.account).toBe('slow');
  });

  it('moves nothing where there is no room, and loses nothing by it', () => {
    const slots = new AttemptSlots(limits({ slow: account(0), hanging: account(0) }));
    const slot = begin(slots, lane('a'));
    expect(slots.move(slot, 'slow')).toBeNull();
    expect(slot.account).toBe('fast');
    expect(slots.finish(slot)).toEqual([]);
    expect(slots.inUse).toBe(0);
  });

  // Red when they stay: as many slow ones as there are slow slots would keep the fast ones from everybody.
  it('moves what is slow on to the hanging ones where there is no slow slot', () => {
    const slots = new AttemptSlots(limits({ slow: account(0) }));
    const slot = begin(slots, lane('a'));
    expect(slots.move(slot, 'slow')).toEqual([]);
    expect(slot.account).toBe('hanging');
    expect(slots.take(lane('b'), 'fast', 12)?.count).toBe(10);
  });

  // Red without the reserve: nobody is held up by how many others there are.
  it('gives a tenant with nothing under way one fast slot from the reserve, and no other', () => {
    const slots = new AttemptSlots(limits({ fast: { ...account(2), reserve: 1 } }));
    for (const id of ['a', 'b']) begin(slots, lane(id, 'x'));
    expect(slots.take(lane('c', 'x'), 'fast', 3, true)).toBeNull();
    expect(slots.take(lane('d', 'y'), 'fast', 3, true)?.count).toBe(1);
    expect(slots.take(lane('e', 'z'), 'fast', 3, true)).toBeNull();
  });

  it('calls parked lanes, tenants in turn, at most one for each slot that came free', () => {
    const slots = new AttemptSlots(limits({ fast: account(2) }));
    const begun = [begin(slots, lane('x', 'busy')), begin(slots, lane('y', 'busy'))];
    for (const id of ['a1', 'a2', 'a3']) slots.take(lane(id, 'a'), 'fast', 1);
    slots.take(lane('b1', 'b'), 'fast', 1);
    expect(slots.finish(begun[0]!)).toEqual([lane('a1', 'a')]);
    expect(slots.finish(begun[1]!)).toEqual([lane('b1', 'b')]);
  });

  it('does not call a tenant that has its share, and holds up nobody behind it', () => {
    const slots = new AttemptSlots(limits({ fast: account(3, 2) }));
    const [one] = [begin(slots, lane('x', 'a')), begin(slots, lane('y', 'a'))];
    const other = begin(slots, lane('z', 'b'));
    slots.take(lane('a1', 'a'), 'fast', 1);
    slots.take(lane('b1', 'b'), 'fast', 1);
    expect(slots.finish(other)).toEqual([lane('b1', 'b')]);
    expect(slots.finish(one)).toEqual([lane('a1', 'a')]);
  });

  it('says which lanes it would be in vain to ring', () => {
    const slots = new AttemptSlots(limits({ hanging: account(1) }));
    const slot = begin(slots, lane('x'), 'hanging');
    slots.take(lane('a'), 'hanging', 1);
    expect(slots.mustWait(lane('a'))).toBe(true);
    expect(slots.mustWait(lane('b'))).toBe(false);
    slots.finish(slot);
    expect(slots.mustWait(lane('a'))).toBe(false);
  });

  // Invariant 6, and that nothing is lost: whatever the order of events, no bound is overshot and all comes back.
  it('never overshoots a bound', () => {
    const bounds = limits({ fast: account(6, 4, 3), slow: account(3, 2, 2), hanging: account(2, 1, 1) });
    const step = fc.record({
      tenant: fc.constantFrom('a', 'b', 'c'),
      pace: fc.constantFrom<Pace>('unproven', 'fast', 'slow', 'hanging'),
      wanted: fc.integer({ min: 1, max: 5 }),
      begun: fc.integer({ min: 0, max: 5 }),
      end: fc.nat(20),
      move: fc.constantFrom<KnownPace>('slow', 'hanging'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const slots = new AttemptSlots(bounds);
        const open: Slot[] = [];
        for (const { tenant, pace, wanted, begun, end, move } of steps) {
          const of = lane(`${tenant}-${pace}`, tenant);
          const grant: Grant | null = slots.take(of, pace, wanted);
          if (grant !== null) {
            const all = Math.min(begun, grant.count);
            const retries = Math.min(all, grant.retries);
            slots.settle(of, pace, grant, { all, retries });
            for (let n = 0; n < all; n += 1) open.push(slots.begin(of, pace, grant, n < retries));
          }
          const moved = open[end];
          if (moved) slots.move(moved, move);
          const [ended] = open.splice(end, 1);
          if (ended) slots.finish(ended);
          for (const name of KNOWN_PACES) {
            const held = open.filter((slot) => slot.account === name);
            expect(held.length).toBeLessThanOrEqual(bounds[name].total);
            expect(held.filter((slot) => slot.isRetry).length).toBeLessThanOrEqual(bounds[name].total);
            for (const id of ['a', 'b', 'c']) {
              const mine = held.filter((slot) => slot.lane.tenantId === id);
              expect(mine.length).toBeLessThanOrEqual(bounds[name].perTenant);
            }
          }
          expect(slots.inUse).toBe(open.length);
        }
        for (const slot of open) slots.finish(slot);
        expect(slots.inUse).toBe(0);
        expect(slots.take(lane('z', 'z'), 'fast', 99)).toEqual({ account: 'fast', count: 4, retries: 3 });
      }),
    );
  });
});
