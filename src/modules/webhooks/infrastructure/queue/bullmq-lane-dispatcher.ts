import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { within } from '../../../../platform/kernel/within.js';
import type { WaitingDelivery } from '../../application/ports/event-intake.js';
import { LaneDispatcher } from '../../application/ports/lane-dispatcher.js';
import type { Lane } from '../../domain/lane.js';
import { BrokerConnection } from './broker-connection.js';
import { LANE_QUEUE, type RingQueue } from './lane-queue.js';
import { LocalTurns } from './local-turns.js';
import { RingPacks } from './ring-packs.js';
import { WakeTimers } from './wake-timers.js';

/** Rings in one round trip to the broker at most. */
const MAX_BATCH = 1_000;

/** Milliseconds after which an unanswered batch of rings is given up. */
const ADD_TIMEOUT_MS = 2_000;

/**
 * Rings lanes through BullMQ: any worker may take the turn. Rings of one moment travel together. Those that the broker does
 * not take become turns of this process.
 */
@Injectable()
export class BullmqLaneDispatcher extends LaneDispatcher {
  private readonly waiting = new Map<string, Lane>();
  private readonly packs: RingPacks;
  private sending = false;
  private refused = false;
  /**
   * What is due later is the business of the process that knows of it: another way through the broker would cost more than the
   * attempt, and put the retries of endpoints that fail before the rings of new events.
   */
  private readonly timers = new WakeTimers((lanes) => {
    if (this.local.isStarted) this.local.ring(lanes);
    else this.ring(lanes);
  });

  constructor(
    @InjectQueue(LANE_QUEUE) private readonly queue: RingQueue,
    private readonly broker: BrokerConnection,
    private readonly local: LocalTurns,
    private readonly logger: AppLogger,
  ) {
    super();
    this.packs = new RingPacks(this.queue);
    // Without a listener BullMQ prints the error and its stack; the connection has reported it already, in words.
    this.queue.on('error', (cause) => {
      this.logger.debug('BullMQ queue', { reason: cause.message });
    });
  }

  override ring(lanes: readonly Lane[]): void {
    // While the broker is away nothing is kept for it: the due-list is the truth and the sweep rings from it.
    if (!this.broker.ready) {
      this.local.ring(lanes);
      return;
    }
    for (const lane of lanes) this.waiting.set(lane.subscriptionId, lane);
    if (!this.sending && this.waiting.size > 0) {
      this.sending = true;
      setImmediate(() => {
        void this.sendWaiting();
      });
    }
  }

  override ringAfter(lane: Lane, delayMs: number): void {
    this.timers.wakeAfter(lane, delayMs);
  }

  override async afterRequest(waiting: readonly WaitingDelivery[]): Promise<void> {
    this.ring(waiting.map(({ lane }) => lane));
    await Promise.resolve();
  }

  stop(): void {
    this.timers.stop();
  }

  /** Never rejects. */
  private async sendWaiting(): Promise<void> {
    while (this.waiting.size > 0) {
      const lanes = [...this.waiting.values()].slice(0, MAX_BATCH);
      for (const lane of lanes) this.waiting.delete(lane.subscriptionId);
      try {
        await within(ADD_TIMEOUT_MS, this.packs.send(lanes));
        if (this.refused) this.logger.info(`${this.broker.name} takes rings of lanes again`);
        this.refused = false;
      } catch (cause) {
        this.refuse(cause, lanes);
      }
    }
    this.sending = false;
  }

  /** Everything that waits goes the same way: a broker that hangs must not be asked batch after batch. */
  private refuse(cause: unknown, lanes: readonly Lane[]): void {
    this.local.ring([...lanes, ...this.waiting.values()]);
    this.waiting.clear();
    if (!this.refused) {
      this.logger.warn(
        `${this.broker.name} does not take rings of lanes: processes that deliver go on without it`,
        { reason: cause instanceof Error ? cause.message : String(cause) },
      );
    }
    this.refused = true;
  }
}
