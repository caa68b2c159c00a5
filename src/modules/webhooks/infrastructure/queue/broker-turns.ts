import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import type { Lane } from '../../domain/lane.js';
import type { LaneJob } from './lane-queue.js';
import { LaneScheduler, type DrainTurn } from './lane-scheduler.js';

/** Turns at once of lanes that came together; as many as those that come alone may have. */
const PARALLEL_TURNS = 128;

/** Jobs of many lanes that wait for their turns: the other places of the consumer are for lanes that come alone. */
const MOST_WAITING = 32;

/** The turns that follow from what comes through a broker, whichever it is. */
@Injectable()
export class BrokerTurns {
  private drain: DrainTurn | null = null;
  /** Lanes that come together stand in a line of their own: none that comes alone waits behind them. */
  private line: LaneScheduler | null = null;
  private waiting = 0;

  constructor(private readonly logger: AppLogger) {}

  start(drain: DrainTurn): void {
    this.drain = drain;
    this.line = new LaneScheduler(drain, {
      parallel: PARALLEL_TURNS,
      onError: (lane, cause) => {
        this.failed(lane, cause);
      },
    });
  }

  /**
   * Resolves when the turns have ended, so that what a process takes is what it gets done. A ring during a turn is kept by the
   * broker, and becomes the lane's next turn, at the end of the line.
   *
   * @throws what the turn of a lane that came alone throws
   */
  async take(job: LaneJob): Promise<void> {
    const { drain, line } = this;
    if (drain === null || line === null) throw new Error('The lane consumer was not started');
    if ('lanes' in job) await this.takeTogether(line, job.lanes);
    else await drain({ tenantId: job.tenantId, subscriptionId: job.subscriptionId });
  }

  stop(): void {
    this.line?.stop();
  }

  /** @param job undefined: the broker knows of none any more; lanes that came together are told of one by one */
  failed(job: LaneJob | undefined, cause: unknown): void {
    this.logger.error('A lane could not be drained; the sweep will ring it again', {
      subscriptionId: job !== undefined && 'subscriptionId' in job ? job.subscriptionId : undefined,
      cause,
    });
  }

  private async takeTogether(line: LaneScheduler, lanes: readonly Lane[]): Promise<void> {
    if (lanes.length === 0) return;
    // They are in line here, where each lane stands once, however often it is rung.
    if (this.waiting >= MOST_WAITING) {
      for (const lane of lanes) line.ring(lane);
      return;
    }
    this.waiting += 1;
    await new Promise<void>((resolve) => {
      let left = lanes.length;
      const ended = (): void => {
        left -= 1;
        if (left === 0) resolve();
      };
      for (const lane of lanes) line.ring(lane, ended);
    });
    this.waiting -= 1;
  }
}
