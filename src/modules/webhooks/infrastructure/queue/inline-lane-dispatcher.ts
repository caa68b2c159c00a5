import type { AppLogger } from '../../../../platform/kernel/app-logger.js';
import type { AttemptWatch } from '../../application/attempt-watch.js';
import type { DeliverySettings } from '../../application/delivery-settings.js';
import type { WaitingDelivery } from '../../application/ports/event-intake.js';
import { LaneDispatcher } from '../../application/ports/lane-dispatcher.js';
import type { Lane } from '../../domain/lane.js';
import { LaneScheduler, type DrainTurn } from './lane-scheduler.js';
import type { LaneConsumer } from './lane-consumer.js';
import { WakeTimers } from './wake-timers.js';

/** Turns at once. They wait for PostgreSQL alone, and one claim serves many of them; requests have bounds of their own. */
const PARALLEL_TURNS = 256;

/** Milliseconds that a request waits beyond the time budget of an attempt, for claiming and recording it. */
const WAIT_MARGIN_MS = 1_000;

/** Without a broker: lanes are drained in this process, and a request answers after the first attempts. */
export class InlineLaneDispatcher extends LaneDispatcher implements LaneConsumer {
  private scheduler: LaneScheduler | null = null;
  private readonly timers = new WakeTimers((lanes) => {
    this.ring(lanes);
  });

  constructor(
    private readonly watch: AttemptWatch,
    private readonly settings: DeliverySettings,
    private readonly logger: AppLogger,
  ) {
    super();
  }

  override ring(lanes: readonly Lane[]): void {
    for (const lane of lanes) this.scheduler?.ring(lane);
  }

  override ringAfter(lane: Lane, delayMs: number): void {
    this.timers.wakeAfter(lane, delayMs);
  }

  override async afterRequest(
    waiting: readonly WaitingDelivery[],
    deliveryIds: readonly string[],
  ): Promise<void> {
    if (this.scheduler === null) return;
    const attempted = this.watch.firstAttempts(
      deliveryIds,
      this.settings.timeoutMs + WAIT_MARGIN_MS,
      waiting,
    );
    this.ring(waiting.map(({ lane }) => lane));
    await attempted;
  }

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

  async stopConsuming(): Promise<void> {
    this.timers.stop();
    this.scheduler?.stop();
    this.watch.stop();
    await Promise.resolve();
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }
}
