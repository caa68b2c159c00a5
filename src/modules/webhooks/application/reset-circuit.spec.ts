import { beforeEach, describe, expect, it } from '@jest/globals';
import { CLOSED_CIRCUIT, type Circuit } from '../domain/gates/circuit.js';
import type { Lane } from '../domain/lane.js';
import {
  CLOSED_ENDPOINT,
  DEACTIVATED_BY_FAILING,
  DEACTIVATED_BY_GONE,
  DEACTIVATED_BY_UPDATE,
  type EndpointCircuit,
  type Subscription,
} from '../domain/subscription.js';
import type { StoredSubscription } from '../testing/in-memory-store.js';
import { ACTOR, InMemoryWebhooks, NO_LIMIT, TENANT } from '../testing/in-memory-webhooks.js';
import { ResetCircuit } from './reset-circuit.js';
import { UpdateSubscription } from './update-subscription.js';

describe('what a tenant does to a circuit', () => {
  let webhooks: InMemoryWebhooks;

  beforeEach(() => {
    webhooks = new InMemoryWebhooks();
  });

  const OPEN: Circuit = {
    ...CLOSED_CIRCUIT,
    ...{ state: 'open', cause: 'why', openedAtMs: 0, failures: 10, failingSinceMs: 0, probeWaitMs: 60_000 },
    ...{ nextProbeAtMs: Infinity, epoch: 3 },
  };
  let lane: Lane;
  const stored = (): StoredSubscription => webhooks.store.subscriptions.get(lane.subscriptionId)!;

  beforeEach(async () => {
    lane = await webhooks.subscribe();
    stored().laneCircuit = OPEN;
    webhooks.dispatcher.rung.length = 0;
  });

  const patch = async (change: object): Promise<EndpointCircuit> => {
    const { transactions, subscriptions, circuits, trail, vault, targets, templates, dispatcher } = webhooks;
    // oxfmt-ignore
    const useCase = new UpdateSubscription(
      transactions, subscriptions, circuits, trail, vault, targets, templates, dispatcher, NO_LIMIT,
    );
    const command = { tenantId: TENANT, actor: ACTOR, id: lane.subscriptionId, ...change };
    return (await useCase.execute(command)).circuit;
  };
  const deactivated = (deactivationReason: string): void => {
    webhooks.store.deactivate(stored(), deactivationReason);
  };
  const reset = async (): Promise<Subscription> => {
    const { transactions, subscriptions, circuits, trail, dispatcher, logger } = webhooks;
    const useCase = new ResetCircuit(transactions, subscriptions, circuits, trail, dispatcher, logger);
    return useCase.execute({ tenantId: TENANT, actor: ACTOR, id: lane.subscriptionId });
  };

  it('a reset closes it, is in the trail, and rings', async () => {
    expect((await reset()).circuit).toEqual(CLOSED_ENDPOINT);
    expect(stored().laneCircuit).toMatchObject({ state: 'closed', failures: 0, ramp: 1, epoch: 4 });
    expect(webhooks.dispatcher.rung).toEqual([lane]);
    expect(webhooks.trail.entries.at(-1)).toMatchObject({
      ...{ action: 'subscription.circuit_reset', details: { state_before: 'open' } },
    });
    expect(webhooks.logger.messages('info')).toContain(
      `Webhook endpoint released: ${lane.subscriptionId} (circuit_open)`,
    );
  });

  it('a reset of what is inactive, or not there, is refused', async () => {
    deactivated('why');
    await expect(reset()).rejects.toMatchObject({ code: 'subscription_inactive' });
    lane = { ...lane, subscriptionId: 'nobody' };
    await expect(reset()).rejects.toMatchObject({ code: 'subscription_not_found' });
  });

  // Red when what was held against the old target is held against the new one.
  it('another URL closes it; the same one, a description or its events change nothing', async () => {
    for (const change of [{ url: stored().url }, { description: 'x' }, { event: 'a.b' }, { active: true }]) {
      await patch(change);
      expect(stored().laneCircuit).toEqual(OPEN);
    }
    expect(webhooks.dispatcher.rung).toEqual([]);
    expect(await patch({ url: 'https://hooks.customer.com/v2' })).toEqual(CLOSED_ENDPOINT);
    expect(stored().laneCircuit).toMatchObject({ ramp: 1, epoch: 4 });
    expect(webhooks.dispatcher.rung).toEqual([lane]);
  });

  it.each([{ secret: 'another-secret' }, { settings: { timeoutSeconds: 30 } }])(
    'a probe is due at once after %j, and it rings',
    async (change) => {
      expect(await patch(change)).toMatchObject({ state: 'open', failures: 10 });
      expect(stored().laneCircuit).toEqual({ ...OPEN, nextProbeAtMs: webhooks.clock.nowMs() });
      expect(webhooks.dispatcher.rung).toEqual([lane]);
    },
  );

  // Red when what waits for what the settings were goes on waiting for it.
  it('rings where settings have changed, also of an endpoint that is well, but for one that is inactive', async () => {
    stored().laneCircuit = CLOSED_CIRCUIT;
    await patch({ description: 'x' });
    expect(webhooks.dispatcher.rung).toEqual([]);
    await patch({ settings: { rateLimit: null } });
    expect(webhooks.dispatcher.rung).toEqual([lane]);
    deactivated('why');
    await patch({ settings: { batch: null } });
    expect(webhooks.dispatcher.rung).toEqual([lane]);
  });

  it.each([
    [DEACTIVATED_BY_FAILING, 'half_open'],
    [DEACTIVATED_BY_GONE, 'closed'],
    [DEACTIVATED_BY_UPDATE, 'closed'],
  ])('activated again after "%s" it is %s', async (reason, state) => {
    deactivated(reason);
    expect(await patch({ active: true })).toMatchObject({ state });
    expect(stored().laneCircuit).toMatchObject({ failingSinceMs: null, epoch: 4 });
  });
});
