import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { Clock } from '../../../../platform/kernel/clock.js';
import { IdGenerator } from '../../../../platform/kernel/id-generator.js';
import { DeliverySettings } from '../../application/delivery-settings.js';
import { ENGINE_LIMITS } from '../../application/engine-limits.js';
import {
  DeliveryLanes,
  type AttemptResult,
  type ClaimWish,
  type OpenedLane,
  type Recorded,
  type SweepResult,
} from '../../application/ports/delivery-lanes.js';
import { membersOf } from '../../domain/claims.js';
import type { ClaimedDelivery, HoldReason } from '../../domain/delivery.js';
import type { Lane } from '../../domain/lane.js';
import { Batcher } from './batcher.js';
import { endProbes } from './typeorm-lane-circuits.js';
import { claimDeliveries, type ClaimRequest } from './claim-deliveries.js';
import { holdDeliveries } from './hold-deliveries.js';
import { HotStatements } from './hot-statements.js';
import { LeaseOwner } from './lease-owner.js';
import { recordAttempts } from './record-attempts.js';
import { readBacklog } from './read-backlog.js';
import { ResultWriter } from './result-writer.js';
import { beat, findDueLanes, lockSweep, reclaimExpired } from './sweep-deliveries.js';
import { WALK_START } from './waiting-lanes.js';
import { WorkerTransaction } from './worker-transaction.js';

/* By the key that no other index leads with, as the functions of the hot path do; the lease is the fence. */
const HELD = `FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[]) AS c (tenant_id, event_id, subscription_id, lease_token)
 WHERE d.event_id = c.event_id AND d.subscription_id = c.subscription_id AND d.tenant_id = c.tenant_id
   AND d.lease_token = c.lease_token`;

const RELEASE = `
UPDATE webhook_deliveries d
   SET status = 'PENDING', attempts = d.attempts - 1, auto_attempts = d.auto_attempts - (d.next_trigger = 'auto')::int,
       lease_token = NULL, leased_by = NULL, leased_until = NULL, updated_at = now()
  ${HELD}`;

const ABANDON = `
UPDATE webhook_deliveries d
   SET status = 'FAILED', last_error = $5, next_attempt_at = NULL, attempts = d.attempts - 1,
       auto_attempts = d.auto_attempts - (d.next_trigger = 'auto')::int,
       next_trigger = 'auto', lease_token = NULL, leased_by = NULL, leased_until = NULL, updated_at = now()
  ${HELD}`;

@Injectable()
export class TypeormDeliveryLanes extends DeliveryLanes {
  private readonly leaseMs: number;
  private readonly claims: Batcher<ClaimRequest, OpenedLane>;
  private readonly results: Batcher<AttemptResult, Recorded>;
  private sweptUpTo = WALK_START;
  /** When this process may give back what others hold, in milliseconds of its own clock. */
  private trustedFromMs = Infinity;
  /** When its last sign of life that arrived was given, by the same clock. */
  private beatenAtMs = -Infinity;
  private gaps = 0;

  constructor(
    private readonly statements: HotStatements,
    private readonly transactions: WorkerTransaction,
    private readonly owner: LeaseOwner,
    private readonly ids: IdGenerator,
    private readonly clock: Clock,
    settings: DeliverySettings,
    logger: AppLogger,
  ) {
    super();
    this.leaseMs = settings.timeoutMs + ENGINE_LIMITS.leaseMarginMs;
    this.claims = new Batcher((requests) => this.claimAll(requests), { maxBatch: 200, parallel: 2 });
    const writer = new ResultWriter((results) => recordAttempts(this.statements, results), logger);
    this.results = new Batcher((results) => writer.write(results), { maxBatch: 1_000, parallel: 1 });
  }

  override async claim(lane: Lane, wish: ClaimWish): Promise<OpenedLane> {
    return this.claims.add({ lane, wish });
  }

  override async record(result: AttemptResult): Promise<Recorded> {
    return this.results.add(result);
  }

  override async release(claims: readonly ClaimedDelivery[]): Promise<void> {
    await this.giveBack(claims, (manager) => manager.query(RELEASE, columnsOf(claims)));
  }

  override async hold(claims: readonly ClaimedDelivery[], reason: HoldReason, forMs: number): Promise<void> {
    await this.giveBack(claims, (manager) =>
      holdDeliveries(manager, claims.flatMap(membersOf), reason, forMs),
    );
  }

  override async abandon(claims: readonly ClaimedDelivery[], lastError: string): Promise<void> {
    await this.giveBack(claims, (manager) => manager.query(ABANDON, [...columnsOf(claims), lastError]));
  }

  /** A probe among them did not begin: another may. */
  private async giveBack(
    claims: readonly ClaimedDelivery[],
    write: (manager: EntityManager) => Promise<unknown>,
  ): Promise<void> {
    await this.transactions.run(async (manager) => {
      await write(manager);
      const probes = claims.filter(({ isProbe }) => isProbe);
      if (probes.length > 0) await endProbes(manager, probes);
    });
  }

  /**
   * After a gap this process takes nothing from others for a while: when the database was away, it was away for all, and
   * whoever lives says so and writes its results within that time.
   */
  override async beat(): Promise<void> {
    const startedAtMs = this.clock.monotonicMs();
    // The database may have told of a gap in an answer that never came.
    const isLate = startedAtMs >= this.beatenAtMs + this.owner.aliveMs;
    const unbroken = await this.transactions.run((manager) => beat(manager, this.owner));
    this.beatenAtMs = startedAtMs;
    if (unbroken && !isLate) return;
    this.gaps += 1;
    this.trustedFromMs = this.clock.monotonicMs() + ENGINE_LIMITS.aliveMs;
  }

  override get term(): number {
    return this.gaps;
  }

  override areOurs(term: number): boolean {
    return term === this.gaps && this.isAlive;
  }

  /** Whether its last sign of life still holds. */
  private get isAlive(): boolean {
    return this.clock.monotonicMs() < this.beatenAtMs + this.owner.aliveMs;
  }

  override async sweep(maxRetries: number, laneLimit: number): Promise<SweepResult> {
    return this.transactions.run(async (manager) => {
      if (!(await lockSweep(manager))) return { reclaimed: 0, dueLanes: [] };
      // Without a sign of life of its own the next one will find a gap: the others may have been kept from theirs as well.
      const mayReclaim = this.clock.monotonicMs() >= this.trustedFromMs && this.isAlive;
      const reclaimed = mayReclaim
        ? await reclaimExpired(manager, maxRetries, this.owner)
        : { count: 0, lanes: [] };
      const due = await findDueLanes(manager, this.sweptUpTo, {
        lanes: laneLimit,
        looks: ENGINE_LIMITS.sweepLooks,
      });
      this.sweptUpTo = due.sweptUpTo;
      return { reclaimed: reclaimed.count, dueLanes: eachOnce([...reclaimed.lanes, ...due.lanes]) };
    });
  }

  override async backlog(): Promise<{ oldestDueAgeMs: number; pending: number }> {
    return this.transactions.run((manager) => readBacklog(manager));
  }

  private async claimAll(requests: readonly ClaimRequest[]): Promise<OpenedLane[]> {
    const lease = {
      token: this.ids.next(),
      owner: this.owner.id,
      ms: this.leaseMs,
      marginMs: ENGINE_LIMITS.leaseMarginMs,
    };
    return claimDeliveries(this.statements, requests, lease, {
      perLane: ENGINE_LIMITS.perEndpoint,
      retriesPerLane: ENGINE_LIMITS.retriesPerEndpoint,
    });
  }
}

function eachOnce(lanes: readonly Lane[]): Lane[] {
  return [...new Map(lanes.map((lane) => [lane.subscriptionId, lane])).values()];
}

function columnsOf(requests: readonly ClaimedDelivery[]): unknown[] {
  const claims = requests.flatMap(membersOf);
  return [
    claims.map((claim) => claim.tenantId),
    claims.map((claim) => claim.eventId),
    claims.map((claim) => claim.subscriptionId),
    claims.map((claim) => claim.leaseToken),
  ];
}
