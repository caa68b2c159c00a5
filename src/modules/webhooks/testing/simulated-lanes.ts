import type { AttemptResult, ClaimWish, OpenedLane, Recorded } from '../application/ports/delivery-lanes.js';
import type { Lane } from '../domain/lane.js';
import { InMemoryDeliveryLanes } from './in-memory-delivery-lanes.js';

/** Milliseconds from sending a statement to its locks, from there to its commit, and back. */
const STEP_MS = 1;

const step = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, STEP_MS));

/** What one database does between statements of several processes. */
export class LaneLocks {
  readonly held = new Set<string>();
}

/**
 * The due-list with the times of a database: a lane is locked while it is opened, whoever finds it locked gets nothing, what
 * is stored meanwhile is not seen, and what a settlement looks at is older than its commit.
 */
export class SimulatedLanes extends InMemoryDeliveryLanes {
  private locks = new LaneLocks();

  sharing(locks: LaneLocks): this {
    this.locks = locks;
    return this;
  }

  override async claim(lane: Lane, wish: ClaimWish): Promise<OpenedLane> {
    await step();
    const { held } = this.locks;
    if (held.has(lane.subscriptionId)) {
      await step();
      return { claims: [], rest: { kind: 'busy' } };
    }
    held.add(lane.subscriptionId);
    const opened = await super.claim(lane, wish);
    // Long enough for what comes meanwhile to ring, and to be turned away.
    await step();
    await step();
    held.delete(lane.subscriptionId);
    await step();
    return opened;
  }

  override async record(result: AttemptResult): Promise<Recorded> {
    await step();
    const isMoreDue = result.asksForMore && this.hasDue(result.subscriptionId);
    await step();
    const { held, turns } = await super.record({ ...result, asksForMore: false });
    await step();
    return { held, isMoreDue, turns };
  }
}
