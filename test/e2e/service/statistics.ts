import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver } from '../../support/receiver.js';
import type { RunningService } from '../combination.js';

interface Attempt {
  readonly number: number;
  readonly status_code: number | null;
  readonly error_class: string | null;
  readonly duration_ms: number;
}

interface Delivery {
  readonly id: string;
  readonly status: string;
  readonly attempt_log: readonly Attempt[];
}

interface Statistics {
  readonly attempts: number;
  readonly error_classes: object;
}

interface Answer {
  readonly bucket: string;
  readonly totals: Statistics;
  readonly buckets: readonly (Statistics & { readonly start: string })[];
}

/** The nearest rank, of what the rows say; durations beyond 127 ms are cut to 64 steps for each doubling. */
function percentile(durations: readonly number[], share: number): number {
  const ms = durations.toSorted((a, b) => a - b)[Math.ceil(share * durations.length) - 1]!;
  let width = 1;
  while (ms >= width * 128) width *= 2;
  return ms - (ms % width);
}

/** What became of attempts over time, held against the attempts themselves. */
export function statistics(running: () => RunningService): void {
  let receiver: Receiver;
  let api: ApiClient;

  beforeAll(async () => {
    receiver = await Receiver.start();
    api = await running().clientOf('statistics');
  });

  afterAll(async () => {
    await receiver?.close();
  });

  const subscribe = async (path: string, wish: object): Promise<string> =>
    (
      await api.post<{ id: string }>('/subscriptions', {
        event: 'stats.made',
        url: `${receiver.url}/${path}`,
        ...wish,
      })
    ).body.id;
  const deliveriesOf = async (subscription: string): Promise<Delivery[]> => {
    const list = await api.get<Delivery[]>(`/deliveries?subscription_id=${subscription}`);
    return Promise.all(list.body.map(async ({ id }) => (await api.get<Delivery>(`/deliveries/${id}`)).body));
  };
  /** What the rows of deliveries and attempts add up to. */
  const addedUp = (deliveries: readonly Delivery[]): object => {
    const attempts = deliveries.flatMap(({ status, attempt_log: log }) =>
      log.map((attempt, n) => ({ ...attempt, ended: n === log.length - 1 ? status : 'PENDING' })),
    );
    const count = (fits: (attempt: (typeof attempts)[number]) => boolean): number =>
      attempts.filter(fits).length;
    const classes = [...new Set(attempts.flatMap(({ error_class: of }) => (of === null ? [] : [of])))];
    const durations = attempts.map(({ duration_ms: ms }) => ms);
    return {
      attempts: attempts.length,
      delivered: count(({ ended }) => ended === 'DELIVERED'),
      delivered_first: count(({ ended, number }) => ended === 'DELIVERED' && number === 1),
      retried: count(({ ended }) => ended === 'PENDING'),
      failed: count(({ ended }) => ended === 'FAILED'),
      error_classes: Object.fromEntries(classes.map((of) => [of, count(({ error_class: is }) => is === of)])),
      duration_ms: { p50: percentile(durations, 0.5), p95: percentile(durations, 0.95) },
    };
  };

  // Red when a settlement is not counted, is counted twice, or counts elsewhere; folded or not.
  it('counts every attempt once, for the tenant and for each subscription, as soon as it has ended', async () => {
    const good = await subscribe('good', {});
    const mixed = await subscribe('mixed', { retry_schedule: [1] });
    const bad = await subscribe('bad', { retry_schedule: [] });
    const replies = [503, 200, 503, 500, 429, 200];
    receiver.behave(({ url }) => (url === '/good' ? 200 : url === '/bad' ? 404 : (replies.shift() ?? 200)));
    for (let n = 0; n < 6; n += 1) {
      expect((await api.post('/deliveries', { event: 'stats.made', payload: { n } })).status).toBe(202);
    }
    const all = [good, mixed, bad];
    let deliveries: Delivery[][] = [];
    await eventually(
      async () => {
        deliveries = await Promise.all(all.map(deliveriesOf));
        const open = deliveries.flat().filter(({ status }) => status !== 'DELIVERED' && status !== 'FAILED');
        expect([deliveries.flat().length, open]).toEqual([18, []]);
      },
      { timeoutMs: 60_000, intervalMs: 100 },
    );
    for (const bucket of ['1m', '1h', '1d']) {
      const { body, status } = await api.get<Answer>(`/stats?bucket=${bucket}`);
      expect(status).toBe(200);
      expect(body).toMatchObject({ bucket, time_zone: 'UTC', totals: addedUp(deliveries.flat()) });
      expect(body.buckets.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(body.totals.attempts);
    }
    for (const [n, id] of all.entries()) {
      expect((await api.get<Answer>(`/stats?subscription_id=${id}`)).body.totals).toEqual(
        addedUp(deliveries[n]!),
      );
    }
    const before = await api.get<Answer>('/stats?from=2026-01-01&to=2026-01-03&bucket=1d');
    expect(before.body).toMatchObject({
      ...{ from: '2026-01-01T00:00:00.000Z', to: '2026-01-03T00:00:00.000Z' },
      totals: { attempts: 0, error_classes: {}, duration_ms: { p50: null, p95: null } },
    });
    expect(before.body.buckets.map(({ start }) => start)).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-02T00:00:00.000Z',
    ]);
    const stranger = await running().clientOf('statistics_stranger');
    expect((await stranger.get<Answer>('/stats')).body.totals.attempts).toBe(0);
    expect((await stranger.get(`/stats?subscription_id=${good}`)).status).toBe(404);
  }, 120_000);

  it('names every problem of a question', async () => {
    const answer = await api.get<{ detail: { loc: string[] }[] }>(
      '/stats?from=x&to=y&bucket=3m&subscription_id=z&more=1',
    );
    expect(answer.status).toBe(400);
    expect(answer.body.detail.map(({ loc }) => loc.join('/')).sort()).toEqual([
      ...['query/bucket', 'query/from', 'query/more', 'query/subscription_id', 'query/to'],
    ]);
    expect(await api.get('/stats?from=2026-01-01&bucket=1m')).toMatchObject({
      ...{ status: 400, body: { detail: [{ loc: ['query', expect.any(String)] }] } },
    });
  });
}
