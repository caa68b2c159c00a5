import { beforeEach, describe, expect, it } from '@jest/globals';

import type { DeliveryStatus } from '../domain/delivery.js';
import { ACTOR, InMemoryWebhooks, TENANT } from '../testing/in-memory-webhooks.js';
import { CancelDelivery } from './cancel-delivery.js';

describe('CancelDelivery', () => {
  let webhooks: InMemoryWebhooks;
  let id: string;

  beforeEach(async () => {
    webhooks = new InMemoryWebhooks();
    await webhooks.subscribe();
    [id = ''] = await webhooks.deliver();
  });

  const cancel = (of: string): ReturnType<CancelDelivery['execute']> => {
    const { transactions, deliveries, trail, dispatcher } = webhooks;
    return new CancelDelivery(transactions, deliveries, trail, dispatcher).execute({
      tenantId: TENANT,
      actor: ACTOR,
      id: of,
    });
  };

  it('ends one that waits, and changes nothing when it is asked again', async () => {
    for (const _time of [1, 2]) {
      expect(await cancel(id)).toMatchObject({
        ...{ id, status: 'FAILED', lastError: 'Cancelled', nextAttemptAt: null },
      });
    }
    const entries = webhooks.trail.entries.filter(({ action }) => action === 'delivery.cancelled');
    expect(entries).toHaveLength(1);
  });

  it.each<DeliveryStatus>(['SENDING', 'DELIVERED', 'FAILED'])('refuses a %s one', async (status) => {
    webhooks.store.deliveries.get(id)!.status = status;
    await expect(cancel(id)).rejects.toMatchObject({ code: 'delivery_not_pending' });
    expect(webhooks.store.deliveries.get(id)).toMatchObject({ status, lastError: null });
  });

  it('does not know an id that nobody has', async () => {
    await expect(cancel('01900000-0000-7000-8000-ffffffffffff')).rejects.toMatchObject({
      code: 'delivery_not_found',
    });
  });
});
