import { describe, expect, it } from '@jest/globals';

import { verdictAfter, type LaneRest, type Opening, type TurnVerdict } from './turn-verdict.js';

const seen = (rest: Partial<Extract<LaneRest, { kind: 'seen' }>> = {}): LaneRest => ({
  ...{ kind: 'seen', firstDueInMs: null, retryDueInMs: null, isShort: false, hold: null },
  ...rest,
});
const opening = (rest: LaneRest, change: Partial<Opening> = {}): Opening => ({
  ...{ claimed: { all: 1, retries: 0 }, retryLimit: 4, isRetrying: false, rest },
  ...change,
});
const FULL_BY_OTHERS = { kind: 'full', by: 'others' } as const;

describe('verdictAfter', () => {
  it.each<[string, Opening, TurnVerdict]>([
    ['nothing is left', opening(seen()), { kind: 'drained', nextDueInMs: null }],
    [
      'the next is due later, a retry first',
      opening(seen({ firstDueInMs: 900, retryDueInMs: 500 })),
      { kind: 'drained', nextDueInMs: 500 },
    ],
    ['a first attempt is due', opening(seen({ firstDueInMs: 0, retryDueInMs: 7 })), { kind: 'more' }],
    ['a retry is due', opening(seen({ retryDueInMs: 0 })), { kind: 'more' }],
    ['another process opens it', opening({ kind: 'busy' }), FULL_BY_OTHERS],
    ['others hold the places', opening(seen({ firstDueInMs: 0, isShort: true })), FULL_BY_OTHERS],
    [
      'others hold places, and nothing needs them',
      opening(seen({ isShort: true })),
      { kind: 'drained', nextDueInMs: null },
    ],
    [
      'something is due and nothing could be had',
      opening(seen({ firstDueInMs: 0 }), { claimed: { all: 0, retries: 0 } }),
      FULL_BY_OTHERS,
    ],
    [
      'retries are due beyond their bound, and one is under way',
      opening(seen({ retryDueInMs: 0 }), { claimed: { all: 4, retries: 4 }, isRetrying: true }),
      { kind: 'full', by: 'us' },
    ],
    [
      'retries are due, and other lanes have all that may be',
      opening(seen({ retryDueInMs: 0 }), { claimed: { all: 0, retries: 0 }, retryLimit: 0 }),
      FULL_BY_OTHERS,
    ],
    [
      'a gate keeps back what is due',
      opening(seen({ firstDueInMs: 0, isShort: true, hold: { reason: 'rate_limited', forMs: 80 } })),
      { kind: 'held', reason: 'rate_limited', forMs: 80 },
    ],
    [
      'a gate would keep back what is not there',
      opening(seen({ hold: { reason: 'paused', forMs: null } })),
      { kind: 'drained', nextDueInMs: null },
    ],
  ])('when %s', (_when, given, verdict) => {
    expect(verdictAfter(given)).toEqual(verdict);
  });
});
