import { beforeEach, describe, expect, it } from '@jest/globals';

import { CLOSED_CIRCUIT } from '../domain/gates/circuit.js';
import type { Lane } from '../domain/lane.js';
import type { Subscription } from '../domain/subscription.js';
import { ACTOR, InMemoryWebhooks, TENANT } from '../testing/in-memory-webhooks.js';
import { SubscriptionSecrets } from './ports/subscription-secrets.js';
import type { Transaction } from './ports/transaction.js';
import { RotateSecret } from './rotate-secret.js';

/** Of subscriptions in memory, where a rotation replaces the secret and keeps nothing. */
class SecretsInMemory extends SubscriptionSecrets {
  constructor(private readonly webhooks: InMemoryWebhooks) {
    super();
  }

  override async lock(_transaction: Transaction, id: string): Promise<string | null> {
    return Promise.resolve(this.webhooks.store.subscriptions.get(id)?.sealedSecret ?? null);
  }

  override async rotate(transaction: Transaction, id: string, sealedSecret: string): Promise<Subscription> {
    const changed = await this.webhooks.subscriptions.update(transaction, id, { sealedSecret });
    if (changed === null) throw new Error('locked before, and gone now');
    return changed;
  }
}

describe('RotateSecret', () => {
  let webhooks: InMemoryWebhooks;
  let lane: Lane;

  beforeEach(async () => {
    webhooks = new InMemoryWebhooks();
    lane = await webhooks.subscribe();
    webhooks.dispatcher.rung.length = 0;
  });

  const rotate = async (): Promise<unknown> => {
    const { transactions, subscriptions, circuits, trail, vault, dispatcher, logger } = webhooks;
    const secrets = new SecretsInMemory(webhooks);
    // prettier-ignore
    const useCase = new RotateSecret(
      transactions, secrets, subscriptions, circuits, trail, vault, dispatcher, logger,
    );
    return useCase.execute({ tenantId: TENANT, actor: ACTOR, id: lane.subscriptionId });
  };

  // Red when it is left to the sweep: whoever mends a refused secret would wait for it.
  it('rings an endpoint that was left alone: its next probe is due', async () => {
    const stored = webhooks.store.subscriptions.get(lane.subscriptionId)!;
    stored.laneCircuit = { ...CLOSED_CIRCUIT, state: 'open', nextProbeAtMs: Infinity };
    await rotate();
    expect(stored.laneCircuit.nextProbeAtMs).toBe(webhooks.clock.nowMs());
    expect(webhooks.dispatcher.rung).toEqual([lane]);
  });

  it('rings nobody whose deliveries flow', async () => {
    await rotate();
    expect(webhooks.dispatcher.rung).toEqual([]);
  });
});
