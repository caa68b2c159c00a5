import { isSlower, KNOWN_PACES, type KnownPace, type Pace } from './lane-paces.js';
import type { Lane } from './lane.js';
import { ParkedLanes } from './parked-lanes.js';

/** One account of slots, in attempts under way in one process. */
export interface AccountLimits {
  readonly total: number;
  /** One tenant's share. */
  readonly perTenant: number;
  /** What retries may hold together: the others are kept for first attempts. */
  readonly retries: number;
  /** Beyond the total, for lanes with nothing under way. */
  readonly reserve?: number;
}

/** An account for each pace; endpoints that have not answered yet begin in the fast one, of which they may hold a part. */
export type SlotLimits = Readonly<Record<KnownPace, AccountLimits>> & {
  readonly unproven: Omit<AccountLimits, 'retries'>;
};

/** Slots that a lane may fill now. */
export interface Grant {
  readonly account: KnownPace;
  readonly count: number;
  /** How many of them retries may fill. */
  readonly retries: number;
}

/** The slot of one attempt under way. */
export interface Slot {
  account: KnownPace;
  readonly lane: Lane;
  readonly unproven: boolean;
  readonly isRetry: boolean;
}

interface Use {
  total: number;
  retries: number;
  readonly byTenant: Map<string, number>;
}

const PACES: readonly Pace[] = ['unproven', 'fast', 'slow', 'hanging'];

const newUse = (): Use => ({ total: 0, retries: 0, byTenant: new Map() });

/**
 * The attempts that one process may have under way, in an account for each pace, so that endpoints which hang cannot take
 * the slots of those which answer: an attempt that goes on for long moves from account to account, and an endpoint known
 * to be slow begins where its last one ended. Each account is bounded, in all and for each tenant. Whoever finds no room
 * is parked and called when there is some, tenants in turn; nobody waits while holding anything.
 */
export class AttemptSlots {
  /** What unproven endpoints hold counts twice: in the fast account and by itself. */
  private readonly use: Readonly<Record<Pace, Use>> = {
    unproven: newUse(),
    fast: newUse(),
    slow: newUse(),
    hanging: newUse(),
  };
  private readonly parked: Readonly<Record<Pace, ParkedLanes>> = {
    unproven: new ParkedLanes(),
    fast: new ParkedLanes(),
    slow: new ParkedLanes(),
    hanging: new ParkedLanes(),
  };

  constructor(private readonly limits: SlotLimits) {}

  /**
   * Takes up to `wanted` slots for a lane; null when there is none, and then the lane is parked. A slow lane with nothing
   * under way gets one from the reserve at once: it may have been slow by chance, and only an answer can show that. So does a
   * fast one whose tenant has nothing under way at all.
   */
  take(lane: Lane, pace: Pace, wanted: number, isIdle = false): Grant | null {
    const account = accountOf(pace);
    const fromReserve = isIdle && wanted > 0 && this.hasReserve(pace, lane.tenantId) ? 1 : 0;
    const count = Math.max(Math.min(wanted, this.room(pace, lane.tenantId)), fromReserve);
    for (const lot of PACES) this.parked[lot].remove(lane);
    if (count <= 0) {
      this.parked[pace].add(lane);
      return null;
    }
    this.add(pace, lane, count);
    const retryRoom = this.limits[account].retries - this.use[account].retries;
    const retries = Math.max(Math.min(count, retryRoom), 0);
    this.use[account].retries += retries;
    return { account, count, retries };
  }

  /** How many slots the lane would get now. */
  roomOf({ tenantId }: Lane, pace: Pace): number {
    return this.room(pace, tenantId);
  }

  /** Turns part of a grant into the slot of an attempt, to be given back with {@link finish}. */
  begin(lane: Lane, pace: Pace, grant: Grant, isRetry: boolean): Slot {
    return { account: grant.account, lane, unproven: pace === 'unproven', isRetry };
  }

  /** Gives back what a grant had beyond the attempts that began. @returns lanes to call */
  settle(
    lane: Lane,
    pace: Pace,
    grant: Grant,
    begun: { readonly all: number; readonly retries: number },
  ): Lane[] {
    const unused = grant.count - begun.all;
    this.use[grant.account].retries -= grant.retries - begun.retries;
    if (unused <= 0) return [];
    this.add(pace, lane, -unused);
    return this.call(pace, unused);
  }

  /** @returns lanes to call */
  finish(slot: Slot): Lane[] {
    const pace = this.leave(slot);
    return this.call(pace, 1);
  }

  /** Moves an attempt on to the account of its pace by now. @returns the lanes to call; null when there is no room yet */
  move(slot: Slot, account: KnownPace): Lane[] | null {
    // An endpoint that was known as a slower one began there.
    if (!isSlower(account, slot.account)) return [];
    const { tenantId } = slot.lane;
    // Where there are more slow ones than slow slots, they go where hanging ones are: waiting costs the same anywhere but here.
    const to = [account, 'hanging' as const].find((one) => this.room(one, tenantId) > 0);
    if (to === undefined) return null;
    const left = this.leave(slot);
    slot.account = to;
    this.add(to, slot.lane, 1);
    if (slot.isRetry) this.use[to].retries += 1;
    return this.call(left, 1);
  }

  /** Whether ringing the lane now would be for nothing: it is parked, and there is no room for it yet. */
  mustWait(lane: Lane): boolean {
    return PACES.some((pace) => this.parked[pace].has(lane) && this.room(pace, lane.tenantId) <= 0);
  }

  /** Slots that are taken in all accounts. */
  get inUse(): number {
    return this.use.fast.total + this.use.slow.total + this.use.hanging.total;
  }

  /** @returns the pace whose place came free */
  private leave({ account, lane, unproven, isRetry }: Slot): Pace {
    const pace = unproven && account === 'fast' ? 'unproven' : account;
    this.add(pace, lane, -1);
    if (isRetry) this.use[account].retries -= 1;
    return pace;
  }

  /** Lanes that may have room now, at most one for each slot that came free; first those like the one that freed it. */
  private call(left: Pace, freed: number): Lane[] {
    const called: Lane[] = [];
    for (const pace of neighbours(left)) {
      const count = Math.min(freed - called.length, this.limits[pace].total - this.use[pace].total);
      if (count > 0)
        called.push(...this.parked[pace].take(count, (tenantId) => this.room(pace, tenantId) > 0));
    }
    return called;
  }

  /** The fast reserve is for tenants with nothing under way: no number of others can make them wait. */
  private hasReserve(pace: Pace, tenantId: string): boolean {
    if (pace === 'fast' && KNOWN_PACES.some((one) => this.use[one].byTenant.has(tenantId))) return false;
    return this.use[pace].total < this.limits[pace].total + (this.limits[pace].reserve ?? 0);
  }

  private room(pace: Pace, tenantId: string): number {
    const room = this.roomIn(pace, tenantId);
    return pace === 'unproven' ? Math.min(room, this.roomIn('fast', tenantId)) : room;
  }

  private roomIn(pace: Pace, tenantId: string): number {
    const { total, perTenant } = this.limits[pace];
    const { total: used, byTenant } = this.use[pace];
    return Math.min(total - used, perTenant - (byTenant.get(tenantId) ?? 0));
  }

  private add(pace: Pace, lane: Lane, count: number): void {
    if (pace === 'unproven') this.add('fast', lane, count);
    const use = this.use[pace];
    use.total += count;
    const mine = (use.byTenant.get(lane.tenantId) ?? 0) + count;
    if (mine > 0) use.byTenant.set(lane.tenantId, mine);
    else use.byTenant.delete(lane.tenantId);
  }
}

function accountOf(pace: Pace): KnownPace {
  return pace === 'unproven' ? 'fast' : pace;
}

/** Who may fill a place that came free: the fast account is shared. */
function neighbours(left: Pace): readonly Pace[] {
  if (left === 'unproven') return ['unproven', 'fast'];
  return left === 'fast' ? ['fast', 'unproven'] : [left];
}
