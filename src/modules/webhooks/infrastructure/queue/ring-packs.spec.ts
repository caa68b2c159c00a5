import { describe, expect, it } from '@jest/globals';

import type { Lane } from '../../domain/lane.js';
import type { Ring } from './lane-queue.js';
import { RingPacks } from './ring-packs.js';

const lanes = (count: number): Lane[] =>
  Array.from({ length: count }, (_, n) => ({ tenantId: 'acme', subscriptionId: `lane-${n}` }));

/** A broker that has what it took until it is told to forget it: of each name one. */
class Broker {
  readonly taken: Ring[] = [];
  private readonly byName = new Map<string, string>();
  private ids = 0;

  addBulk(rings: Ring[]): Promise<{ id: string }[]> {
    return Promise.resolve(
      rings.map((ring) => {
        const name = ring.opts.deduplication?.id ?? '';
        const known = this.byName.get(name);
        if (known !== undefined) return { id: known };
        this.taken.push(ring);
        const id = String((this.ids += 1));
        this.byName.set(name, id);
        return { id };
      }),
    );
  }

  on(): void {
    // It has no errors.
  }

  /** All of them have ended. */
  forget(): Ring[] {
    this.byName.clear();
    return this.taken.splice(0);
  }
}

const sizesOf = (rings: readonly Ring[]): number[] =>
  rings.map(({ data }) => ('lanes' in data ? data.lanes.length : 1));

const lanesOf = (rings: readonly Ring[]): string[] =>
  rings
    .flatMap(({ data }) => ('lanes' in data ? data.lanes : [data]))
    .map(({ subscriptionId }) => subscriptionId)
    .sort();

const namesOf = (of: readonly Lane[]): string[] => of.map(({ subscriptionId }) => subscriptionId).sort();

describe('rings on their way to a broker', () => {
  it('go lane by lane where there are few, so that each lane has one waiting at most', async () => {
    const broker = new Broker();
    const packs = new RingPacks(broker);
    await packs.send(lanes(31));
    await packs.send(lanes(31));
    expect(sizesOf(broker.taken)).toEqual(Array.from({ length: 31 }, () => 1));
  });

  it('go two hundred to a job at most where there are many, in jobs of one size', async () => {
    const broker = new Broker();
    await new RingPacks(broker).send(lanes(500));
    expect(sizesOf(broker.taken)).toEqual([167, 167, 166]);
    expect(lanesOf(broker.taken)).toEqual(namesOf(lanes(500)));
  });

  // Red when a job that is there already is taken for the new one: what it is for would be lost.
  it('go lane by lane where as many jobs are waiting as one process may have there', async () => {
    const broker = new Broker();
    const packs = new RingPacks(broker);
    for (let n = 0; n < 32; n += 1) await packs.send(lanes(100));
    expect(sizesOf(broker.taken)).toEqual(Array.from({ length: 32 }, () => 100));
    broker.taken.length = 0;
    for (let n = 0; n < 40; n += 1) await packs.send(lanes(100));
    expect(sizesOf(broker.taken)).toEqual(Array.from({ length: 100 }, () => 1));
    expect(lanesOf(broker.taken)).toEqual(namesOf(lanes(100)));
    broker.forget();
    await packs.send(lanes(100));
    expect(sizesOf(broker.taken)).toEqual([100]);
  });

  it('of two processes have jobs of their own', async () => {
    const broker = new Broker();
    await new RingPacks(broker).send(lanes(100));
    await new RingPacks(broker).send(lanes(100));
    expect(sizesOf(broker.taken)).toEqual([100, 100]);
  });
});
