import { beforeEach, describe, expect, it } from '@jest/globals';

import type { Look, SeenDelivery } from '../domain/change-feed.js';
import { FakeClock } from '../testing/fake-clock.js';
import { RecordingLogger } from '../testing/recording-logger.js';
import { SequentialIds } from '../testing/sequential-ids.js';
import {
  DeliveryStream,
  MAX_STREAMS,
  MAX_STREAMS_OF_TENANT,
  type Frame,
  type StreamReader,
} from './delivery-stream.js';
import { DeliveryChanges } from './ports/delivery-changes.js';
import { TenantTransactions, type Transaction } from './ports/transaction.js';

class FakeTransactions extends TenantTransactions {
  override async run<T>(tenantId: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return work({ handle: null, tenantId });
  }
}

/** Shows what it is given, and counts looks by tenant. */
class FakeChanges extends DeliveryChanges {
  readonly looks: string[] = [];
  readonly deliveries = new Map<string, SeenDelivery[]>();
  isAway = false;

  override async look({ tenantId }: Transaction): Promise<Look> {
    if (this.isAway) throw new Error('the database is away');
    this.looks.push(tenantId);
    return Promise.resolve({ newest: [...(this.deliveries.get(tenantId) ?? [])].reverse(), others: [] });
  }
}

class Reader implements StreamReader {
  readonly frames: Frame[] = [];
  isStopped = false;

  readonly tell = (frame: Frame): void => {
    this.frames.push(frame);
  };

  readonly stop = (): void => {
    this.isStopped = true;
  };

  get told(): string[] {
    return this.frames.map((frame) => (frame.kind === 'delivery' ? frame.delivery.id : frame.kind));
  }
}

describe('DeliveryStream', () => {
  let changes: FakeChanges;
  let clock: FakeClock;
  let logger: RecordingLogger;
  let stream: DeliveryStream;

  beforeEach(() => {
    [changes, clock, logger] = [new FakeChanges(), new FakeClock(), new RecordingLogger()];
    stream = new DeliveryStream(new FakeTransactions(), changes, new SequentialIds(), clock, logger);
  });

  const deliver = (tenant: string, id: string): void => {
    const of = changes.deliveries.get(tenant) ?? [];
    const delivery = { id, version: of.length + 1, status: 'DELIVERED', attempts: 1 } as const;
    changes.deliveries.set(tenant, [...of, { ...delivery, subscriptionId: 'S', event: 'a.made' }]);
  };
  const join = async (tenant: string, lastId: string | null = null): Promise<[Reader, () => void]> => {
    const reader = new Reader();
    return [reader, await stream.join(tenant, lastId, reader)];
  };

  it('tells the readers of a tenant of its deliveries, looking once for all of them', async () => {
    deliver('a', 'a1');
    const [[one], [two], [other]] = [await join('a'), await join('a'), await join('b')];
    deliver('a', 'a2');
    changes.looks.length = 0;
    await stream.poll();
    expect([one.told, two.told, other.told]).toEqual([['a2'], ['a2'], []]);
    expect(changes.looks).toEqual(['a', 'b']);
  });

  it('goes on where a reader left off, and says so when it cannot', async () => {
    const [reader, leave] = await join('a');
    deliver('a', 'a1');
    await stream.poll();
    leave();
    deliver('a', 'a2');
    await stream.poll();
    const lastId = reader.frames.at(-1)!.id;
    expect((await join('a', lastId))[0].told).toEqual(['a2']);
    expect((await join('a', 'of another process'))[0].told).toEqual(['resync']);
    for (let n = 3; n < 1_010; n += 1) {
      deliver('a', `a${n}`);
      changes.deliveries.set('a', changes.deliveries.get('a')!.slice(-5));
      await stream.poll();
    }
    expect((await join('a', lastId))[0].told).toEqual(['resync']);
  });

  it('looks at nobody whom nobody reads, a while after the last has gone', async () => {
    const [, leave] = await join('a');
    leave();
    leave();
    clock.advance(30_001);
    await stream.poll();
    changes.looks.length = 0;
    await stream.poll();
    expect(changes.looks).toEqual([]);
  });

  it('has room for so many readers of a tenant, and so many in all', async () => {
    const leaves: (() => void)[] = [];
    const refused = { code: 'too_many_streams', retryAfterSeconds: 5 };
    for (let n = 0; n < MAX_STREAMS; n += 1) {
      // While there is room for others.
      if (n === MAX_STREAMS_OF_TENANT) await expect(join('t0')).rejects.toMatchObject(refused);
      leaves.push((await join(`t${Math.floor(n / MAX_STREAMS_OF_TENANT)}`))[1]);
    }
    for (const tenant of ['t0', 'new']) await expect(join(tenant)).rejects.toMatchObject(refused);
    // However many come at once.
    leaves[0]!();
    const some = await Promise.allSettled([join('t0'), join('t0'), join('t0')]);
    expect(some.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    leaves[MAX_STREAMS_OF_TENANT]!();
    const others = await Promise.allSettled([join('fresh'), join('fresh')]);
    expect(others.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('goes on when the database is back, and takes no room for who could not join', async () => {
    changes.isAway = true;
    for (let n = 0; n < MAX_STREAMS + 1; n += 1) await expect(join('b')).rejects.toThrow('away');
    changes.isAway = false;
    const [reader] = await join('a');
    changes.isAway = true;
    await stream.poll();
    await stream.poll();
    expect(logger.messages('warn')).toEqual(['A stream waits: the database does not answer']);
    changes.isAway = false;
    deliver('a', 'a1');
    await stream.poll();
    expect(reader.told).toEqual(['a1']);
  });

  it('ends them all, and begins no other', async () => {
    const [[one], [two]] = [await join('a'), await join('b')];
    stream.stop();
    expect([one.isStopped, two.isStopped]).toEqual([true, true]);
    await expect(join('a')).rejects.toMatchObject({ code: 'too_many_streams' });
  });
});
