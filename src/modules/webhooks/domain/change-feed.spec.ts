import { describe, expect, it } from '@jest/globals';

import { ChangeFeed, type SeenDelivery } from './change-feed.js';
import type { DeliveryStatus } from './delivery.js';

const seen = (id: string, version: number, status: DeliveryStatus = 'DELIVERED'): SeenDelivery => ({
  ...{ id, version, status, subscriptionId: 'S', event: 'a.made', attempts: 1 },
});

const told = ({ changed, isGap }: ReturnType<ChangeFeed['take']>): string =>
  [...changed.map(({ id, version }) => `${id}${version}`), ...(isGap ? ['gap'] : [])].join(' ');

describe('ChangeFeed', () => {
  it('tells nothing of the first look, then what is new and what has another version, oldest change first', () => {
    const feed = new ChangeFeed(4);
    expect(told(feed.take({ newest: [seen('b', 2, 'PENDING'), seen('a', 1)], others: [] }))).toBe('');
    expect(feed.watched).toEqual(['b']);
    const next = { newest: [seen('c', 3, 'SENDING'), seen('b', 5), seen('a', 1)], others: [] };
    expect(told(feed.take(next))).toBe('c3 b5');
    expect(feed.watched).toEqual(['c']);
    expect(told(feed.take(next))).toBe('');
  });

  it('goes on with what was unfinished when it is not among the newest any more', () => {
    const feed = new ChangeFeed(1);
    feed.take({ newest: [seen('a', 1, 'PENDING')], others: [] });
    feed.take({ newest: [seen('b', 2)], others: [seen('a', 1, 'PENDING')] });
    expect(feed.watched).toEqual(['a']);
    expect(told(feed.take({ newest: [seen('b', 2)], others: [seen('a', 3)] }))).toBe('a3');
    expect(feed.watched).toEqual([]);
  });

  it('tells when an old one is taken up again', () => {
    const feed = new ChangeFeed(1);
    feed.take({ newest: [seen('b', 2)], others: [] });
    expect(told(feed.take({ newest: [seen('b', 2)], others: [seen('a', 9, 'PENDING')] }))).toBe('a9');
  });

  it.each([
    [['b', 'a'], ['d', 'c'], 'c3 d4 gap'],
    [['b', 'a'], ['c', 'b'], 'c3'],
    [[], ['b', 'a'], 'a1 b2'],
    [['a'], ['b'], 'b2'],
  ])('after %j a look at %j tells %s', (before, after, expected) => {
    const of = (ids: string[]): SeenDelivery[] => ids.map((id) => seen(id, id.charCodeAt(0) - 96));
    const feed = new ChangeFeed(2);
    feed.take({ newest: of(before), others: [] });
    expect(told(feed.take({ newest: of(after), others: [] }))).toBe(expected);
  });
});
