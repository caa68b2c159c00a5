import { beforeEach, describe, expect, it } from '@jest/globals';

import type { DeliveryStatus } from '../domain/delivery.js';
import { CLOSED_CIRCUIT } from '../domain/gates/circuit.js';
import type { Lane } from '../domain/lane.js';
import { ACTOR, InMemoryWebhooks, TENANT } from '../testing/in-memory-webhooks.js';
import { RetryDelivery } from './retry-delivery.js';

describe('RetryDelivery', () => {
  let webhooks: InMemoryWebhooks;
  let lane: Lane;
  let id: string;

  beforeEach(async () => {
    webhooks = new InMemoryWebhooks();
    lane = await webhooks.subscribe();
    [id = ''] = await webhooks.deliver();
    webhooks.dispatcher.rung.length = 0;
  });

  const retry = (of: string, force: boolean): ReturnType<RetryDelivery['execute']> => {
    const { transactions, deliveries, circuits, trail, dispatcher } = webhooks;
    const command = { tenantId: TENANT, actor: ACTOR, id: of, force };
    return new RetryDelivery(transactions, deliveries, circuits, trail, dispatcher).execute(command);
  };

  it.each<[DeliveryStatus, boolean]>([
    ['FAILED', false],
    ['FAILED', true],
    ['DELIVERED', true],
    ['PENDING', true],
  ])('queues a %s one with force=%s', async (status, force) => {
    webhooks.store.deliveries.get(id)!.status = status;
    await retry(id, force);
    expect(webhooks.dispatcher.rung).toEqual([lane]);
    expect(webhooks.store.deliveries.get(id)).toMatchObject({ status: 'PENDING', nextTrigger: 'manual' });
  });

  const refused = async (code: string, force = false): Promise<void> => {
    const before = { ...webhooks.store.deliveries.get(id)! };
    await expect(retry(id, force)).rejects.toMatchObject({ code });
    expect(webhooks.store.deliveries.get(id)).toEqual(before);
    expect(webhooks.dispatcher.rung).toEqual([]);
  };

  it('refuses one whose attempt is under way, also with force', async () => {
    webhooks.store.deliveries.get(id)!.status = 'SENDING';
    await refused('delivery_sending', true);
  });

  it('refuses one of a deactivated subscription, and keeps what it says', async () => {
    Object.assign(webhooks.store.deliveries.get(id)!, { status: 'FAILED', lastError: 'HTTP 410' });
    Object.assign(webhooks.store.subscriptions.get(lane.subscriptionId)!, { active: false });
    await refused('subscription_inactive');
  });

  it('of one whose endpoint fails is the next probe, now', async () => {
    const subscription = webhooks.store.subscriptions.get(lane.subscriptionId)!;
    subscription.laneCircuit = { ...CLOSED_CIRCUIT, state: 'open', nextProbeAtMs: Infinity };
    webhooks.store.deliveries.get(id)!.status = 'FAILED';
    await retry(id, false);
    const now = webhooks.clock.nowMs();
    expect(subscription.laneCircuit).toMatchObject({ nextProbeAtMs: now, nextProbeId: id });
  });

  it.each<DeliveryStatus>(['PENDING', 'SENDING', 'DELIVERED'])(
    'refuses a %s one without force',
    async (status) => {
      webhooks.store.deliveries.get(id)!.status = status;
      await refused('delivery_not_failed');
    },
  );

  it('does not know an id that nobody has', async () => {
    await expect(retry('01900000-0000-7000-8000-ffffffffffff', true)).rejects.toMatchObject({
      code: 'delivery_not_found',
    });
  });
});
