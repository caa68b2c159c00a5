import { describe, expect, it } from '@jest/globals';

import { violationsOf } from './checker.js';
import { ATTEMPT, attemptsUpTo, DELIVERY, REQUEST, run } from './good-run.js';
import type { AttemptState, RunHistory, SeenRequest } from './history.js';

describe('the checker of fault runs', () => {
  it('finds nothing in a run that went well', () => {
    expect(violationsOf(run())).toEqual([]);
  });

  it('finds nothing in a delivery that failed after its last attempt, or for good', () => {
    const requests = [0, 1, 2, 3].map((n) => ({
      ...REQUEST,
      answeredStatus: 500,
      arrivedAtMs: 10_000 + n * 1_000,
      endedAtMs: 10_010 + n * 1_000,
    }));
    const spent = { ...DELIVERY, status: 'FAILED', attempts: 4, autoAttempts: 4, lastError: 'HTTP 500' };
    expect(violationsOf(run({ requests, deliveries: [spent], attempts: attemptsUpTo(4) }))).toEqual([]);
    const gone = { ...DELIVERY, status: 'FAILED', lastError: 'HTTP 404' };
    expect(
      violationsOf(run({ requests: [{ ...REQUEST, answeredStatus: 404 }], deliveries: [gone] })),
    ).toEqual([]);
  });

  it('misses the delivery of a committed event', () => {
    const lost = run({ requests: [], deliveries: [], attempts: [] });
    expect(violationsOf(lost)).toEqual(['event 1 was committed, but has no delivery']);
  });

  it.each(['PENDING', 'SENDING'])('sees a delivery that was left %s', (status) => {
    expect(violationsOf(run({ deliveries: [{ ...DELIVERY, status }] }))).toEqual([
      `delivery d1 (event 1) was left ${status}`,
    ]);
  });

  it('does not believe DELIVERED without a 2xx at the receiver', () => {
    expect(violationsOf(run({ requests: [{ ...REQUEST, answeredStatus: null }] }))).toHaveLength(1);
    expect(violationsOf(run({ requests: [] }))).toHaveLength(1);
  });

  it.each(['HTTP 500', 'HTTP 429', 'Request timeout (1s)', null])(
    'sees a delivery that FAILED early with %s',
    (lastError) => {
      const early = { ...DELIVERY, status: 'FAILED', lastError };
      expect(violationsOf(run({ deliveries: [early] }))).toHaveLength(1);
    },
  );

  it('sees the row and the request of a rolled-back event', () => {
    const events = [{ number: 1, lane: 0, fate: 'rolled_back' as const }];
    const said = 'event 1 was rolled back, but has';
    expect(violationsOf(run({ events }))).toEqual([`${said} 1 deliveries and 1 requests`]);
    expect(violationsOf(run({ events, requests: [] }))).toContain(`${said} 1 deliveries and 0 requests`);
    expect(violationsOf(run({ events, requests: [], deliveries: [], attempts: [] }))).toEqual([]);
  });

  it('takes an unknown commit whole or not at all', () => {
    const events = [{ number: 1, lane: 0, fate: 'unknown' as const }];
    expect(violationsOf(run({ events }))).toEqual([]);
    expect(violationsOf(run({ events, requests: [], deliveries: [], attempts: [] }))).toEqual([]);
    expect(violationsOf(run({ events, deliveries: [], attempts: [] }))).not.toEqual([]);
    expect(violationsOf(run({ events, deliveries: [{ ...DELIVERY, status: 'PENDING' }] }))).not.toEqual([]);
  });

  it('sees a second delivery of one event, and a webhook-id that is not the delivery’s', () => {
    const twin = { ...DELIVERY, id: 'd2' };
    const twins = run({
      deliveries: [DELIVERY, twin],
      requests: [REQUEST, { ...REQUEST, webhookId: 'd2', deliveryIdHeader: 'd2' }],
      attempts: [ATTEMPT, { ...ATTEMPT, deliveryId: 'd2' }],
    });
    expect(violationsOf(twins)).toEqual(['event 1 has 2 deliveries for its one subscription']);
    const strange = { ...REQUEST, webhookId: 'other', arrivedAtMs: 12_000, endedAtMs: 12_010 };
    expect(violationsOf(run({ requests: [REQUEST, strange] }))).toHaveLength(1);
    expect(violationsOf(run({ requests: [{ ...REQUEST, deliveryIdHeader: 'other' }] }))).toHaveLength(1);
    expect(violationsOf(run({ requests: [{ ...REQUEST, lane: 1 }] }))).toHaveLength(1);
  });

  describe('of repeated requests', () => {
    const again = { ...REQUEST, worker: 'w2', arrivedAtMs: 16_000, endedAtMs: 16_010 };
    const twice = {
      requests: [REQUEST, again],
      deliveries: [{ ...DELIVERY, attempts: 2, autoAttempts: 2 }],
      attempts: attemptsUpTo(2),
    };
    const death = { worker: 'w1', fromMs: 10_020, toMs: 10_020 };

    it('sees one after a 2xx that nobody died in', () => {
      expect(violationsOf(run(twice))).toEqual([
        "delivery d1 (event 1) was sent again by w2 6000 ms later although w1's request had been answered 2xx",
      ]);
    });

    it('excuses it when the sender of the earlier one died during that very attempt', () => {
      expect(violationsOf(run({ ...twice, incidents: [death] }))).toEqual([]);
    });

    it('excuses it when PostgreSQL crashed at that moment', () => {
      expect(violationsOf(run({ ...twice, incidents: [{ ...death, worker: null }] }))).toEqual([]);
      const claimLost = { ...twice, deliveries: [DELIVERY], attempts: attemptsUpTo(1) };
      expect(violationsOf(run({ ...claimLost, incidents: [{ ...death, worker: null }] }))).toEqual([]);
      expect(violationsOf(run({ ...claimLost, incidents: [death] }))).toEqual([
        'delivery d1 (event 1) was sent 2 times in 1 attempts',
      ]);
      const before = { worker: null, fromMs: 1_000, toMs: 1_000 };
      expect(violationsOf(run({ ...twice, incidents: [before] }))).toHaveLength(1);
    });

    it.each([
      ['another worker died', { ...death, worker: 'w2' }],
      ['it died before', { ...death, fromMs: 1_000, toMs: 1_000 }],
      ['it died long after', { ...death, fromMs: 24_000, toMs: 24_000 }],
    ])('does not excuse it when %s', (_name, incident) => {
      expect(violationsOf(run({ ...twice, incidents: [incident] }))).toHaveLength(1);
    });

    it('excuses one more for each death, not two', () => {
      const third = { ...again, arrivedAtMs: 17_000, endedAtMs: 17_010 };
      const thrice = {
        requests: [REQUEST, again, third],
        deliveries: [{ ...DELIVERY, attempts: 3, autoAttempts: 3 }],
        attempts: attemptsUpTo(3),
        incidents: [death],
      };
      expect(violationsOf(run(thrice))).toEqual([
        "delivery d1 (event 1) was sent again by w2 1000 ms later although w2's request had been answered 2xx",
      ]);
    });

    describe('an answer that crossed the end of its budget', () => {
      const late = { ...ATTEMPT, errorClass: 'timeout', statusCode: null, durationMs: 1_000 };
      const ran = (first: AttemptState, ...requests: SeenRequest[]): RunHistory =>
        run({
          requests,
          deliveries: [{ ...DELIVERY, attempts: requests.length, autoAttempts: requests.length }],
          attempts: requests.map((_, index) => ({ ...(index === 0 ? first : ATTEMPT), number: index + 1 })),
        });

      it('excuses one more', () => {
        expect(violationsOf(ran(late, REQUEST, again))).toEqual([]);
        const third = { ...again, arrivedAtMs: 17_000, endedAtMs: 17_010 };
        expect(violationsOf(ran(late, REQUEST, again, third))).toHaveLength(1);
      });

      it('does not when its log says another thing, or that it took less than its budget', () => {
        expect(violationsOf(ran({ ...late, errorClass: 'connection_reset' }, REQUEST, again))).toHaveLength(
          1,
        );
        expect(violationsOf(ran({ ...late, durationMs: 400 }, REQUEST, again))).toHaveLength(1);
      });

      it('is not the timeout of another request, which had no answer', () => {
        const hung = { ...REQUEST, answeredStatus: null, endedAtMs: 11_000 };
        const third = { ...again, arrivedAtMs: 17_000, endedAtMs: 17_010 };
        expect(violationsOf(ran(late, hung, again, third))).toHaveLength(1);
      });
    });

    it('sees one beside a request that is still open', () => {
      const open = { ...REQUEST, endedAtMs: 20_000, answeredStatus: 500 };
      expect(violationsOf(run({ ...twice, requests: [open, again] }))).toHaveLength(1);
      const frozen = { worker: 'w1', fromMs: 10_005, toMs: 19_000 };
      expect(violationsOf(run({ ...twice, requests: [open, again], incidents: [frozen] }))).toEqual([]);
    });

    it('lets an attempt that failed be followed by the next', () => {
      expect(violationsOf(run({ ...twice, requests: [{ ...REQUEST, answeredStatus: 500 }, again] }))).toEqual(
        [],
      );
      expect(
        violationsOf(run({ ...twice, requests: [{ ...REQUEST, answeredStatus: null }, again] })),
      ).toEqual([]);
    });
  });

  it('sees more requests than attempts, and more attempts than allowed', () => {
    const failed = { ...REQUEST, answeredStatus: 500 };
    const later = { ...REQUEST, arrivedAtMs: 11_000, endedAtMs: 11_010 };
    expect(violationsOf(run({ requests: [failed, later] }))).toEqual([
      'delivery d1 (event 1) was sent 2 times in 1 attempts',
    ]);
    const many = { ...DELIVERY, attempts: 5, autoAttempts: 5 };
    expect(violationsOf(run({ deliveries: [many], attempts: attemptsUpTo(5) }))).toHaveLength(1);
  });

  it.each<[string, AttemptState[]]>([
    ['is missing', []],
    ['is one too many', attemptsUpTo(2)],
    ['has the wrong number', [{ ...ATTEMPT, number: 2 }]],
    ['has the wrong trigger', [{ ...ATTEMPT, trigger: 'manual' }]],
  ])('sees an attempt row that %s', (_name, attempts) => {
    expect(violationsOf(run({ attempts }))).toHaveLength(1);
  });

  it('passes on what was seen SENDING beyond its lease', () => {
    expect(violationsOf(run({ overdueLeases: [{ deliveryId: 'd1', overdueMs: 4_000 }] }))).toEqual([
      'delivery d1 was SENDING 4000 ms after its lease',
    ]);
  });

  describe('of an order', () => {
    /** Two events of one key, one after the other. */
    const events = [1, 2].map((number) => ({
      ...{ number, lane: 0, fate: 'committed' as const, key: 'a' },
      times: { emittedAtMs: number * 1_000, committedAtMs: number * 1_000 + 10 },
    }));
    const second = { ...REQUEST, webhookId: 'd2', deliveryIdHeader: 'd2', eventNumber: 2 };
    const at = (arrivedAtMs: number, answeredStatus = 200): Partial<SeenRequest> => ({
      ...{ arrivedAtMs, endedAtMs: arrivedAtMs + 10, answeredStatus },
    });
    const ran = (requests: SeenRequest[], changes: Partial<RunHistory> = {}): string[] => {
      const deliveries = [DELIVERY, { ...DELIVERY, id: 'd2', eventNumber: 2 }].map((delivery) => {
        const attempts = requests.filter(({ webhookId }) => webhookId === delivery.id).length;
        return { ...delivery, attempts, autoAttempts: attempts };
      });
      const attempts = deliveries.flatMap(({ id, attempts: count }) =>
        attemptsUpTo(count).map((attempt) => ({ ...attempt, deliveryId: id })),
      );
      return violationsOf(run({ ordered: [0], events, requests, deliveries, attempts, ...changes }));
    };
    const said = ['event 2 was sent before event 1 of the same key had ended'];
    const failedFirst = [
      { ...REQUEST, ...at(10_000, 500) },
      { ...second, ...at(10_500) },
      { ...REQUEST, ...at(11_000) },
    ];

    it('is kept, also where the first had to be sent again, or failed for good', () => {
      expect(ran([REQUEST, { ...second, ...at(11_000) }])).toEqual([]);
      expect(ran([{ ...REQUEST, ...at(9_000, 500) }, REQUEST, { ...second, ...at(11_000) }])).toEqual([]);
    });

    it('sees who overtakes, also while the first waits for its retry', () => {
      expect(ran([{ ...second, ...at(9_000) }, REQUEST])).toEqual(said);
      expect(ran(failedFirst)).toEqual(said);
    });

    it('is one of a key, of what was committed before the other was emitted, of a lane that wants it', () => {
      expect(ran(failedFirst, { ordered: [] })).toEqual([]);
      const keys = events.map((event) => ({ ...event, key: `k${event.number}` }));
      expect(ran(failedFirst, { events: keys })).toEqual([]);
      const times = { emittedAtMs: 1_000, committedAtMs: 2_000 };
      expect(ran(failedFirst, { events: events.map((event) => ({ ...event, times })) })).toEqual([]);
    });

    it('may be lost with what PostgreSQL forgot, and with no worker', () => {
      const crash = { worker: null, fromMs: 10_005, toMs: 10_005 };
      expect(ran(failedFirst, { incidents: [crash] })).toEqual([]);
      expect(ran(failedFirst, { incidents: [{ ...crash, worker: 'w1' }] })).toEqual(said);
    });

    it('holds inside one request as well', () => {
      const together = (places: readonly number[]): SeenRequest[] =>
        [REQUEST, second].map((one, n) => ({
          ...one,
          batch: { webhookId: 'b1', number: 1, place: places[n] ?? 0 },
        }));
      expect(ran(together([0, 1]))).toEqual([]);
      expect(ran(together([1, 0]))).toEqual(said);
      const failed = together([0, 1]).map((one) => ({ ...one, ...at(9_000, 500) }));
      expect(ran([...failed, REQUEST, { ...second, ...at(11_000) }])).toEqual([]);
      expect(ran([...failed, { ...second, ...at(9_500) }, REQUEST])).toEqual(said);
    });
  });

  it('wants one webhook-id for the same deliveries in a request, and for no others', () => {
    const inBatch = (webhookId: string, number: number): SeenRequest => ({
      ...{
        ...REQUEST,
        arrivedAtMs: number * 1_000,
        endedAtMs: number * 1_000,
        answeredStatus: number === 1 ? 500 : 200,
      },
      batch: { webhookId, number, place: 0 },
    });
    const twice = { deliveries: [{ ...DELIVERY, attempts: 2, autoAttempts: 2 }], attempts: attemptsUpTo(2) };
    expect(violationsOf(run({ ...twice, requests: [inBatch('d1', 1), inBatch('d1', 2)] }))).toEqual([]);
    expect(violationsOf(run({ ...twice, requests: [inBatch('d1', 1), inBatch('b1', 2)] }))).toEqual([
      'a request of d1 came with webhook-id b1, not theirs',
    ]);
  });
});
