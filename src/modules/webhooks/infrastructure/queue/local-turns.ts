import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import type { Lane } from '../../domain/lane.js';
import { LaneScheduler, type DrainTurn } from './lane-scheduler.js';

/** Turns at once; as many as come through the broker. */
const PARALLEL_TURNS = 128;

/**
 * Turns without the broker, for what becomes due here, and for rings that it does not take: away, out of memory, a replica. Those come from the sweep and
 * from this process's own requests, so deliveries flow while it is being mended. In a process that does not deliver they
 * come to nothing, and a worker's sweep finds the lanes.
 */
@Injectable()
export class LocalTurns {
  private scheduler: LaneScheduler | null = null;

  constructor(private readonly logger: AppLogger) {}

  start(drain: DrainTurn): void {
    this.scheduler = new LaneScheduler(drain, {
      parallel: PARALLEL_TURNS,
      onError: (lane, cause) => {
        this.logger.error('A lane could not be drained; the sweep will ring it again', {
          subscriptionId: lane.subscriptionId,
          cause,
        });
      },
    });
  }

  /** Whether this process delivers. */
  get isStarted(): boolean {
    return this.scheduler !== null;
  }

  ring(lanes: readonly Lane[]): void {
    for (const lane of lanes) this.scheduler?.ring(lane);
  }

  stop(): void {
    this.scheduler?.stop();
  }
}
