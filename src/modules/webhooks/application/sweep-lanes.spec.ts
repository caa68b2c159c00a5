import { beforeEach, describe, expect, it } from '@jest/globals';
import { InMemoryWebhooks } from '../testing/in-memory-webhooks.js';
import { SweepLanes } from './sweep-lanes.js';

describe('SweepLanes', () => {
  let webhooks: InMemoryWebhooks;

  beforeEach(() => {
    webhooks = new InMemoryWebhooks();
  });

  it('gives expired leases back, says so, and rings what is due', async () => {
    const lane = await webhooks.subscribe();
    await webhooks.deliver();
    await webhooks.lanes.claim(lane, { limit: 1 });
    webhooks.clock.advance(60_000);
    webhooks.dispatcher.rung.length = 0;
    const { lanes, drain, dispatcher, settings, logger } = webhooks;
    await new SweepLanes(lanes, drain, dispatcher, settings, logger).execute();
    expect(dispatcher.rung).toEqual([lane]);
    expect(logger.messages('warn')).toEqual([
      'Gave back 1 deliveries whose worker stopped before recording a result',
    ]);
  });

  it('says nothing when there is nothing to give back', async () => {
    const { lanes, drain, dispatcher, settings, logger } = webhooks;
    await new SweepLanes(lanes, drain, dispatcher, settings, logger).execute();
    expect(dispatcher.rung).toEqual([]);
    expect(logger.lines).toEqual([]);
  });
});
