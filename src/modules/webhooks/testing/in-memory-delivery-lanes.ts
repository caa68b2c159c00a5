import type { IdGenerator } from '../../../platform/kernel/id-generator.js';
import { ENGINE_LIMITS } from '../application/engine-limits.js';
import {
  DeliveryLanes,
  type AttemptResult,
  type ClaimWish,
  type OpenedLane,
  type Recorded,
  type SweepResult,
} from '../application/ports/delivery-lanes.js';
import { SUBSCRIPTION_DEACTIVATED, type ClaimedDelivery, type HoldReason } from '../domain/delivery.js';
import { rampedPlaces } from '../domain/gates/circuit-gate.js';
import { foldGates, takesBirths, type FoldedGates } from '../domain/gates/fold-gates.js';
import { rateSlots } from '../domain/gates/rate-gate.js';
import { isThrottled } from '../domain/gates/throttle-gate.js';
import type { LaneRest } from '../domain/turn-verdict.js';
import type { Lane } from '../domain/lane.js';
import { DEACTIVATED_BY_GONE } from '../domain/subscription.js';
import { endProbes, inProbeOrder, isKept, tellCircuit } from './in-memory-circuits.js';
import { batchesOf } from './in-memory-batches.js';
import { InMemoryLeases, unstarted } from './in-memory-leases.js';
import { blockerOf, headsOf } from './in-memory-order.js';
import { gatedLane, type InMemoryStore, type StoredDelivery } from './in-memory-store.js';

/** The due-list over the shared store: the same promises, one process, nothing to wait for. */
export class InMemoryDeliveryLanes extends DeliveryLanes {
  private readonly leases: InMemoryLeases;
  private sweptUpTo = '';

  constructor(
    private readonly store: InMemoryStore,
    private readonly ids: IdGenerator,
    leaseMs: number,
    /** Which of the processes over the store this is. */
    private readonly owner = 'this process',
  ) {
    super();
    this.leases = new InMemoryLeases(store, leaseMs, owner);
  }

  override async claim(lane: Lane, wish: ClaimWish): Promise<OpenedLane> {
    const { limit, retryLimit = limit, taken = 0, retriesTaken = 0 } = wish;
    // One for each request, whatever is in it.
    const isFirst = (row: StoredDelivery): boolean => row.batchId === null || row.batchId === row.id;
    const underWay = this.rows('SENDING', lane.subscriptionId).filter(isFirst);
    const ofOthers = underWay.filter((row) => row.leasedBy !== this.owner);
    const retrying = ofOthers.filter((row) => row.isRetry).length;
    let retriesLeft = Math.min(retryLimit, ENGINE_LIMITS.retriesPerEndpoint - retriesTaken - retrying);
    const leaseToken = this.ids.next();
    const nowMs = this.store.clock.nowMs();
    const subscription = this.store.subscriptions.get(lane.subscriptionId);
    const places = Math.max(0, Math.min(limit, ENGINE_LIMITS.perEndpoint - taken - ofOthers.length));
    const free = rampedPlaces(gatedLane(subscription).circuit, places, underWay.length);
    const found = batchesOf(this.store, lane.subscriptionId, free, retriesLeft);
    const heads = found === null ? headsOf(this.store, lane.subscriptionId, retriesLeft) : null;
    const gated = gatedLane(
      subscription,
      found?.waits === false ? found : heads,
      found?.waits === true ? found : null,
    );
    const gate = foldGates(gated, free, nowMs);
    const room = subscription?.active === false ? free : gate.granted;
    const slots = rateSlots(gated, nowMs);
    const isProbing = gated.circuit.state !== 'closed' && subscription?.active === true;
    const waitMs = (n: number): number => (slots === null ? 0 : slots.firstMs + n * slots.stepMs - nowMs);
    const charge = (count: number): void => {
      if (slots === null || subscription === undefined || count === 0) return;
      subscription.rateNextAtMs = slots.firstMs + count * slots.stepMs;
    };
    if (found !== null) {
      const requests = found.requests.slice(0, room);
      const claims = requests.flatMap((rows, n) => this.leases.startTogether(rows, leaseToken, waitMs(n)));
      charge(claims.length);
      return Promise.resolve({
        claims,
        rest: this.restOf(lane, gate, free < limit),
      });
    }
    const due = heads === null ? this.due(lane.subscriptionId) : [...heads.rows];
    const claims = inProbeOrder(due, isProbing ? subscription.laneCircuit : null)
      .filter((row) => !row.isRetry || (retriesLeft -= 1) >= 0)
      .slice(0, room)
      .map((row, n) => ({
        ...this.leases.start(row, leaseToken, isProbing),
        waitMs: waitMs(n),
      }));
    charge(claims.length);
    const last = heads === null ? undefined : claims.at(-1);
    if (last !== undefined && subscription !== undefined) {
      subscription.orderFrom = this.store.deliveries.get(last.id)?.orderingKey ?? '';
    }
    return Promise.resolve({ claims, rest: this.restOf(lane, gate, free < limit) });
  }

  private restOf(lane: Lane, { reason, untilMs }: FoldedGates, isShort: boolean): LaneRest {
    const forMs = untilMs === null ? null : untilMs - this.store.clock.nowMs();
    const hold = reason === null ? null : { reason, forMs };
    return { kind: 'seen', ...this.dueIn(lane), isShort, hold };
  }

  /** Milliseconds until the next of a lane is due, first attempts and retries apart. */
  private dueIn({ subscriptionId }: Lane): {
    readonly firstDueInMs: number | null;
    readonly retryDueInMs: number | null;
  } {
    const nowMs = this.store.clock.nowMs();
    const next = (isRetry: boolean): number | null => {
      const dueAt = this.rows('PENDING', subscriptionId)
        .filter((row) => row.isRetry === isRetry)
        .map((row) => row.nextAttemptAt?.getTime() ?? Infinity);
      return dueAt.length === 0 ? null : Math.max(0, Math.min(...dueAt) - nowMs);
    };
    return { firstDueInMs: next(false), retryDueInMs: next(true) };
  }

  /** The claims of new deliveries where they are stored: as many as there is room for, if nothing of the lane waits. */
  bear(lane: Lane, ids: readonly string[], places: number, taken: number): ClaimedDelivery[] {
    const subscription = this.store.subscriptions.get(lane.subscriptionId);
    if (subscription?.settings.batch != null) return [];
    const gated = gatedLane(subscription, headsOf(this.store, lane.subscriptionId, 0));
    if (!takesBirths(gated, this.store.clock.nowMs())) return [];
    if (this.due(lane.subscriptionId).some((row) => !ids.includes(row.id))) return [];
    const underWay = this.rows('SENDING', lane.subscriptionId);
    const others = underWay.filter((row) => row.leasedBy !== this.owner).length;
    const room = Math.min(places, ENGINE_LIMITS.perEndpoint - taken - others);
    const leaseToken = this.ids.next();
    return ids.slice(0, Math.max(0, room)).flatMap((id) => {
      const row = this.store.deliveries.get(id);
      return row === undefined ? [] : [this.leases.start(row, leaseToken, false)];
    });
  }

  override async record(result: AttemptResult): Promise<Recorded> {
    const held = this.write(result);
    const turns = held ? tellCircuit(this.store, result) : [];
    const isMoreDue = result.asksForMore && this.hasDue(result.subscriptionId);
    return Promise.resolve({ held, isMoreDue, turns });
  }

  protected hasDue(subscriptionId: string): boolean {
    return this.due(subscriptionId).length > 0;
  }

  /** @returns whether the lease still held */
  private write(result: AttemptResult): boolean {
    const row = this.store.deliveries.get(result.deliveryId);
    if (row === undefined) return false;
    const { number, trigger, durationMs, statusCode, errorClass, error, responseBody } = result;
    row.attemptLog = row.attemptLog.filter((attempt) => attempt.number !== number);
    const startedAt = new Date(this.store.clock.nowMs() - durationMs);
    row.attemptLog.push({
      ...{ number, trigger, startedAt, durationMs, statusCode, errorClass, error, responseBody },
      ...{ responseHeaders: result.responseHeaders, requestHeaders: result.requestHeaders },
      isProbe: result.isProbe,
    });
    if (row.leaseToken !== result.leaseToken) return false;
    const isOver = this.store.subscriptions.get(row.subscriptionId)?.active === false;
    const { next } =
      isOver && result.next.status === 'PENDING'
        ? { next: { status: 'FAILED', lastError: SUBSCRIPTION_DEACTIVATED, deactivate: false } as const }
        : result;
    this.leases.settle(row, {
      status: next.status,
      lastError: next.status === 'DELIVERED' ? null : next.lastError,
      lastAttempt: { durationMs, statusCode, errorClass },
      nextAttemptAt: next.status === 'PENDING' ? new Date(this.store.clock.nowMs() + next.delayMs) : null,
      nextTrigger: 'auto',
      isRetry: next.status === 'PENDING',
      autoAttempts: row.autoAttempts - (next.status === 'PENDING' && next.isFree === true ? 1 : 0),
      batchId: next.status === 'PENDING' && next.isApart === true ? null : row.batchId,
    });
    if (next.status === 'FAILED' && next.deactivate) this.deactivate(result.subscriptionId);
    return true;
  }

  override async release(claims: readonly ClaimedDelivery[]): Promise<void> {
    for (const row of this.leases.held(claims))
      this.leases.settle(row, { status: 'PENDING', ...unstarted(row) });
    endProbes(this.store, claims);
    return Promise.resolve();
  }

  override async hold(claims: readonly ClaimedDelivery[], reason: HoldReason, forMs: number): Promise<void> {
    const until = new Date(this.store.clock.nowMs() + forMs);
    const change = { nextAttemptAt: until, hold: { reason, until } };
    for (const row of this.leases.held(claims))
      this.leases.settle(row, { status: 'PENDING', ...unstarted(row), ...change });
    const lanes = new Set(claims.map((claim) => claim.subscriptionId));
    for (const row of this.due()) if (lanes.has(row.subscriptionId)) Object.assign(row, change);
    endProbes(this.store, claims);
    return Promise.resolve();
  }

  override async abandon(claims: readonly ClaimedDelivery[], lastError: string): Promise<void> {
    for (const row of this.leases.held(claims)) {
      const counts = unstarted(row);
      this.leases.settle(row, {
        status: 'FAILED',
        lastError,
        nextAttemptAt: null,
        ...counts,
        nextTrigger: 'auto',
      });
    }
    endProbes(this.store, claims);
    return Promise.resolve();
  }

  /** False: this process stood still for so long that others may have taken what it has; then true, in the next term. */
  isAlive = true;
  term = 0;

  override areOurs(term: number): boolean {
    return this.isAlive && term === this.term;
  }

  /** A process whose fakes are asked is alive. */
  override async beat(): Promise<void> {
    return Promise.resolve();
  }

  override async sweep(maxRetries: number, laneLimit: number): Promise<SweepResult> {
    const nowMs = this.store.clock.nowMs();
    const expired = this.rows('SENDING').filter((row) => (row.leasedUntilMs ?? 0) < nowMs);
    for (const row of expired) this.leases.reclaim(row, maxRetries);
    return Promise.resolve({ reclaimed: expired.length, dueLanes: this.nextDueLanes(laneLimit) });
  }

  override async backlog(): Promise<{ oldestDueAgeMs: number; pending: number }> {
    const pending = this.rows('PENDING');
    const kept = pending.filter(({ subscriptionId: id }) => {
      const { isPaused, circuit, heldUntilMs } = gatedLane(this.store.subscriptions.get(id));
      const isThrottledNow = isThrottled(heldUntilMs, this.store.clock.nowMs());
      return !isPaused && circuit.state === 'closed' && !isThrottledNow;
    });
    const first = kept.filter((row) => blockerOf(this.store, row) === null);
    const oldest = Math.min(...first.map((row) => row.nextAttemptAt?.getTime() ?? Infinity));
    const oldestDueAgeMs = first.length === 0 ? 0 : Math.max(0, this.store.clock.nowMs() - oldest);
    return Promise.resolve({ oldestDueAgeMs, pending: pending.length });
  }

  /** Of one lane or of all. */
  private rows(status: StoredDelivery['status'], subscriptionId?: string): StoredDelivery[] {
    const { deliveries } = this.store;
    const rows = subscriptionId === undefined ? deliveries.values() : deliveries.ofLane(subscriptionId);
    return [...rows].filter((row) => row.status === status);
  }

  /** In order of their ids from where the last full list ended, so that each gets its turn to be listed. */
  private nextDueLanes(limit: number): Lane[] {
    const lanes = new Map(
      this.due().map(({ tenantId, subscriptionId }) => [subscriptionId, { tenantId, subscriptionId }]),
    );
    const listed = [...lanes.values()]
      .filter((lane) => lane.subscriptionId > this.sweptUpTo && !isKept(this.store, lane.subscriptionId))
      .filter((lane) => !this.waits(lane))
      .sort((a, b) => (a.subscriptionId < b.subscriptionId ? -1 : 1))
      .slice(0, limit);
    this.sweptUpTo = listed.length === limit ? (listed.at(-1)?.subscriptionId ?? '') : '';
    return listed;
  }

  /** Nothing of it can go now because of what goes before it, or because a batch is not closed. */
  private waits({ subscriptionId }: Lane): boolean {
    const found = batchesOf(this.store, subscriptionId, 1, 1) ?? headsOf(this.store, subscriptionId, 1);
    return found?.due === 0;
  }

  /** Oldest due first; of one lane or of all. */
  private due(subscriptionId?: string): StoredDelivery[] {
    const nowMs = this.store.clock.nowMs();
    const dueAt = (row: StoredDelivery): number => row.nextAttemptAt?.getTime() ?? Infinity;
    return this.rows('PENDING', subscriptionId)
      .filter((row) => dueAt(row) <= nowMs)
      .sort((a, b) => dueAt(a) - dueAt(b) || (a.id < b.id ? -1 : 1));
  }

  private deactivate(subscriptionId: string): void {
    const subscription = this.store.subscriptions.get(subscriptionId);
    if (subscription?.active === true) this.store.deactivate(subscription, DEACTIVATED_BY_GONE);
  }
}
