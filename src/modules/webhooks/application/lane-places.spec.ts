import { expect, it } from '@jest/globals';

import { eventually } from '../../../../test/support/eventually.js';
import { InMemoryWebhooks } from '../testing/in-memory-webhooks.js';
import { ENGINE_LIMITS } from './engine-limits.js';

const MOST = ENGINE_LIMITS.perEndpoint;

// Red when a lane is opened again only where half of its places, or all, came free: what comes waits for what takes long. And when
// each delivery is a claim of its own while many places are about to come free.
it('starts what comes beside requests that take long, as long as there is a place', async () => {
  const webhooks = new InMemoryWebhooks();
  const lane = await webhooks.subscribe();
  const { sender, dispatcher, drain, store } = webhooks;
  const deliver = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) await webhooks.deliver(`{"n":${n}}`);
  };
  const delivered = async (count: number): Promise<void> =>
    eventually(() =>
      expect([...store.deliveries.values()].filter(({ status }) => status === 'DELIVERED')).toHaveLength(
        count,
      ),
    );
  // Good answers, after which the endpoint may have all that any may.
  await deliver(MOST);
  dispatcher.start((rung) => drain.execute(rung));
  dispatcher.ring([lane]);
  await delivered(MOST);
  await eventually(() => expect(drain.mustWait(lane)).toBe(false));
  // From here on the test gives the turns.
  dispatcher.start(() => Promise.resolve());

  const [before, after] = [MOST * 0.75, MOST * 0.125];
  const release = sender.hold();
  try {
    await deliver(before);
    await drain.execute(lane);
    await eventually(() => expect(sender.requests).toHaveLength(MOST + before));
    await deliver(after);
    expect(await drain.execute(lane)).toEqual({ kind: 'full', by: 'us' });
    webhooks.clock.advance(ENGINE_LIMITS.paceAges.slow);
    await eventually(() => expect(sender.requests).toHaveLength(MOST + before + after));
  } finally {
    release();
  }
  await delivered(MOST + before + after);
});
