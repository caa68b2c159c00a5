import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { HELD_TOO_LONG } from '../../src/modules/webhooks/domain/delivery.js';
import type { Lane } from '../../src/modules/webhooks/domain/lane.js';
import { DEFAULT_SETTINGS } from '../../src/modules/webhooks/domain/subscription-settings.js';
import { deliveryDetail, failed, resultOf } from '../contract/persistence/attempts.js';
import { append, claimFrom, subscribe, TENANT } from '../contract/persistence/harness.js';
import { typeormStorages, type TypeormHarness } from '../contract/persistence/typeorm-harness.js';
import { describeWithPostgres } from '../support/servers.js';

const DAY_MS = 86_400_000;

describeWithPostgres('deliveries that are held for very long', () => {
  const storages = typeormStorages();
  let harness: TypeormHarness;

  beforeAll(async () => {
    harness = await storages.open();
  }, 180_000);

  afterAll(async () => {
    await harness?.dispose();
    await storages.close();
  });

  /** One lane for each name, so that the tests share a database. */
  const laneOf = async (event: string, settings = DEFAULT_SETTINGS): Promise<Lane> =>
    subscribe(harness, { event, settings });

  const deliver = async (event: string, count = 1): Promise<string[]> => {
    const ids: string[] = [];
    for (let n = 0; n < count; n += 1) {
      const result = await append(harness, { event, patterns: [event] });
      if (result.kind === 'stored') ids.push(...result.deliveryIds);
    }
    return ids;
  };

  const pause = async ({ subscriptionId }: Lane): Promise<unknown> =>
    harness.transactions.run(TENANT, (transaction) => harness.pauses.set(transaction, subscriptionId, true));

  const end = async (): Promise<number | null> => harness.held.end(30, HELD_TOO_LONG, 1_000);
  const statusOf = async (id: string | undefined): Promise<string> =>
    (await deliveryDetail(harness, id ?? '')).status;

  // Red when only the age of a delivery is asked, or only that of the pause.
  it('end when their lane was paused all that time, and not before', async () => {
    const lane = await laneOf('long.paused');
    await pause(lane);
    const [old] = await deliver('long.paused');
    await harness.elapse(29 * DAY_MS);
    const [young] = await deliver('long.paused');
    expect(await end()).toBe(0);
    expect(await harness.held.count()).toMatchObject({ paused: 2, circuit_open: 0, operator: 0 });
    await harness.elapse(2 * DAY_MS);
    expect(await end()).toBe(1);
    expect(await deliveryDetail(harness, old ?? '')).toMatchObject({
      ...{ status: 'FAILED', lastError: 'Held too long', attempts: 0, nextAttemptAt: null },
    });
    expect(await statusOf(young)).toBe('PENDING');
    await harness.elapse(30 * DAY_MS);
    expect(await end()).toBe(1);
  });

  it('stay while nothing holds them, or nothing did until now', async () => {
    await laneOf('long.free');
    const [free] = await deliver('long.free');
    const lane = await laneOf('long.waiting');
    const [waiting] = await deliver('long.waiting');
    await harness.elapse(40 * DAY_MS);
    await pause(lane);
    expect(await end()).toBe(0);
    expect([await statusOf(free), await statusOf(waiting)]).toEqual(['PENDING', 'PENDING']);
    await harness.elapse(31 * DAY_MS);
    expect(await end()).toBe(1);
    expect([await statusOf(free), await statusOf(waiting)]).toEqual(['PENDING', 'FAILED']);
  });

  it('end behind a circuit that has not closed for so long', async () => {
    const circuit = { failures: 3, percent: 100, minAttempts: 1_000 };
    const lane = await laneOf('long.open', { ...DEFAULT_SETTINGS, circuit });
    await deliver('long.open', 5);
    for (const claim of await claimFrom(harness.lanes, lane, 3)) {
      await harness.lanes.record(resultOf(claim, failed(1_000)));
    }
    expect(await harness.held.count()).toMatchObject({ circuit_open: 5 });
    await harness.elapse(29 * DAY_MS);
    expect(await end()).toBe(0);
    await harness.elapse(2 * DAY_MS);
    expect(await end()).toBe(5);
  });

  it('are counted by what they wait for, also where that is another one', async () => {
    await laneOf('long.ordered', { ...DEFAULT_SETTINGS, ordering: 'fifo' });
    await deliver('long.ordered', 3);
    expect(await harness.held.count()).toMatchObject({ order: 2 });
  });

  // Red when each look at it begins a hold of its own.
  it('end when the service could not send them for so long, however often it looked', async () => {
    const lane = await laneOf('long.operator');
    const [held, asked] = await deliver('long.operator', 2);
    const look = async (): Promise<void> =>
      harness.lanes.hold(await claimFrom(harness.lanes, lane, 2), 'operator', 15_000);
    for (let looks = 0; looks < 3; looks += 1) {
      await look();
      expect(await end()).toBe(0);
      await harness.elapse(9 * DAY_MS);
    }
    // Somebody's wish begins anew.
    await harness.transactions.run(TENANT, (transaction) =>
      harness.deliveries.requeueManually(transaction, asked ?? ''),
    );
    await look();
    await harness.elapse(4 * DAY_MS);
    await look();
    expect(await harness.held.count()).toMatchObject({ operator: 2 });
    expect(await end()).toBe(1);
    expect([await statusOf(held), await statusOf(asked)]).toEqual(['FAILED', 'PENDING']);
  });

  it('are counted while they wait for others to go with them, or for a slot', async () => {
    const batch = { maxEvents: 9, maxWaitMs: 60_000 };
    const rateLimit = { max: 1, perSeconds: 60 };
    await laneOf('long.batched', { ...DEFAULT_SETTINGS, batch });
    const lane = await laneOf('long.rated', { ...DEFAULT_SETTINGS, rateLimit });
    await deliver('long.batched', 3);
    await deliver('long.rated', 2);
    expect(await claimFrom(harness.lanes, lane, 5)).toHaveLength(1);
    expect(await harness.held.count()).toMatchObject({ batching: 3, rate_limited: 1 });
  });
});
