import { describe, expect, it } from '@jest/globals';

import { decideManualRetry } from './delivery.js';

describe('decideManualRetry', () => {
  it.each([
    ['FAILED', false, 'requeue'],
    ['FAILED', true, 'requeue'],
    ['PENDING', false, 'refused'],
    ['PENDING', true, 'requeue'],
    ['SENDING', false, 'refused'],
    ['SENDING', true, 'already_sending'],
    ['DELIVERED', false, 'refused'],
    ['DELIVERED', true, 'requeue'],
  ] as const)('%s with force=%s: %s', (status, force, kind) => {
    expect(decideManualRetry(status, force)).toEqual({ kind });
  });
});
