import { uuidV7 } from '../../../../platform/kernel/uuid.js';
import type { Lane } from '../../domain/lane.js';
import { packOf, ringOf, type RingQueue } from './lane-queue.js';

/** Lanes of one moment from which on they travel together: a job costs a broker nearly as much with one lane as with hundreds. */
const FEWEST = 32;

/** Lanes in one job at most: other workers are to get some of them as well. */
const LANES = 200;

/**
 * Jobs of many lanes that one process may have in the broker: they say nothing of what others ring for, and without a bound they
 * would pile up while nobody takes them.
 */
const PACKS = 32;

/**
 * How rings go to a broker: those of a few lanes as a job each, of which there is one waiting for a lane at most; those of many,
 * many to a job. Where a process has as many of these in the broker as it may, what is left goes lane by lane.
 */
export class RingPacks {
  private readonly sender = uuidV7();
  /** The jobs that were taken last, by their names: one that comes back is still there. */
  private readonly taken = new Map<string, string>();
  private next = 0;

  constructor(private readonly queue: RingQueue) {}

  async send(lanes: readonly Lane[]): Promise<void> {
    const left = lanes.length < FEWEST ? lanes : await this.sendTogether(lanes);
    if (left.length > 0) await this.queue.addBulk(left.map(ringOf));
  }

  /** @returns the lanes for which there was no job left */
  private async sendTogether(lanes: readonly Lane[]): Promise<Lane[]> {
    const packs = inParts(lanes, Math.ceil(lanes.length / LANES)).map((part) => ({
      part,
      name: this.nextName(),
    }));
    const jobs = await this.queue.addBulk(packs.map(({ part, name }) => packOf(part, name)));
    return packs.flatMap(({ part, name }, n) => (this.isTaken(name, jobs[n]?.id) ? [] : part));
  }

  private isTaken(name: string, id: string | undefined): boolean {
    if (id === undefined || this.taken.get(name) === id) return false;
    this.taken.set(name, id);
    return true;
  }

  private nextName(): string {
    this.next = (this.next + 1) % PACKS;
    return `${this.sender}-${this.next}`;
  }
}

/** As equal as they can be. */
function inParts<T>(all: readonly T[], count: number): T[][] {
  const size = Math.ceil(all.length / count);
  return Array.from({ length: count }, (_, n) => all.slice(n * size, (n + 1) * size));
}
