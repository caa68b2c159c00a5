import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { Clock } from '../../../platform/kernel/clock.js';
import { DeliveryMetrics } from './ports/delivery-metrics.js';
import { ExpiredHistory } from './ports/expired-history.js';
import { RetentionSettings } from './retention-settings.js';

/** Rows of each kind in one transaction: some tens of milliseconds, and the most that a stop waits for. */
const BATCH_ROWS = 1_000;

/** How a run is held back and stopped. */
export interface Pace {
  isStopped(): boolean;
  /** Waits between two batches, of which the last took `tookMs` milliseconds. */
  rest(tookMs: number): Promise<void>;
}

export interface RemovalResult {
  readonly events: number;
  readonly deliveries: number;
  readonly payloads: number;
  /** `stopped`: by the caller. `busy`: another process is at it. */
  readonly ended: 'complete' | 'stopped' | 'busy';
}

/** Removes what is older than it is to be kept, batch by batch. */
@Injectable()
export class RemoveExpired {
  constructor(
    private readonly history: ExpiredHistory,
    private readonly settings: RetentionSettings,
    private readonly metrics: DeliveryMetrics,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {}

  /** @throws what the storage throws; what was removed until then stays removed and is reported. */
  async execute(pace: Pace): Promise<RemovalResult> {
    const removed = { events: 0, deliveries: 0, payloads: 0 };
    try {
      const ended = await this.run(pace, removed);
      return { ...removed, ended };
    } finally {
      this.report(removed);
    }
  }

  /** Payloads first: they are what somebody asked to be gone early. */
  private async run(
    pace: Pace,
    removed: { events: number; deliveries: number; payloads: number },
  ): Promise<RemovalResult['ended']> {
    const { retentionDays, payloadRetentionDays } = this.settings;
    if (payloadRetentionDays !== null) {
      const ended = await this.repeat(pace, async () => {
        const payloads = await this.history.removePayloads(payloadRetentionDays, BATCH_ROWS);
        removed.payloads += payloads ?? 0;
        this.metrics.removed('payload', payloads ?? 0);
        return payloads;
      });
      if (ended !== 'complete') return ended;
    }
    if (retentionDays === 0) return 'complete';
    return this.repeat(pace, async () => {
      const batch = await this.history.remove(retentionDays, BATCH_ROWS);
      removed.events += batch?.events ?? 0;
      removed.deliveries += batch?.deliveries ?? 0;
      this.metrics.removed('event', batch?.events ?? 0);
      this.metrics.removed('delivery', batch?.deliveries ?? 0);
      return batch === null ? null : batch.events + batch.deliveries;
    });
  }

  /** @param batch answers how many rows it removed, or null when another process is at it */
  private async repeat(pace: Pace, batch: () => Promise<number | null>): Promise<RemovalResult['ended']> {
    while (!pace.isStopped()) {
      const startedAtMs = this.clock.monotonicMs();
      const rows = await batch();
      if (rows === null) return 'busy';
      if (rows === 0) return 'complete';
      await pace.rest(this.clock.monotonicMs() - startedAtMs);
    }
    return 'stopped';
  }

  private report(removed: Omit<RemovalResult, 'ended'>): void {
    const { retentionDays, payloadRetentionDays } = this.settings;
    const parts = [
      ...(removed.payloads === 0
        ? []
        : [`the payload of ${removed.payloads} events older than ${payloadRetentionDays} days`]),
      ...(removed.events + removed.deliveries === 0
        ? []
        : [`${removed.events} events and ${removed.deliveries} deliveries older than ${retentionDays} days`]),
    ];
    if (parts.length > 0) this.logger.info(`Retention removed ${parts.join(', and ')}`);
  }
}
