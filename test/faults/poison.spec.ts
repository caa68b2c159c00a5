import { expect, it } from '@jest/globals';

import { eventually } from '../support/eventually.js';
import { describeFaults } from './harness/fault-suite.js';

interface Poison {
  readonly name: string;
  /** Damages what was stored, as a bad migration or a hand in the database would; `$1` is the event, or the subscription. */
  readonly damage: string;
  /** Whether it hurts every delivery of the lane, or that of one event in its middle. */
  readonly hurts: 'delivery' | 'lane';
  /**
   * The `last_error` that a damaged delivery ends with; null when it can be delivered all the same; `held` where only an
   * operator can mend it, and no attempt is spent until then.
   */
  readonly error: RegExp | 'held' | null;
}

const POISONS: readonly Poison[] = [
  {
    name: 'a payload that no reader of UTF-8 likes',
    damage: `UPDATE webhook_events SET payload = '"\\u0000 \\ud800 not an object"' WHERE id = $1`,
    hurts: 'delivery',
    error: null,
  },
  {
    name: 'a payload of 4 MB, 1,000 levels deep',
    damage: `UPDATE webhook_events
                SET payload = (repeat('[', 1000) || to_json(repeat('x', 4000000))::text || repeat(']', 1000))::json
              WHERE id = $1`,
    hurts: 'delivery',
    error: null,
  },
  {
    name: 'an event name that would end the header',
    damage: `UPDATE webhook_deliveries SET event = E'x\\r\\nX-Injected: 1' WHERE event_id = $1`,
    hurts: 'delivery',
    error: /^Connection error: value of request header "X-Event" has characters that are not allowed$/,
  },
  {
    name: 'a secret that is no sealed text',
    damage: `UPDATE webhook_subscriptions SET secret = 'rubbish' WHERE id = $1`,
    hurts: 'lane',
    error: 'held',
  },
  {
    name: 'a secret whose end was changed',
    damage: `UPDATE webhook_subscriptions SET secret = left(secret, -8) || 'AAAAAAAA' WHERE id = $1`,
    hurts: 'lane',
    error: 'held',
  },
  {
    name: 'a URL that is none',
    damage: `UPDATE webhook_subscriptions SET url = 'http://[' WHERE id = $1`,
    hurts: 'lane',
    error: /^Blocked target: /,
  },
];

const PER_LANE = 5;

describeFaults('a poisoned row', (openLab) => {
  // Red when AttemptDelivery throws the error of a signature instead of making it the attempt's result.
  it('stops neither its lane nor another, and ends with an error that says what is wrong', async () => {
    const lab = await openLab({ lanes: POISONS.length + 1, maxRetries: 1, timeoutSeconds: 3 });
    await lab.emit(PER_LANE * (POISONS.length + 1), { concurrency: 1 });
    const damaged = new Set<string>();
    for (const [lane, { damage, hurts }] of POISONS.entries()) {
      const subscription = lab.subscriptionOf(lane);
      const ofLane = await lab.query<{ id: string; event_id: string }>(
        'SELECT id, event_id FROM webhook_deliveries WHERE subscription_id = $1 ORDER BY id',
        [subscription],
      );
      const hurt = hurts === 'lane' ? ofLane : ofLane.slice(1, 2);
      for (const { id } of hurt) damaged.add(id);
      await lab.query(damage, [hurts === 'lane' ? subscription : hurt[0]?.event_id]);
    }
    const worker = await lab.startWorker();
    const held = POISONS.filter(({ error }) => error === 'held').length * PER_LANE;
    await eventually(
      async () => {
        const open = await lab.query<{ held_reason: string | null; attempts: number }>(
          `SELECT held_reason, attempts FROM webhook_deliveries WHERE status IN ('PENDING', 'SENDING')`,
        );
        const expected = { held_reason: 'operator', attempts: 0 };
        expect(open).toEqual(Array.from({ length: held }, () => expected));
      },
      { timeoutMs: 90_000 },
    );
    // Whoever cannot mend a secret ends its subscription; what was held ends with it.
    for (const [lane, { error }] of POISONS.entries()) {
      if (error !== 'held') continue;
      await lab.query('UPDATE webhook_subscriptions SET active = false WHERE id = $1', [
        lab.subscriptionOf(lane),
      ]);
    }
    await lab.settle();

    const rows = await lab.query<{ id: string; lane: string; status: string; last_error: string | null }>(
      'SELECT id, subscription_id AS lane, status, last_error FROM webhook_deliveries',
    );
    for (const [lane, { name, error }] of POISONS.entries()) {
      const hurt = rows.filter((row) => row.lane === lab.subscriptionOf(lane) && damaged.has(row.id));
      for (const { status, last_error } of hurt) {
        expect({ name, status, last_error }).toEqual({
          name,
          status: error === null ? 'DELIVERED' : 'FAILED',
          last_error:
            error === null
              ? null
              : expect.stringMatching(error === 'held' ? /^Subscription deactivated$/ : error),
        });
      }
    }
    const healthy = rows.filter((row) => !damaged.has(row.id));
    expect(healthy).toHaveLength(3 * (PER_LANE - 1) + PER_LANE);
    expect(new Set(healthy.map((row) => row.status))).toEqual(new Set(['DELIVERED']));
    expect(worker.running).toBe(true);
  }, 240_000);
});
