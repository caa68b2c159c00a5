import { describe, expect, it } from '@jest/globals';

import { gateViolationsOf } from './gates.js';
import type { ClosedTime, Incident, RunHistory, SeenRequest } from './history.js';

const request = (webhookId: string, arrivedAtMs: number, more: Partial<SeenRequest> = {}): SeenRequest => ({
  ...{
    webhookId,
    deliveryIdHeader: webhookId,
    eventNumber: Number(webhookId.slice(1)),
    lane: 0,
    worker: 'w1',
  },
  ...{ arrivedAtMs, endedAtMs: arrivedAtMs + 10, answeredStatus: 200 },
  ...more,
});

const CRASH: Incident = { worker: null, fromMs: 0, toMs: 0 };
const strikesAll = (): boolean => true;

function violations(run: Partial<RunHistory>): string[] {
  return gateViolationsOf(
    {
      ...{ maxRetries: 3, budgetMs: 1_000, events: [], requests: [], deliveries: [], attempts: [] },
      ...{ incidents: [], overdueLeases: [], ...run },
    },
    strikesAll,
  );
}

describe('a lane that is closed for a while', () => {
  const closed: ClosedTime[] = [{ lane: 0, why: 'paused', fromMs: 1_000, toMs: 2_000, underWay: ['d1'] }];
  const said = (event: number): string =>
    `event ${event} was sent to lane 0 500 ms after it was closed (paused)`;

  it('may send what was under way, once, and everything before and after', () => {
    const requests = [request('d2', 900), request('d1', 1_500), request('d3', 2_100)];
    expect(violations({ closed, requests })).toEqual([]);
    expect(violations({ closed, requests: [request('d2', 1_500, { lane: 1 })] })).toEqual([]);
  });

  it('may not send anything else, nor the same again', () => {
    expect(violations({ closed, requests: [request('d2', 1_500)] })).toEqual([said(2)]);
    expect(violations({ closed, requests: [request('d1', 1_200), request('d1', 1_500)] })).toEqual([said(1)]);
  });

  it('is excused where its claim was lost', () => {
    expect(violations({ closed, requests: [request('d2', 1_500)], incidents: [CRASH] })).toEqual([]);
  });
});

describe('a lane with a rate', () => {
  const rated = new Map([[0, 100]]);
  const slots = [1_000, 1_100, 1_200].map((atMs) => ({ lane: 0, atMs }));

  it('may be late, also all at once', () => {
    const late = [request('d1', 3_000), request('d2', 3_000), request('d3', 3_000)];
    expect(violations({ rated, slots, requests: late })).toEqual([]);
  });

  it('may not send before a slot, nor more often than there are slots', () => {
    const soon = [request('d1', 1_000), request('d2', 1_050)];
    expect(violations({ rated, slots, requests: soon })).toEqual([
      'lane 0 got 1 of 2 requests before their slot',
    ]);
    const many = [1, 2, 3, 4].map((n) => request(`d${n}`, 5_000));
    expect(violations({ rated, slots, requests: many })).toHaveLength(1);
    expect(violations({ rated, slots, requests: many, incidents: [CRASH] })).toEqual([]);
  });

  it('has slots that are a step apart', () => {
    const close = [...slots, { lane: 0, atMs: 1_240 }];
    expect(violations({ rated, slots: close })).toEqual([
      'lane 0 has 1 slots less than 100 ms after another',
    ]);
  });

  it('counts what goes in one request once', () => {
    const together = [0, 1, 2, 3].map((place) =>
      request(`d${place}`, 1_000, { batch: { webhookId: 'b', number: 1, place } }),
    );
    expect(violations({ rated, slots, requests: together })).toEqual([]);
  });
});
