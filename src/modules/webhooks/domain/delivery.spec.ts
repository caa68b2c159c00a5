import { describe, expect, it } from '@jest/globals';

import { decideCancellation, refusesManualRetry } from './delivery.js';

describe('refusesManualRetry', () => {
  it.each([
    ['FAILED', false, null],
    ['FAILED', true, null],
    ['PENDING', false, 'delivery_not_failed'],
    ['PENDING', true, null],
    ['SENDING', false, 'delivery_not_failed'],
    ['SENDING', true, 'delivery_sending'],
    ['DELIVERED', false, 'delivery_not_failed'],
    ['DELIVERED', true, null],
  ] as const)('%s with force=%s: %s', (status, force, refusal) => {
    expect(refusesManualRetry(status, force)).toBe(refusal);
  });
});

describe('decideCancellation', () => {
  it.each([
    ['PENDING', null, 'end'],
    ['PENDING', 'HTTP 500', 'end'],
    ['SENDING', null, 'refused'],
    ['DELIVERED', null, 'refused'],
    ['FAILED', 'HTTP 404', 'refused'],
    ['FAILED', 'Cancelled', 'ended_already'],
  ] as const)('%s, %s: %s', (status, lastError, decision) => {
    expect(decideCancellation({ status, lastError })).toBe(decision);
  });
});
