import type { AppLogger } from '../../../platform/kernel/app-logger.js';
import { asOne, membersOf } from '../domain/claims.js';
import { PAYLOAD_EXPIRED, SUBSCRIPTION_DEACTIVATED, type ClaimedDelivery } from '../domain/delivery.js';
import type { Lane } from '../domain/lane.js';
import type { AttemptWatch } from './attempt-watch.js';
import type { DeliveryLanes } from './ports/delivery-lanes.js';
import type { LaneDispatcher } from './ports/lane-dispatcher.js';

/** Claims whose attempt does not begin after all: given back, or ended because nothing may be sent any more. */
export class GiveBack {
  constructor(
    private readonly lanes: DeliveryLanes,
    private readonly watch: AttemptWatch,
    private readonly dispatcher: LaneDispatcher,
    private readonly logger: AppLogger,
  ) {}

  /** Never rejects: what cannot be given back now is left to the sweep. */
  async refused(lane: Lane, claims: readonly ClaimedDelivery[]): Promise<void> {
    try {
      await this.lanes.release(claims);
      this.dispatcher.ring([lane]);
    } catch (cause) {
      this.logger.error('Deliveries could not be given back; the sweep will do it', {
        subscriptionId: lane.subscriptionId,
        cause,
      });
    } finally {
      for (const { id } of claims.flatMap(membersOf)) this.watch.attempted(id);
    }
  }

  /** @returns the claims that may be sent */
  async sendable(claims: readonly ClaimedDelivery[], isStopping: boolean): Promise<ClaimedDelivery[]> {
    if (isStopping && claims.length > 0) {
      await this.lanes.release(claims);
      return [];
    }
    await this.abandon(
      claims.filter((claim) => !claim.subscriptionActive),
      SUBSCRIPTION_DEACTIVATED,
    );
    const active = claims.filter((claim) => claim.subscriptionActive);
    await this.abandon(
      active.flatMap(membersOf).filter((claim) => claim.payloadExpired),
      PAYLOAD_EXPIRED,
    );
    return active.flatMap((claim) => asOne(membersOf(claim).filter((one) => !one.payloadExpired)) ?? []);
  }

  private async abandon(claims: readonly ClaimedDelivery[], lastError: string): Promise<void> {
    if (claims.length === 0) return;
    await this.lanes.abandon(claims, lastError);
    for (const { id } of claims.flatMap(membersOf)) this.watch.attempted(id);
  }
}
