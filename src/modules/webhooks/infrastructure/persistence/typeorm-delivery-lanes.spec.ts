import { describe, expect, it } from '@jest/globals';
import { EntityManager, type DataSource } from 'typeorm';

import { UuidV7Generator } from '../../../../platform/kernel/uuid.js';
import { ENGINE_LIMITS } from '../../application/engine-limits.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { RecordingLogger } from '../../testing/recording-logger.js';
import { testSettings } from '../../testing/test-settings.js';
import { HotStatements } from './hot-statements.js';
import { LeaseOwner } from './lease-owner.js';
import { TypeormDeliveryLanes } from './typeorm-delivery-lanes.js';
import { WorkerTransaction } from './worker-transaction.js';

/** A database that answers a beat with what it is told, and one expired lease to whoever may look for them. */
class FakeDatabase extends WorkerTransaction {
  unbroken = true;

  override async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const answers: readonly (readonly [part: string, row: object])[] = [
      ['AS unbroken', { unbroken: this.unbroken }],
      ['AS locked', { locked: true }],
      ['FROM reclaimed', { count: 1 }],
    ];
    const manager = Object.assign(Object.create(EntityManager.prototype) as EntityManager, {
      query: async (sql: string) => answers.filter(([part]) => sql.includes(part)).map(([, row]) => row),
    });
    return work(manager);
  }
}

describe('a process that gives back what others hold', () => {
  const open = (): { lanes: TypeormDeliveryLanes; database: FakeDatabase; clock: FakeClock } => {
    const dataSource = {} as DataSource;
    const database = new FakeDatabase(dataSource);
    const clock = new FakeClock();
    const ids = new UuidV7Generator();
    const lanes = new TypeormDeliveryLanes(
      new HotStatements(dataSource),
      database,
      new LeaseOwner(ids),
      ids,
      clock,
      testSettings(),
      new RecordingLogger(),
    );
    return { lanes, database, clock };
  };
  const { aliveMs, beatIntervalMs } = ENGINE_LIMITS;

  /** Signs of life, one a second. */
  async function live(lanes: TypeormDeliveryLanes, clock: FakeClock, ms: number): Promise<void> {
    for (let passedMs = 0; passedMs <= ms; passedMs += beatIntervalMs) {
      await lanes.beat();
      clock.advance(beatIntervalMs);
    }
  }

  it('waits until the others had time to say that they live, after its start and after a gap', async () => {
    const { lanes, database, clock } = open();
    expect((await lanes.sweep(3, 10)).reclaimed).toBe(0);
    for (let round = 0; round < 2; round += 1) {
      database.unbroken = false;
      await lanes.beat();
      database.unbroken = true;
      await live(lanes, clock, aliveMs - 2 * beatIntervalMs);
      expect((await lanes.sweep(3, 10)).reclaimed).toBe(0);
      await live(lanes, clock, 2 * beatIntervalMs);
      expect((await lanes.sweep(3, 10)).reclaimed).toBe(1);
    }
  });

  // Red without `beatenAtMs`: the first sweep after an outage took what living workers had under way.
  it('takes nothing before its own sign of life, when it was away itself', async () => {
    const { lanes, database, clock } = open();
    database.unbroken = false;
    await lanes.beat();
    database.unbroken = true;
    await live(lanes, clock, 2 * aliveMs);
    expect((await lanes.sweep(3, 10)).reclaimed).toBe(1);
    clock.advance(aliveMs);
    expect((await lanes.sweep(3, 10)).reclaimed).toBe(0);
  });

  // Red when a sign of life makes good what was claimed before a gap: others have taken and sent it.
  it.each([
    ['by the database', false],
    ['in an answer that was lost', true],
  ])('holds for lost what it had claimed before a gap, told %s', async (_how, unbroken) => {
    const { lanes, database, clock } = open();
    database.unbroken = false;
    await lanes.beat();
    database.unbroken = true;
    const { term } = lanes;
    await live(lanes, clock, 2 * aliveMs);
    expect([lanes.term, lanes.areOurs(term)]).toEqual([term, true]);
    clock.advance(unbroken ? aliveMs : 0);
    database.unbroken = unbroken;
    await lanes.beat();
    expect([lanes.areOurs(term), lanes.areOurs(lanes.term)]).toEqual([false, true]);
    clock.advance(aliveMs);
    expect(lanes.areOurs(lanes.term)).toBe(false);
  });
});
