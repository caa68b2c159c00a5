import { describe, expect, it } from '@jest/globals';

import {
  batchBody,
  batchId,
  batchProblems,
  batchStep,
  fitting,
  MAX_BATCH_BYTES,
  wantedBatch,
} from './batch.js';
import { waitsOf } from './retry-schedule.js';
import type { SendOutcome } from './retry-policy.js';

const IDS = ['0193c5a0-8d2c-7f10-8b5e-2f4c9a7d3e22', '0193c5a0-8d2c-7f10-8b5e-2f4c9a7d3e23'] as const;

describe('the id of a request', () => {
  it('is that of the only delivery, or of exactly these, in any order', () => {
    expect(batchId([IDS[0]])).toBe(IDS[0]);
    expect(batchId(IDS)).toBe(batchId([...IDS].reverse()));
    expect(batchId(IDS)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(batchId([...IDS, '0193c5a0-8d2c-7f10-8b5e-2f4c9a7d3e24'])).not.toBe(batchId(IDS));
  });
});

describe('the body of a request', () => {
  const body = (text: string, contentType = 'application/json'): { text: string; contentType: string } => ({
    text,
    contentType,
  });

  it('is an array, also of one, of texts as they are', () => {
    expect(batchBody([body('{"n":1.10}')])).toEqual(body('[{"n":1.10}]'));
    expect(batchBody([body('{"n":12345678901234567890}'), body('{}')]).text).toBe(
      '[{"n":12345678901234567890},{}]',
    );
    expect(batchBody([body('{}', 'application/cloudevents+json')]).contentType).toBe(
      'application/cloudevents-batch+json',
    );
  });

  it('has a mebibyte at most, and one event at least', () => {
    const half = body('x'.repeat(MAX_BATCH_BYTES / 2));
    expect(fitting([half])).toBe(1);
    expect(fitting([half, half])).toBe(1);
    expect(fitting([body('x'.repeat(MAX_BATCH_BYTES + 9)), half])).toBe(1);
    expect(fitting([body('{}'), body('{}'), body('{}')])).toBe(3);
  });
});

describe('what follows for each delivery of a request', () => {
  const waits = waitsOf('default', 3);
  const busy: SendOutcome = {
    ...{ kind: 'retryable', error: 'HTTP 500', errorClass: 'http_5xx', statusCode: 500, retryAfterMs: 0 },
  };
  const refused: SendOutcome = {
    ...{ kind: 'permanent', error: 'HTTP 400', errorClass: 'http_4xx', statusCode: 400 },
  };
  const gone: SendOutcome = { kind: 'gone', error: 'HTTP 410', errorClass: 'http_4xx', statusCode: 410 };
  const again = { status: 'PENDING', lastError: 'HTTP 500' };

  it.each<[string, SendOutcome, number, number, object]>([
    ['it arrives', { kind: 'delivered', statusCode: 207 }, 1, 3, { status: 'DELIVERED' }],
    ['it fails for the first time: together again', busy, 1, 3, { ...again, delayMs: 1_000 }],
    ['for the second time', busy, 2, 3, { ...again, delayMs: 2_000 }],
    ['before the last time, which is alone', busy, 3, 3, { ...again, delayMs: 4_000, isApart: true }],
    ['alone, before the last time', busy, 3, 1, { ...again, delayMs: 4_000 }],
    ['alone, the last time', busy, 4, 1, { status: 'FAILED', lastError: 'HTTP 500', deactivate: false }],
    [
      'one may be bad: each alone, at once',
      ...([refused, 1, 3, { status: 'PENDING', lastError: 'HTTP 400', delayMs: 0, isApart: true }] as const),
    ],
    ['alone, and bad', refused, 2, 1, { status: 'FAILED', lastError: 'HTTP 400', deactivate: false }],
    ['the endpoint is gone', gone, 1, 3, { status: 'FAILED', lastError: 'HTTP 410', deactivate: true }],
    [
      'it may not be called',
      { kind: 'blocked', error: 'x' },
      1,
      3,
      { status: 'FAILED', lastError: 'x', deactivate: false },
    ],
  ])('%s', (_name, outcome, autoAttempts, members, expected) => {
    expect(batchStep(outcome, { trigger: 'auto', autoAttempts }, waits, members)).toEqual(expected);
  });
});

describe('batchProblems', () => {
  const ofEvents = 'batch.max_events must be an integer from 2 to 100';
  const ofWait = 'batch.max_wait_ms must be an integer from 0 to 60000';

  it.each<[unknown, string[]]>([
    [{ max_events: 2 }, []],
    [{ max_events: 100, max_wait_ms: 60_000 }, []],
    [{ max_events: 2, max_wait_ms: 0 }, []],
    [{ max_events: 1, max_wait_ms: -1 }, [ofEvents, ofWait]],
    [{ max_events: 101, max_wait_ms: 60_001 }, [ofEvents, ofWait]],
    [{ max_wait_ms: 1.5 }, [ofEvents, ofWait]],
    [{ max_events: 2, size: 3 }, ['Unknown field']],
    [[], ['Batch must be an object with max_events and max_wait_ms']],
    ['50', ['Batch must be an object with max_events and max_wait_ms']],
  ])('of %j', (value, messages) => {
    expect(batchProblems(value, ['batch']).map(({ msg }) => msg)).toEqual(messages);
  });

  it('waits for a second where nothing is said', () => {
    expect(wantedBatch({ max_events: 5 })).toEqual({ maxEvents: 5, maxWaitMs: 1_000 });
  });
});
