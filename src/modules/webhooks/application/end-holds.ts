import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { Clock } from '../../../platform/kernel/clock.js';
import { HELD_TOO_LONG } from '../domain/delivery.js';
import { HoldSettings } from './hold-settings.js';
import { HeldDeliveries } from './ports/held-deliveries.js';
import type { Pace } from './remove-expired.js';

/** Rows in one transaction: some tens of milliseconds, and the most that a stop waits for. */
const BATCH_ROWS = 1_000;

/** Ends what has been held for too long, batch by batch: nobody waits for it any more, and it may be sent again by hand. */
@Injectable()
export class EndHolds {
  constructor(
    private readonly held: HeldDeliveries,
    private readonly settings: HoldSettings,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {}

  /** @throws what the storage throws; what was ended until then stays ended and is reported. */
  async execute(pace: Pace): Promise<number> {
    const { maxHoldDays } = this.settings;
    let ended = 0;
    if (maxHoldDays === 0) return ended;
    try {
      while (!pace.isStopped()) {
        const startedAtMs = this.clock.monotonicMs();
        const batch = (await this.held.end(maxHoldDays, HELD_TOO_LONG, BATCH_ROWS)) ?? 0;
        if (batch === 0) break;
        ended += batch;
        await pace.rest(this.clock.monotonicMs() - startedAtMs);
      }
      return ended;
    } finally {
      if (ended > 0)
        this.logger.warn(`${ended} deliveries were held for more than ${maxHoldDays} days and ended`);
    }
  }
}
